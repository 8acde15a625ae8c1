"""The SQLite file with the results of a sweep."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple
from pathlib import Path
from typing import NamedTuple

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep.grid import Config, Definition, Run
from minidl_experiments.sweep.records import COLUMNS, KEY, find_fault, has_sound_key, record_words
from minidl_experiments.sweep.results_file import ResultsFile, versions
from minidl_experiments.sweep.train import MEASURES, Result

_TABLE = """
CREATE TABLE runs (
    lr REAL NOT NULL,
    width INTEGER NOT NULL,
    activation TEXT NOT NULL,
    optimizer TEXT NOT NULL,
    batch_size INTEGER NOT NULL,
    p_drop REAL NOT NULL,
    seed INTEGER NOT NULL,
    train_loss REAL,
    train_accuracy REAL,
    test_loss REAL,
    test_accuracy REAL,
    diverged_epoch INTEGER,
    diverged_batch INTEGER,
    curves TEXT NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (lr, width, activation, optimizer, batch_size, p_drop, seed)
) WITHOUT ROWID
"""

# Two sweeps may write into one file: a run that both have trained has the same results.
_INSERT = "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_WHERE = " AND ".join(f"{name} = ?" for name in KEY)
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM runs"  # noqa: S608 - COLUMNS are constants
_CURVES = f"SELECT curves FROM runs WHERE {_WHERE}"  # noqa: S608 - KEY are constants
_DELETE = f"DELETE FROM runs WHERE {_WHERE}"  # noqa: S608 - the same
_ACCURACIES = f"SELECT {', '.join(KEY)}, test_accuracy FROM runs"  # noqa: S608 - the same


class Damage(NamedTuple):
    """A damaged record of the file.

    Attributes
    ----------
    record, fault : str
        Configuration and seed of the record, and its fault, as text.
    run : Run or None
        The run, whose training replaces the record; None if configuration or seed cannot be read.
    """

    record: str
    fault: str
    run: Run | None


class Store(ResultsFile):
    """An SQLite file with one row per finished run; a context manager.

    The table ``runs`` holds configuration and seed, loss and accuracy of the trained network, the curves as a JSON
    object, and the duration of the run in seconds. For a diverged run loss and accuracy are NULL, and epoch and batch
    of the divergence are set. Written rows survive a kill at any moment. The table ``definition`` holds the settings
    shared by all runs. A damaged record counts as missing; the results of its run replace it.

    Parameters
    ----------
    path : pathlib.Path
        Created if missing.
    definition : Definition

    Attributes
    ----------
    path, definition
        The arguments.
    damaged : dict of tuple to Damage
        The damaged records by the values of their key.

    Raises
    ------
    ValueError
        If the file belongs to a sweep with another definition, or to another program.
    OSError
        If the file cannot be opened, or is damaged beyond single records.
    """

    def __init__(self, path: Path, definition: Definition) -> None:
        self.definition = definition
        self.damaged: dict[tuple[object, ...], Damage] = {}
        described = {name: str(value) for name, value in asdict(definition).items()} | versions()
        super().__init__(path, described, "runs", _TABLE)

    def read_damaged(self) -> None:
        """Look for damaged records."""
        self.damaged = dict(self._find_damaged())

    def add(self, results: Iterable[Result]) -> None:
        """Write results in one transaction, all or none.

        Raises
        ------
        OSError
            If the results cannot be written.
        ValueError
            If a sweep with another definition has begun to use the file in the meantime.
        """
        rows = [_row(result) for result in results]
        replaced = [row[: len(KEY)] for row in rows if row[: len(KEY)] in self.damaged]
        with self.writing() as file:
            file.executemany(_DELETE, replaced)
            file.executemany(_INSERT, rows)
        for key in replaced:
            del self.damaged[key]

    def accuracies(self) -> dict[Run, float | None]:
        """Return the test accuracies of all sound records; None marks a diverged run.

        Raises
        ------
        OSError
            If the file is damaged.
        """
        rows = self.select(_ACCURACIES)
        return {_run(*key): accuracy for *key, accuracy in rows if tuple(key) not in self.damaged}

    def curves(self, run: Run) -> dict[str, list[float]]:
        """Return the curves of a run, which must be in the file."""
        ((text,),) = self.select(_CURVES, _key(run))
        curves: dict[str, list[float]] = json.loads(text)
        return curves

    def _find_damaged(self) -> Iterator[tuple[tuple[object, ...], Damage]]:
        """Yield the damaged records with the values of their key."""
        for row in self.each(_SELECT):
            record = dict(zip(COLUMNS, row, strict=True))
            if fault := find_fault(record, self.definition.epochs):
                key = row[: len(KEY)]
                yield key, Damage(record_words(record), fault, _run(*key) if has_sound_key(record) else None)


def _run(lr: float, width: int, activation: str, optimizer: str, batch_size: int, p_drop: float, seed: int) -> Run:
    return Run(Config(lr, width, Activation(activation), Optimizer(optimizer), batch_size, p_drop), seed)


def _key(run: Run) -> tuple[object, ...]:
    return (*(str(value) if isinstance(value, str) else value for value in astuple(run.config)), run.seed)


def _row(result: Result) -> tuple[object, ...]:
    ends = [None if result.ends is None else result.ends[name] for name in MEASURES]
    curves = json.dumps(result.curves, separators=(",", ":"))
    return (*_key(result.run), *ends, *(result.diverged or (None, None)), curves, result.seconds)
