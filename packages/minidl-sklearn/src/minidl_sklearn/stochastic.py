"""Training with the solvers "adam" and "sgd", epoch by epoch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

import minidl
from minidl_sklearn.criterion import Criterion
from minidl_sklearn.network import Network
from minidl_sklearn.solver import new_solver
from minidl_sklearn.stopping import EpochEnd, continue_curves


class Data(NamedTuple):
    """Samples, their targets as the estimator encodes them, and their weights if there are any."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None


def fit_stochastic(
    estimator: Any, network: Network, data: Data, rng: np.random.RandomState, *, incremental: bool
) -> None:
    """Train the network of an estimator.

    Parameters
    ----------
    estimator : BaseMLP
    network : Network
    data : Data
    rng : RandomState
        Where the validation set and the orders of the samples come from.
    incremental : bool
        Whether this is `partial_fit`: one epoch, with the solver of the call before.
    """
    solver = getattr(estimator, "_optimizer", None)
    if not incremental or solver is None or solver.optimizer.model is not network.model:
        solver = estimator._optimizer = new_solver(estimator, network.model)
    if estimator.early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    continue_curves(estimator)
    measure = None
    if estimator.early_stopping:
        data, held_out = _split(estimator, data, rng)
        measure = _scorer(estimator, network, held_out)
    end = EpochEnd(estimator, network.model.values, solver, len(data.x), measure)
    estimator.n_iter_ = 0
    epochs = _Epochs(estimator, network, data, rng)
    try:
        epochs.run(end, 1 if incremental else estimator.max_iter)
        if not end.stopped and not incremental:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter:d}) reached and the optimization "
                "hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=2,
            )
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
    end.restore_best()


def _split(estimator: Any, data: Data, rng: np.random.RandomState) -> tuple[Data, Data]:
    """Return the samples to train on and those to validate on; two classes are split in equal shares."""
    arrays = [array for array in data if array is not None]
    stratify = data.y if estimator._stratifies() else None
    share = estimator.validation_fraction
    parts = train_test_split(*arrays, random_state=rng, test_size=share, stratify=stratify)
    train, held_out = (Data(*part, *[None] * (3 - len(part))) for part in (parts[::2], parts[1::2]))
    if len(held_out.x) < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    return train, held_out


def _scorer(estimator: Any, network: Network, held_out: Data) -> Callable[[], float]:
    """Return the function that measures the validation set."""
    x = np.ascontiguousarray(held_out.x)
    return lambda: float(estimator._score_outputs(minidl.predict(network.model, x), held_out.y, held_out.weight))


class _Epochs:
    """The epochs of one training.

    minidl's `fit` runs them all, in compiled code where it can. It reports the loss of an epoch per unit of weight, and
    scikit-learn per sample and output; where the two differ, the batches are gone through here.
    """

    def __init__(self, estimator: Any, network: Network, data: Data, rng: np.random.RandomState) -> None:
        x, weight = np.ascontiguousarray(data.x), data.weight
        target = estimator._as_target(data.y, network.dtype)
        self._x, self._y, self._weight = x, target, weight
        self._shuffle, self._rng = estimator.shuffle, rng
        self._model, self._optimizer = network.model, estimator._optimizer.optimizer
        self._coefs, self._alpha = network.coefs, float(estimator.alpha)
        self._criterion = Criterion(estimator.out_activation_, network.dtype, target)
        self._size, self._order = _batch_size(estimator.batch_size, len(x)), np.arange(len(x))

    def run(self, end: EpochEnd, epochs: int) -> None:
        """Train until the end says so, or for a number of epochs."""
        one_by_one = self._weight is not None or self._criterion.outputs > 1 or epochs == 1
        done = self._run_batches(end, epochs) if one_by_one else self._fit(end, epochs)
        if done < epochs and not end.stopped:
            self._stay_lost(end, epochs - done)

    def _fit(self, end: EpochEnd, epochs: int) -> int:
        """Train by minidl's `fit`; return the number of epochs that were made, fewer where the loss became nan."""
        constant, history = self._criterion.constant(self._y), minidl.History()
        shuffle = self._next_order if self._shuffle else False
        with suppress(minidl.DivergenceError):
            minidl.fit(
                self._model, self._criterion.loss, self._optimizer, self._x, self._y, epochs=epochs,
                batch_size=self._size, shuffle=shuffle, accuracy=False, history=history, l2=self._alpha,
                callbacks=[lambda _epoch, history: end(float(history.loss[-1]) + constant)],
            )  # fmt: skip
        return len(history)

    def _run_batches(self, end: EpochEnd, epochs: int) -> int:
        """Train batch by batch; return the number of epochs that were made, fewer where the loss became nan."""
        for epoch in range(epochs):
            loss = sum(len(rows) * self._step(rows) for rows in self._batches())
            if np.isnan(loss):
                return epoch
            if end(loss / len(self._x)):
                return epoch + 1
        return epochs

    def _step(self, rows: np.ndarray) -> float:
        """Make a step with some samples, unless none of them has a weight; return their loss."""
        x, y = self._x[rows], self._y[rows]
        weight = None if self._weight is None else self._weight[rows]
        if weight is not None and not weight.any():
            return 0.0
        criterion, penalty = self._criterion, 0.0
        if criterion.outputs > 1:  # by which the penalty is not divided
            mass = len(rows) if weight is None else weight.sum()
            penalty = 0.5 * self._alpha * sum(float(np.vdot(coef, coef)) for coef in self._coefs) / mass
        loss = minidl.train_step(
            self._model, criterion.loss, self._optimizer, x, y, sample_weight=weight, l2=self._alpha
        )
        return float((loss + criterion.constant(y, weight) - penalty) / criterion.outputs + penalty)

    def _batches(self) -> Iterator[np.ndarray]:
        order = self._next_order() if self._shuffle else self._order
        return (order[start : start + self._size] for start in range(0, len(order), self._size))

    def _next_order(self) -> np.ndarray:
        """Return the order of the samples in a new epoch: that of the epoch before, shuffled."""
        self._order = self._order[self._rng.permutation(len(self._order))]
        return self._order

    def _stay_lost(self, end: EpochEnd, epochs: int) -> None:
        """Note the epochs that are left of a training whose loss is nan: nothing but nan would come of them."""
        self._model.values[...] = np.nan
        for _ in range(epochs):
            if end(float("nan")):
                break


def _batch_size(size: Any, samples: int) -> int:
    if size == "auto":
        return min(200, samples)
    if size > samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=4
        )
    return int(min(size, samples))
