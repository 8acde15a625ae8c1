"""Training with the solvers "adam" and "sgd", epoch by epoch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

import minidl
from minidl_sklearn.callbacks import Callbacks
from minidl_sklearn.criterion import Criterion
from minidl_sklearn.held_out import Data, HeldOut, split
from minidl_sklearn.network import Network
from minidl_sklearn.solver import Solver, new_solver, penalty_of
from minidl_sklearn.stopping import EpochEnd, continue_curves


def new_training(
    estimator: Any,
    network: Network,
    data: Data,
    held_out: Data | None,
    rng: np.random.RandomState,
    *,
    incremental: bool,
) -> Callable[[], None]:
    """Check and prepare a training of the network of an estimator; return it as a function that changes the weights.

    Parameters
    ----------
    estimator : BaseMLP
    network : Network
    data : Data
    held_out : Data or None
        The validation set, if one is given.
    rng : RandomState
        Where the validation set, the masks of dropout and the orders of the samples come from.
    incremental : bool
        Whether this is `partial_fit`: one epoch, with the solver of the call before.
    """
    if estimator.early_stopping and incremental and held_out is None:
        raise ValueError("partial_fit does not support early_stopping=True")
    solver: Solver | None = getattr(estimator, "_optimizer", None)
    if not incremental or solver is None or not solver.goes_on_with(network.model):
        solver = estimator._optimizer = new_solver(estimator, network.model)
    if estimator.early_stopping and held_out is None:
        data, held_out = split(estimator, data, rng)
    measure = None if held_out is None else HeldOut(estimator, network, held_out)
    continue_curves(estimator, validates=measure is not None, incremental=incremental)
    callbacks = Callbacks(estimator.callbacks, validates=measure is not None)
    end = EpochEnd(estimator, network, solver, len(data.x), measure, callbacks)
    if not (incremental and network.seeded):
        network.seed(rng)
    return partial(_train, estimator, _Epochs(estimator, network, data, rng), end, incremental=incremental)


def _train(estimator: Any, epochs: _Epochs, end: EpochEnd, *, incremental: bool) -> None:
    """Make the epochs of a training, and warn where they were too few."""
    if incremental:
        _run(estimator, epochs, end, 1)
        return
    end.start_anew()
    finished = _run(estimator, epochs, end, estimator.max_iter)
    if finished and not end.stopped:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter:d}) reached and the optimization "
            "hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=2,
        )
    end.restore_best()


def _run(estimator: Any, epochs: _Epochs, end: EpochEnd, count: int) -> bool:
    """Train for some epochs; return whether nobody has interrupted that."""
    estimator.n_iter_ = 0
    try:
        with end.callbacks.told(epochs.model, epochs.optimizer, count):
            epochs.run(end, count)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
        return False
    return True


class _Epochs:
    """The epochs of one training.

    minidl's `fit` runs them all, in compiled code where it can. It reports the loss of an epoch per unit of weight, and
    scikit-learn per sample and output; where the two differ, the batches are gone through here.
    """

    def __init__(self, estimator: Any, network: Network, data: Data, rng: np.random.RandomState) -> None:
        self._estimator = estimator
        x, weight = np.ascontiguousarray(data.x), data.weight
        target = estimator._as_target(data.y, network.dtype)
        self._x, self._y, self._weight = x, target, weight
        self._shuffle, self._rng = estimator.shuffle, rng
        self.model, self.optimizer = network.model, estimator._optimizer.optimizer
        self._coefs, self._alpha, self._engine = network.coefs, penalty_of(estimator), estimator.engine
        self._criterion = Criterion(estimator, network.dtype, target)
        self._size, self._order = _batch_size(estimator, len(x)), np.arange(len(x))
        self._lost = False

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
                self.model, self._criterion.loss, self.optimizer, self._x, self._y, epochs=epochs,
                batch_size=self._size, shuffle=shuffle, accuracy=False, history=history, l2=self._alpha,
                engine=self._engine,
                callbacks=[lambda _epoch, history: end(float(history.loss[-1]) + constant)],
            )  # fmt: skip
        self._estimator.engine_ = history.engine
        return len(history)

    def _run_batches(self, end: EpochEnd, epochs: int) -> int:
        """Train batch by batch; return the number of epochs that were made, fewer where the loss became nan."""
        self._note_engine()
        for epoch in range(epochs):
            loss = sum(len(rows) * self._step(rows) for rows in self._batches())
            if self._lost:
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
            self.model, criterion.loss, self.optimizer, x, y, sample_weight=weight, l2=self._alpha,
            engine=self._engine,
        )  # fmt: skip
        self._lost |= bool(np.isnan(loss))  # the constant of negative counts is nan, and nothing is lost
        return float((loss + criterion.constant(y, weight) - penalty) / criterion.outputs + penalty)

    def _note_engine(self) -> None:
        """Ask a training of no epochs which engine runs it, once for all steps with one solver."""
        solver, few = self._estimator._optimizer, slice(0, 2)
        if solver.engine is None or solver.engine[0] != self._engine:
            history = minidl.fit(
                self.model, self._criterion.loss, self.optimizer, self._x[few], self._y[few], epochs=0, batch_size=2,
                accuracy=False, engine=self._engine,
            )  # fmt: skip
            solver.engine = self._engine, history.engine
        self._estimator.engine_ = solver.engine[1]

    def _batches(self) -> Iterator[np.ndarray]:
        order = self._next_order() if self._shuffle else self._order
        return (order[start : start + self._size] for start in range(0, len(order), self._size))

    def _next_order(self) -> np.ndarray:
        """Return the order of the samples in a new epoch: that of the epoch before, shuffled."""
        self._order = self._order[self._rng.permutation(len(self._order))]
        return self._order

    def _stay_lost(self, end: EpochEnd, epochs: int) -> None:
        """Note the epochs that are left of a training whose loss is nan: nothing but nan would come of them."""
        self.model.values[...] = np.nan
        for _ in range(epochs):
            if end(float("nan")):
                break


def _batch_size(estimator: Any, samples: int) -> int:
    """Return the number of samples in a batch."""
    size = estimator.batch_size
    if size == "auto":
        size = min(200, samples)
    elif size > samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=4
        )
    size = int(min(size, samples))
    return _normalizable(size, samples) if estimator.normalize == "batch" else size


def _normalizable(size: int, samples: int) -> int:
    """Return a number of samples in a batch that leaves none of a single sample, which has no variance."""
    if size == 1:
        raise ValueError(
            f"normalize: expected batches of two or more for 'batch', got batch_size = 1 of n_samples = {samples}"
        )
    while samples % size == 1:
        size += 1
    return size
