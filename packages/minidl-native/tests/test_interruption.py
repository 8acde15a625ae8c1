"""Ctrl-C ends a training at once and between two steps."""

import os
import subprocess
import sys

import pytest

# Every gradient is 1 here: the logits are so large that their sigmoid is 1, and the targets are 0. So after any whole
# number of steps all parameters are the same, and so is the velocity.
SCRIPT = """
import os, signal, sys, threading, time
import numpy as np
import minidl, minidl_native

threads = int(sys.argv[1])
model = minidl.replicate(lambda rng: minidl.Linear(1, 32), range(3))
model.values[...] = 1e6
velocity, n = np.zeros_like(model.values), 2_000_000
x, y, order, rates = np.ones((n, 1), np.float32), np.zeros((n, 32), np.float32), np.arange(n), np.full(n, 0.25)
network = minidl_native.Network(model.spec(), dtype="float32", lead=(3,))
optimizer = {"kind": "SGD", "momentum": 0.5, "nesterov": False, "weight_decay": 0.0, "velocity": velocity}
sent = []

def interrupt():
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)

delays = []
for _ in range(2):
    timer = threading.Timer(0.25, interrupt)
    timer.start()
    try:
        network.train_epoch(
            model.values, x, y, order, batch_size=1, loss="BCEWithLogitsLoss", mean=False, threshold=None,
            optimizer=optimizer, rates=rates, t=0, active=None, threads=threads,
        )
        raise SystemExit("was not interrupted")
    except KeyboardInterrupt:
        delays.append(time.monotonic() - sent[-1])
    timer.join()
assert threading.active_count() == 1
for r in range(threads):
    assert model.values[r, 0] < 1e6
for part in (model.values, velocity):
    assert (part == part[:, :1]).all()
print(min(delays))
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c(threads):
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "error", "-c", SCRIPT, threads], capture_output=True, text=True, check=False, timeout=60
    )
    assert not done.returncode, done.stderr
    # The quickest of two: another program may hold the processor for longer than that.
    assert float(done.stdout) < 0.1
