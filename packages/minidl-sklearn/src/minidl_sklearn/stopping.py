"""The end of an epoch: what is noted and printed, and whether the training stops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minidl_sklearn.solver import Solver


class EpochEnd:
    """Called at the end of each epoch; keeps the curves of an estimator, and the best weights of early stopping.

    Parameters
    ----------
    estimator : BaseMLP
        Whose attributes are set.
    values : array
        The vector of the network's parameters.
    solver : Solver
    samples : int
        How many an epoch goes through.
    measure : callable or None
        Returns the score of the validation set; None without early stopping.
    """

    def __init__(
        self,
        estimator: Any,
        values: np.ndarray,
        solver: Solver,
        samples: int,
        measure: Callable[[], float] | None,
    ) -> None:
        self._estimator, self._values, self._solver = estimator, values, solver
        self._samples, self._measure = samples, measure
        self.stopped = False
        # scikit-learn keeps the initial weights as the best ones of a first training. In one that goes on it has no
        # copy: without a better score the weights stay what they are at the end.
        self._best = values.copy() if measure is not None and not estimator.loss_curve_ else None

    def __call__(self, loss: float) -> bool:
        """Note the loss of an epoch; return whether the training stops."""
        estimator = self._estimator
        estimator.n_iter_ += 1
        estimator.loss_ = loss
        estimator.t_ += self._samples
        estimator.loss_curve_.append(loss)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")  # noqa: T201 - what `verbose` asks for
        if self._measure is None:
            self._note_loss(loss)
        else:
            self._note_score(self._measure())
        self._solver.end_epoch(estimator.t_)
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self.stopped = self._solver.stops(self._why(), verbose=estimator.verbose)
            if not self.stopped:
                estimator._no_improvement_count = 0
        return self.stopped

    def restore_best(self) -> None:
        """Set the parameters to those with the best validation score, if there is one."""
        if self._best is not None:
            self._values[...] = self._best

    def _note_loss(self, loss: float) -> None:
        estimator = self._estimator
        self._count(improved=not loss > estimator.best_loss_ - estimator.tol)
        estimator.best_loss_ = min(estimator.best_loss_, loss)

    def _note_score(self, score: float) -> None:
        estimator = self._estimator
        estimator.validation_scores_.append(score)
        if estimator.verbose:
            print(f"Validation score: {score:f}")  # noqa: T201 - what `verbose` asks for
        self._count(improved=not score < estimator.best_validation_score_ + estimator.tol)
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            self._best = self._values.copy()

    def _count(self, *, improved: bool) -> None:
        """Count the epochs without improvement; a loss or a score that is nan counts as one."""
        estimator = self._estimator
        estimator._no_improvement_count = 0 if improved else estimator._no_improvement_count + 1

    def _why(self) -> str:
        what = "Training loss" if self._measure is None else "Validation score"
        tol, epochs = self._estimator.tol, self._estimator.n_iter_no_change
        return f"{what} did not improve more than tol={tol:f} for {epochs:d} consecutive epochs."


def start_curves(estimator: Any) -> None:
    """Start the curves of a new training."""
    estimator.t_ = 0
    estimator.loss_curve_ = []
    estimator._no_improvement_count = 0
    estimator.best_loss_ = estimator.validation_scores_ = estimator.best_validation_score_ = None


def continue_curves(estimator: Any) -> None:
    """Make the attributes that a training needs and that the one before, of another kind, has not left."""
    if not hasattr(estimator, "loss_curve_"):
        start_curves(estimator)
    if estimator.early_stopping:
        estimator.best_loss_ = None
        if estimator.validation_scores_ is None:
            estimator.validation_scores_, estimator.best_validation_score_ = [], -math.inf
    else:
        estimator.validation_scores_ = estimator.best_validation_score_ = None
        if estimator.best_loss_ is None:
            estimator.best_loss_ = math.inf
