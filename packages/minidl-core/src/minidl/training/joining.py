"""Join small batches of a stream, so that an engine is called once for many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np

from minidl.arrays.samples import rows

_NUMBERS = 2**18  # of inputs in a block: large beside the cost of a call, small beside the memory of any machine


Triple: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""Inputs, targets, and weights if there are any."""


class Block(NamedTuple):
    """Batches one behind the other.

    Attributes
    ----------
    x, y : ndarray
    size : int
        Samples per batch; only the last batch may be shorter.
    weight : ndarray or None
    """

    x: np.ndarray
    y: np.ndarray
    size: int
    weight: np.ndarray | None = None


def join(batches: Iterator[Triple], axes: tuple[int, int]) -> Iterator[Block]:
    """Copy batches into blocks as they come, so that their memory may be used again.

    A block ends where the size of the batches changes. If the batches end with an error, those before it are yielded
    first, as they would be one by one.

    Parameters
    ----------
    batches : iterator of (x, y, weight)
        Alike but for the number of samples; weight is None in all of them or in none.
    axes : tuple of int
        The axes of x and y that count the samples.

    Yields
    ------
    Block
        Views of memory that the next block uses again.

    Examples
    --------
    >>> batches = [(np.zeros((size, 2)), np.zeros(size), None) for size in (5, 5, 3, 4)]
    >>> [(len(block.x), block.size) for block in join(iter(batches), (0, 0))]
    [(13, 5), (4, 4)]
    """
    joiner = _Joiner(axes)
    try:
        for x, y, weight in batches:
            if not joiner.has_room(x):
                yield joiner.take()
            joiner.add(x, y, weight)
    except Exception:
        if joiner.filled:
            yield joiner.take()
        raise
    if joiner.filled:
        yield joiner.take()


class _Joiner:
    """The memory of one block."""

    def __init__(self, axes: tuple[int, int]) -> None:
        self._x_axis, self._y_axis = axes
        self._x = self._y = self._weight = np.empty(0)
        self._is_weighted = False
        self._size = self._room = 0
        self.filled = 0

    def has_room(self, x: np.ndarray) -> bool:
        """Whether a batch may follow those that are there: none, or full ones that are at least as large."""
        count, filled = x.shape[self._x_axis], self.filled
        return not filled or (count <= self._size and filled + count <= self._room and not filled % self._size)

    def add(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> None:
        """Copy a batch behind the others."""
        start, stop = self.filled, self.filled + x.shape[self._x_axis]
        if not start:
            self._begin(x, y, weight, stop)
        if self._x_axis or self._y_axis:
            rows(self._x, start, stop, self._x_axis)[...] = x
            rows(self._y, start, stop, self._y_axis)[...] = y
        else:
            self._x[start:stop] = x
            self._y[start:stop] = y
        if weight is not None:
            self._weight[..., start:stop] = weight
        self.filled = stop

    def take(self) -> Block:
        """Return the block, and begin the next."""
        stop, self.filled = self.filled, 0
        weight = self._weight[..., :stop] if self._is_weighted else None
        return Block(rows(self._x, 0, stop, self._x_axis), rows(self._y, 0, stop, self._y_axis), self._size, weight)

    def _begin(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, size: int) -> None:
        """Make room for batches of a size, unless there is some."""
        if size != self._size:
            self._size, self._room = size, size * max(1, _NUMBERS // max(1, x.size))
            self._x = _longer(x, self._x_axis, self._room)
            self._y = _longer(y, self._y_axis, self._room)
            if weight is not None:
                self._weight, self._is_weighted = _longer(weight, weight.ndim - 1, self._room), True


def _longer(array: np.ndarray, axis: int, length: int) -> np.ndarray:
    """Return an empty array of another length along one axis."""
    return np.empty((*array.shape[:axis], length, *array.shape[axis + 1 :]), array.dtype)
