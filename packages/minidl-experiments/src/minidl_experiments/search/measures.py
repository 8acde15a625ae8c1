"""The scores by which configurations are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl_experiments.tabular.choices import Measure
from minidl_experiments.tabular.scores import Outcome, measures
from minidl_experiments.tabular.target import ClassTarget, NumberTarget, Target

WORDS = {
    Measure.LOG_LOSS: "log loss",
    Measure.ACCURACY: "accuracy",
    Measure.BALANCED: "balanced accuracy",
    Measure.AUC: "AUC",
    Measure.R2: "R²",
    Measure.MAE: "mean absolute error",
    Measure.RMSE: "root mean squared error",
}
"""The measures as they are called in reports."""


def measures_for(target: Target) -> list[Measure]:
    """Return the measures that suit a target; the first is the default."""
    if isinstance(target, NumberTarget):
        return [Measure.R2, Measure.MAE, Measure.RMSE]
    return [
        one
        for one in (Measure.LOG_LOSS, Measure.ACCURACY, Measure.BALANCED, Measure.AUC)
        if one is not Measure.AUC or len(target.classes) == 2
    ]


def choose_measure(target: Target, wanted: Measure | None) -> Measure:
    """Return the measure that is asked for, or the default; raise ValueError for one that does not suit the target."""
    suits = measures_for(target)
    if wanted is not None and wanted not in suits:
        what = f"{target.outputs} classes" if isinstance(target, ClassTarget) else "numbers"
        raise ValueError(f"--score: expected {', '.join(suits)} for {what}, got {wanted}")
    return wanted or suits[0]


def score_folds(target: Target, y: np.ndarray, outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """Return each measure of each fold; of several targets the mean over them.

    Parameters
    ----------
    target : ClassTarget or NumberTarget
    y : array
        The targets of all rows.
    outcomes : sequence of Outcome
        Of the folds.
    """
    known = measures(target)
    found = {}
    for one in measures_for(target):
        names = [WORDS[one]]
        if isinstance(target, NumberTarget) and len(target.names) > 1:
            names = [f"{WORDS[one]} of {name}" for name in target.names]
        factor = 100 if known[names[0]][0] == "%" else 1
        found[one.value] = [
            factor * float(np.mean([known[name][1](y[outcome.rows], outcome.values) for name in names]))
            for outcome in outcomes
        ]
    return found
