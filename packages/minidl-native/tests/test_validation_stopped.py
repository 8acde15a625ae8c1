"""Ctrl-C in a call that also measures a validation set, in the middle of either."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, sys, threading, time
import numpy as np
import minidl
from minidl.training import native_engine

native_engine._STRETCH = native_engine._ORDERS = 2**62  # so long that the engine looks for signals in a call
EPOCHS, N, ROWS = 300, 200, 20_000
rng = np.random.default_rng(0)
x, held_x = (rng.uniform(-1, 1, (count, 2)).astype(np.float32) for count in (N, ROWS))
y, held_y = ((one[:, :1] > one[:, 1:]).astype(np.float32) for one in (x, held_x))

class Training:
    def __init__(self, replicates):
        build = lambda rng: minidl.Sequential([
            minidl.Linear(2, 16, rng=rng), minidl.BatchNorm1d(16), minidl.ReLU(), minidl.Linear(16, 1, rng=rng)
        ])
        self.model = minidl.replicate(build, range(replicates)) if replicates else build(np.random.default_rng(3))
        self.optimizer, self.history = minidl.Adam(self.model, 1e-3), minidl.History()
        self.rng = np.random.default_rng(1)

    def run(self, **options):
        options |= {"epochs": EPOCHS - len(self.history), "batch_size": 4, "rng": self.rng, "history": self.history}
        options |= {"validation": (held_x, held_y), "engine": "native", "threads": 2}
        minidl.fit(self.model, minidl.BCEWithLogitsLoss("mean"), self.optimizer, x, y, **options)

    def all(self):
        curves = [self.history.curve(name) for name in ("loss", "accuracy", "val_loss", "val_accuracy")]
        arrays = [self.model.values, self.optimizer.m, *curves, *self.model[1].statistics.values()]
        return [array.tobytes() for array in arrays], self.rng.bit_generator.state, self.optimizer.t

replicates = int(sys.argv[1])
whole, training = Training(replicates), Training(replicates)
began = time.monotonic()
whole.run(callbacks=[lambda *_: None])
pause = (time.monotonic() - began) / 5
stops = []
while len(training.history) < EPOCHS:
    timer = threading.Timer(pause, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        training.run()
        timer.cancel()
    except KeyboardInterrupt:
        position = training.history.interrupted.position
        stops.append(position is not None and 0 < position.done.max() <= N // 4)
    timer.join()
assert any(stops), "was not interrupted in the middle of a call"
assert training.all() == whole.all()
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("replicates", ["0", "2"])
def test_the_training_goes_on_to_the_same_bits(replicates):
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "error", "-c", SCRIPT, replicates],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert not done.returncode, done.stderr
