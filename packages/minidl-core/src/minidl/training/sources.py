"""Where the batches of an epoch come from: here, arrays in an order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple, TypeGuard

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.checks import Interval, as_number
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.optim.optimizer import Optimizer
from minidl.training.engine import Engine, Part
from minidl.training.history import History
from minidl.training.orders import Drawn, Orders, as_order, as_rows, in_order, permutation
from minidl.training.stretch import Stretch

_FRACTION = Interval("between 0 and 1", lambda value: (value > 0) & (value < 1))


class Source(ABC):
    """The batches of each epoch.

    Attributes
    ----------
    samples : Samples
        All samples, or those of the first batch: what is checked before the first step.
    is_reopened : bool
        Whether a training that goes on within an epoch goes through its batches anew, up to where it was.
    has_read_ahead : bool
        Whether batches of the next epoch have been made already.
    is_one_part : bool
        Whether `parts` without any to skip are one.
    """

    samples: Samples
    is_one_part: ClassVar[bool] = False
    is_reopened: bool = False
    has_read_ahead: bool = False

    @abstractmethod
    def generators(self) -> list[np.random.Generator]:
        """Return the generators that the orders come from."""

    @abstractmethod
    def reopen(self) -> None:
        """Forget what was read ahead: the generators that it was drawn from are in another state now."""

    @abstractmethod
    def order(self, engine: Engine) -> np.ndarray | None:
        """Return the order of the samples in a new epoch, which the engine draws; None where they come as they are."""

    def stretch(
        self,
        epochs: range,  # noqa: ARG002 - a faster way, if any
        engine: Engine,  # noqa: ARG002 - as epochs
        optimizer: Optimizer,  # noqa: ARG002 - as epochs
        validated: int,  # noqa: ARG002 - as epochs
    ) -> Stretch | None:
        """Return the first of some epochs, with their orders, to be run in one call; None if each must be run alone.

        Parameters
        ----------
        epochs : range
        engine : Engine
        optimizer : Optimizer
        validated : int
            The number of samples that are measured after each epoch.
        """
        return None

    @abstractmethod
    def parts(self, epoch: int, order: np.ndarray | None, skip: int, *, joined: bool) -> Iterator[Part]:
        """Iterate over an epoch.

        Parameters
        ----------
        epoch : int
            Counted from 1.
        order : array of int or None
            As `order` returned it.
        skip : int
            The number of batches to leave out at the beginning.
        joined : bool
            Whether small batches are to come many at a time.
        """

    @abstractmethod
    def state(self) -> Any:
        """Return what a training that was interrupted needs to go on with equal samples."""

    @abstractmethod
    def resume(self, state: Any) -> None:
        """Take over the state of a training that was interrupted.

        Raises
        ------
        ValueError
            If this source has other samples or batches.
        """

    @abstractmethod
    def not_finite(self, replicate: int | None = None) -> str:
        """Return words for the first sample that is nan or infinite; empty if there is none."""


class _ArraysState(NamedTuple):
    rngs: list[np.random.Generator] | np.random.Generator
    samples: int
    batch_size: int


class Arrays(Source):
    """Samples in arrays: each epoch goes once through them.

    Parameters
    ----------
    samples : Samples
    batch_size : int
    rngs : Generator, or list of one per replicate
        Where the orders come from.
    shuffle : bool or callable
        Whether each epoch has a new order, or the function that returns it.
    model : Module
        Each batch has enough samples for its layers: `BatchNorm1d` needs two.
    """

    is_one_part = True

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        rngs: list[np.random.Generator] | np.random.Generator,
        *,
        shuffle: bool | Callable[[], Any],
        model: Module,
    ) -> None:
        self.samples, self._batch_size, self._rngs, self._shuffle = samples, batch_size, rngs, shuffle
        self._model, self._looks_ahead = model, True
        self._index: np.ndarray | None = None  # of the samples to train on, (M,) or (R, M), where it is not all

    def choose(self, rows: Any) -> None:
        """Train on these samples, (M,) or (*replicate_shape, M), alone; one may be there several times."""
        self._index = as_rows(rows, self.samples.count, self.samples.replicate_shape)

    def check_batches(self, held_out: int = 0) -> None:
        """Raise if the last batch of an epoch is too small for a layer.

        Parameters
        ----------
        held_out : int
            How many samples will be held out.

        Raises
        ------
        ValueError
        """
        count = (self.samples.count if self._index is None else self._index.shape[-1]) - held_out
        last = (count - 1) % self._batch_size + 1
        for module in self._model.modules():
            if last * self.samples.per_sample < module.least_samples:
                raise ValueError(
                    f"fit: expected batches of at least {module.least_samples} samples for {module}, got {count} "
                    f"samples in batches of {self._batch_size}, the last of {last}: choose another batch_size"
                )

    def hold_out(self, fraction: Any, history: History) -> tuple[Array, ...]:
        """Train on all but some samples: those that the history holds out, or if there are none, a part that is drawn.

        Where each replicate has a generator, each holds out samples of its own.

        Parameters
        ----------
        fraction : float
            Between 0 and 1, of the number of samples.
        history : History
            Where the samples are noted.

        Returns
        -------
        tuple of (x, y), or (x, y, weight)
            Copies of the samples that are held out.

        Raises
        ------
        TypeError, ValueError
            If the fraction is no number between 0 and 1, or leaves nothing to train on, or if the samples of the
            history are not there. Nothing is drawn then.
        """
        if history.held_out is None:
            history.held_out = self._draw(fraction)
        held_out, count = history.held_out, self.samples.count
        if held_out.max() >= count:
            raise ValueError(f"fit: expected the samples of the history, more than {held_out.max()}, got {count}")
        is_left = np.ones((*held_out.shape[:-1], count), bool)
        np.put_along_axis(is_left, held_out, values=False, axis=-1)
        self._index = np.nonzero(is_left)[-1].reshape(*held_out.shape[:-1], -1)
        ((x, y, options),) = self.samples.batches(held_out, held_out.shape[-1])
        return x, y, *options.values()

    def _draw(self, fraction: Any) -> np.ndarray:
        """Return numbers of samples in ascending order, (V,) or (*replicate_shape, V)."""
        count = self.samples.count
        share = as_number("fit", "validation_split", fraction, _FRACTION)
        held = max(1, round(float(share) * count))
        if held >= count:
            raise ValueError(f"fit: expected more than {count} samples for validation_split={fraction}")
        self.check_batches(held)
        return np.sort(permutation(self._rngs, count)[..., :held], axis=-1)

    def parts(
        self,
        epoch: int,
        order: np.ndarray | None,
        skip: int,
        *,
        joined: bool,  # noqa: ARG002 - they are one part anyway
    ) -> Iterator[Part]:
        """Iterate over the only part, if there is anything left."""
        count = self.samples.count if order is None else order.shape[-1]
        whole = Part(epoch, self.samples, order, min(self._batch_size, count))
        if not skip:
            yield whole
        elif skip < whole.batches:
            yield whole.cut(skip, whole.batches)

    def generators(self) -> list[np.random.Generator]:
        """Return the generators, one per replicate or one."""
        return self._rngs if isinstance(self._rngs, list) else [self._rngs]

    def reopen(self) -> None:
        """Do nothing: orders are drawn when an epoch begins."""

    def state(self) -> _ArraysState:
        """Return the generators, and the numbers of samples and samples per batch."""
        return _ArraysState(self._rngs, self.samples.count, self._batch_size)

    def resume(self, state: Any) -> None:
        """Take over the generators."""
        own = self.state()
        if not isinstance(state, _ArraysState) or state[1:] != own[1:]:
            expected = f"{state.samples} samples in batches of {state.batch_size}" if state else "batches"
            raise ValueError(
                f"fit: expected {expected}, as in the training that was interrupted, got {own.samples} samples in "
                f"batches of {own.batch_size}; with history.interrupted = None a new epoch begins"
            )
        self._rngs = state.rngs

    def not_finite(self, replicate: int | None = None) -> str:
        """Return words for the first sample that is nan or infinite; empty if there is none."""
        return self.samples.not_finite(replicate)

    def order(self, engine: Engine) -> np.ndarray | None:
        """Return the samples of a new epoch in order, (M,), or one order per replicate, (R, M)."""
        index = self._index
        if not self._shuffle:
            return index
        count = self.samples.count if index is None else index.shape[-1]
        if callable(self._shuffle):
            order = as_order(self._shuffle(), count, self.samples.replicate_shape)
        else:
            order = permutation(self._rngs, count, engine.permutations)
        return order if index is None else in_order(index, order)

    def stretch(self, epochs: range, engine: Engine, optimizer: Optimizer, validated: int) -> Stretch | None:
        """Return the first of some epochs, with their orders; None where somebody else may draw between two epochs."""
        index = self._index
        count = self.samples.count if index is None else index.shape[-1]
        epochs = epochs[: engine.epochs_at_once(optimizer, count, validated)]
        draw = self._orders_ahead(count) if len(epochs) > 1 else None
        if draw is None:
            return None
        try:
            return Stretch(epochs, self.samples, self._batch_size, draw, index)
        except Exception:  # noqa: BLE001 - of the user's function: the epochs before it are trained first, each alone
            self._looks_ahead = False
            return None

    def _orders_ahead(self, count: int) -> Orders | None:
        """Return what draws orders of so many samples and can take them back; None where there is no such thing."""
        rng = self._rngs
        if callable(self._shuffle):
            return self._shuffle if self._looks_ahead and _goes_back(self._shuffle) else None
        if not self._shuffle or isinstance(rng, list) or not _is_plain(rng):
            return None
        layers = (one for module in self._model.modules() for one in module.generators)
        return None if any(one.bit_generator is rng.bit_generator for one in layers) else Drawn(rng, count)


def _goes_back(draw: Callable[[], Any]) -> TypeGuard[Orders]:
    return callable(getattr(draw, "state", None)) and callable(getattr(draw, "restore", None))


def _is_plain(rng: np.random.Generator) -> bool:
    """Whether a generator is one of NumPy's own, whose state is all that the next order depends on."""
    return type(rng) is np.random.Generator and type(rng.bit_generator).__module__.startswith("numpy.")
