"""After Ctrl-C in the engine, in mid-epoch, `fit` goes on with the next step, and ends with the same bits."""

import os

import pytest

SCRIPT = """
import os, signal, sys, threading, time
import numpy as np
import minidl

replicates, threads, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
EPOCHS, N = 3, 60_000 if kind == "stream" else 240_000
rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (N, 2)).astype(np.float32)
y = (x[:, :1] > x[:, 1:]).astype(np.float32)

def build(rng):
    layers = [minidl.Linear(2, 16, rng=rng), minidl.BatchNorm1d(16), minidl.Residual(minidl.ReLU())]
    layers += [minidl.Dropout(0.1, rng=rng), minidl.Linear(16, 1, rng=rng)]
    return minidl.Sequential(layers)

def begin():
    model = minidl.replicate(build, range(replicates)) if replicates else build(np.random.default_rng(0))
    return model, minidl.Adam(model, 1e-3)

def batches():
    return ((x[start : start + 3], y[start : start + 3]) for start in range(0, N, 3))

def train(model, optimizer, history, **options):
    if kind == "stream":
        options["batches"] = batches
    else:
        options |= {"x": x, "y": y, "batch_size": 3, "rng": list(range(replicates)) if replicates else 5}
        options |= {"validation_split": 0.1, "l2": 0.01} if kind == "split" else {}
    options |= {"epochs": EPOCHS - len(history), "history": history, "engine": "native", "threads": threads}
    return minidl.fit(model, minidl.BCEWithLogitsLoss("mean"), optimizer, accuracy=True, **options)

whole, own = begin()
began = time.monotonic()
expected = train(whole, own, minidl.History())
pause = (time.monotonic() - began) / 4
model, optimizer = begin()
history, interruptions = minidl.History(), 0
while len(history) < EPOCHS:
    timer = threading.Timer(pause, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        train(model, optimizer, history)
        timer.cancel()
    except KeyboardInterrupt as error:
        assert error.history is history
        interruptions += 1
    timer.join()
assert interruptions
assert model.values.tobytes() == whole.values.tobytes()
assert optimizer.m.tobytes() == own.m.tobytes() and optimizer.t == own.t
for name, array in model[1].statistics.items():
    assert array.tobytes() == whole[1].statistics[name].tobytes()
generators = [[g.bit_generator.state for g in net[3].generators] for net in (model, whole)]
assert generators[0] == generators[1]
np.testing.assert_array_equal(history.curve("loss"), expected.curve("loss"))
np.testing.assert_array_equal(history.curve("accuracy"), expected.curve("accuracy"))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("kind", ["arrays", "split", "stream"])
@pytest.mark.parametrize(("replicates", "threads"), [(0, 1), (3, 1), (3, 2)])
def test_the_end_has_the_same_bits(replicates, threads, kind, run_script):
    run_script(SCRIPT, str(replicates), str(threads), kind, timeout=120)
