"""The result of a configuration, and the order of several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from minidl_experiments.search.candidate import Candidate
from minidl_experiments.tabular.choices import Measure


@dataclass(frozen=True)
class Result:
    """What came out for a configuration.

    Attributes
    ----------
    candidate : Candidate
    scores : dict of str to list of float
        Each measure of each fold; empty if there is none.
    fault : str
        Why there is none: a divergence, in words. Empty otherwise.
    seconds : float
    """

    candidate: Candidate
    scores: dict[str, list[float]]
    fault: str
    seconds: float

    def score(self, measure: Measure) -> float:
        """Return the mean of a measure over the folds; nan if there is none."""
        values = self._finite(measure)
        return float(np.mean(values)) if values.size else np.nan

    def interval(self, measure: Measure) -> tuple[float, float]:
        """Return the lowest and the highest fold."""
        values = self._finite(measure)
        return (float(values.min()), float(values.max())) if values.size else (np.nan, np.nan)

    def error(self, measure: Measure) -> float:
        """Return the standard error of the mean over the folds."""
        values = self._finite(measure)
        return float(np.std(values, ddof=1) / np.sqrt(values.size)) if values.size > 1 else np.nan

    def _finite(self, measure: Measure) -> np.ndarray:
        """Return the folds that have a score: the AUC needs rows of both classes."""
        values = np.array(self.scores.get(measure, []))
        return np.asarray(values[np.isfinite(values)])


def ordered(results: Iterable[Result], measure: Measure) -> list[Result]:
    """Return results, the best first, and those without a score last; equal ones in the order of their settings."""
    sign = 1 if measure.lower_is_better else -1

    def rank(result: Result) -> tuple[bool, float, str]:
        score = result.score(measure)
        return bool(np.isnan(score)), 0.0 if np.isnan(score) else sign * score, result.candidate.key

    return sorted(results, key=rank)
