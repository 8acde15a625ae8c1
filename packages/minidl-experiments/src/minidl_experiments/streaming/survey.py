"""The first pass: statistics and categories of the training rows, and the rows that are kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from minidl_experiments.streaming.columns import ColumnSurvey
from minidl_experiments.streaming.roles import UNUSED, Role, Roles
from minidl_experiments.streaming.source import Pieces
from minidl_experiments.streaming.target import TargetSurvey, target_of, unlabelled_rows
from minidl_experiments.tabular.choices import Loss, Missing, Task
from minidl_experiments.tabular.encoder import Encoder, TextColumn
from minidl_experiments.tabular.evaluation import labelled
from minidl_experiments.tabular.networks import loss_for
from minidl_experiments.tabular.options import VALIDATION, Options
from minidl_experiments.tabular.reading import Source, Table
from minidl_experiments.tabular.target import Target
from minidl_experiments.tabular.words import counted, listed, near

LEAST = 10  # training rows


@dataclass(frozen=True)
class Survey:
    """What is known after the first pass.

    Attributes
    ----------
    pieces : Pieces
    roles : Roles
    encoder : Encoder
        Of the training rows, those for validation included.
    target : ClassTarget or NumberTarget
    task : Task
    reason : str
        Why it is this task.
    test, validation, sample : Table
        Rows that are kept; the sample is one of the training rows.
    rows : int
        Number of the rows to train on, without those for validation.
    notes : list of str
    """

    pieces: Pieces
    roles: Roles
    encoder: Encoder
    target: Target
    task: Task
    reason: str
    test: Table
    validation: Table
    sample: Table
    rows: int
    notes: list[str]

    @property
    def columns(self) -> list[str]:
        """The columns that are read in each epoch."""
        return [*self.encoder.kinds, *self.target.names]


def survey(pieces: Pieces, options: Options, show: Callable[[int], object] = lambda _: None) -> Survey:
    """Go through all rows once.

    Parameters
    ----------
    pieces : Pieces
    options : Options
    show : callable
        Called with the number of rows so far.

    Raises
    ------
    ValueError
        For columns that are not there, cells that cannot be read, and too few rows or classes.
    """
    first = _FirstPass(pieces, options)
    for start, table in pieces.read_all([*first.columns, *options.target]):
        first.add(start, table)
        show(start + len(table))
    return first.finish()


class _FirstPass:
    """What is counted and kept while all rows go by."""

    def __init__(self, pieces: Pieces, options: Options) -> None:
        _check_names(pieces, options)
        names = [name for name in pieces.columns if name not in (*options.target, *options.drop)]
        if not names:
            raise ValueError("expected columns beside the target, got none")
        self._pieces, self._options = pieces, options
        self._roles = Roles(len(pieces), options.test, VALIDATION if options.early_stopping else 0.0, options.seed)
        self.columns = {name: ColumnSurvey(name, categorical=name in options.categorical) for name in names}
        self._targets = [TargetSurvey(name) for name in options.target]
        self._kept: dict[str, list[Table]] = {"test": [], "validation": [], "sample": []}
        self._rows = self._unlabelled = 0

    def add(self, start: int, table: Table) -> None:
        """Count the training rows of a piece, and keep those for validation and test, and the sample."""
        role, sampled = self._roles.of(start, len(table)), self._roles.sampled(start, len(table))
        without = unlabelled_rows(table, self._options.target)
        if without.size and not self._options.drop_unlabelled:
            labelled(table, self._options.target, drop=False)  # raises
        role[without] = UNUSED
        train = np.flatnonzero((role == Role.TRAIN) | (role == Role.VALIDATION))
        own = table.take(train)
        surveys: list[ColumnSurvey | TargetSurvey] = [*self.columns.values(), *self._targets]
        for one in surveys if train.size else ():
            one.add(own.frame[one.name], sampled[train], own.place)
        if self._options.missing is Missing.REFUSE:
            _refuse_missing(self.columns.values())
        self._kept["test"].append(table.take(np.flatnonzero(role == Role.TEST)))
        self._kept["validation"].append(table.take(np.flatnonzero(role == Role.VALIDATION)))
        self._kept["sample"].append(own.take(np.flatnonzero(sampled[train])))
        self._rows += int((role == Role.TRAIN).sum())
        self._unlabelled += without.size

    def finish(self) -> Survey:
        """Return what is known after the last piece."""
        options, tables = self._options, {name: _joined(parts) for name, parts in self._kept.items()}
        held, tested = len(tables["validation"]), len(tables["test"])
        if self._rows < LEAST or not tested or (options.early_stopping and not held):
            raise ValueError(
                f"expected more rows to train, validate and test on, got {self._rows}, {held} and {tested} of "
                f"{len(self._pieces)}: without --stream they are divided exactly"
            )
        task, reason = _task(self._targets, options)
        quantiles = options.quantiles if loss_for(options, task) is Loss.QUANTILE else ()
        target = target_of(self._targets, task, quantiles)
        encoder, notes = _encoder(self.columns)
        if self._unlabelled:
            notes.append(f"{counted(self._unlabelled, 'row')} without a target: left out")
        return Survey(
            self._pieces, self._roles, encoder, target, task, reason, **tables, rows=self._rows, notes=notes
        )  # fmt: skip


def _check_names(pieces: Pieces, options: Options) -> None:
    if not options.target:
        raise ValueError(f"expected --target COLUMN, one of {listed(pieces.columns)}")
    for option in ("target", "drop", "categorical"):
        for name in getattr(options, option):
            if name not in pieces.columns:
                raise ValueError(
                    f"--{option}: {pieces.groups[0].name} has no column {name!r}{near(name, pieces.columns)}; it has "
                    f"{listed(pieces.columns)}"
                )


def _refuse_missing(columns: Iterable[ColumnSurvey]) -> None:
    for column in columns:
        if column.missing:
            raise ValueError(f"{column.first_missing} ({column.missing} in this column so far)")


def _task(targets: list[TargetSurvey], options: Options) -> tuple[Task, str]:
    if options.task is Task.CLASSES and len(targets) > 1:
        raise ValueError(f"--task classes: expected one target, got {listed(list(options.target))}")
    if options.task is not None:
        return options.task, "as asked by --task"
    if len(targets) > 1:
        return Task.REGRESSION, f"{len(targets)} targets, which must be numbers"
    return targets[0].guess()


def _encoder(columns: Mapping[str, ColumnSurvey]) -> tuple[Encoder, list[str]]:
    """Return the preprocessing, and notes on it."""
    found = {name: column.column() for name, column in columns.items()}
    constant = tuple(name for name, column in found.items() if column is None)
    kept = tuple(column for column in found.values() if column is not None)
    if not kept:
        raise ValueError(f"expected columns with different values, got the same in all rows of {listed(constant)}")
    notes = [f"column {name!r} is the same in all training rows: left out" for name in constant]
    for own in kept:
        if missing := columns[own.name].missing:
            how = "marked by an input"
            if not isinstance(own, TextColumn):
                how = f"taken as the median {own.median:g} of a sample and marked by an input"
            notes.append(f"column {own.name!r}: {counted(missing, 'missing cell')} in the training rows, {how}")
    return Encoder(kept, constant), notes


def _joined(tables: list[Table]) -> Table:
    """Return some of the rows of many pieces as one table."""
    frame = pd.concat([table.frame for table in tables], ignore_index=True)
    sources: dict[str, list[Source]] = {}
    for table in tables:
        for source in table.sources:
            sources.setdefault(source.name, []).append(source)
    joined = [
        Source(name, parts[0].unit, np.concatenate([part.numbers for part in parts])) for name, parts in sources.items()
    ]
    return Table(frame, tuple(joined))
