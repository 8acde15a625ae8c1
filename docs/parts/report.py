"""The report's experiments, trained by the build: figures, numbers and statements."""

import hashlib
import json
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rich.console import Console

from minidl_experiments.experiments import RUNS
from minidl_experiments.progress import EpochProgress
from minidl_experiments.readings import RUNS as READING_RUNS
from minidl_experiments.readings import compare_readings, write_readings
from minidl_experiments.reproduction import reproduce, write_figures, write_table
from parts.markdown import table
from parts.places import GENERATED, write

FOLDER = GENERATED / "report"
EPOCHS, SEEDS, READING_SEEDS = 50, 100, 40
PACKAGES = [name for name in ("minidl", "minidl_data", "minidl_experiments", "minidl_native") if find_spec(name)]
SOURCES = ("*.py", "*.so", "*.pyd")  # the engine is a library
NBSP = "\N{NO-BREAK SPACE}"
HELD = {True: "held", False: "**not held**", None: "undecided"}
AGREES = {True: "**yes**", False: "no", None: "undecided"}


def write_report() -> None:
    """Train, unless the results of this very code are there, and write the parts of the page."""
    key, stamp = _key(), FOLDER / "key.txt"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != key:
        _train()
        write("report/key.txt", key)
    content, readings = (_load(name) for name in ("table.json", "readings.json"))
    write("report/quantities.md", _quantities(content["quantities"]))
    write("report/statements.md", _statements(content["statements"]))
    write("report/readings.md", _readings(readings["readings"]))
    write("report/seeds.md", f"Networks per experiment: {SEEDS}; per reading: {READING_SEEDS}.\n")


def _key() -> str:
    """Return a hash of all that the results depend on: the source, the engine, NumPy and the numbers above."""
    digest = hashlib.sha256(f"{np.__version__} {EPOCHS} {SEEDS} {READING_SEEDS}".encode())
    for package in PACKAGES:
        folder = Path(find_spec(package).origin).parent
        for path in sorted(path for ending in SOURCES for path in folder.rglob(ending)):
            digest.update(path.read_bytes())
    return digest.hexdigest() + "\n"


def _train() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    Parallel(n_jobs=2)(delayed(train)() for train in (_train_report, _train_readings))


def _train_report() -> None:
    with EpochProgress(Console(file=StringIO()), len(RUNS) * EPOCHS) as progress:
        reproduction = reproduce(range(SEEDS), EPOCHS, progress)
    write_figures(reproduction.results, FOLDER)
    write_table(reproduction, FOLDER)


def _train_readings() -> None:
    with EpochProgress(Console(file=StringIO()), READING_RUNS * EPOCHS) as progress:
        found = compare_readings(range(READING_SEEDS), EPOCHS, progress)
    write_readings(found, range(READING_SEEDS), EPOCHS, FOLDER)


def _load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def _quantities(entries: list[dict[str, Any]]) -> str:
    rows = []
    for entry in entries:
        unit, digits = (f"{NBSP}%", 2) if entry["unit"] == "%" else ("", 4)
        report = "" if entry["report"] is None else f"{entry['report']:.{digits - 1}f}{unit}"
        interval = f"{entry['low']:.{digits}f} to {entry['high']:.{digits}f}{unit}"
        rows.append([entry["run"], entry["name"], report, f"{entry['mean']:.{digits}f}{unit}", interval])
    return table(["training", "quantity", "report", "mean", "5 % to 95 % of the seeds"], rows, "llrrr")


def _statements(entries: list[dict[str, Any]]) -> str:
    rows = [[entry["claim"], HELD[entry["held"]], entry["evidence"], entry["rule"]] for entry in entries]
    return table(["statement of the report", "here", "numbers", "held if"], rows, "llll")


def _readings(entries: list[dict[str, Any]]) -> str:
    names = [f"{optimizer} {part}" for optimizer in ("Adam", "SGD") for part in ("train", "test")]
    rows = []
    for entry in entries:
        means = {quantity["name"]: quantity["mean"] for quantity in entry["quantities"]}
        cells = [_accuracy(means.get(f"{name} accuracy"), _lost(entry, name)) for name in names]
        rows.append([entry["network"], entry["reduction"], *cells, AGREES[entry["agrees"]]])
    return table(["third hidden / outputs", "loss", *names, "agrees"], rows, "llrrrrr")


def _accuracy(mean: float | None, lost: str) -> str:
    return "diverges" if mean is None else f"{mean:.1f}{NBSP}%{lost}"


def _lost(entry: dict[str, Any], name: str) -> str:
    """Return a note with the number of seeds that a mean leaves out because they diverged."""
    found = [q for q in entry["quantities"] if q["name"] == f"{name} accuracy" and q["diverged"]]
    return "".join(f" ({q['diverged']} of {q['seeds']} diverged)" for q in found)
