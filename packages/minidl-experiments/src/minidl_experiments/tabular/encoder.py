"""The preprocessing: columns of a table as inputs of a network, by numbers of the training rows alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from minidl_experiments.tabular.cells import Cells
from minidl_experiments.tabular.words import counted, listed

ROUNDING = 1e-9  # of a variance
FURTHEST = 1e6  # standard deviations from the mean of the training rows; farther out no prediction means anything


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers: ``(x - mean) / std``, with the median in place of missing cells.

    Attributes
    ----------
    name : str
    median, mean, std : float
        Of the training rows; mean and standard deviation with the median in place of missing cells.
    flag : bool
        Whether a second input is 1 where a cell is missing, as it is if one was in the training rows.
    """

    name: str
    median: float
    mean: float
    std: float
    flag: bool

    @property
    def features(self) -> list[str]:
        """The names of the inputs."""
        return [self.name, *_flag(self)]

    @property
    def is_binary(self) -> bool:
        """Whether the training rows had zeros and ones alone: then the variance is ``mean (1 - mean)``."""
        return self.median in (0.0, 0.5, 1.0) and abs(self.std**2 - self.mean * (1 - self.mean)) < ROUNDING

    def raw(self, cells: Cells) -> np.ndarray:
        """Return the inputs in the units of the column, shape (rows, inputs)."""
        values = np.where(cells.missing, self.median, cells.entries)
        return np.stack([values, cells.missing], axis=1) if self.flag else values[:, None]


@dataclass(frozen=True)
class TextColumn:
    """A column of text: one input for each category, 1 where the cell has it and else 0.

    Attributes
    ----------
    name : str
    categories : tuple of str
        Those of the training rows, sorted. Another one is a row of zeros.
    flag : bool
        As in `NumberColumn`.
    """

    name: str
    categories: tuple[str, ...]
    flag: bool

    @property
    def features(self) -> list[str]:
        """The names of the inputs."""
        return [*(f"{self.name} = {category}" for category in self.categories), *_flag(self)]

    def raw(self, cells: Cells) -> np.ndarray:
        """Return the inputs, shape (rows, inputs)."""
        codes = pd.Index(self.categories, dtype=object).get_indexer(pd.Index(cells.entries, dtype=object))
        hot = (codes[:, None] == np.arange(len(self.categories))).astype(np.float64)
        return np.column_stack([hot, cells.missing]) if self.flag else hot

    def unseen(self, cells: Cells) -> list[str]:
        """Return the categories that are not those of the training rows."""
        return sorted(set(cells.entries[~cells.missing].tolist()) - set(self.categories))


Column: TypeAlias = NumberColumn | TextColumn


def _flag(column: Any) -> list[str]:
    return [f"{column.name} is missing"] if column.flag else []


@dataclass(frozen=True)
class Encoder:
    """The columns of a table that a network sees, and how.

    Attributes
    ----------
    columns : tuple of NumberColumn or TextColumn
    constant : tuple of str
        Columns that were left out, since all training rows have the same value.
    """

    columns: tuple[Column, ...]
    constant: tuple[str, ...] = ()

    @classmethod
    def fit(cls, cells: Mapping[str, Cells], rows: np.ndarray) -> Encoder:
        """Compute the preprocessing from some rows of a table.

        Parameters
        ----------
        cells : mapping of str to Cells
            The columns of all rows.
        rows : array of int
            The training rows; no other is looked at.

        Raises
        ------
        ValueError
            If all columns are constant.
        """
        columns = {name: _fit(name, column.take(rows)) for name, column in cells.items()}
        constant = tuple(name for name, column in columns.items() if column is None)
        kept = tuple(column for column in columns.values() if column is not None)
        if not kept:
            raise ValueError(f"expected columns with different values, got the same in all rows of {listed(constant)}")
        return cls(kept, constant)

    @property
    def kinds(self) -> dict[str, bool]:
        """The names of the columns, and whether each is one of numbers."""
        return {column.name: isinstance(column, NumberColumn) for column in self.columns}

    @property
    def binary(self) -> list[str]:
        """The names of the columns of zeros and ones."""
        return [column.name for column in self.columns if isinstance(column, NumberColumn) and column.is_binary]

    @property
    def features(self) -> list[str]:
        """The names of the inputs of the network."""
        return [name for column in self.columns for name in column.features]

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Column and name of each input; names alone may be those of other columns."""
        return [(column.name, name) for column in self.columns for name in column.features]

    @property
    def scaling(self) -> tuple[np.ndarray, np.ndarray]:
        """Offset and scale of each input, ``(raw - offset) / scale``; they are 0 and 1 for zeros and ones."""
        pairs = [
            (column.mean, column.std) if isinstance(column, NumberColumn) and not i else (0.0, 1.0)
            for column in self.columns
            for i, _ in enumerate(column.features)
        ]
        offset, scale = np.array(pairs).T
        return offset, scale

    def encode(self, cells: Mapping[str, Cells], place: Callable[[int], str]) -> np.ndarray:
        """Return the inputs of the network, float32, shape (rows, inputs).

        Parameters
        ----------
        cells : mapping of str to Cells
        place : callable
            Returns a row in words, for errors.

        Raises
        ------
        ValueError
            For a number that is farther than 1e6 standard deviations from the mean of the training rows.
        """
        offset, scale = self.scaling
        raw = np.concatenate([column.raw(cells[column.name]) for column in self.columns], axis=1)
        with np.errstate(over="ignore"):
            x = (raw - offset) / scale
        far = np.abs(x) > FURTHEST
        if far.any():
            row, feature = np.argwhere(far)[0].tolist()
            raise ValueError(
                f"{place(row)}: column {self.features[feature]!r}: {raw[row, feature]:g} is more than {FURTHEST:.0e} "
                f"standard deviations from the mean {offset[feature]:g} of the training rows"
            )
        return np.asarray(x, np.float32)

    def notes(self, cells: Mapping[str, Cells]) -> list[str]:
        """Return what is unusual about rows, in words: missing cells, and categories that training has not seen."""
        found = []
        for column in self.columns:
            missing = int(cells[column.name].missing.sum())
            if missing:
                found.append(f"column {column.name!r}: {counted(missing, 'missing cell')}, {_treatment(column)}")
            unseen = column.unseen(cells[column.name]) if isinstance(column, TextColumn) else []
            if unseen:
                words = listed([repr(category) for category in unseen], 3)
                found.append(f"column {column.name!r}: {words} not seen in training: all its inputs are zero")
        return found


def _treatment(column: Column) -> str:
    if isinstance(column, TextColumn):
        return "marked by an input" if column.flag else "all its inputs are zero"
    return f"taken as the median {column.median:g}{' and marked by an input' if column.flag else ''}"


def _fit(name: str, cells: Cells) -> Column | None:
    """Return what a column becomes; None for one whose cells are all the same or missing."""
    there, flag = cells.entries[~cells.missing], bool(cells.missing.any())
    if not cells.are_numbers:
        categories = tuple(sorted(set(there.tolist())))
        return TextColumn(name, categories, flag) if len(categories) > 1 or (categories and flag) else None
    if not there.size or there.min() == there.max():
        return None
    median = float(np.median(there))
    values = np.where(cells.missing, median, cells.entries)
    largest = np.abs(values).max()  # by which squares of huge numbers stay finite
    mean, std = float(np.mean(values / largest) * largest), float(np.std(values / largest) * largest)
    return NumberColumn(name, median, mean, std, flag) if std > 0 else None
