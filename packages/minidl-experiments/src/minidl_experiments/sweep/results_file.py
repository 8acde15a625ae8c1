"""SQLite files of results that are written while they are computed, and survive a kill at any moment."""

from __future__ import annotations

import importlib.metadata
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PACKAGES = "minidl-core", "minidl-data", "minidl-experiments", "minidl-native", "numpy"
"""Packages whose versions affect the results."""

_PATIENCE = 60  # seconds to wait for the lock of another process
_RECOVER = "choose another file, or save its sound records with sqlite3 {} .recover"
_DEFINITION = "CREATE TABLE definition (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"


class ResultsFile:
    """An SQLite file with one table of results and a definition that all of them share; a context manager.

    Parameters
    ----------
    path : pathlib.Path
        Created if missing.
    described : mapping of str to str
        Everything that affects all results; the table ``definition`` holds it.
    table : str
        Name of the table of results.
    create : str
        The SQL statement that creates the table.

    Attributes
    ----------
    path
        The argument.

    Raises
    ------
    ValueError
        If the file has results with another definition, or belongs to another program.
    OSError
        If the file cannot be opened, or is damaged beyond single records.
    """

    elsewhere = "choose another file"
    """What to do about a file of another sweep."""

    def __init__(self, path: Path, described: Mapping[str, str], table: str, create: str) -> None:
        self.path, self._described, self._table, self._create = path, dict(described), table, create
        try:
            self._file = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        except sqlite3.Error as error:
            raise OSError(f"{path}: {error}") from error
        self._file.text_factory = _decode
        try:
            self._check()
            self.read_damaged()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def read_damaged(self) -> None:
        """Look for damaged records; called when the file has been opened."""

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the file for one transaction, all or nothing.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If a sweep with another definition has begun to use the file in the meantime.
        """
        with self.errors_named(), self._file:
            self._file.execute("BEGIN IMMEDIATE")
            self._compare()
            yield self._file

    def select(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query.

        Raises
        ------
        OSError
            If the file is damaged.
        """
        with self.errors_named():
            return self._file.execute(query, values).fetchall()

    def each(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Iterate over the rows of a query, in the memory of one; raises the errors of `select`."""
        with self.errors_named():
            yield from self._file.execute(query)

    @contextmanager
    def errors_named(self) -> Iterator[None]:
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

    def _check(self) -> None:
        """Compare the definition with the one in the file; write it into a file without results."""
        with self.errors_named(), self._file:
            self._file.execute("BEGIN IMMEDIATE")
            if not self._has_results():
                self._file.execute("DELETE FROM definition")
                self._file.executemany("INSERT INTO definition VALUES (?, ?)", self._described.items())
            self._compare()

    def _compare(self) -> None:
        found = dict(self._file.execute("SELECT name, value FROM definition"))
        for name, value in self._described.items():
            if found.get(name) != value:
                words = f"with {name} {value}, got one with {name} {found.get(name, 'unknown')}"
                if name == "data":  # fingerprints
                    words = "over these data, got one over other data"
                raise ValueError(f"{self.path}: expected the results of a sweep {words}; {self.elsewhere}")

    def _has_results(self) -> bool:
        """Whether the file has results; a new file gets its tables first."""
        tables = {name for (name,) in self._file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            for statement in (_DEFINITION, self._create):
                self._file.execute(statement)
        elif tables != {"definition", self._table}:
            raise sqlite3.DatabaseError(f"the tables are {', '.join(sorted(tables))}")
        return self._file.execute(f"SELECT 1 FROM {self._table}").fetchone() is not None  # noqa: S608 - a constant


def versions() -> dict[str, str]:
    """Return the versions of the packages that affect results."""
    return {package: _version(package) for package in PACKAGES}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _decode(text: bytes) -> str:
    """Decode a text, damaged or not."""
    return text.decode("utf-8", "backslashreplace")
