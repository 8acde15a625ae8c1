"""A table as a problem: inputs, targets, and what was said about them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from minidl_experiments.tabular.cells import Cells, column_of, read_features
from minidl_experiments.tabular.choices import Loss, Missing, Task
from minidl_experiments.tabular.evaluation import labelled
from minidl_experiments.tabular.model import refuse_missing
from minidl_experiments.tabular.networks import loss_for
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.reading import Table
from minidl_experiments.tabular.target import (
    ClassTarget,
    NumberTarget,
    Target,
    guess_task,
    read_classes,
    read_targets,
)
from minidl_experiments.tabular.texts import text_notes
from minidl_experiments.tabular.words import asked, counted, listed

LEAST = 10  # rows
FEW = 5  # rows of a class


@dataclass(frozen=True)
class Problem:
    """What a table asks of a network.

    Attributes
    ----------
    table : Table
        The rows with targets.
    cells : dict of str to Cells
        The columns of inputs.
    task : Task
    reason : str
        Why it is this task.
    names : tuple of str
        Of the targets.
    y : array
        The number of each class, shape (rows,), or numbers, shape (rows, columns).
    classes : ClassTarget or None
    quantiles : tuple of float
    notes : list of str
    """

    table: Table
    cells: dict[str, Cells]
    task: Task
    reason: str
    names: tuple[str, ...]
    y: np.ndarray
    classes: ClassTarget | None
    quantiles: tuple[float, ...] = ()
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def labels(self) -> np.ndarray | None:
        """The classes of the rows; None for numbers."""
        return None if self.classes is None else self.y

    def target(self, rows: np.ndarray) -> Target:
        """Return the targets, scaled by some rows."""
        return self.classes or NumberTarget.fit(self.names, self.y[rows], self.quantiles)

    def take(self, rows: np.ndarray) -> Problem:
        """Return the same problem with some of the rows, in ascending order."""
        cells = {name: column.take(rows) for name, column in self.cells.items()}
        return replace(self, table=self.table.take(rows), cells=cells, y=self.y[rows])

    def encode(self, target: Target) -> np.ndarray:
        """Return the targets as networks learn them."""
        return target.encode(self.y) if isinstance(target, NumberTarget) else self.y


def pose(table: Table, options: Options) -> Problem:
    """Return what a table asks of a network.

    Parameters
    ----------
    table : Table
    options : Options

    Raises
    ------
    ValueError
        For columns that are not there, cells that cannot be read, and too few rows or classes.
    """
    _check_names(table, options)
    task, reason = guess_task(table, options.target, options.task)
    loss = loss_for(options, task)
    table, notes = labelled(table, options.target, drop=options.drop_unlabelled)
    if len(table) < LEAST:
        raise ValueError(f"expected at least {LEAST} rows to train and test on, got {len(table)}")
    names = [name for name in table.frame.columns if name not in (*options.target, *options.drop)]
    if not names:
        raise ValueError("expected columns beside the target, got none")
    cells = read_features(table, names, options.categorical)
    if options.missing is Missing.REFUSE:
        refuse_missing(cells, table.place)
    notes += [f"{name} of {table.sources[0].name} has no name: left out" for name in table.unnamed]
    notes += [
        f"column {name!r} counts the rows: {asked('--drop', [name])} unless the order of the rows says something"
        for name, column in cells.items()
        if column.are_numbers and bool((np.diff(column.entries) == 1).all())
    ]
    notes += text_notes(cells, options.categorical)
    quantiles = options.quantiles if loss is Loss.QUANTILE else ()
    problem = Problem(table, cells, task, reason, options.target, np.empty(0), None, quantiles, notes)
    if task is Task.REGRESSION:
        return replace(problem, y=read_targets(table, options.target))
    classes, column = read_classes(table, options.target[0])
    y = classes.encode(column)
    return replace(problem, y=y, classes=classes, notes=notes + _rare(classes, y))


def _check_names(table: Table, options: Options) -> None:
    for name, names in (("--drop", options.drop), ("--categorical", options.categorical)):
        for column in names:
            column_of(table, column, name)
    for column in options.target:
        if f"{column}_std" in options.target:
            raise ValueError(f"--target {column}_std: expected another name, which the spread of {column} gets")
    if not options.target:
        raise ValueError(f"expected --target COLUMN, one of {listed(list(table.frame.columns))}")


def _rare(classes: ClassTarget, y: np.ndarray) -> list[str]:
    """Return a note on classes of few rows."""
    rare = [classes.classes[i] for i in np.flatnonzero(np.bincount(y) < FEW)]
    return [f"{counted(len(rare), 'class', 'classes')} with fewer than {FEW} rows: {listed(rare)}"] if rare else []
