"""Inputs and targets sample by sample: which axis counts the samples, and how to pick some of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from minidl.arrays.backend import Array, backend_of, is_float, library_of
from minidl.arrays.weights import as_weights


def sample_axis(x: Array, replicate_shape: tuple[int, ...], shared: int = 2) -> int:
    """Return the sample axis of inputs or targets.

    Parameters
    ----------
    x : array
    replicate_shape : tuple of int
    shared : int
        The number of axes of an array that the replicates share: 2 for features (N, F), 1 for class indices (N,). A
        longer array has the replicate axes in front.
    """
    return len(replicate_shape) if x.ndim > shared else 0


def rows(x: Array, start: int, stop: int, axis: int) -> Array:
    """Return samples start to stop, as a view."""
    return x[(slice(None),) * axis + (slice(start, stop),)]


class Samples:
    """Inputs and targets that belong together, with all that is known of them in advance.

    Parameters
    ----------
    who : object
        The function in whose name errors are raised.
    x, y : array
        Inputs and targets.
    replicate_shape : tuple of int
        The replicate axes of the model that they are for.
    weight : array, shape (N,), or (*replicate_shape, N), optional
        What each sample counts.

    Attributes
    ----------
    count : int
        Number of samples.
    first : tuple of array
        Input and target of the first sample, as views.
    weight : ndarray of float64 or None
    mass : int, float or array of shape replicate_shape
        The sum of the weights; without weights the number of samples.
    x_axis, y_axis : int
        The axes that count them.
    per_sample : int
        How many rows of features one sample has: T for x of shape (N, T, F).
    y_is_float : bool
        Whether the targets are numbers; otherwise they are class indices.
    y_library : Backend
        The library of the targets.

    Raises
    ------
    ValueError
        If there are no samples, x and y do not have as many, or their leading axes are not the replicates; for a weight
        that is negative or not finite.
    TypeError
        If x is not a floating array, or y or weight no array.
    """

    def __init__(
        self, who: object, x: Array, y: Array, replicate_shape: tuple[int, ...], weight: Array | None = None
    ) -> None:
        self._x_library = backend_of(x, who)
        self.y_library, self.y_is_float = library_of(y, who, "y"), is_float(y)
        self.x, self.y, self.replicate_shape = x, y, replicate_shape
        self.x_axis = sample_axis(x, replicate_shape)
        self.y_axis = sample_axis(y, replicate_shape, 2 if self.y_is_float else 1)
        self.count = self._count(who)
        self.per_sample = prod(x.shape[self.x_axis + 1 : -1])
        self.first = self.rows(0, 1)
        self.weight: np.ndarray | None = None
        self.mass: Any = self.count
        if weight is not None:
            self.weight = as_weights(who, weight, (*replicate_shape, self.count, 1), len(replicate_shape))
            self.mass = self.weight.sum(axis=-1)

    def rows(self, start: int, stop: int) -> tuple[Array, Array]:
        """Return inputs and targets of samples start to stop, as views."""
        return rows(self.x, start, stop, self.x_axis), self._targets(rows(self.y, start, stop, self.y_axis))

    def part(self, start: int, stop: int) -> Samples:
        """Return samples start to stop, as views."""
        x, y = rows(self.x, start, stop, self.x_axis), rows(self.y, start, stop, self.y_axis)
        return Samples("fit", x, y, self.replicate_shape, **self.options(start, stop))

    def options(self, start: int, stop: int) -> dict[str, Array]:
        """Return what a loss is told of samples start to stop beside input and target: their weights, if any."""
        return {} if self.weight is None else {"weight": self.weight[..., start:stop]}

    def _targets(self, y: Array) -> Array:
        """Return targets; torch can do little with some integers, so class indices are int64 there."""
        return y if self.y_is_float else self.y_library.indices(y)

    @cached_property
    def _all_targets(self) -> Array:
        """The targets of all samples, converted once for all batches."""
        return self._targets(self.y)

    def batches(self, order: np.ndarray | None, size: int) -> Iterator[tuple[Array, Array, dict[str, Array]]]:
        """Iterate over batches of samples in an order, (M,), or one per replicate, (*replicate_shape, M).

        Each is input, target and `options`. The batches are copies, made one at a time. Without an order they are views
        of all samples as they lie.
        """
        if order is None:
            for start in range(0, self.count, size):
                yield *self.rows(start, start + size), self.options(start, start + size)
            return
        take_x, take_y = self._x_library.take, self.y_library.take
        x, x_axis, x_order = self._flat(self.x, self.x_axis, order)
        y, y_axis, y_order = self._flat(self._all_targets, self.y_axis, order)
        x_order, y_order = self._x_library.asarray(x_order), self.y_library.asarray(y_order)
        weights = self.ordered_weights(order)
        for start in range(0, order.shape[-1], size):
            stop = start + size
            options = {} if weights is None else {"weight": weights[..., start:stop]}
            yield take_x(x, x_order[..., start:stop], x_axis), take_y(y, y_order[..., start:stop], y_axis), options

    def ordered_weights(self, order: np.ndarray | None) -> np.ndarray | None:
        """Return the weights in an order of the samples; None where samples have none."""
        weight = self.weight
        if weight is None or order is None:
            return weight
        if order.ndim == 1 and weight.ndim == 1:
            return np.asarray(weight[order])
        each = self.replicate_shape
        weight, order = (np.broadcast_to(array, (*each, array.shape[-1])) for array in (weight, order))
        return np.take_along_axis(weight, order, axis=-1)

    def not_finite(self, replicate: int | None = None) -> str:
        """Return words for the first sample whose input or target is nan or infinite; empty if there is none.

        Parameters
        ----------
        replicate : int, optional
            Whose samples to look at, where replicates have their own; without it those of all.
        """
        for name, array, axis in (("x", self.x, self.x_axis), ("y", self.y, self.y_axis)):
            if not is_float(array):
                continue
            if axis and replicate is not None:
                array, axis = array.reshape(-1, *array.shape[axis:])[replicate], 0
            library = library_of(array, "fit")
            finite = library.to_numpy(library.xp.isfinite(array))
            bad = np.flatnonzero(~finite.all(axis=tuple(i for i in range(finite.ndim) if i != axis)))
            if bad.size:
                more = f" and {bad.size - 1} more" if bad.size > 1 else ""
                return f"{name} is not finite at sample {bad[0]}{more}"
        return ""

    def _flat(self, x: Array, axis: int, order: np.ndarray) -> tuple[Array, int, np.ndarray]:
        """Return an array, its sample axis and the order along it.

        Where each replicate has samples and an order of its own, the array has one row per sample of each replicate:
        to pick rows is many times faster than to pick along two axes.
        """
        if order.ndim > 1 and axis:
            replicates = self.replicate_shape
            order = order + x.shape[axis] * np.arange(prod(replicates)).reshape(*replicates, 1)
            x, axis = x.reshape(-1, *x.shape[axis + 1 :]), 0
        return x, axis, order

    def _count(self, who: object) -> int:
        counts = []
        for name, array, axis in (("x", self.x, self.x_axis), ("y", self.y, self.y_axis)):
            if array.ndim <= axis or (axis and tuple(array.shape[:axis]) != self.replicate_shape):
                raise ValueError(
                    f"{who}: expected {name} to be (sample, ...) for replicates {self.replicate_shape}, "
                    f"got {tuple(array.shape)}"
                )
            counts.append(array.shape[axis])
        x, y = tuple(self.x.shape), tuple(self.y.shape)
        if counts[0] != counts[1]:
            raise ValueError(f"{who}: expected as many targets as samples, got x {x} and y {y}")
        if not counts[0]:
            raise ValueError(f"{who}: expected at least one sample, got x {x}")
        return int(counts[0])
