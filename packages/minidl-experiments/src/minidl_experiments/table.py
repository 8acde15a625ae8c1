"""The report's numbers next to the reproduced ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from minidl_experiments.data import Floats
from minidl_experiments.experiments import GENERAL, RUNS
from minidl_experiments.settings import Settings
from minidl_experiments.training import Training

LOW, HIGH = 0.05, 0.95
REPORTED = {(GENERAL, "train accuracy"): 98.4, (GENERAL, "test accuracy"): 97.5}  # after all of its 50 epochs


@dataclass(frozen=True)
class Quantity:
    """A measured quantity: its distribution over the seeds, and the report's value.

    Attributes
    ----------
    run, name, unit : str
        Name of the run, name of the quantity and its unit.
    report : float or None
        The report's value, from one training; None if the report states none.
    mean, low, high : float
        Mean, 5 % and 95 % quantile over the seeds that did not diverge; nan if all diverged.
    seeds, diverged : int
        Number of seeds, and number of diverged seeds.
    """

    run: str
    name: str
    unit: str
    report: float | None
    mean: float
    low: float
    high: float
    seeds: int
    diverged: int

    @property
    def inside(self) -> bool | None:
        """Whether the report's value lies in the interval; None without a report's value."""
        return None if self.report is None else self.low <= self.report <= self.high

    @property
    def diverged_words(self) -> str:
        """Number of diverged seeds as text, such as ``1 of 20``; empty if none diverged."""
        return f"{self.diverged} of {self.seeds}" if self.diverged else ""


def list_quantities(results: Mapping[Settings, Training]) -> list[Quantity]:
    """Summarize the final accuracies and losses of all finished runs.

    Parameters
    ----------
    results : mapping of Settings to Training

    Returns
    -------
    list of Quantity
    """
    return [
        summarize(run, name, unit, values, REPORTED.get((results[settings].settings, name)))
        for run, settings in RUNS.items()
        if settings in results
        for name, unit, values in _measurements(results[settings])
    ]


def _measurements(training: Training) -> list[tuple[str, str, Floats]]:
    train, test = training.train, training.test
    return [
        ("train accuracy", "%", 100 * train.accuracy[-1]),
        ("test accuracy", "%", 100 * test.accuracy[-1]),
        ("train loss", "per sample", train.loss[-1]),
        ("test loss", "per sample", test.loss[-1]),
    ]


def summarize(run: str, name: str, unit: str, values: Floats, report: float | None) -> Quantity:
    """Summarize one value per seed by mean and quantiles.

    Parameters
    ----------
    run, name, unit : str
    values : array, shape (R,)
        One value per seed; a value that is not finite marks a diverged seed.
    report : float or None
        The report's value in the same unit.

    Returns
    -------
    Quantity
    """
    left = values[np.isfinite(values)]
    low, high = np.quantile(left, [LOW, HIGH]) if left.size else (np.nan, np.nan)
    mean = float(np.mean(left)) if left.size else np.nan
    return Quantity(run, name, unit, report, mean, float(low), float(high), values.size, values.size - left.size)
