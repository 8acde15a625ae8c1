"""Tables in files that are read piece by piece: Parquet, and arrays of NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minidl_experiments.tabular.reading import Source, Table, expand, named_columns, open_parquet, rows_of_array
from minidl_experiments.tabular.words import near

PIECE = 2**14
"""Rows that are read at once."""

Read: TypeAlias = Callable[[Sequence[str]], Iterator[Any]]


class Group(NamedTuple):
    """Rows of a file that are read in their order.

    Attributes
    ----------
    name : str
        Of the file.
    start : int
        Number of its first row in all files.
    within : int
        Number of its first row in its file.
    rows : int
    read : callable
        Returns an iterator of data frames for the names of columns.
    """

    name: str
    start: int
    within: int
    rows: int
    read: Read


class Pieces:
    """One or several files as a table that is never in memory as a whole.

    Parameters
    ----------
    paths : sequence of str
        Names of files, or patterns such as ``"part*.parquet"``.

    Attributes
    ----------
    groups : list of Group
        The row groups of Parquet files, and blocks of arrays, in the order of the rows.
    columns : list of str
        Those that have a name.

    Raises
    ------
    ValueError
        For other files, files of different columns, and files without rows.
    OSError
        If a file cannot be read.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.groups: list[Group] = []
        self.columns: list[str] = []
        for name in expand(paths):
            columns, blocks = _open(name)
            if self.columns and set(columns) != set(self.columns):
                missing = [one for one in self.columns if one not in columns]
                what = f"no {missing[0]!r}{near(missing[0], columns)}" if missing else f"{columns}"
                raise ValueError(f"{name}: expected the columns of {self.groups[0].name}, got {what}")
            self.columns = self.columns or columns
            within = 0
            for rows, read in blocks:
                self.groups.append(Group(name, len(self), within, rows, read))
                within += rows
        if not self.groups:
            raise ValueError("--stream: expected rows of data, got none")

    def __len__(self) -> int:
        return self.groups[-1].start + self.groups[-1].rows if self.groups else 0

    def read(self, group: Group, columns: Sequence[str]) -> Iterator[tuple[int, Table]]:
        """Iterate over a group: the number of the first row of a piece, and its columns."""
        done = 0
        for frame in group.read(columns):
            numbers = np.arange(group.within + done + 1, group.within + done + len(frame) + 1)
            yield group.start + done, Table(frame, (Source(group.name, "row", numbers),))
            done += len(frame)

    def read_all(self, columns: Sequence[str]) -> Iterator[tuple[int, Table]]:
        """Iterate over all groups in order, as `read` does over one."""
        return (piece for group in self.groups for piece in self.read(group, columns))


def _open(name: str) -> tuple[list[str], list[tuple[int, Read]]]:
    """Return the names of the columns of a file, and its groups: their rows, and how they are read."""
    suffix = Path(name).suffix.lower()
    if suffix in {".parquet", ".pq"}:
        return _open_parquet(name)
    if suffix == ".npy":
        return _open_array(name)
    raise ValueError(
        f"--stream: expected Parquet files or arrays in .npy files, which can be read piece by piece, got {name}"
    )


def _open_parquet(name: str) -> tuple[list[str], list[tuple[int, Read]]]:
    file = open_parquet(name)
    columns = named_columns([str(one) for one in file.schema_arrow.empty_table().to_pandas().columns], name)
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]

    def reader(i: int) -> Read:
        def read(wanted: Sequence[str]) -> Iterator[Any]:
            opened = open_parquet(name)  # of its own: several groups are read at the same time
            for batch in opened.iter_batches(batch_size=PIECE, row_groups=[i], columns=list(wanted), use_threads=False):
                yield batch.to_pandas().reset_index(drop=True)[list(wanted)]

        return read

    return columns, [(rows, reader(i)) for i, rows in enumerate(sizes) if rows]


def _open_array(name: str) -> tuple[list[str], list[tuple[int, Read]]]:
    columns = list(rows_of_array(name, 0, 0).columns)  # raises for an array that is no table
    count = len(np.load(name, mmap_mode="r", allow_pickle=False))

    def reader(start: int) -> Read:
        def read(wanted: Sequence[str]) -> Iterator[Any]:
            yield rows_of_array(name, start, start + PIECE)[list(wanted)]

        return read

    return named_columns(columns, name), [
        (min(PIECE, count - start), reader(start)) for start in range(0, count, PIECE)
    ]
