"""Trainings of several networks at once, as replicates of one network of minidl."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

import minidl
from minidl_sklearn.criterion import Criterion
from minidl_sklearn.solver import change_rate, new_solver, penalty_of
from minidl_sklearn.training import Training


def can_run(trainings: Sequence[Training]) -> bool:
    """Whether trainings are of as many samples, and their optimizers equally far."""
    return len({(training.samples, training.solver.optimizer.t) for training in trainings}) == 1


def run_together(
    trainings: Sequence[Training], judge: Callable[[], bool] | None = None, *, verbose: bool | int = False
) -> bool:
    """Make the epochs of several trainings at once; return whether nobody has interrupted them.

    They have the same samples in memory, of which each may train on its own rows, and estimators whose parameters
    differ in numbers and seeds alone.

    Parameters
    ----------
    trainings : sequence of Training
    judge : callable, optional
        Called at the end of each epoch; returns whether all trainings end.
    verbose : bool or int
        Whether to print a line after each epoch.
    """
    for training in trainings:
        training.estimator.n_iter_ = 0
        if not training.incremental:
            training.end.start_anew()
    together = _Together(trainings, judge, verbose=verbose)
    try:
        together.run()
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
        together.copy_all()
        together.hand_back()
        return False
    together.hand_back()
    return True


class _Together:
    """One network with a replicate for each training.

    After each epoch the weights of a replicate are copied to the network of its training, which then measures, notes
    and decides as it would alone.
    """

    def __init__(self, trainings: Sequence[Training], judge: Callable[[], bool] | None, *, verbose: bool | int) -> None:
        self._trainings, self._judge, self._verbose = trainings, judge, verbose
        models = iter([training.network.model for training in trainings])
        self._model = minidl.replicate(lambda _rng: next(models), range(len(trainings)))
        self._optimizer = _joined(trainings, self._model)
        self._steps = self._optimizer.t
        first = trainings[0]
        target = first.estimator._as_target(first.data.y, first.network.dtype)
        self._target, self._criterion = target, Criterion(first.estimator, first.network.dtype, target)
        self._constants = [self._criterion.constant(_rows(target, training.rows)) for training in trainings]
        self._size = first.batch_size
        self._has_statistics = any(module.statistics for module in self._model.modules())
        self._l2 = _per_replicate([penalty_of(training.estimator) for training in trainings])
        rows = [training.rows for training in trainings if training.rows is not None]
        self._rows = np.stack(rows) if rows else None
        self._ends, self._lost = np.zeros((2, len(trainings)), bool)

    def run(self) -> None:
        """Train all."""
        epochs, weighted = self._trainings[0].epochs, self._trainings[0].data.weight is not None
        if weighted or self._criterion.outputs > 1:  # as in `stochastic`, `fit` counts the loss otherwise
            self._run_batches(epochs)
        else:
            self._fit(epochs)
        for training, ended in zip(self._trainings, self._ends, strict=True):
            if not ended and training.estimator.n_iter_ < epochs:  # those that are left have diverged
                training.stay_lost(epochs - training.estimator.n_iter_)

    def _fit(self, epochs: int) -> None:
        """Train by minidl's `fit`."""
        first, estimator = self._trainings[0], self._trainings[0].estimator
        history = minidl.History(engine="")
        try:
            with suppress(minidl.DivergenceError):
                minidl.fit(
                    self._model, self._criterion.loss, self._optimizer, first.data.x, self._target, epochs=epochs,
                    batch_size=self._size, shuffle=self._next_orders if estimator.shuffle else False, rows=self._rows,
                    accuracy=False, l2=self._l2, engine=estimator.engine, history=history,
                    callbacks=[lambda _epoch, history: self._end_fitted_epoch(history.loss[-1])],
                )  # fmt: skip
        finally:  # also where somebody interrupts it
            self._note_engine(history.engine)

    def _end_fitted_epoch(self, losses: np.ndarray) -> np.ndarray:
        self._lost |= np.isnan(losses)
        return self._end_epoch(np.add(losses, self._constants))

    def _note_engine(self, words: str) -> None:
        for training in self._trainings:
            training.note_engine(words)

    def _run_batches(self, epochs: int) -> None:
        """Train batch by batch; those that have ended are trained along, and not looked at any more."""
        first = self._trainings[0]
        samples, shuffle = first.samples, first.estimator.shuffle
        asked, loss = first.estimator.engine, self._criterion.loss
        self._note_engine(first.solver.engine_of_steps(asked, self._optimizer, loss, first.data.x, self._target))
        for _ in range(epochs):
            order = self._next_orders() if shuffle else np.stack([training.orders.last for training in self._trainings])
            rows = order if self._rows is None else np.take_along_axis(self._rows, order, axis=1)
            parts = [rows[:, start : start + self._size] for start in range(0, samples, self._size)]
            losses = sum(part.shape[1] * self._step(part) for part in parts)
            if (self._end_epoch(np.divide(losses, samples)) | self._lost).all():
                break

    def _step(self, part: np.ndarray) -> np.ndarray:
        """Make a step with a batch, (R, B) rows; return the loss of each replicate."""
        data, criterion, penalty = self._trainings[0].data, self._criterion, np.float64(0)
        y, weight = self._target[part], None if data.weight is None else data.weight[part]
        if criterion.outputs > 1:  # by which the penalty is not divided
            mass = part.shape[1] if weight is None else weight.sum(axis=1)
            penalty = 0.5 * self._l2 * self._model.sum_of_squares(self._model.values, least_axes=2) / mass
        loss = minidl.train_step(
            self._model, criterion.loss, self._optimizer, data.x[part], y, sample_weight=weight, l2=self._l2,
            engine=self._trainings[0].estimator.engine,
        )  # fmt: skip
        self._lost |= np.isnan(loss)  # as in `stochastic`, without the constant
        constants = [criterion.constant(y[r], None if weight is None else weight[r]) for r in range(len(part))]
        return np.asarray(criterion.reported(loss, constants, penalty))

    def copy_all(self) -> None:
        """Copy the weights of the last step to the networks that have not ended."""
        state = self._model.state_dict() if self._has_statistics else {}
        for r in np.flatnonzero(~self._ends).tolist():
            self._copy(r, state, lost=False)

    def hand_back(self) -> None:
        """Give the optimizers of those that have not ended before their memory back."""
        for r in np.flatnonzero(~self._ends).tolist():
            self._hand_back(r)

    def _hand_back(self, r: int) -> None:
        training = self._trainings[r]
        own = training.solver.optimizer
        for name in own.vectors:
            vector = getattr(self._optimizer, name)
            if vector is not None:
                setattr(own, name, vector[r])
        own.t = self._steps + -(-training.samples // self._size) * training.estimator.n_iter_

    def _next_orders(self) -> np.ndarray:
        """Return the order of each network in a new epoch; one that has ended draws no more."""
        return np.stack([
            training.orders.last if ended else training.orders()
            for training, ended in zip(self._trainings, self._ends, strict=True)
        ])  # fmt: skip

    def _end_epoch(self, losses: np.ndarray) -> np.ndarray:
        """Let each training note its loss of an epoch; return which of them have ended."""
        state, before = self._model.state_dict() if self._has_statistics else {}, self._ends.copy()
        for r in np.flatnonzero(~before).tolist():
            self._copy(r, state, lost=bool(self._lost[r]))
            self._ends[r] = self._trainings[r].end(math.nan if self._lost[r] else float(losses[r]))
        if self._verbose:
            self._print(losses[~before])
        if self._judge is not None and self._judge():
            self._ends[:] = True
        self._take_rates()
        for r in np.flatnonzero(self._ends & ~before).tolist():
            self._hand_back(r)
            self._keep_draws(r)
        return self._ends.copy()

    def _keep_draws(self, r: int) -> None:
        """Let one that has ended draw no more masks from the generator of its own network."""
        copies: dict[int, np.random.Generator] = {}
        for layer in self._model.modules():
            if isinstance(layer, minidl.Dropout):
                generators = list(layer.generators)
                generators[r] = copies.setdefault(id(generators[r]), copy.deepcopy(generators[r]))
                layer.generators = generators

    def _print(self, losses: np.ndarray) -> None:
        """Print the line of an epoch: the mean of the losses."""
        epoch, count, left = (
            max(training.estimator.n_iter_ for training in self._trainings),
            len(self._ends),
            np.sum(~self._ends),
        )
        print(f"Iteration {epoch}, mean loss = {losses.mean():.8f}, {left} of {count} networks go on")  # noqa: T201 - what `verbose` asks for

    def _copy(self, r: int, state: dict[str, Any], *, lost: bool) -> None:
        """Copy the weights of a replicate to its training's network, and the running statistics if there are any."""
        model = self._trainings[r].network.model
        if state:
            model.load_state_dict({name: np.asarray(array[r]) for name, array in state.items()})
        model.values[...] = np.nan if lost else self._model.values[r]

    def _take_rates(self) -> None:
        """Take over the learning rates that the solvers have set, and keep the momentum of the next step."""
        rates = [training.solver.optimizer.lr for training in self._trainings]
        before = self._optimizer.lr
        if callable(before) or np.array_equal(np.broadcast_to(before, len(rates)), rates):
            return
        change_rate(self._optimizer, _per_replicate(rates))


def _joined(trainings: Sequence[Training], model: minidl.Module) -> minidl.Optimizer:
    """Return the optimizer of all replicates, with the settings and the memory of those of the trainings."""
    own = [training.solver.optimizer for training in trainings]
    optimizer = new_solver(trainings[0].estimator, model).optimizer
    if not callable(optimizer.lr):
        optimizer.lr = _per_replicate([each.lr for each in own])
    for name in optimizer.settings:
        values = [getattr(each, name) for each in own]
        if any(value != values[0] for value in values):
            setattr(optimizer, name, _per_replicate([math.inf if value is None else value for value in values]))
    for name in optimizer.vectors:
        vectors = [getattr(each, name) for each in own]
        if vectors[0] is not None:
            setattr(optimizer, name, np.stack(vectors))
    optimizer.t = own[0].t
    return optimizer


def _per_replicate(values: list[float]) -> Any:
    """Return a number for all replicates, or an array where they differ."""
    return values[0] if len(set(values)) == 1 else np.array(values, np.float64)


def _rows(array: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
    return array if rows is None else array[rows]
