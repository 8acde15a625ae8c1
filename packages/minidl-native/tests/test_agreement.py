"""A formula that is edited in minidl's source runs, whatever the engine computes in its place."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import minidl
from minidl.training.agreement import disagreement
from minidl_native import KINDS

TRAINING = """
import numpy as np, minidl
assert minidl.__file__.startswith({place!r})
layers = [minidl.Linear(2, 3, rng=0), minidl.BatchNorm1d(3), minidl.ReLU()]
layers += [minidl.Residual(minidl.Linear(3, 3, rng=2)), minidl.Linear(3, 2, rng=1), minidl.Sigmoid()]
model = minidl.Sequential(layers)
x = np.ones((4, 2), np.float32)
optimizer = minidl.Adam(model, 0.1)
history = minidl.fit(model, minidl.BCELoss(), optimizer, x, x, epochs=1, batch_size=2)
print(history.engine)
print(minidl.summary(model).splitlines()[-1])
"""
EDITS = {
    "BatchNorm1d": ("layers/batch_norm.py", "variance * (count / (count - 1))", "variance"),
    "BatchNorm1d, which predicts": ("layers/batch_norm.py", "x) - mean, at_least", "x) - 0.999 * mean, at_least"),
    "Residual": ("layers/residual.py", "return dy + dx if", "return 0.999 * dy + dx if"),
    "ReLU": ("layers/activations.py", "return dy * positive", "return 0.999 * dy * positive"),
    "Sigmoid": ("layers/activations.py", "return dy * (y * (1 - y))", "return dy * (y * (1.001 - y))"),
    "BCELoss": ("losses/bce.py", "return (f - y) /", "return 1.001 * (f - y) /"),
    "Adam": ("optim/moments.py", "value /= s.eps", "value /= 1e-3 + s.eps"),
    "Sequential or Linear or MSELoss or SGD": (
        "layers/linear.py",
        "dx = rows @ self._weight",
        "dx = 0.999 * rows @ self._weight",
    ),
}


def run(place):
    code = TRAINING.format(place=str(place))
    environment = {**os.environ, "PYTHONPATH": str(place), "MINIDL_ENGINE": "auto"}
    done = subprocess.run(  # noqa: S603 - a program of our own
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


def copy_of_source(place):
    shutil.copytree(Path(minidl.__file__).parent, place / "minidl", ignore=shutil.ignore_patterns("__pycache__"))


def test_an_unedited_copy_runs_in_the_engine(tmp_path):
    copy_of_source(tmp_path)
    assert run(tmp_path) == ["native", "engine: native"]


@pytest.mark.parametrize("kind", EDITS)
def test_an_edited_kind_runs_on_numpy(tmp_path, kind):
    copy_of_source(tmp_path)
    name, line, edited = EDITS[kind]
    file = tmp_path / "minidl" / name
    assert file.read_text("utf-8").count(line) == 1
    file.write_text(file.read_text("utf-8").replace(line, edited), "utf-8")
    trained, summary = run(tmp_path)
    kind = kind.partition(",")[0]
    steps = ", steps native" if kind != "Adam" else ""
    assert trained in {f"numpy ({kind} computes something else than the engine){end}" for end in ("", steps)}
    assert ("numpy" in summary) == (kind not in {"BCELoss", "Adam"}), "a loss or an optimizer predicts nothing"


def test_every_kind_of_the_engine_agrees():
    names = [*KINDS.layers, *KINDS.losses, *KINDS.optimizers]
    assert not disagreement(getattr(minidl, name) for name in names)
