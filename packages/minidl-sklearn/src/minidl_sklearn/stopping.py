"""The end of an epoch: what is noted and printed, and whether the training stops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minidl_sklearn.callbacks import Callbacks
from minidl_sklearn.network import Network
from minidl_sklearn.solver import Solver


class EpochEnd:
    """Called at the end of each epoch; keeps the curves of an estimator, and the best weights of early stopping.

    Parameters
    ----------
    estimator : BaseMLP
        Whose attributes are set.
    network : Network
    solver : Solver
    samples : int
        How many an epoch goes through.
    measure : callable or None
        Returns score and loss of the validation set; None without one.
    callbacks : Callbacks
    decides : bool
        Whether the training ends by its own loss or score, and goes back to its own best weights.

    Attributes
    ----------
    stopped : bool
        Whether the training has ended before its last epoch.
    measures : bool
        Whether it measures a validation set.
    callbacks : Callbacks
    """

    def __init__(
        self,
        estimator: Any,
        network: Network,
        solver: Solver,
        samples: int,
        measure: Callable[[], tuple[float, float]] | None,
        callbacks: Callbacks,
        *,
        decides: bool = True,
    ) -> None:
        self._estimator, self._model, self._solver = estimator, network.model, solver
        self._samples, self._measure, self.callbacks = samples, measure, callbacks
        self.stopped, self.measures, self._decides = False, measure is not None, decides
        self._has_statistics = any(module.statistics for module in network.model.modules())
        # scikit-learn keeps the initial weights as the best ones of a first training. In one that goes on it has no
        # copy: without a better score the weights stay what they are at the end.
        first = not estimator.loss_curve_ or _starts_anew(estimator)
        self._best = self._model.state_dict() if self._keeps_best() and first else None

    def __call__(self, loss: float) -> bool:
        """Note the loss of an epoch; return whether the training stops."""
        estimator = self._estimator
        estimator.n_iter_ += 1
        estimator.loss_ = loss
        estimator.t_ += self._samples
        estimator.loss_curve_.append(loss)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")  # noqa: T201 - what `verbose` asks for
        validation = None if self._measure is None else self._measure()
        if validation is not None:
            self._note_validation(*validation)
        if not estimator.early_stopping:
            self._note_loss(loss)
        self._solver.end_epoch(estimator.t_)
        if self._decides and estimator._no_improvement_count > estimator.n_iter_no_change:
            self.stopped = self._solver.stops(self._why(), verbose=estimator.verbose)
            if not self.stopped:
                estimator._no_improvement_count = 0
        self.stopped |= self.callbacks.end_epoch(loss, validation)
        return self.stopped

    def epochs_ahead(self) -> float:
        """Return how many epochs may be trained before this is called: none but the last can end the training."""
        if self.callbacks or self._solver.changes_each_epoch or (self.measures and self._has_statistics):
            return 1
        most = self._estimator.n_iter_no_change
        return math.inf if most == math.inf else int(most) + 1 - self._estimator._no_improvement_count

    def start_anew(self) -> None:
        """Measure the weights that the training starts from, which later ones must improve on."""
        if _starts_anew(self._estimator) and self._measure is not None:
            self._estimator.best_validation_score_, _ = self._measure()

    def restore_best(self) -> None:
        """Set the parameters to those with the best validation score, if there is one."""
        if self._best is not None:
            self._model.load_state_dict(self._best)

    def _keeps_best(self) -> bool:
        return bool(self._decides and self._estimator.early_stopping)

    def _note_loss(self, loss: float) -> None:
        estimator = self._estimator
        self._count(improved=not loss > estimator.best_loss_ - estimator.tol)
        estimator.best_loss_ = min(estimator.best_loss_, loss)

    def _note_validation(self, score: float, loss: float) -> None:
        estimator = self._estimator
        estimator.validation_scores_.append(score)
        estimator.validation_loss_curve_.append(loss)
        if estimator.verbose:
            print(f"Validation score: {score:f}")  # noqa: T201 - what `verbose` asks for
        if estimator.early_stopping:
            self._count(improved=not score < estimator.best_validation_score_ + estimator.tol)
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            if self._keeps_best():
                self._best = self._model.state_dict()

    def _count(self, *, improved: bool) -> None:
        """Count the epochs without improvement; a loss or a score that is nan counts as one."""
        estimator = self._estimator
        estimator._no_improvement_count = 0 if improved else estimator._no_improvement_count + 1

    def _why(self) -> str:
        what = "Validation score" if self._estimator.early_stopping else "Training loss"
        tol, epochs = self._estimator.tol, self._estimator.n_iter_no_change
        return f"{what} did not improve more than tol={tol:f} for {epochs:d} consecutive epochs."


def start_curves(estimator: Any) -> None:
    """Start the curves of a new training."""
    estimator.t_ = 0
    estimator.loss_curve_ = []
    estimator._no_improvement_count = 0
    estimator.best_loss_ = None
    _forget_validation(estimator)


def continue_curves(estimator: Any, *, validates: bool, incremental: bool) -> None:
    """Make the attributes that a training needs and that the one before, of another kind, has not left.

    Parameters
    ----------
    estimator : BaseMLP
    validates : bool
        Whether there is a validation set.
    incremental : bool
        Whether this is `partial_fit`.
    """
    if not hasattr(estimator, "loss_curve_"):
        start_curves(estimator)
    if _starts_anew(estimator) and not incremental:
        estimator._no_improvement_count, estimator.best_loss_ = 0, None
    if not validates:
        _forget_validation(estimator)
    elif estimator.validation_scores_ is None:
        estimator.validation_scores_, estimator.validation_loss_curve_ = [], []
        estimator.best_validation_score_ = -math.inf
    if estimator.early_stopping:
        estimator.best_loss_ = None
    elif estimator.best_loss_ is None:
        estimator.best_loss_ = math.inf


def _starts_anew(estimator: Any) -> bool:
    """Whether a training that goes on forgets what the ones before it were judged by."""
    return bool(estimator.restart_stopping and estimator.loss_curve_)


def _forget_validation(estimator: Any) -> None:
    estimator.validation_scores_ = estimator.validation_loss_curve_ = estimator.best_validation_score_ = None
