"""Print how far a reader's eye travels through the source: calls, files, and moves between files.

A call is one entry into a Python function of minidl or minidl_native, as `sys.setprofile` reports it. Comprehensions
and each resumption of a generator count; returns do not. A move is a change of file between two consecutive calls.
Each task runs once before it is measured, so that caches are filled. Python 3.12 counts fewer calls than 3.11, because
it inlines comprehensions.

`python checks/trace.py` measures the report's network of three hidden layers, `--hidden 1` one of another depth;
`--list` prints the calls as well.
"""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import minidl

PACKAGES = [name for name in ("minidl", "minidl_native") if find_spec(name)]
ROOTS = [Path(import_module(name).__file__ or "").parent for name in PACKAGES]
Task = Callable[[], object]


def trace(task: Task) -> list[tuple[str, str]]:
    """Run a task twice; return the file and the function of every call of the second run."""
    calls: list[tuple[Path, str]] = []

    def enter(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            calls.append((Path(frame.f_code.co_filename), frame.f_code.co_qualname))

    task()
    sys.setprofile(enter)
    try:
        task()
    finally:
        sys.setprofile(None)
    return [
        (str(path.relative_to(root.parent)), name) for path, name in calls for root in ROOTS if root in path.parents
    ]


def tasks(hidden: int) -> dict[str, Task]:
    """Return what is measured: a step, `fit` with one step, and `predict`, on 50 samples in float32."""
    rng = np.random.default_rng(0)
    layers: list[minidl.Module] = []
    for n_in in [2, *[25] * (hidden - 1)]:
        layers += [minidl.Linear(n_in, 25, rng=rng), minidl.ReLU()]
    model = minidl.Sequential([*layers, minidl.Linear(25, 2, rng=rng), minidl.Sigmoid()])
    loss, optimizer = minidl.MSELoss(), minidl.Adam(model)
    x = rng.random((50, 2), dtype=np.float32)
    y = np.eye(2, dtype=np.float32)[rng.integers(0, 2, 50)]

    def step() -> None:
        loss.forward(model.forward(x), y)
        model.backward(loss.backward())
        optimizer.step()

    def fit(engine: Any) -> Task:
        return lambda: minidl.fit(model, loss, optimizer, x, y, epochs=1, batch_size=50, rng=0, engine=engine)

    def predict(engine: Any) -> Task:
        return lambda: minidl.predict(model, x, engine=engine)

    found: dict[str, Task] = {"step by hand": step}
    engines = ("numpy", "native") if "minidl_native" in PACKAGES else ("numpy",)
    return found | {f"{task.__name__}, {engine}": task(engine) for task in (fit, predict) for engine in engines}


def main() -> None:
    """Print one line a task, and with `--list` the calls."""
    parser = argparse.ArgumentParser(description="Count calls, files and moves between files.")
    parser.add_argument("--hidden", type=int, default=3, help="number of hidden layers (default 3)")
    parser.add_argument("--list", action="store_true", help="print every call, as file:function")
    options = parser.parse_args()
    print(f"{'':<16}calls  files  moves")
    for name, task in tasks(options.hidden).items():
        calls = trace(task)
        files = [file for file, _ in calls]
        moves = sum(before != after for before, after in pairwise(files))
        print(f"{name:<16}{len(calls):>5}{len(set(files)):>7}{moves:>7}")
        if options.list:
            print(*(f"    {file}:{function}" for file, function in calls), sep="\n")


if __name__ == "__main__":
    main()
