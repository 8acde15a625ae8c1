"""Tables from files: CSV and TSV, also by gzip, Parquet, .npz and .npy, several of them, or standard input."""

from __future__ import annotations

import glob
import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from minidl_experiments.tabular.csv_text import read_csv
from minidl_experiments.tabular.words import near

STDIN = "-"
READ_AHEAD = 2**18  # bytes of each column of a Parquet file that is read piece by piece


@dataclass(frozen=True)
class Source:
    """A file of a table.

    Attributes
    ----------
    name : str
    unit : {"line", "row"}
        What is counted.
    numbers : array of int
        The line of each row, or in a file without lines its number; counted from 1.
    """

    name: str
    unit: str
    numbers: np.ndarray


@dataclass(frozen=True)
class Table:
    """Rows of one or several files.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns of text, as CSV has them, or of numbers.
    sources : tuple of Source
        In the order of the rows.
    unnamed : tuple of str
        Columns without a name, which were left out, such as the index that a program has written.
    texts : dict of str to Cells
        The columns that have been read as text.
    """

    frame: Any
    sources: tuple[Source, ...]
    unnamed: tuple[str, ...] = ()
    texts: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.frame)

    def place(self, row: int) -> str:
        """Return a row in words: ``data.csv: line 7``."""
        for source in self.sources:
            if row < len(source.numbers):
                return f"{source.name}: {source.unit} {source.numbers[row]}"
            row -= len(source.numbers)
        raise IndexError(row)

    def take(self, rows: np.ndarray) -> Table:
        """Return some of the rows, in ascending order; they keep their places in the files."""
        sources, start = [], 0
        for source in self.sources:
            stop = start + len(source.numbers)
            own = rows[(rows >= start) & (rows < stop)] - start
            sources.append(replace(source, numbers=source.numbers[own]))
            start = stop
        texts = {name: cells.take(rows) for name, cells in self.texts.items()}
        return Table(self.frame.iloc[rows].reset_index(drop=True), tuple(sources), self.unnamed, texts)


def read_table(paths: Sequence[str]) -> Table:
    """Read files of the same columns, one below the other.

    Parameters
    ----------
    paths : sequence of str
        Names of files, patterns such as ``"part*.csv"``, or ``"-"`` for CSV on standard input.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        Naming file and line, for whatever is no table; for files of different columns; for a column name that occurs
        twice.
    OSError
        If a file cannot be read.
    """
    tables = [_read_one(name) for name in expand(paths)]
    if not tables:
        raise ValueError("expected a file of data, such as data.csv, got none")
    first = tables[0]
    for other in tables[1:]:
        _check_columns(first, other)
    frame = first.frame
    if len(tables) > 1:
        frame = pd.concat([table.frame[list(frame.columns)] for table in tables], ignore_index=True)
    return Table(frame, tuple(source for table in tables for source in table.sources), first.unnamed)


def expand(paths: Iterable[str]) -> list[str]:
    """Return the names of files for names and patterns.

    Raises
    ------
    ValueError
        For a pattern without files, and a file that is named twice.
    """
    names: list[str] = []
    for path in paths:
        if path == STDIN or Path(path).exists() or not glob.has_magic(path):
            names.append(path)
            continue
        found = sorted(glob.glob(path))  # noqa: PTH207 - Path.glob refuses absolute patterns
        if not found:
            raise ValueError(f"{path}: no file has such a name")
        names += found
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{min(twice)}: expected each file once")
    return names


def _read_one(name: str) -> Table:
    suffix = Path(name).suffix.lower()
    unit, numbers = "row", None
    if suffix in {".parquet", ".pq"}:
        frame = _read_parquet(name)
    elif suffix == ".npz":
        frame = _read_npz(name)
    elif suffix == ".npy":
        frame = rows_of_array(name)
    else:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
        name = "standard input" if name == STDIN else name
        unit = "line"
        inner = Path(Path(name).stem).suffix.lower() if suffix == ".gz" else suffix
        frame, numbers = read_csv(_unpacked(data, name), name, "\t" if inner in {".tsv", ".tab"} else None)
    frame, unnamed = _named(frame, name)
    if not len(frame):
        raise ValueError(f"{name}: expected rows of data, got none")
    if numbers is None:
        numbers = np.arange(1, len(frame) + 1)
    return Table(frame, (Source(name, unit, numbers),), unnamed)


def _unpacked(data: bytes, who: str) -> bytes:
    """Return data without the compression of gzip, if it has any."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{who}: expected a gzip file: {error}") from error


def _named(frame: Any, who: str) -> tuple[Any, tuple[str, ...]]:
    """Return a table without columns that have no name; raise for a name that occurs twice."""
    names = [str(name) for name in frame.columns]
    named_columns(names, who)
    frame.columns = names
    unnamed = tuple(f"column {number}" for number, name in enumerate(names, start=1) if not name)
    return frame.loc[:, [bool(name) for name in names]], unnamed


def named_columns(names: list[str], who: str) -> list[str]:
    """Return the columns that have a name; raise for a name that occurs twice."""
    twice = [name for name in dict.fromkeys(names) if name and names.count(name) > 1]
    if twice:
        raise ValueError(f"{who}: expected columns of different names, got {twice[0]!r} {names.count(twice[0])} times")
    return [name for name in names if name]


def _read_parquet(name: str) -> Any:
    with _parquet_errors(name):
        return pd.read_parquet(name, engine="pyarrow").reset_index(drop=True)


def open_parquet(name: str) -> Any:
    """Return an open Parquet file, of which nothing but the description is read."""
    with _parquet_errors(name):
        # Without buffers of whole row groups, of which several are read at the same time.
        return import_module("pyarrow.parquet").ParquetFile(name, pre_buffer=False, buffer_size=READ_AHEAD)


@contextmanager
def _parquet_errors(name: str) -> Iterator[None]:
    """Raise ValueError, naming the file, for one that is no Parquet file, and without pyarrow."""
    try:
        yield
    except ImportError:
        raise ValueError(
            f"{name}: Parquet files need the package pyarrow: pip install 'minidl-experiments[parquet]'"
        ) from None
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{name}: expected a Parquet file: {error}") from error


def rows_of_array(name: str, start: int = 0, stop: int | None = None) -> Any:
    """Return rows of an array in an .npy file as a table, without reading the others.

    Parameters
    ----------
    name : str
        Of the file: an array (rows, columns), whose columns are called ``column_0`` and so on, or one axis of records.
    start, stop : int
    """
    try:
        array = np.load(name, mmap_mode="r", allow_pickle=False)
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        raise ValueError(f"{name}: expected an array without pickles in an .npy file: {error}") from error
    if array.dtype.names and array.ndim == 1:
        rows = np.array(array[start:stop])
        return pd.DataFrame({key: rows[key] for key in array.dtype.names})
    if array.ndim != 2:
        raise ValueError(f"{name}: expected an array (rows, columns), got one with {array.ndim} axes")
    return pd.DataFrame(np.array(array[start:stop]), columns=[f"column_{i}" for i in range(array.shape[1])])


def _read_npz(name: str) -> Any:
    """Return the arrays of an .npz file as columns; an array of two axes is a column for each of its own."""
    columns: dict[str, np.ndarray] = {}
    try:
        with np.load(name, allow_pickle=False) as file:
            for key in file.files:
                _add_columns(columns, key, file[key])
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{name}: expected an .npz file of arrays without pickles: {error}") from error
    lengths = {key: len(column) for key, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{name}: expected arrays of the same length, got {lengths}")
    return pd.DataFrame(columns)


def _add_columns(columns: dict[str, np.ndarray], key: str, array: np.ndarray) -> None:
    if array.ndim not in (1, 2):
        raise ValueError(f"{key!r} has {array.ndim} axes, expected (rows,) or (rows, columns)")
    new = {key: array} if array.ndim == 1 else {f"{key}_{i}": column for i, column in enumerate(array.T)}
    twice = sorted(new.keys() & columns.keys())
    if twice:
        raise ValueError(f"the columns of {key!r} have the name of another array, {twice[0]!r}")
    columns.update(new)


def _check_columns(first: Table, other: Table) -> None:
    """Raise unless two files have the same columns, in any order."""
    expected, got = list(first.frame.columns), list(other.frame.columns)
    missing = [name for name in expected if name not in got]
    more = [name for name in got if name not in expected]
    if missing or more:
        what = f"no {missing[0]!r}{near(missing[0], got)}" if missing else f"{more[0]!r} too"
        raise ValueError(
            f"{other.sources[0].name}: expected the columns of {first.sources[0].name}, {', '.join(expected)}, "
            f"got {what}"
        )
