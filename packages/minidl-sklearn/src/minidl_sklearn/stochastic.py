"""Training one network with the solvers by mini-batches, epoch by epoch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import suppress

import numpy as np

import minidl
from minidl_sklearn.criterion import Criterion
from minidl_sklearn.solver import penalty_of
from minidl_sklearn.stopping import EpochEnd
from minidl_sklearn.training import Training


def run(training: Training) -> bool:
    """Make the epochs of a training; return whether nobody has interrupted it.

    Parameters
    ----------
    training : Training
    """
    training.estimator.n_iter_ = 0
    epochs = _Epochs(training)
    if not training.incremental:
        training.end.start_anew()
    try:
        with training.end.callbacks.told(epochs.model, epochs.optimizer, training.epochs):
            epochs.run(training.epochs)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
        return False
    return True


class _Epochs:
    """The epochs of one training.

    minidl's `fit` runs them all, in compiled code where it can. It reports the loss of an epoch per unit of weight, and
    scikit-learn per sample and output; where the two differ, the batches are gone through here.
    """

    def __init__(self, training: Training) -> None:
        estimator, network = training.estimator, training.network
        data = training.data.take(training.rows)
        x, weight = np.ascontiguousarray(data.x), data.weight
        target = estimator._as_target(data.y, network.dtype)
        self._x, self._y, self._weight = x, target, weight
        self._training, self._end, self._shuffle = training, training.end, estimator.shuffle
        self.model, self.optimizer = network.model, training.solver.optimizer
        self._coefs, self._alpha, self._engine = network.coefs, penalty_of(estimator), estimator.engine
        self._criterion = Criterion(estimator, network.dtype, target)
        self._size, self._lost = training.batch_size, False

    def run(self, epochs: int) -> None:
        """Train until the end of an epoch says so, or for a number of epochs."""
        one_by_one = self._weight is not None or self._criterion.outputs > 1 or epochs == 1
        done = self._run_batches(epochs) if one_by_one else self._fit(epochs)
        if done < epochs and not self._end.stopped:
            self._training.stay_lost(epochs - done)

    def _fit(self, epochs: int) -> int:
        """Train by minidl's `fit`; return the number of epochs that were made, fewer where the loss became nan."""
        constant, history = self._criterion.constant(self._y), minidl.History(engine="")
        shuffle = self._training.orders if self._shuffle else False
        try:
            with suppress(minidl.DivergenceError):
                minidl.fit(
                    self.model, self._criterion.loss, self.optimizer, self._x, self._y, epochs=epochs,
                    batch_size=self._size, shuffle=shuffle, accuracy=False, history=history, l2=self._alpha,
                    engine=self._engine,
                    callbacks=[_Told(self._end, constant)],
                )  # fmt: skip
        finally:  # also where somebody interrupts it
            self._training.note_engine(history.engine)
        return len(history)

    def _run_batches(self, epochs: int) -> int:
        """Train batch by batch; return the number of epochs that were made, fewer where the loss became nan."""
        solver, how = self._training.solver, self._criterion.loss
        self._training.note_engine(solver.engine_of_steps(self._engine, self.optimizer, how, self._x, self._y))
        for epoch in range(epochs):
            loss = sum(len(rows) * self._step(rows) for rows in self._batches())
            if self._lost:
                return epoch
            if self._end(loss / len(self._x)):
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
        return float(criterion.reported(loss, criterion.constant(y, weight), penalty))

    def _batches(self) -> Iterator[np.ndarray]:
        order = self._training.orders() if self._shuffle else self._training.orders.last
        return (order[start : start + self._size] for start in range(0, len(order), self._size))


class _Told(minidl.Callback):
    """Tells the end of an epoch the losses of minidl's `fit`, as scikit-learn counts them."""

    def __init__(self, end: EpochEnd, constant: float) -> None:
        self._end, self._constant = end, constant
        self.reads_parameters = end.measures

    def __call__(self, _epoch: int, history: minidl.History) -> bool:
        return self._end(float(history.loss[-1]) + self._constant)

    def epochs_ahead(self) -> float:
        return self._end.epochs_ahead()
