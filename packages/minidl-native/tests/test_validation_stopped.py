"""Ctrl-C in a call that also measures a validation set, in the middle of either."""

import os

import pytest

SCRIPT = """
import os, signal, sys, threading, time
import numpy as np
import minidl
from minidl.training import native_engine

native_engine._STRETCH = native_engine._ORDERS = 2**62  # so long that the engine looks for signals in a call
replicates = int(sys.argv[1])
# The engine looks for signals every 50 ms of a call: calls are of many epochs, or with replicates of one, and long.
EPOCHS, N, ROWS = (6, 200_000, 2_000_000) if replicates else (3000, 200, 4_000)
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

whole = Training(replicates)
began = time.monotonic()
whole.run(callbacks=[lambda *_: None])
pause, stops = (time.monotonic() - began) / 5, set()

def interrupted():
    # Returns a training; notes how many steps of an epoch were made at each interruption.
    training = Training(replicates)
    while len(training.history) < EPOCHS:
        timer = threading.Timer(pause, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            training.run()
        except KeyboardInterrupt:
            found = training.history.interrupted
            if found is not None and found.position is not None:
                stops.add(int(found.position.done.max()))
        finally:
            timer.cancel()
        timer.join()
    return training

for _ in range(30):  # until one has stopped between two steps, and one in a validation
    assert interrupted().all() == whole.all()
    if stops & set(range(1, N // 4)) and N // 4 in stops:
        break
else:
    raise AssertionError(f"stopped only after {sorted(stops)} steps")
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("replicates", ["0", "2"])
def test_the_training_goes_on_to_the_same_bits(replicates, run_script):
    run_script(SCRIPT, replicates, timeout=120)
