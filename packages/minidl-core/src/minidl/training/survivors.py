"""The replicates that still train: one whose loss is nan is frozen, and one that a callback has stopped.

A single network whose loss is nan ends the training.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Protocol, Self

import numpy as np

from minidl.layers.module import Module
from minidl.optim.optimizer import Optimizer
from minidl.training.history import DivergenceError, History


class Data(Protocol):
    """The samples of a training, which can say what is wrong with them."""

    def not_finite(self, replicate: int | None = None) -> str:
        """Return words for the first sample that is nan or infinite; empty if there is none."""


class Survivors:
    """The replicates that still train.

    A single network whose loss becomes nan ends the training. Of replicates, those that diverge are frozen, with the
    parameters from before that batch, which may not be finite any more, while the others go on. Those that a callback
    stops are frozen as they are then. In a history that goes on, both stay frozen.

    As a context manager, it keeps NumPy from warning at every step of the infinities in a frozen replicate.

    Parameters
    ----------
    model : Module
    optimizer : Optimizer
    history : History
        Where the replicates that diverge or stop are noted.
    data : Data
        Whose nan and infinities, if there are any, are named as the cause.

    Attributes
    ----------
    frozen : array of bool, shape replicate_shape
        Those that are not trained any more.
    held : Snapshot or None
        The state that the frozen replicates keep, where NumPy computes them along with the others.
    before : Statistics
        Those from before the present batch, which `forward` changes before the loss is known.
    """

    def __init__(self, model: Module, optimizer: Optimizer, history: History, data: Data) -> None:
        self._data = data
        self.frozen = np.zeros(model.replicate_shape, bool)
        self._diverged = self.frozen.copy()
        self._diverged.flat[list(history.diverged)] = True
        self.frozen.flat[[*history.diverged, *history.stopped]] = True
        self._model, self._optimizer, self._history = model, optimizer, history
        self.held: Snapshot | None = None
        self.before = Statistics(model)
        self._quiet, self._is_quiet = ExitStack(), False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._quiet.close()

    def lose(self, epoch: int, batches: Mapping[int, int], what: str = "the loss is nan") -> None:
        """Note replicates by their index, each with the batch in which its loss became nan.

        Raises
        ------
        DivergenceError
            If none is left.
        """
        cause = ""
        for index, batch in sorted(batches.items(), key=lambda item: item[1]):
            self.frozen.flat[index] = self._diverged.flat[index] = True
            cause = self._data.not_finite(index)
            if self.frozen.ndim:
                self._history.diverged[index] = (epoch, batch)
                where = f"{what} in epoch {epoch}, batch {batch}"
                warning = f"fit: replicate {index} has diverged, {where}, and is frozen{cause and f': {cause}'}"
                warnings.warn(warning, RuntimeWarning, stacklevel=_callers_level())
            if not cause or any(vector.flat[index] for vector in self._optimizer.not_finite().values()):
                one = np.zeros(self.frozen.shape, bool)
                one.flat[index] = True
                self._optimizer.forget(one)  # what it remembers would throw mended parameters far off
        if batches and self._diverged.all():
            raise DivergenceError(epoch, max(batches.values()), self._history, what, cause)

    def stop(self, replicates: np.ndarray, epoch: int) -> None:
        """Freeze those of some replicates that still train, after an epoch."""
        new = np.flatnonzero(replicates & ~self.frozen)
        if self.frozen.ndim:
            self._history.stopped.update(dict.fromkeys(new.tolist(), epoch))
        self.frozen.flat[new] = True

    @contextmanager
    def only(self, replicates: np.ndarray) -> Iterator[None]:
        """Train some replicates alone: the others are frozen meanwhile."""
        before = self.frozen.copy()
        self.frozen[...] = before | ~replicates
        try:
            yield
        finally:
            self.frozen[...] = before | self._diverged
            self.held = None

    def freeze(self, nan: np.ndarray, epoch: int, batch: int) -> None:
        """Freeze the replicates whose loss in this batch is nan, before the step."""
        new = np.flatnonzero(nan & ~self.frozen)
        if not new.size:
            return
        self.before.restore(nan & ~self.frozen)
        self.lose(epoch, dict.fromkeys(new.tolist(), batch))
        if self.held is not None:
            self.held.restore()  # those that were frozen before have drawn for this batch
        self.hold()

    def hold(self) -> None:
        """Take a snapshot of the frozen replicates as they are now."""
        if self._diverged.any() and not self._is_quiet:
            self._is_quiet = True
            self._quiet.enter_context(np.errstate(over="ignore", invalid="ignore"))
        self.held = Snapshot(self._model, self._optimizer, self.frozen)

    def check_validation(self, epoch: int, batch: int, unsound: np.ndarray) -> None:
        """Note those whose validation loss is nan: their parameters predict nothing.

        Parameters
        ----------
        epoch, batch : int
        unsound : array of bool, shape replicate_shape
            The replicates whose validation samples are not finite themselves, which tell nothing.

        Raises
        ------
        DivergenceError
            If none is left.
        """
        last = self._history.val_loss[-1]
        if type(last) is float and not math.isnan(last):  # looked at after each epoch, and NumPy is slow on one number
            return
        nan = np.isnan(last)
        if not np.count_nonzero(nan):
            return
        lost = np.flatnonzero(nan & ~self.frozen & ~unsound)
        self.lose(epoch, dict.fromkeys(lost.tolist(), batch), "the validation loss is nan")

    def check_end(self, epoch: int, batch: int) -> None:
        """Note those that the last step has made infinite or nan: no later loss was there to tell.

        Raises
        ------
        DivergenceError
            If none is left.
        """
        backend = self._model.backend
        finite = backend.to_numpy(backend.xp.isfinite(self._model.values).all(-1))
        lost = np.flatnonzero(~finite & ~self.frozen)
        self.lose(epoch, dict.fromkeys(lost.tolist(), batch), "parameters are not finite after the last step,")
        self._warn_of_overflow()

    def _warn_of_overflow(self) -> None:
        """Warn of a memory that has overflowed beside finite parameters, which stand still then; set it to zero."""
        optimizer = self._optimizer
        if type(optimizer).__module__.partition(".")[0] != "minidl":
            return  # an own optimizer may remember infinities
        for name, replicates in optimizer.not_finite().items():
            optimizer.forget(replicates)
            warnings.warn(
                f"fit: {type(optimizer).__name__}: its {name} has overflowed, since gradients were too large for "
                f"{self._model.dtype}: parameters have stood still. It is set to zero; scale the loss, or give clip=",
                RuntimeWarning,
                stacklevel=_callers_level(),
            )


def _callers_level() -> int:
    """Return the stack level of the code that called minidl, for a warning that the calling function issues."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals["__name__"].partition(".")[0] == "minidl":
        level, frame = level + 1, frame.f_back
    return level


class Statistics:
    """The statistics of a model's modules as they are now; see `ParamTree.statistics`.

    Modules replace these arrays and never write to them, so no copy is made.

    Parameters
    ----------
    model : Module
    """

    def __init__(self, model: Module) -> None:
        self._modules = [module for module in model.modules() if module.statistics]
        self._backend = model.backend
        self.take()

    def take(self) -> None:
        """Take those that the modules have now."""
        self._kept = [dict(module.statistics) for module in self._modules]

    def restore(self, replicates: np.ndarray) -> None:
        """Give some replicates, an array of bool, their statistics back."""
        chosen = self._backend.asarray(replicates)
        for module, kept in zip(self._modules, self._kept, strict=True):
            for name, old in kept.items():
                new = self._backend.asarray(module.statistics[name])
                new[chosen] = old[chosen]
                module.statistics = {**module.statistics, name: new}


class Snapshot:
    """The state of some replicates: parameters, the optimizer's vectors, statistics, and the generators of dropout.

    Parameters
    ----------
    model : Module
    optimizer : Optimizer
    replicates : array of bool, shape replicate_shape
    """

    def __init__(self, model: Module, optimizer: Optimizer, replicates: np.ndarray) -> None:
        vectors = [model.values, *(vector for vector in optimizer.state().vectors.values() if vector is not None)]
        self._replicates = replicates.copy()  # which the caller changes in place
        self._rows = model.backend.asarray(np.flatnonzero(replicates))  # numbers, which a GPU need not count first
        each = [vector.reshape(-1, vector.shape[-1]) for vector in vectors]  # views
        self._parts = [(vector, vector[self._rows]) for vector in each]
        self._statistics = Statistics(model)
        chosen = np.flatnonzero(replicates).tolist()
        drawing = [module.generators for module in model.modules() if len(module.generators) == replicates.size]
        self._states = [(each[r], each[r].bit_generator.state) for each in drawing for r in chosen]

    def restore(self) -> None:
        """Give the replicates their state back."""
        for vector, part in self._parts:
            vector[self._rows] = part
        self._statistics.restore(self._replicates)
        for generator, state in self._states:
            generator.bit_generator.state = state
