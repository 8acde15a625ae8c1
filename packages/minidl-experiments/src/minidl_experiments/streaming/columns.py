"""What the first pass learns about a column: moments, extremes and a sample of numbers, or categories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from minidl_experiments.tabular.cells import LARGEST, MOST_TEXTS, Cells, as_numbers, as_text, check_kind
from minidl_experiments.tabular.encoder import Column, NumberColumn, TextColumn
from minidl_experiments.tabular.words import asked

MOST_CATEGORIES = 10_000  # of a column that is named as categorical


def cells_as_text(column: Any) -> Cells:
    """Return the cells of a column as text, each different one converted once."""
    codes, different = pd.factorize(column)
    texts = as_text(pd.Series(different))
    entries, missing = np.append(texts.entries, ""), np.append(texts.missing, True)  # the last one for cells of none
    return Cells(entries[codes], missing[codes])


class Moments:
    """Count, mean, squared deviations, extremes and a sample of numbers that come piece by piece."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0
        self.low, self.high = np.inf, -np.inf
        self._sample: list[np.ndarray] = []

    def add(self, values: np.ndarray, sample: np.ndarray) -> None:
        """Count numbers, and keep those that are in the sample.

        Of two pieces a and b, with d the difference of their means and n = n_a + n_b,

            mean = mean_a + d n_b / n,    squares = squares_a + squares_b + d² n_a n_b / n

        (Chan, Golub, LeVeque, 1979).
        """
        if not len(values):
            return
        mean, count = float(np.mean(values)), self.count + len(values)
        difference = mean - self.mean
        self.squares += float(np.sum((values - mean) ** 2)) + difference**2 * self.count * len(values) / count
        self.mean += difference * len(values) / count
        self.count = count
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        self._sample.append(values[sample])

    @property
    def sample(self) -> np.ndarray:
        """The numbers of the sample."""
        return np.concatenate(self._sample) if self._sample else np.empty(0)

    @property
    def median(self) -> float:
        """The median of the sample; the mean if there is none."""
        return float(np.median(self.sample)) if self.sample.size else self.mean

    def with_median(self, missing: int) -> tuple[float, float]:
        """Return mean and standard deviation with the median in place of missing cells."""
        total = self.count + missing
        mean = (self.count * self.mean + missing * self.median) / total
        squares = self.squares + self.count * (self.mean - mean) ** 2 + missing * (self.median - mean) ** 2
        return mean, float(np.sqrt(squares / total))


class ColumnSurvey:
    """The training rows of a column.

    Parameters
    ----------
    name : str
    categorical : bool
        Whether it is one of text, whatever its cells are.
    """

    def __init__(self, name: str, *, categorical: bool) -> None:
        self.name, self._categorical = name, categorical
        self.missing, self.first_missing = 0, ""
        self.moments = Moments()
        self.texts: set[str] = set()
        self._wrong, self._there, self._first_wrong, self._are_texts = 0, 0, "", categorical

    def add(self, column: Any, sample: np.ndarray, place: Callable[[int], str]) -> None:
        """Count the cells of a piece.

        Parameters
        ----------
        column : pandas.Series
        sample : array of bool
        place : callable
            Returns a row in words, for errors.
        """
        check_kind(self.name, column, place(0).partition(":")[0])
        if self._categorical:
            cells = cells_as_text(column)
        else:
            cells, wrong = as_numbers(column)
            sound = ~cells.missing & ~wrong
            self.moments.add(cells.entries[sound], sample[sound])
            if wrong.any() and not self._wrong:
                row = int(wrong.argmax())
                self._first_wrong = (
                    f"{place(row)}: column {self.name!r}: expected a number of at most {LARGEST:g}, got "
                )
                self._first_wrong += repr(str(column.iloc[row])[:60])
            self._wrong += int(wrong.sum())
            self._there += int((~cells.missing).sum())
        self._are_texts = self._are_texts or column.dtype.kind not in "biuf"
        if self._categorical or (self._are_texts and len(self.texts) <= MOST_TEXTS):
            texts = cells_as_text(column)
            self.texts |= set(pd.unique(texts.entries[~texts.missing]).tolist())
        if cells.missing.any() and not self.missing:
            self.first_missing = f"{place(int(cells.missing.argmax()))}: column {self.name!r}: the cell is missing"
        self.missing += int(cells.missing.sum())
        if len(self.texts) > MOST_CATEGORIES:
            raise ValueError(
                f"column {self.name!r}: more than {MOST_CATEGORIES} categories: leave it out by "
                f"{asked('--drop', [self.name])}"
            )

    def column(self) -> Column | None:
        """Return what becomes of the column, None for one whose cells are all the same or missing.

        Raises
        ------
        ValueError
            For cells that are no numbers in a column most of whose cells are, and for too many texts.
        """
        if self._categorical or (self._are_texts and self._there and 2 * self._wrong >= self._there):
            return self._text()
        if self._wrong:
            others = f" ({self._wrong} such cells)" if self._wrong > 1 else ""
            hint = f"; or is it a column of text: {asked('--categorical', [self.name])}?" if self._are_texts else ""
            raise ValueError(f"{self._first_wrong}{others}{hint}")
        if not self.moments.count or self.moments.low == self.moments.high:
            return None
        mean, std = self.moments.with_median(self.missing)
        if not np.isfinite([mean, std]).all():
            raise ValueError(f"column {self.name!r}: the squares of its numbers are too large for --stream")
        return NumberColumn(self.name, self.moments.median, mean, std, self.missing > 0) if std > 0 else None

    def _text(self) -> Column | None:
        if not self._categorical and len(self.texts) > MOST_TEXTS:
            raise ValueError(
                f"column {self.name}: more than {MOST_TEXTS} different texts, such as names or numbers of people: "
                f"leave it out by {asked('--drop', [self.name])}, or take an input for each text by "
                f"{asked('--categorical', [self.name])}"
            )
        categories, flag = tuple(sorted(self.texts)), self.missing > 0
        return TextColumn(self.name, categories, flag) if len(categories) > 1 or (categories and flag) else None
