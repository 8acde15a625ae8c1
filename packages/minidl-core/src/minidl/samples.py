"""Samples of inputs and targets: which axis counts them, and how to pick some."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from minidl.backend import Array, backend_of, is_float, library_of


def sample_axis(x: Array, lead: tuple[int, ...]) -> int:
    """Return the sample axis of inputs or targets.

    Behind replicate axes `lead`, features (N, F) and class indices (N,) are shared by all replicates.
    """
    shared = 2 if is_float(x) else 1
    return len(lead) if x.ndim > shared else 0


def rows(x: Array, start: int, stop: int, axis: int) -> Array:
    """Return samples start to stop, as a view."""
    return x[(slice(None),) * axis + (slice(start, stop),)]


def count_samples(who: object, x: Array, y: Array, lead: tuple[int, ...]) -> int:
    """Return the number of samples in x, which y must share.

    Raises
    ------
    ValueError
        If there are none, or x and y do not have as many.
    """
    counts = []
    backend_of(x, who)
    library_of(y, who, "y")
    for name, array in (("x", x), ("y", y)):
        axis = sample_axis(array, lead)
        if array.ndim <= axis or (axis and tuple(array.shape[:axis]) != lead):
            raise ValueError(
                f"{who}: expected {name} to be (sample, ...) for replicates {lead}, got {tuple(array.shape)}"
            )
        counts.append(array.shape[axis])
    if counts[0] != counts[1]:
        raise ValueError(f"{who}: expected as many targets as samples, got x {tuple(x.shape)} and y {tuple(y.shape)}")
    if not counts[0]:
        raise ValueError(f"{who}: expected at least one sample, got x {tuple(x.shape)}")
    return int(counts[0])


class Shuffled:
    """The samples of one array in another order, the same for all replicates or for each its own.

    Parameters
    ----------
    x : array
        Inputs or targets.
    lead : tuple of int
        The replicate axes of the model that they are for.
    """

    def __init__(self, x: Array, lead: tuple[int, ...]) -> None:
        self._library, self._axis = library_of(x, "fit"), sample_axis(x, lead)
        self._x = x
        if self._axis:
            # One row per sample of each replicate: to pick rows is many times faster than to pick along two axes.
            self._rows = x.reshape(-1, *x.shape[self._axis + 1 :])
            self._first_rows = x.shape[self._axis] * np.arange(prod(lead)).reshape(*lead, 1)

    def batches(self, order: np.ndarray, size: int) -> Iterator[Array]:
        """Yield the samples in an order, (N,), or one for each replicate, (*lead, N); one batch is copied at a time."""
        x, axis = self._x, self._axis
        if order.ndim > 1 and axis:
            x, axis, order = self._rows, 0, order + self._first_rows
        take, indices = self._library.take, self._library.asarray(order)
        for start in range(0, order.shape[-1], size):
            yield take(x, indices[..., start : start + size], axis)


def room_for(y: Array, axis: int, samples: int) -> Array:
    """Return an empty array like y, but with so many samples."""
    shape = (*y.shape[:axis], samples, *y.shape[axis + 1 :])
    return library_of(y, "predict").xp.empty(shape, dtype=y.dtype, device=y.device)
