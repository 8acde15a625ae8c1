"""The SQLite file with the results of a sweep."""

from __future__ import annotations

import importlib.metadata
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, astuple
from pathlib import Path
from types import TracebackType
from typing import Self

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep.grid import AXES, Config, Definition, Run
from minidl_experiments.sweep.train import MEASURES, Result

_PACKAGES = "minidl-core", "minidl-data", "minidl-experiments", "minidl-native", "numpy"
_PATIENCE = 60  # seconds to wait for the lock of another process

_TABLES = """
CREATE TABLE definition (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
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
) WITHOUT ROWID;
"""

# Two sweeps may write into one file: a run that both have trained has the same results.
_INSERT = "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


class Store:
    """An SQLite file with one row per finished run; a context manager.

    The table ``runs`` holds configuration and seed, loss and accuracy of the trained network, the curves as a JSON
    object, and the duration of the run in seconds. For a diverged run loss and accuracy are NULL, and epoch and batch
    of the divergence are set. Written rows survive a kill at any moment. The table ``definition`` holds the settings
    shared by all runs.

    Parameters
    ----------
    path : pathlib.Path
        Created if missing.
    definition : Definition

    Attributes
    ----------
    path, definition
        The arguments.

    Raises
    ------
    ValueError
        If the file belongs to a sweep with another definition, or to another program.
    OSError
        If the file cannot be opened.
    """

    def __init__(self, path: Path, definition: Definition) -> None:
        self.path, self.definition = path, definition
        self._described = _describe(definition)
        try:
            self._file = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        except sqlite3.Error as error:
            raise OSError(f"{path}: {error}") from error
        try:
            self._check()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

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
        try:
            with self._file:
                self._file.execute("BEGIN IMMEDIATE")
                self._compare()
                self._file.executemany(_INSERT, rows)
        except sqlite3.OperationalError as error:  # a full disk, for example
            raise OSError(f"{self.path}: {error}") from error

    def accuracies(self) -> dict[Run, float | None]:
        """Return the test accuracies of all runs in the file; None marks a diverged run.

        Raises
        ------
        OSError
            If the file is damaged.
        """
        try:
            rows = self._file.execute(f"SELECT {', '.join(AXES)}, seed, test_accuracy FROM runs").fetchall()  # noqa: S608 - AXES are constants
        except sqlite3.Error as error:
            raise OSError(f"{self.path}: {error}") from error
        return {Run(_config(*axes), seed): accuracy for *axes, seed, accuracy in rows}

    def curves(self, run: Run) -> dict[str, list[float]]:
        """Return the curves of a run, which must be in the file."""
        where = " AND ".join(f"{axis} = ?" for axis in (*AXES, "seed"))
        (text,) = self._file.execute(f"SELECT curves FROM runs WHERE {where}", _key(run)).fetchone()  # noqa: S608 - AXES are constants
        curves: dict[str, list[float]] = json.loads(text)
        return curves

    def _check(self) -> None:
        """Compare the definition with the one in the file; write it into a file without results."""
        try:
            with self._file:
                self._file.execute("BEGIN IMMEDIATE")
                if not self._has_results():
                    self._file.execute("DELETE FROM definition")
                    self._file.executemany("INSERT INTO definition VALUES (?, ?)", self._described.items())
                self._compare()
        except sqlite3.OperationalError as error:  # a read-only file, or a lock held for long
            raise OSError(f"{self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{self.path}: expected the results of a sweep, got another file: {error}") from error

    def _compare(self) -> None:
        found = dict(self._file.execute("SELECT name, value FROM definition"))
        for name, value in self._described.items():
            if found.get(name) != value:
                raise ValueError(
                    f"{self.path}: expected the results of a sweep with {name} {value}, got one with {name} "
                    f"{found.get(name, 'unknown')}; choose another file"
                )

    def _has_results(self) -> bool:
        """Whether the file has results; a new file gets its tables first."""
        tables = {name for (name,) in self._file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            for statement in _TABLES.split(";"):
                self._file.execute(statement)
        elif tables != {"definition", "runs"}:
            raise sqlite3.DatabaseError(f"the tables are {', '.join(sorted(tables))}")
        return self._file.execute("SELECT 1 FROM runs").fetchone() is not None


def _describe(definition: Definition) -> dict[str, str]:
    """Return everything beside the grid that affects the results: shared settings and versions of packages."""
    shared = {name: str(value) for name, value in asdict(definition).items()}
    return shared | {package: _version(package) for package in _PACKAGES}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _config(lr: float, width: int, activation: str, optimizer: str, batch_size: int, p_drop: float) -> Config:
    return Config(lr, width, Activation(activation), Optimizer(optimizer), batch_size, p_drop)


def _key(run: Run) -> tuple[object, ...]:
    return (*(str(value) if isinstance(value, str) else value for value in astuple(run.config)), run.seed)


def _row(result: Result) -> tuple[object, ...]:
    ends = [None if result.ends is None else result.ends[name] for name in MEASURES]
    curves = json.dumps(result.curves, separators=(",", ":"))
    return (*_key(result.run), *ends, *(result.diverged or (None, None)), curves, result.seconds)
