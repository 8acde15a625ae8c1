"""Scores of configurations over their seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from minidl_experiments.sweep.grid import Config, Grid, Run
from minidl_experiments.table import HIGH, LOW


@dataclass(frozen=True)
class Score:
    """Test accuracy of a configuration.

    Attributes
    ----------
    config : Config
    seeds, diverged : int
        Number of seeds, and number of diverged seeds.
    mean, low, high : float
        Mean, 5 % and 95 % quantile over the seeds that did not diverge; nan if all diverged.
    """

    config: Config
    seeds: int
    diverged: int
    mean: float
    low: float
    high: float

    @property
    def is_lost(self) -> bool:
        """Whether all seeds diverged."""
        return self.diverged == self.seeds

    @property
    def rank(self) -> tuple[float, float]:
        """Sort key, best first: fewer diverged seeds, then a higher mean."""
        return self.diverged / self.seeds, -self.mean


def score(config: Config, accuracies: Iterable[float | None]) -> Score:
    """Score a configuration by the accuracies of its seeds; None marks a diverged seed.

    Parameters
    ----------
    config : Config
    accuracies : iterable of float or None

    Returns
    -------
    Score
    """
    every = list(accuracies)
    left = [accuracy for accuracy in every if accuracy is not None]
    low, high = np.quantile(left, [LOW, HIGH]) if left else (np.nan, np.nan)
    mean = float(np.mean(left)) if left else np.nan
    return Score(config, len(every), len(every) - len(left), mean, float(low), float(high))


def score_grid(grid: Grid, accuracies: Mapping[Run, float | None]) -> list[Score]:
    """Score the configurations of a grid whose seeds are all finished.

    Parameters
    ----------
    grid : Grid
    accuracies : mapping of Run to float or None
        Test accuracies; runs outside the grid are ignored.

    Returns
    -------
    list of Score
        In the order of the grid.
    """
    scores = []
    for config in grid.configs:
        runs = [Run(config, seed) for seed in grid.seeds]
        if all(run in accuracies for run in runs):
            scores.append(score(config, [accuracies[run] for run in runs]))
    return scores
