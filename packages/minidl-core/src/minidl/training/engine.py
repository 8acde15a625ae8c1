"""The interface of an engine, through which `fit`, `evaluate`, `predict` and `train_step` compute."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.interruption import Deferred, Position
from minidl.training.metrics import Tally
from minidl.training.orders import permutations
from minidl.training.penalty import Penalty
from minidl.training.survivors import Survivors

EngineName: TypeAlias = Literal["auto", "numpy", "native"]


@dataclass(frozen=True)
class Training:
    """A training as an engine runs it.

    Attributes
    ----------
    loss : Loss
    optimizer : Optimizer
    tally : Tally
        Adds up loss and accuracy.
    survivors : Survivors
        The replicates that still train.
    position : Position
        How far the epoch is.
    interrupt : Deferred
        Lets Ctrl-C through between two steps.
    penalty : Penalty or None
        Added to the loss.
    validation : Validation or None
        Measured after each epoch by the engine that has returned its records.
    """

    loss: Loss
    optimizer: Optimizer
    tally: Tally
    survivors: Survivors
    position: Position
    interrupt: Deferred
    penalty: Penalty | None = None
    validation: Validation | None = None


@dataclass(frozen=True)
class Part:
    """Some batches of an epoch, one behind the other: all of them where the samples are arrays.

    Attributes
    ----------
    epoch : int
        Counted from 1.
    samples : Samples
    order : array of int, shape (M,) or (*replicate_shape, M), or None
        Which samples, in which order: one for all replicates, or one for each; None takes all as they lie.
    batch_size : int
    before : int
        The number of batches of this epoch in front of the part.
    """

    epoch: int
    samples: Samples
    order: np.ndarray | None
    batch_size: int
    before: int = 0

    @property
    def count(self) -> int:
        """The number of samples that are visited."""
        return self.samples.count if self.order is None else int(self.order.shape[-1])

    @property
    def batches(self) -> int:
        """The number of batches."""
        return -(-self.count // self.batch_size)

    def cut(self, first: int, last: int) -> Part:
        """Return the batches from `first` up to `last`, counted from 0 within this part."""
        start, stop = first * self.batch_size, min(last * self.batch_size, self.count)
        samples, order = self.samples, self.order
        if order is None:
            samples = samples.part(start, stop)
        else:
            order = order[..., start:stop]
        return Part(self.epoch, samples, order, self.batch_size, self.before + first)

    @property
    def last(self) -> int:
        """The number of samples in the last batch, which may be smaller than the others."""
        return (self.count - 1) % self.batch_size + 1

    def mass_in(self, batches: np.ndarray, before: Any) -> np.ndarray:
        """Return the sum of the weights in the first batches of each replicate; without weights the samples.

        The weights are added one by one, so that the sum does not depend on how an epoch is cut into parts.

        Parameters
        ----------
        batches : array of int, shape replicate_shape
        before : number, or array of shape replicate_shape
            What the parts before add up to.
        """
        visited = np.minimum(batches * self.batch_size, self.count)
        weights = self.samples.ordered_weights(self.order)
        if weights is None:
            return np.asarray(before + visited)
        sums, known = np.empty(visited.shape), {}
        for index in np.ndindex(visited.shape):
            own = weights if weights.ndim == 1 else weights[index]
            key = float(np.broadcast_to(before, visited.shape)[index]), int(visited[index])
            if weights.ndim > 1 or key not in known:
                known[key] = np.cumsum(np.concatenate(([key[0]], own[: key[1]])))[-1]
            sums[index] = known[key]
        return sums


class EpochResults(NamedTuple):
    """What an engine did in each of several epochs: arrays of shape (E,), which it fills.

    Attributes
    ----------
    loss, hits : array of float64
        What its batches add up to, as in `Sums`.
    steps : array of int
        Number of steps made.
    diverged : array of int
        The batch, counted from 1, whose loss was nan and which was not learnt from; 0 for none.
    states : array, shape (E, size), or None
        The parameters at the end of each epoch that was finished, where somebody needs them.
    """

    loss: np.ndarray
    hits: np.ndarray
    steps: np.ndarray
    diverged: np.ndarray
    states: np.ndarray | None = None

    @classmethod
    def zeros(cls, shape: tuple[int, ...]) -> EpochResults:
        """Return results of zeros."""
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int64), np.zeros(shape, np.int64))


class Validation(NamedTuple):
    """A validation set that an engine measures after each epoch, in the call that trains it.

    Attributes
    ----------
    records : object
        Samples and loss, as `Engine.to_validate` has returned them.
    results : EpochResults
        For the engine to fill: loss and hits of each of several epochs, or of each replicate.
    """

    records: Any
    results: EpochResults


class Engine(ABC):
    """Computes predictions, epochs and steps of one model.

    Attributes
    ----------
    who : str
        The function that asked for the engine, for errors.
    model : Module
    words : str
        Which engine this is, and if it is not the native one, why: ``numpy (minidl-native is not installed)``.
    joins_batches : bool
        Whether many small batches are faster in one call.
    leads : bool
        Whether this process writes the checkpoints; one of several processes does.
    """

    who: str
    model: Module
    words: str
    joins_batches: ClassVar[bool] = False
    leads: bool = True

    @abstractmethod
    def current(self, training: Training | None = None) -> Engine:
        """Return the engine for the model as it is now: this one, or another if a method was replaced meanwhile.

        Parameters
        ----------
        training : Training, optional
            Whose loss and optimizer must have their original methods too.
        """

    def opened(self) -> AbstractContextManager[object]:
        """Return a block around a training, in which the engine may keep something from one call to the next."""
        return nullcontext()

    @abstractmethod
    def infer(self, x: Array) -> Array:
        """Compute the output of the model in evaluation mode for one batch."""

    @abstractmethod
    def predict(self, x: Array, batch_size: int | None = None) -> Array:
        """Compute the output of the model in evaluation mode, in bounded memory.

        Parameters
        ----------
        x : array, shape (N, ..., F), or (*replicate_shape, N, ..., F)
        batch_size : int, optional
            Samples at a time, where the engine works in batches; without it a number that is fast.

        Returns
        -------
        array
        """

    def measure(self, loss: Loss, samples: Samples, tally: Tally) -> bool:  # noqa: ARG002 - a faster way, if any
        """Set the tally to loss and hits of all samples in evaluation mode, if the engine computes them; else False."""
        return False

    def to_validate(self, loss: Loss, samples: Samples, threshold: float | None) -> Any:  # noqa: ARG002 - if it can
        """Return samples and loss as this engine measures them in `run` and `run_epochs`; None if it does not."""
        return None

    def permutations(self, rngs: list[np.random.Generator], count: int) -> np.ndarray:
        """Return the numbers below a count in an order of each generator, (R, count)."""
        return permutations(rngs, count)

    @abstractmethod
    def run(self, training: Training, part: Part) -> None:
        """Make a step for each batch; loss and accuracy on the way are added to the tally.

        Ctrl-C ends it between two steps; position and tally then say what was done.

        Parameters
        ----------
        training : Training
        part : Part

        Raises
        ------
        DivergenceError
            If the loss of the network, or of the last of its replicates, became nan.
        """

    def epochs_at_once(self, optimizer: Optimizer, count: int, validated: int) -> int:  # noqa: ARG002 - if it can
        """Return how many epochs are worth one call of `run_epochs`; 1 if there is no such way.

        Parameters
        ----------
        optimizer : Optimizer
        count, validated : int
            The samples that are trained on and those that are measured in an epoch.
        """
        return 1

    def run_epochs(self, training: Training, first: Part, orders: np.ndarray, results: EpochResults) -> bool:
        """Make the steps of several epochs of a single network; Ctrl-C ends it as it ends `run`.

        A loss of nan ends it, also one of the validation set.

        Parameters
        ----------
        training : Training
            Whose tally and position are not changed.
        first : Part
            The whole of the first epoch.
        orders : array of int, shape (E, M)
            Of all epochs.
        results : EpochResults
            Of zeros.

        Returns
        -------
        bool
            False if nothing was done, because each epoch must be run alone.
        """
        raise NotImplementedError

    @abstractmethod
    def train_step(self, loss: Loss, optimizer: Optimizer, samples: Samples, penalty: Penalty | None = None) -> Any:
        """Make one step with all samples; return the loss, a float or an array of the replicate axes.

        A network or replicate whose loss is nan makes no step.
        """
