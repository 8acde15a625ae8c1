"""What a network is to predict: classes, or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

import minidl
from minidl_experiments.tabular.cells import Cells, as_numbers, check_kind, column_of, read_numbers, text_of
from minidl_experiments.tabular.choices import Task
from minidl_experiments.tabular.reading import Table
from minidl_experiments.tabular.words import counted, listed

MOST_NUMBERS = 20  # different whole numbers of classes
LEAST_ROWS = 5  # of each of them on average


@dataclass(frozen=True)
class ClassTarget:
    """A column of classes.

    Attributes
    ----------
    name : str
    classes : tuple of str
        Sorted, numbers by their value.
    """

    name: str
    classes: tuple[str, ...]

    @property
    def outputs(self) -> int:
        """Number of outputs of the network: a logit for each class."""
        return len(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of the column, in a tuple."""
        return (self.name,)

    def encode(self, cells: Cells) -> np.ndarray:
        """Return the number of each class, -1 for one that is not known."""
        numbers = {label: number for number, label in enumerate(self.classes)}
        return np.array([numbers.get(label, -1) for label in cells.entries.tolist()], np.int64)

    def in_units(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs of networks as probabilities."""
        return np.asarray(minidl.softmax(outputs))


@dataclass(frozen=True)
class NumberTarget:
    """Columns of numbers, which the network predicts as ``(y - mean) / std``.

    Attributes
    ----------
    names : tuple of str
    means, stds : tuple of float
        Of the training rows.
    quantiles : tuple of float
        Those that the network predicts of each column; empty for one number.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    stds: tuple[float, ...]
    quantiles: tuple[float, ...] = ()

    @classmethod
    def fit(cls, names: tuple[str, ...], y: np.ndarray, quantiles: tuple[float, ...] = ()) -> NumberTarget:
        """Compute mean and standard deviation of the training rows, (rows, columns)."""
        stds = np.std(y, axis=0)
        constant = [name for name, std in zip(names, stds, strict=True) if not std > 0]
        if constant:
            raise ValueError(f"--target {constant[0]}: expected different numbers, got the same in all training rows")
        return cls(names, tuple(np.mean(y, axis=0).tolist()), tuple(stds.tolist()), quantiles)

    @property
    def outputs(self) -> int:
        """Number of outputs of the network; those of one column stand side by side."""
        return len(self.names) * max(1, len(self.quantiles))

    @property
    def scaling(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each output."""
        times = max(1, len(self.quantiles))
        return np.repeat(self.means, times), np.repeat(self.stds, times)

    @property
    def labels(self) -> list[str]:
        """The name of each output: ``price``, or ``price_q0.05`` and so on."""
        if not self.quantiles:
            return list(self.names)
        return [f"{name}_q{quantile:g}" for name in self.names for quantile in self.quantiles]

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Return the targets of the network, float32, shape (rows, columns)."""
        return np.asarray((y - np.array(self.means)) / np.array(self.stds), np.float32)

    def in_units(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs of networks in the units of the columns."""
        means, stds = self.scaling
        return np.asarray(outputs * stds + means)


Target: TypeAlias = ClassTarget | NumberTarget


def guess_task(table: Table, names: tuple[str, ...], wanted: Task | None) -> tuple[Task, str]:
    """Return the task that targets suggest, and the reason in words.

    Parameters
    ----------
    table : Table
    names : tuple of str
    wanted : Task or None
        The task that is asked for.

    Raises
    ------
    ValueError
        For a column that is not there, and for several columns as classes.
    """
    columns = [column_of(table, name, "--target") for name in names]
    for name, column in zip(names, columns, strict=True):
        check_kind(name, column, table.sources[0].name)
    if wanted is Task.CLASSES and len(names) > 1:
        raise ValueError(f"--task classes: expected one target, got {listed(names)}")
    if wanted is not None:
        return wanted, "as asked by --task"
    if len(names) > 1:
        return Task.REGRESSION, f"{len(names)} targets, which must be numbers"
    return _guess(table, names[0])


def _guess(table: Table, name: str) -> tuple[Task, str]:
    column = table.frame[name]
    text = text_of(table, name)
    cells, wrong = as_numbers(column, text)
    texts = text.entries[~cells.missing]
    different = len(set(texts.tolist()))
    if column.dtype.kind == "b" or wrong.sum() * 2 >= max(1, len(texts)):
        what = "different values of true and false" if column.dtype.kind == "b" else "different texts"
        return Task.CLASSES, f"{different} {what} in {name!r}"
    values = cells.entries[~cells.missing & ~wrong]
    whole = bool((values == np.round(values)).all())
    if whole and different <= MOST_NUMBERS and len(values) >= LEAST_ROWS * different:
        return Task.CLASSES, f"{different} different whole numbers in {name!r}; --task regression takes them as numbers"
    kind = "whole numbers" if whole else "numbers"
    return Task.REGRESSION, f"{different} different {kind} in {name!r}"


def read_classes(table: Table, name: str) -> tuple[ClassTarget, Cells]:
    """Return the classes of a table, and the class of each row.

    Raises
    ------
    ValueError
        If there is only one class, or nearly as many as rows.
    """
    column_of(table, name, "--target")
    cells = text_of(table, name)
    there = cells.entries[~cells.missing].tolist()
    classes = tuple(sorted(set(there), key=by_value))
    if len(classes) < 2:
        raise ValueError(f"--target {name}: expected at least two classes, got {listed(list(classes)) or 'none'} alone")
    if len(classes) > max(MOST_NUMBERS, len(there) // 2):
        raise ValueError(
            f"--target {name}: expected classes, got {counted(len(classes), 'different value')} in {len(there)} rows: "
            "--task regression for numbers"
        )
    return ClassTarget(name, classes), cells


def by_value(label: str) -> tuple[bool, float, str]:
    """Return a key that sorts numbers by their value and puts other texts behind them."""
    try:
        return False, float(label), label
    except ValueError:
        return True, 0.0, label


def read_targets(table: Table, names: tuple[str, ...]) -> np.ndarray:
    """Return columns of numbers, (rows, columns); raise for a cell that is none, naming file and line."""
    for name in names:
        column_of(table, name, "--target")
    return np.stack([read_numbers(table, name).entries for name in names], axis=1)


def missing_targets(table: Table, names: tuple[str, ...], who: str) -> np.ndarray:
    """Return the rows without a target; `who` has named them, for errors."""
    for name in names:
        column_of(table, name, who)
    found = [text_of(table, name).missing for name in names]
    return np.flatnonzero(np.any(found, axis=0))
