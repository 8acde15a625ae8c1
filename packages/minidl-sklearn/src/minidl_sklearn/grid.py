"""The trainings of a cross-validated grid: which of them can be made at once, and making them."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import product
from numbers import Number
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from minidl_sklearn.inputs import as_samples
from minidl_sklearn.networks import known_of, why_apart
from minidl_sklearn.options import check_together
from minidl_sklearn.sklearn_parts import take_rows
from minidl_sklearn.together import run_together
from minidl_sklearn.training import Training, finish

NUMBERS = {
    "alpha", "learning_rate_init", "momentum", "dropout", "beta_1", "beta_2", "epsilon", "clip", "power_t", "tol",
    "n_iter_no_change", "random_state",
}  # fmt: skip
"""The parameters in which networks that are trained at once may differ."""


class Runs:
    """The networks of a grid, one for each point and fold.

    Parameters
    ----------
    estimator : BaseMLP
    candidates : list of dict
        The parameters of each point.
    X, y : array-like
    folds : list of array of int
        The rows to train on.

    Attributes
    ----------
    trainings : int
        How many trainings were made.
    failures : list of str
        Why networks could not be trained.
    """

    def __init__(
        self, estimator: Any, candidates: list[dict[str, Any]], X: Any, y: Any, folds: Sequence[np.ndarray]
    ) -> None:
        self._estimator, self._candidates, self._x, self._y, self._folds = estimator, candidates, X, y, folds
        self.trainings, self.failures = 0, list[str]()
        self._fitted: dict[tuple[int, int], Any] = {}

    def fit(self) -> dict[tuple[int, int], Any]:
        """Train all; return the fitted estimators by point and fold, without those that failed."""
        groups: dict[Hashable, list[int]] = defaultdict(list)
        for point, params in enumerate(self._candidates):
            groups[_alike(self._estimator.get_params(deep=False) | params)].append(point)
        for points in groups.values():
            self._fit_group(points)
        return self._fitted

    def _fit_group(self, points: list[int]) -> None:
        """Train the networks of points that are alike."""
        first = self._new(points[0])
        start, data, held_out = first._prepare(self._x, self._y, None, incremental=False)
        if first.n_networks > 1 or why_apart(first, data) or not self._folds_are_alike(first, data.y):
            for run in product(points, range(len(self._folds))):
                self._fit_alone(run)
            return
        data = data._replace(x=as_samples(data.x, start.dtype))
        by_size: dict[int, dict[tuple[int, int], Training]] = defaultdict(dict)
        for point in points:
            estimator = self._new(point)
            vars(estimator).update(known_of(first))
            own = start._replace(form=check_together(estimator, len(start.widths) - 2))
            for fold, rows in enumerate(self._folds):
                network = copy.copy(estimator)
                rng = check_random_state(copy.deepcopy(estimator.random_state))
                network._start(own, rng)
                training = Training(network, network._network(), data, held_out, rng, incremental=False, rows=rows)
                by_size[training.samples][point, fold] = training
        for trainings in by_size.values():
            self._fit_together(trainings)

    def _fit_together(self, trainings: dict[tuple[int, int], Training]) -> None:
        made = list(trainings.values())
        finish(made, interrupted=not run_together(made))
        self.trainings += 1
        for run, training in trainings.items():
            self._keep(run, training.estimator)

    def _fit_alone(self, run: tuple[int, int]) -> None:
        point, fold = run
        estimator, rows = self._new(point), self._folds[fold]
        self.trainings += 1
        try:
            estimator.fit(take_rows(self._x, rows), take_rows(self._y, rows))
        except Exception as error:  # noqa: BLE001 - whatever it is, scikit-learn's search notes it and goes on
            self.failures.append(str(error))
        else:
            self._fitted[run] = estimator

    def _keep(self, run: tuple[int, int], estimator: Any) -> None:
        """Note a fitted estimator, or that its weights are not finite."""
        try:
            estimator._check_finite()
        except ValueError as error:
            self.failures.append(str(error))
        else:
            self._fitted[run] = estimator

    def _new(self, point: int) -> Any:
        """Return an estimator with the parameters of a point, which are checked."""
        estimator = clone(self._estimator).set_params(**clone(self._candidates[point], safe=False))
        estimator._validate_params()
        return estimator

    def _folds_are_alike(self, estimator: Any, y: np.ndarray) -> bool:
        """Whether the targets of all folds are encoded, and weighted, like those of all samples."""
        if getattr(estimator, "class_weight", None) == "balanced":
            return False
        if estimator._takes_numbers or (y.ndim == 2 and y.shape[1] > 1):
            return True
        count = len(np.unique(y))
        return all(len(np.unique(y[rows])) == count for rows in self._folds)


def _alike(params: dict[str, Any]) -> Hashable:
    """Return a key that points have in common whose networks can be trained at once."""
    dropout = np.atleast_1d(np.asarray(params["dropout"], object))
    rest = tuple(_identity(params[name]) for name in sorted(params) if name not in NUMBERS)
    # without dropout a network has fewer layers, and without momentum it is not Nesterov's
    return rest, tuple(bool(p_drop) for p_drop in dropout), params["solver"] == "sgd" and bool(params["momentum"])


def _identity(value: Any) -> Hashable:
    """Return a value that can be compared; of objects that are no plain values, which object it is."""
    if value is None or isinstance(value, str | Number):
        return type(value).__name__, value
    if isinstance(value, tuple | list):
        return tuple(map(_identity, value))
    return id(value)
