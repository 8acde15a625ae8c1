"""Ctrl-C, or another exception of a signal handler, ends a training in its middle and between two steps."""

import os

import pytest

# Every gradient is 1 here: the logits are so large that their sigmoid is 1, and the targets are 0. So after any whole
# number of steps all parameters are the same, and so is the velocity.
SCRIPT = """
import os, signal, sys, threading
import numpy as np
import minidl, minidl_native

threads = int(sys.argv[1])
model = minidl.replicate(lambda rng: minidl.Linear(1, 32), range(3))
model.values[...] = 1e6
velocity, n = np.zeros_like(model.values), 2_000_000
x, y, order, rates = np.ones((n, 1), np.float32), np.zeros((n, 32), np.float32), np.arange(n), np.full(n, 0.25)
network = minidl_native.Network(model.spec(), dtype="float32", replicate_shape=(3,))
settings = {"momentum": 0.5, "nesterov": False, "weight_decay": 0.0, "clip": np.inf, "decay_biases": True}
samples = minidl_native.Samples(x, y, order, 1)
loss = minidl_native.LossRecord("BCEWithLogitsLoss", False, None, {"pos_weight": 1.0, "ceiling": 9.0})
optimizer = minidl_native.OptimizerRecord("SGD", settings, {"velocity": velocity}, rates, 0)
result = minidl_native.EpochResult.empty((3,))

class Enough(Exception):
    pass

def handle(*_):
    raise Enough

for error in (KeyboardInterrupt, Enough):
    if error is Enough:
        signal.signal(signal.SIGINT, handle)
    timer = threading.Timer(0.25, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        network.train(model.values, samples, loss, optimizer, result, threads=threads)
        raise SystemExit("was not interrupted")
    except error:
        assert (result.diverged == 0).all() and (result.steps < n).all()
        assert (result.steps[:threads] > 0).all() and (result.steps[threads:] == 0).all()
    timer.join()
assert threading.active_count() == 1
assert (model.values[:threads] < 1e6).all() and (model.values[threads:] == 1e6).all()
for part in (model.values, velocity):
    assert (part == part[:, :1]).all()
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c(threads, run_script):
    run_script(SCRIPT, threads)


COUNTED = """
import os, signal, threading
import numpy as np
import minidl

n = 200_000
model = minidl.Linear(1, 8, dtype="float64", rng=0)
x, y = np.ones((n, 1)), np.full((n, 8), 1e12)  # far away: every step of Adam is one of lr
before, optimizer = model.values.copy(), minidl.Adam(model, 1.0)
timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))

def begin(epoch, history):
    if epoch == 1:  # a busy machine may be slow to get there
        timer.start()

options = {"epochs": 1000, "batch_size": 1, "engine": "native", "callbacks": [begin]}
try:
    minidl.fit(model, minidl.MSELoss(), optimizer, x, y, **options)
    raise SystemExit("was not interrupted")
except KeyboardInterrupt:
    timer.join()
assert optimizer.t > 0
np.testing.assert_allclose(model.values - before, optimizer.t, rtol=1e-6)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_the_optimizer_knows_how_many_steps_were_made(run_script):
    run_script(COUNTED)


IN_MID_EPOCH = """
import os, signal, sys, threading
import numpy as np
import minidl

n, replicates = 2_000_000, int(sys.argv[1])
build = lambda rng: minidl.Linear(1, 8, rng=rng)
model = minidl.replicate(build, range(replicates)) if replicates else build(0)
x, y = np.ones((n, 1), np.float32), np.ones((n, 8), np.float32)
options = {"epochs": 1, "batch_size": 1, "engine": "native", "shuffle": False, "threads": 2}
pid = os.getpid()

class Begin(minidl.Callback):
    def start(self, run):
        threading.Timer(0.1, os.kill, (pid, signal.SIGINT)).start()

try:
    minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 1e-9), x, y, callbacks=[Begin()], **options)
    raise SystemExit("was not interrupted")
except KeyboardInterrupt as error:
    made = error.history.interrupted.position.done
assert (made < n).all() and (made.max() > 0), made
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("replicates", ["0", "3"])
def test_fit_ends_in_mid_epoch(replicates, run_script):
    run_script(IN_MID_EPOCH, replicates)
