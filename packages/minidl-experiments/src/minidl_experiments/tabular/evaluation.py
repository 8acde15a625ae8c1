"""How good a model is on rows with known targets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import minidl
from minidl_experiments.tabular.cells import text_of
from minidl_experiments.tabular.model import TableModel
from minidl_experiments.tabular.reading import Table
from minidl_experiments.tabular.scores import Outcome, Score, interval_words, score_outcomes
from minidl_experiments.tabular.target import ClassTarget, Target, missing_targets, read_targets
from minidl_experiments.tabular.words import counted, listed


class Evaluation(NamedTuple):
    """Scores of a model.

    Attributes
    ----------
    rows : int
    scores : list of Score
        Without a baseline, which belongs to training rows.
    interval : str
        What the intervals are.
    notes : list of str
    """

    rows: int
    scores: list[Score]
    interval: str
    notes: list[str]


def evaluate_model(model: TableModel, table: Table, *, drop_unlabelled: bool = False) -> Evaluation:
    """Score the predictions of a model for rows with targets.

    Parameters
    ----------
    model : TableModel
    table : Table
    drop_unlabelled : bool
        Whether rows without a target are left out, rather than refused.

    Raises
    ------
    ValueError
        For missing columns, cells that cannot be read, missing targets, and classes that the model does not know.
    """
    table, notes = labelled(table, model.target.names, drop=drop_unlabelled, who="the model's target")
    y = _targets(model.target, table)
    cells = model.read(table)
    x = model.encoder.encode(cells, table.place)
    outputs = minidl.predict(model.network, x).astype(np.float64)
    each = model.in_units(outputs.reshape(-1, *outputs.shape[-2:]))
    outcome = Outcome(np.arange(len(table)), each, np.full(each.shape[1:], np.nan))
    scores = score_outcomes(model.target, y, [outcome], 0)
    return Evaluation(len(table), scores, interval_words([outcome]), notes + model.encoder.notes(cells))


def labelled(table: Table, names: tuple[str, ...], *, drop: bool, who: str = "--target") -> tuple[Table, list[str]]:
    """Return the rows with targets, and a note on the others.

    Parameters
    ----------
    table : Table
    names : tuple of str
        Of the targets.
    drop : bool
        Whether rows without a target are left out.
    who : str
        What has named the targets, for errors.

    Raises
    ------
    ValueError
        Naming file and line of the first row without a target, unless such rows are to be dropped; if none is left.
    """
    without = missing_targets(table, names, who)
    if not without.size:
        return table, []
    if not drop:
        raise ValueError(
            f"{table.place(int(without[0]))}: no target in {listed(list(names))} "
            f"({counted(without.size, 'such row')}): --drop-unlabelled leaves them out"
        )
    left = np.setdiff1d(np.arange(len(table)), without)
    if not left.size:
        raise ValueError(f"expected rows with a target in {listed(list(names))}, got none")
    return table.take(left), [f"{counted(without.size, 'row')} without a target: left out"]


def _targets(target: Target, table: Table) -> np.ndarray:
    if not isinstance(target, ClassTarget):
        return read_targets(table, target.names)
    y = target.encode(text_of(table, target.name))
    if (y < 0).any():
        row = int((y < 0).argmax())
        raise ValueError(
            f"{table.place(row)}: column {target.name!r}: expected one of the classes {listed(list(target.classes))}, "
            f"got {str(table.frame[target.name].iloc[row])!r}"
        )
    return y
