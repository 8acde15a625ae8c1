"""How good predictions are: scores with intervals, beside a baseline that knows no inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from minidl_experiments.tabular.target import ClassTarget, NumberTarget, Target
from minidl_experiments.tabular.words import counted

LOW, HIGH = 0.025, 0.975
RESAMPLES = 1000
MOST_RESAMPLED = 20_000_000  # rows of all resamples together
Measure: TypeAlias = Callable[[np.ndarray, np.ndarray], float]


class Outcome(NamedTuple):
    """Predictions for the test rows of one division.

    Attributes
    ----------
    rows : array of int
    each : array, shape (networks, rows, outputs)
        Probabilities, or numbers in the units of the targets, of each network.
    baseline : array, shape (rows, outputs)
        The shares of the classes, the means or the quantiles of the training rows.
    """

    rows: np.ndarray
    each: np.ndarray
    baseline: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """The mean over the networks."""
        return np.asarray(self.each.mean(axis=0))


@dataclass(frozen=True)
class Score:
    """One number about the predictions.

    Attributes
    ----------
    name, unit : str
        The unit is ``%`` or empty.
    value, low, high, baseline : float
        In percent for the unit ``%``.
    single : tuple of float or None
        Mean, lowest and highest over single networks; None if there is only one.
    """

    name: str
    unit: str
    value: float
    low: float
    high: float
    baseline: float
    single: tuple[float, float, float] | None = None


def measures(target: Target) -> dict[str, tuple[str, Measure]]:
    """Return the scores of a task by their names: unit, and function of targets and predictions."""
    if isinstance(target, NumberTarget):
        found: dict[str, tuple[str, Measure]] = {}
        for i, name in enumerate(target.names):
            suffix = f" of {name}" if len(target.names) > 1 else ""
            found |= {f"{key}{suffix}": entry for key, entry in _of_numbers(target, i).items()}
        return found
    two = {"AUC": ("", _auc)} if len(target.classes) == 2 else {}
    return {"accuracy": ("%", _accuracy), "balanced accuracy": ("%", _balanced), **two, "log loss": ("", _log_loss)}


def score_outcomes(target: Target, y: np.ndarray, outcomes: Sequence[Outcome], seed: int) -> list[Score]:
    """Score the predictions of one test set, with intervals by resampling its rows, or of several folds.

    Parameters
    ----------
    target : ClassTarget or NumberTarget
    y : array
        The targets of all rows: numbers of classes, or (rows, columns) in their units.
    outcomes : sequence of Outcome
    seed : int
        Of the resampling.
    """
    scores = []
    for name, (unit, measure) in measures(target).items():
        factor = 100 if unit == "%" else 1
        values = _defined([factor * measure(y[outcome.rows], outcome.values) for outcome in outcomes])
        baselines = _defined([factor * measure(y[outcome.rows], outcome.baseline) for outcome in outcomes])
        if len(outcomes) > 1:
            low, high = min(values), max(values)
        else:
            low, high = (factor * bound for bound in _resampled(measure, y[outcomes[0].rows], outcomes[0].values, seed))
        single = _singles(measure, y, outcomes, factor)
        scores.append(Score(name, unit, float(np.mean(values)), low, high, float(np.mean(baselines)), single))
    return scores


def interval_words(outcomes: Sequence[Outcome]) -> str:
    """Return what the intervals are."""
    if len(outcomes) > 1:
        return f"the lowest and the highest of {len(outcomes)} folds"
    return f"95 % over resampled test rows ({counted(len(outcomes[0].rows), 'row')}, bootstrap)"


def _resampled(measure: Measure, y: np.ndarray, values: np.ndarray, seed: int) -> tuple[float, float]:
    rng, count = np.random.default_rng(seed), len(y)
    times = max(50, min(RESAMPLES, MOST_RESAMPLED // max(count, 1)))
    drawn = [measure(y[rows], values[rows]) for rows in (rng.integers(0, count, count) for _ in range(times))]
    finite = np.array(drawn)[np.isfinite(drawn)]
    low, high = np.quantile(finite, [LOW, HIGH]).tolist() if finite.size else (np.nan, np.nan)
    return low, high


def _singles(
    measure: Measure, y: np.ndarray, outcomes: Sequence[Outcome], factor: int
) -> tuple[float, float, float] | None:
    if len(outcomes[0].each) == 1:
        return None
    found = _defined([factor * measure(y[outcome.rows], one) for outcome in outcomes for one in outcome.each])
    return float(np.mean(found)), min(found), max(found)


def _defined(values: list[float]) -> list[float]:
    """Return the values that exist, else nan: a fold without rows of one of the classes has no AUC."""
    return [value for value in values if np.isfinite(value)] or [float("nan")]


def _accuracy(y: np.ndarray, p: np.ndarray) -> float:
    return float(np.mean(p.argmax(axis=1) == y))


def _balanced(y: np.ndarray, p: np.ndarray) -> float:
    """Return the mean over the classes of the share that is predicted right."""
    hit, counts = p.argmax(axis=1) == y, np.bincount(y)
    return float(np.mean(np.bincount(y, weights=hit)[counts > 0] / counts[counts > 0]))


def _log_loss(y: np.ndarray, p: np.ndarray) -> float:
    return float(-np.mean(np.log(np.maximum(p[np.arange(len(y)), y], 1e-15))))


def _auc(y: np.ndarray, p: np.ndarray) -> float:
    """Return how often a row of the second class has the higher score than one of the first; ties count half."""
    positive = int(y.sum())
    if not 0 < positive < len(y):
        return float("nan")
    _, inverse, counts = np.unique(p[:, 1], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[y == 1].sum() - positive * (positive + 1) / 2) / (positive * (len(y) - positive)))


def _of_numbers(target: NumberTarget, i: int) -> dict[str, tuple[str, Measure]]:
    """Return the scores of one column of numbers."""
    each = max(1, len(target.quantiles))
    middle = int(np.abs(np.array(target.quantiles) - 0.5).argmin()) if target.quantiles else 0

    def error(y: np.ndarray, f: np.ndarray) -> np.ndarray:
        return np.asarray(f[:, i * each + middle] - y[:, i])

    def r2(y: np.ndarray, f: np.ndarray) -> float:
        spread = np.sum((y[:, i] - y[:, i].mean()) ** 2)
        return float(1 - np.sum(error(y, f) ** 2) / spread) if spread > 0 else float("nan")

    found: dict[str, tuple[str, Measure]] = {
        "R²": ("", r2),
        "mean absolute error": ("", lambda y, f: float(np.abs(error(y, f)).mean())),
        "root mean squared error": ("", lambda y, f: float(np.sqrt((error(y, f) ** 2).mean()))),
    }
    if len(target.quantiles) > 1:
        low, high = target.quantiles[0], target.quantiles[-1]

        def inside(y: np.ndarray, f: np.ndarray) -> float:
            own = f[:, i * each : (i + 1) * each]
            return float(np.mean((y[:, i] >= own[:, 0]) & (y[:, i] <= own[:, -1])))

        found[f"rows between the quantiles {low:g} and {high:g}"] = ("%", inside)
    return found


def baseline_for(target: Target, y: np.ndarray, count: int) -> np.ndarray:
    """Return the prediction, the same for each row, that knows the training targets alone, shape (count, outputs)."""
    if isinstance(target, ClassTarget):
        row = np.bincount(y, minlength=target.outputs) / len(y)
    elif target.quantiles:
        row = np.quantile(y, target.quantiles, axis=0).T.ravel()
    else:
        row = y.mean(axis=0)
    return np.broadcast_to(row, (count, target.outputs))
