"""The end of a training of several networks that are judged by their mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minidl_sklearn.training import Training


class MeanJudge:
    """Ends the training of all networks by the loss, or with early stopping by the score, of their mean.

    Parameters
    ----------
    estimator : BaseMLP
        Whose ``mean_scores_`` and ``best_validation_score_`` are set where there is a validation set.
    trainings : list of Training
    """

    def __init__(self, estimator: Any, trainings: list[Training]) -> None:
        self._estimator, self._trainings = estimator, trainings
        self._best, self._waited = -math.inf, 0
        self._states: list[Any] | None = None
        self._scores: list[float] = []
        if trainings[0].measure is not None:
            estimator.mean_scores_ = self._scores

    def __call__(self) -> bool:
        """Note the end of an epoch; return whether the training ends."""
        estimator, trainings = self._estimator, self._trainings
        value = -float(np.mean([training.estimator.loss_ for training in trainings]))
        if trainings[0].measure is not None:
            self._scores.append(self._score())
            value = self._scores[-1] if estimator.early_stopping else value
        self._waited = self._waited + 1 if value < self._best + estimator.tol else 0
        if value > self._best:
            self._best = value
            if estimator.early_stopping:
                self._states = [training.network.model.state_dict() for training in trainings]
        if self._waited <= estimator.n_iter_no_change:
            return False
        self._waited = 0
        what = "Score of the mean" if estimator.early_stopping else "Mean of the training losses"
        why = f"{what} did not improve more than tol={estimator.tol:f} for {estimator.n_iter_no_change} epochs."
        stops = [training.solver.stops(why, verbose=False) for training in trainings]
        for training, stopped in zip(trainings, stops, strict=True):
            training.end.stopped = stopped
        return all(stops)

    def restore_best(self) -> None:
        """Give all networks the weights with which their mean had the best score."""
        for training, state in zip(self._trainings, self._states or [], strict=False):
            training.network.model.load_state_dict(state)

    def _score(self) -> float:
        measures = [training.measure for training in self._trainings]
        zs = np.stack([measure.outputs for measure in measures if measure is not None])
        _, y, weight = self._trainings[0].held_out or (None, None, None)
        return float(self._estimator._score_outputs(self._estimator._pool(zs), y, weight))
