"""What the first pass learns about the targets, and what networks learn of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from minidl_experiments.streaming.columns import Moments, cells_as_text
from minidl_experiments.tabular.cells import as_numbers, check_kind
from minidl_experiments.tabular.choices import Task
from minidl_experiments.tabular.reading import Table
from minidl_experiments.tabular.target import (
    LEAST_ROWS,
    MOST_NUMBERS,
    ClassTarget,
    NumberTarget,
    Target,
    by_value,
    read_targets,
)
from minidl_experiments.tabular.words import counted, listed

MOST_CLASSES = 1000


class TargetSurvey:
    """The training rows of one target.

    Parameters
    ----------
    name : str
    """

    def __init__(self, name: str) -> None:
        self.name, self.moments = name, Moments()
        self.counts: Counter[str] = Counter()
        self.rows, self._wrong, self._whole, self._is_bool = 0, 0, True, False
        self._first_wrong = ""

    def add(self, column: Any, sample: np.ndarray, place: Callable[[int], str]) -> None:
        """Count the cells of a piece, of which none is missing."""
        check_kind(self.name, column, place(0).partition(":")[0])
        cells, wrong = as_numbers(column)
        sound = cells.entries[~wrong]
        self.moments.add(sound, sample[~wrong])
        self._whole = self._whole and bool((sound == np.round(sound)).all())
        if wrong.any() and not self._wrong:
            self._first_wrong = f"{place(int(wrong.argmax()))}: column {self.name!r}: expected a number"
        self._wrong += int(wrong.sum())
        self._is_bool = column.dtype.kind == "b"
        self.rows += len(column)
        if len(self.counts) <= MOST_CLASSES:
            texts = cells_as_text(column).entries
            different, counts = np.unique(texts.astype(str), return_counts=True)
            self.counts.update(dict(zip(different.tolist(), counts.tolist(), strict=True)))

    def guess(self) -> tuple[Task, str]:
        """Return the task that the target suggests, and the reason in words, as `guess_task` does."""
        different = len(self.counts)
        many = f"more than {MOST_CLASSES}" if different > MOST_CLASSES else str(different)
        if self._is_bool or 2 * self._wrong >= self.rows:
            what = "different values of true and false" if self._is_bool else "different texts"
            return Task.CLASSES, f"{many} {what} in {self.name!r}"
        if self._whole and different <= MOST_NUMBERS and self.rows >= LEAST_ROWS * different:
            reason = f"{different} different whole numbers in {self.name!r}; --task regression takes them as numbers"
            return Task.CLASSES, reason
        return Task.REGRESSION, f"{many} different {'whole numbers' if self._whole else 'numbers'} in {self.name!r}"

    def classes(self) -> ClassTarget:
        """Return the classes; raise ValueError for fewer than two, and for too many."""
        classes = tuple(sorted(self.counts, key=by_value))
        if len(classes) < 2:
            raise ValueError(
                f"--target {self.name}: expected at least two classes, got {listed(list(classes)) or 'none'} alone"
            )
        if len(classes) > MOST_CLASSES:
            raise ValueError(
                f"--target {self.name}: expected classes, got more than {MOST_CLASSES} different values: "
                "--task regression for numbers"
            )
        return ClassTarget(self.name, classes)

    def check_numbers(self) -> None:
        """Raise ValueError unless the target is numbers, of which at least two are different."""
        if self._wrong:
            raise ValueError(f"{self._first_wrong} ({counted(self._wrong, 'such cell')})")
        if not self.moments.squares > 0:
            raise ValueError(f"--target {self.name}: expected different numbers, got the same in all training rows")


def target_of(surveys: list[TargetSurvey], task: Task, quantiles: tuple[float, ...]) -> Target:
    """Return the targets as networks learn them."""
    if task is Task.CLASSES:
        return surveys[0].classes()
    for survey in surveys:
        survey.check_numbers()
    stds = tuple(float(np.sqrt(survey.moments.squares / survey.moments.count)) for survey in surveys)
    return NumberTarget(
        tuple(survey.name for survey in surveys), tuple(survey.moments.mean for survey in surveys), stds, quantiles
    )


def unlabelled_rows(table: Table, names: tuple[str, ...]) -> np.ndarray:
    """Return the rows without a target, as `missing_targets` does, without a look at each number."""
    columns = [table.frame[name] for name in names]
    found = [column.isna() if column.dtype.kind in "biuf" else cells_as_text(column).missing for column in columns]
    return np.flatnonzero(np.any(found, axis=0))


def raw_targets(target: Target, table: Table) -> np.ndarray:
    """Return the targets of rows: numbers of classes, or numbers in their units, shape (rows, columns).

    Raises
    ------
    ValueError
        Naming the row, for a class that no training row has, and a cell that is no number.
    """
    if isinstance(target, NumberTarget):
        return read_targets(table, target.names)
    codes, different = pd.factorize(table.frame[target.name])
    y = target.encode(cells_as_text(pd.Series(different)))[codes]
    if (y < 0).any():
        row = int((y < 0).argmax())
        raise ValueError(
            f"{table.place(row)}: column {target.name!r}: the class {str(table.frame[target.name].iloc[row])!r} is not "
            "in the training rows"
        )
    return np.asarray(y)
