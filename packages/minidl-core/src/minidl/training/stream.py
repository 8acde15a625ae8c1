"""Batches that somebody else makes: a generator, a data loader, slices of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from minidl.arrays.backend import NUMPY, Array, describe, library_of
from minidl.arrays.samples import Samples
from minidl.arrays.weights import as_weights
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.training.engine import Engine, Part
from minidl.training.joining import Block, Triple, join
from minidl.training.sources import Source


class Stream(Source):
    """Batches that somebody else makes, in the memory of a few.

    Parameters
    ----------
    batches : iterable of (x, y) or (x, y, sample_weight), or callable that returns one
        Gone through anew in each epoch.
    model : Module
    loss : Loss

    Raises
    ------
    TypeError, ValueError
        If it is neither, or its first batch is not inputs, targets and perhaps weights.
    """

    is_reopened = True

    def __init__(self, batches: Any, model: Module, loss: Loss) -> None:
        self._batches, self._model, self._loss = batches, model, loss
        self._part: Part | None = None
        opened = self._open(1)
        first = next(opened)
        who = _name(1, 1)
        x, y, weight = _arrays(first, who, model)
        self.samples = Samples(who, x, y, model.replicate_shape, weight)
        self._axes = self.samples.x_axis, self.samples.y_axis
        self._x_like, self._y_like = (_Like(array, axis) for array, axis in zip((x, y), self._axes, strict=True))
        self._opened: Iterator[Any] | None = chain([first], opened)
        self.has_read_ahead = True

    def order(self, engine: Engine) -> None:
        """Return None: somebody else orders the samples."""

    def parts(
        self,
        epoch: int,
        order: np.ndarray | None,  # noqa: ARG002 - somebody else orders the samples
        skip: int,
        *,
        joined: bool,
    ) -> Iterator[Part]:
        """Iterate over the batches, each a part, or as many of one size as are fast together."""
        opened = self._opened or self._open(epoch)
        self.reopen()
        batches, before = islice(self._checked(opened, epoch), skip, None), skip
        mass: Any = 0
        for x, y, size, weight in join(batches, self._axes) if joined else self._single(batches):
            samples = Samples(_name(before + 1, epoch), x, y, self._model.replicate_shape, weight)
            part = self._part = Part(epoch, samples, None, size, before)
            if joined:  # one by one, the loss looks at the targets itself
                self._check_values(part)
            before, mass = before + part.batches, mass + samples.mass
            yield part
        if not skip and not np.all(mass > 0):
            raise ValueError(f"fit: expected weights with a sum above 0 in epoch {epoch}, got zeros alone")

    def state(self) -> None:
        """Return None: the stream itself is asked for its batches again."""

    def resume(self, state: object) -> None:
        """Take over nothing."""
        if state is not None:
            raise ValueError(
                "fit: expected x and y, as in the training that was interrupted, got batches; with "
                "history.interrupted = None a new epoch begins"
            )

    def generators(self) -> list[np.random.Generator]:
        """Return none: somebody else orders the samples."""
        return []

    def reopen(self) -> None:
        """Forget the first batch that was read ahead."""
        self._opened, self.has_read_ahead = None, False

    def not_finite(self, replicate: int | None = None) -> str:
        """Return words for the first sample of the current part that is nan or infinite; empty if there is none."""
        part = self._part
        if part is None:
            return ""
        for batch in range(part.batches):
            x, y = part.samples.rows(batch * part.batch_size, (batch + 1) * part.batch_size)
            words = Samples("fit", x, y, self._model.replicate_shape).not_finite(replicate)
            if words:
                return f"{words} of batch {part.before + batch + 1}"
        return ""

    def _open(self, epoch: int) -> Iterator[Any]:
        """Return the batches of an epoch, of which there is at least one."""
        source = self._batches
        if not isinstance(source, Iterable) and callable(source):
            source = source()
        if not isinstance(source, Iterable):
            raise TypeError(
                "fit: expected batches to be an iterable of (x, y) or (x, y, sample_weight), or a callable that "
                f"returns one, got {source!r}"
            )
        opened = iter(source)
        for first in opened:
            return chain([first], opened)
        hint = "" if epoch == 1 else ": an iterator can be read only once; give a list, or a callable that returns one"
        raise ValueError(f"fit: expected batches for epoch {epoch}, got none{hint}")

    def _checked(self, opened: Iterator[Any], epoch: int) -> Iterator[Triple]:
        """Iterate over batches as arrays that are like those of the first batch."""
        x_axis, y_axis = self._axes
        for number, batch in enumerate(opened, start=1):
            who = _name(number, epoch)
            x, y, weight = (*batch, None) if _is_plain(batch) else _arrays(batch, who, self._model)
            if not self._x_like.fits(x) or not self._y_like.fits(y):
                raise self._other(x, y, who)
            if x.shape[x_axis] != y.shape[y_axis] or not x.shape[x_axis]:
                Samples(who, x, y, self._model.replicate_shape)  # raises
            yield x, y, self._weight(weight, x.shape[x_axis], who)

    def _weight(self, weight: Array | None, count: int, who: str) -> np.ndarray | None:
        """Return the weights of a batch, which has some if the first batch has."""
        first, shape = self.samples.weight, self._model.replicate_shape
        if (weight is None) != (first is None):
            expected, got = ("(x, y)", "weights") if first is None else ("(x, y, sample_weight)", "no weights")
            raise ValueError(f"{who}: expected {expected} like the first batch, got {got}")
        if weight is None:
            return None
        return np.broadcast_to(as_weights(who, weight, (*shape, count, 1), len(shape)), (*shape, count))

    def _other(self, x: Array, y: Array, who: str) -> ValueError:
        name, array, like = ("y", y, self._y_like) if self._x_like.fits(x) else ("x", x, self._x_like)
        return ValueError(f"{who}: expected {name} like that of the first batch, {like}, got {describe(array)}")

    def _single(self, batches: Iterator[Triple]) -> Iterator[Block]:
        """Iterate over batches as blocks of one."""
        return (Block(x, y, x.shape[self._axes[0]], weight) for x, y, weight in batches)

    def _check_values(self, part: Part) -> None:
        try:
            self._loss.check_values(part.samples.y, self._model.out_features or 0)
        except (TypeError, ValueError) as error:
            more = f", or the {part.batches - 1} after it" if part.batches > 1 else ""
            error.add_note(f"in {_name(part.before + 1, part.epoch)}{more}")
            raise


class _Like:
    """What all batches have in common: everything but the number of samples."""

    def __init__(self, array: Array, axis: int) -> None:
        self._library, self._dtype, self._axis = library_of(array, "fit"), array.dtype, axis
        self._before, self._behind = array.shape[:axis], array.shape[axis + 1 :]

    def fits(self, array: Array) -> bool:
        """Whether an array is like this."""
        shape, axis = array.shape, self._axis
        same = array.dtype == self._dtype and shape[axis + 1 :] == self._behind and len(shape) > axis
        if axis and same:
            same = shape[:axis] == self._before
        return same and (type(array) is np.ndarray or library_of(array, "fit") is self._library)

    def __str__(self) -> str:
        return f"{self._dtype} {(*self._before, 'N', *self._behind)}".replace("'", "")


def _name(batch: int, epoch: int) -> str:
    return f"fit: batch {batch} of epoch {epoch}"


def _is_plain(batch: Any) -> bool:
    """Whether a batch is a pair of NumPy arrays."""
    return type(batch) is tuple and len(batch) == 2 and type(batch[0]) is type(batch[1]) is np.ndarray


def _arrays(batch: Any, who: str, model: Module) -> tuple[Array, Array, Array | None]:
    """Return a batch as inputs, targets and weights, if any.

    Tensors in the memory of the CPU become NumPy arrays for a NumPy model.
    """
    if not isinstance(batch, list | tuple) or len(batch) not in (2, 3):
        expected = "inputs and targets, (x, y), or (x, y, sample_weight)"
        raise ValueError(f"{who}: expected {expected}, got {_kind(batch)}")
    arrays = []
    for name, array in zip("xy", batch, strict=False):
        library = library_of(array, who, name)
        arrays.append(library.to_numpy(array) if model.backend is NUMPY and library.name == "torch:cpu" else array)
    return arrays[0], arrays[1], batch[2] if len(batch) > 2 else None


def _kind(batch: Any) -> str:
    return f"{len(batch)} things" if isinstance(batch, list | tuple) else describe(batch)
