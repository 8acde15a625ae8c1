"""The SQLite file with the results of a sweep."""

from __future__ import annotations

import importlib.metadata
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep.grid import Config, Definition, Run
from minidl_experiments.sweep.records import COLUMNS, KEY, find_fault, has_sound_key, record_words
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
_RECOVER = "choose another file, or save its sound records with sqlite3 {} .recover"
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


class Store:
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
        self.path, self.definition = path, definition
        self._described = _describe(definition)
        try:
            self._file = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        except sqlite3.Error as error:
            raise OSError(f"{path}: {error}") from error
        self._file.text_factory = _decode
        try:
            self._check()
            self.damaged = dict(self._find_damaged())
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
        replaced = [row[: len(KEY)] for row in rows if row[: len(KEY)] in self.damaged]
        with self._errors_named(), self._file:
            self._file.execute("BEGIN IMMEDIATE")
            self._compare()
            self._file.executemany(_DELETE, replaced)
            self._file.executemany(_INSERT, rows)
        for key in replaced:
            del self.damaged[key]

    def accuracies(self) -> dict[Run, float | None]:
        """Return the test accuracies of all sound records; None marks a diverged run.

        Raises
        ------
        OSError
            If the file is damaged.
        """
        with self._errors_named():
            rows = self._file.execute(_ACCURACIES).fetchall()
        return {_run(*key): accuracy for *key, accuracy in rows if tuple(key) not in self.damaged}

    def curves(self, run: Run) -> dict[str, list[float]]:
        """Return the curves of a run, which must be in the file."""
        with self._errors_named():
            (text,) = self._file.execute(_CURVES, _key(run)).fetchone()
        curves: dict[str, list[float]] = json.loads(text)
        return curves

    def _check(self) -> None:
        """Compare the definition with the one in the file; write it into a file without results."""
        with self._errors_named(), self._file:
            self._file.execute("BEGIN IMMEDIATE")
            if not self._has_results():
                self._file.execute("DELETE FROM definition")
                self._file.executemany("INSERT INTO definition VALUES (?, ?)", self._described.items())
            self._compare()

    def _find_damaged(self) -> Iterator[tuple[tuple[object, ...], Damage]]:
        """Yield the damaged records with the values of their key."""
        with self._errors_named():
            for row in self._file.execute(_SELECT):
                record = dict(zip(COLUMNS, row, strict=True))
                if fault := find_fault(record, self.definition.epochs):
                    key = row[: len(KEY)]
                    yield key, Damage(record_words(record), fault, _run(*key) if has_sound_key(record) else None)

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        """Raise the errors of SQLite as OSError, or as ValueError for another file, with the name of the file."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.OperationalError as error:  # a full disk, a read-only file, or a lock held for long
            raise OSError(f"{self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT:
                raise OSError(f"{self.path}: the file is damaged: {error}; {_RECOVER.format(self.path)}") from error
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


def _decode(text: bytes) -> str:
    """Decode a text, damaged or not."""
    return text.decode("utf-8", "backslashreplace")


def _run(lr: float, width: int, activation: str, optimizer: str, batch_size: int, p_drop: float, seed: int) -> Run:
    return Run(Config(lr, width, Activation(activation), Optimizer(optimizer), batch_size, p_drop), seed)


def _key(run: Run) -> tuple[object, ...]:
    return (*(str(value) if isinstance(value, str) else value for value in astuple(run.config)), run.seed)


def _row(result: Result) -> tuple[object, ...]:
    ends = [None if result.ends is None else result.ends[name] for name in MEASURES]
    curves = json.dumps(result.curves, separators=(",", ":"))
    return (*_key(result.run), *ends, *(result.diverged or (None, None)), curves, result.seconds)
