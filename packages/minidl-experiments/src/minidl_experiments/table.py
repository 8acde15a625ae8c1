"""The report's numbers against ours."""

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
    """A number of the report, or one beside it, and its distribution over our seeds.

    Attributes
    ----------
    run, name, unit : str
        What was trained, what was measured, and in what unit.
    report : float or None
        The report's value, from one training; None where it states none.
    mean, low, high : float
        Over the seeds that did not diverge: mean, 5 % and 95 % quantile; nan if none is left.
    seeds, diverged : int
        How many were trained, and how many of these diverged.
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
        """Whether the report's value lies in our interval; None where there is none."""
        return None if self.report is None else self.low <= self.report <= self.high

    @property
    def diverged_words(self) -> str:
        """How many seeds diverged: ``1 of 20``; empty if none did."""
        return f"{self.diverged} of {self.seeds}" if self.diverged else ""


def list_quantities(results: Mapping[Settings, Training]) -> list[Quantity]:
    """Summarize the final accuracies and losses of all runs that are there.

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
    """Describe a number by its distribution over the seeds.

    Parameters
    ----------
    run, name, unit : str
    values : array, shape (R,)
        Those that are not finite diverged.
    report : float or None
        In the same unit.

    Returns
    -------
    Quantity
    """
    left = values[np.isfinite(values)]
    low, high = np.quantile(left, [LOW, HIGH]) if left.size else (np.nan, np.nan)
    mean = float(np.mean(left)) if left.size else np.nan
    return Quantity(run, name, unit, report, mean, float(low), float(high), values.size, values.size - left.size)
