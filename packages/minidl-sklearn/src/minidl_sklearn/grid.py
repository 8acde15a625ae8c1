"""The trainings of a cross-validated grid: which of them can be made at once, and making them."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Hashable, Sequence
from functools import partial
from itertools import product
from numbers import Number
from typing import Any, TypeAlias

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from minidl_sklearn.blocks import cut, in_blocks, spreads
from minidl_sklearn.held_out import Data
from minidl_sklearn.inputs import as_samples
from minidl_sklearn.mlp import Start
from minidl_sklearn.networks import known_of, seeds_of, why_apart
from minidl_sklearn.options import check_together
from minidl_sklearn.sklearn_parts import take_rows
from minidl_sklearn.together import run_together
from minidl_sklearn.training import Training, restore_best, warn_of_late

NUMBERS = {
    "alpha", "learning_rate_init", "momentum", "dropout", "beta_1", "beta_2", "epsilon", "clip", "power_t", "tol",
    "n_iter_no_change", "random_state",
}  # fmt: skip
"""The parameters in which networks that are trained at once may differ."""
Run: TypeAlias = tuple[int, int]
"""A point of the grid and a fold, by their numbers."""


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
    n_jobs : int or None
        Over how many workers the networks are spread, in blocks.

    Attributes
    ----------
    trainings : int
        How many trainings were made.
    failures : list of str
        Why networks could not be trained.
    """

    def __init__(
        self, estimator: Any, candidates: list[dict[str, Any]], X: Any, y: Any, folds: Sequence[np.ndarray],
        n_jobs: int | None = None,
    ) -> None:  # fmt: skip
        self._estimator, self._candidates, self._x, self._y, self._folds = estimator, candidates, X, y, folds
        self._n_jobs = n_jobs
        self.trainings, self.failures = 0, list[str]()
        self._fitted: dict[Run, Any] = {}

    def fit(self) -> dict[Run, Any]:
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
        runs = list(product(points, range(len(self._folds))))
        if first.n_networks > 1 or why_apart(first, data) or not self._folds_are_alike(first, data.y):
            self._fit_apart(runs)
            return
        data = data._replace(x=as_samples(data.x, start.dtype))
        by_size: dict[int, list[Run]] = defaultdict(list)
        for run in runs:
            by_size[len(self._folds[run[1]])].append(run)
        for alike in by_size.values():
            blocks = [[self._network(run, first) for run in block] for block in cut(alike, self._n_jobs)]
            train = partial(_train_block, start, held_out)
            trained = in_blocks(train, blocks, data, self._n_jobs)
            warn_of_late([stopped for _, each in trained for stopped in each], first.max_iter)
            for run, network in zip(alike, (network for networks, _ in trained for network in networks), strict=True):
                self._keep(run, network)
            self.trainings += len(blocks)

    def _network(self, run: Run, first: Any) -> tuple[Any, np.ndarray]:
        """Return the network of a run, with what `first` has noted of the samples, and the rows to train on."""
        point, fold = run
        network = self._seeded(point)
        vars(network).update(known_of(first))
        return network, self._folds[fold]

    def _fit_apart(self, runs: list[Run]) -> None:
        """Train networks one after another; those with callbacks in this process, to which the callbacks belong."""
        each = [(self._seeded(point), self._folds[fold]) for point, fold in runs]
        blocks = [each] if any(network.callbacks for network, _ in each) else cut(each, self._n_jobs)
        trained = in_blocks(_train_apart, blocks, (self._x, self._y), self._n_jobs)
        self.trainings += len(runs)
        for run, result in zip(runs, (result for block in trained for result in block), strict=True):
            if isinstance(result, str):
                self.failures.append(result)
            else:
                self._fitted[run] = result

    def _keep(self, run: Run, estimator: Any) -> None:
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

    def _seeded(self, point: int) -> Any:
        """Return an estimator of a point; for a worker with a seed, since NumPy's global state stays here."""
        estimator = self._new(point)
        if estimator.random_state is None and spreads(self._n_jobs):
            estimator.random_state = seeds_of(None, 1)[0]
        return estimator

    def _folds_are_alike(self, estimator: Any, y: np.ndarray) -> bool:
        """Whether the targets of all folds are encoded, and weighted, like those of all samples."""
        if getattr(estimator, "class_weight", None) == "balanced":
            return False
        if estimator._takes_numbers or (y.ndim == 2 and y.shape[1] > 1):
            return True
        count = len(np.unique(y))
        return all(len(np.unique(y[rows])) == count for rows in self._folds)


def _train_block(
    start: Start, held_out: Data | None, block: list[tuple[Any, np.ndarray]], x: np.ndarray, y: Any, weight: Any
) -> tuple[list[Any], list[bool]]:
    """Train networks at once, each on its rows; return them, and whether each has ended early."""
    data = Data(np.asarray(x), y, weight)  # of a map, the plain array
    trainings = []
    for network, rows in block:
        rng = check_random_state(copy.deepcopy(network.random_state))
        network._start(start._replace(form=check_together(network, len(start.widths) - 2)), rng)
        trainings.append(Training(network, network._network(), data, held_out, rng, incremental=False, rows=rows))
    interrupted = not run_together(trainings)
    restore_best(trainings)
    stopped = [interrupted or training.end.stopped for training in trainings]
    return [training.estimator for training in trainings], stopped


def _train_apart(block: list[tuple[Any, np.ndarray]], X: Any, y: Any) -> list[Any]:
    """Train networks one after another, each on its rows; return them, or why they could not be trained."""
    results: list[Any] = []
    for network, rows in block:
        try:
            results.append(network.fit(take_rows(X, rows), take_rows(y, rows)))
        except Exception as error:  # noqa: BLE001 - whatever it is, scikit-learn's search notes it and goes on
            results.append(str(error))
    return results


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
