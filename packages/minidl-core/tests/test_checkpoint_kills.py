"""A training that is killed again and again, at any moment, ends with the bits of one that was not."""

import multiprocessing
import os
import time
from importlib.util import find_spec

import numpy as np
import pytest

SCRIPT = """
import hashlib, os, sys
import numpy as np
import minidl

os.environ["OMP_NUM_THREADS"] = "1"
if backend == "torch":  # whose threads wait for each other beside other tests
    sys.modules["torch"].set_num_threads(1)
data = np.random.default_rng(0)
x = data.uniform(-1, 1, (3000, 2)).astype(np.float32)
y = (x[:, :1] * x[:, 1:]).astype(np.float32)

def build(rng):
    layers = [minidl.Linear(2, 16, rng=rng, backend=backend), minidl.BatchNorm1d(16, backend=backend), minidl.Tanh()]
    layers += [minidl.Dropout(0.1, rng=rng), minidl.Linear(16, 1, rng=rng, backend=backend)]
    return minidl.Sequential(layers)

replicated = kind == "replicates"
model = minidl.replicate(build, range(3)) if replicated else build(np.random.default_rng(1))
rate = {"lr": minidl.CosineSchedule(0.02, 2000)} if kind == "schedule" else {"lr": 0.01}
rate |= {"momentum": 0.5} if optimizer in ("SGD", "RMSprop") else {}
rule = getattr(minidl, optimizer)(model, **rate)
asarray = model.backend.asarray
drawn = np.random.default_rng(2)

def batches():
    order = drawn.permutation(3000)
    for start in range(0, 3000, 30):
        rows = order[start : start + 30]
        yield asarray(x[rows]), asarray(y[rows])

if kind == "stream":
    options = {"batches": batches}
else:
    options = {"x": asarray(x), "y": asarray(y), "batch_size": 30, "rng": [3, 4, 5] if replicated else 3}
    options |= {"validation_split": 0.2}
    options |= {"sample_weight": np.linspace(0, 1, 3000), "l2": 0.01} if kind == "weights" else {}
monitor = "loss" if kind == "stream" else "val_loss"
callbacks = [minidl.EarlyStopping(monitor=monitor, patience=4), minidl.Checkpoint(path, batches=7, rngs=[drawn])]
callbacks += [] if kind == "schedule" else [minidl.ReduceOnPlateau(monitor=monitor, patience=2, factor=0.5)]
pipe.send("ready")
history = minidl.fit(
    model, minidl.MSELoss("mean"), rule, epochs=12, callbacks=callbacks, engine=engine, resume=path, **options
)
found = hashlib.sha256()
vectors = [model.values, *(v for v in rule.state().vectors.values() if v is not None)]
for array in (*model.state_dict().values(), *vectors):
    found.update(model.backend.to_numpy(array).tobytes())
rngs = [drawn, *(rng for module in model.modules() for rng in module.generators)]
found.update(repr([rng.bit_generator.state for rng in rngs]).encode())
curves = {name: column.tolist() for name, column in history.to_frame().items()}
found.update(repr([curves, history.stopped, rule.t, rule.lr, callbacks[0].best, callbacks[0].best_epoch]).encode())
pipe.send((found.hexdigest(), len(history)))
"""
NAMES = "path", "engine", "backend", "kind", "optimizer", "pipe"
HAS_NATIVE, HAS_TORCH = find_spec("minidl_native") is not None, find_spec("torch") is not None
CASES = [
    ("numpy", "numpy", "split", "Adam"),
    ("numpy", "numpy", "replicates", "RMSprop"),
    ("numpy", "numpy", "stream", "SGD"),
    ("numpy", "numpy", "weights", "AdamW"),
    *([("numpy", "torch", "split", "Adam"), ("numpy", "torch", "replicates", "SGD")] if HAS_TORCH else []),
    *([("native", "numpy", kind, "Adam") for kind in ("replicates", "stream", "weights")] if HAS_NATIVE else []),
    *([("native", "numpy", "schedule", "AdamW")] if HAS_NATIVE else []),
]
KILLS = int(os.environ.get("MINIDL_TEST_KILLS", "40"))


@pytest.fixture(scope="module")
def begin():
    """Return a function that begins a training in a process of its own, a fork of one that has imported all."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["minidl", *(["torch"] if HAS_TORCH else [])])

    def start(path, case):
        own, pipe = processes.Pipe()
        child = processes.Process(target=exec, args=(SCRIPT, dict(zip(NAMES, (str(path), *case, pipe), strict=True))))
        child.start()
        pipe.close()
        assert own.recv() == "ready"
        return child, own

    return start


def end(child, pipe):
    """Return what a training has come to, or None if it was killed."""
    child.join()
    assert child.exitcode in (0, -9)
    return None if child.exitcode else pipe.recv()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_killed_at_any_moment(case, begin, tmp_path):
    rng, kills = np.random.default_rng(), 0
    expected = end(*begin(tmp_path / "whole", case))
    began = time.monotonic()
    assert end(*begin(tmp_path / "timed", case)) == expected
    longest = time.monotonic() - began
    while kills < -(-KILLS // len(CASES)):
        path, found = tmp_path / f"after {kills}", None
        while found is None:
            child, pipe = begin(path, case)
            time.sleep(rng.uniform(0, longest / 3))
            child.kill()
            found = end(child, pipe)
            kills += found is None
        assert found == expected
