"""Orders of the samples: drawn, or given by the caller of `fit` and checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np


class Orders(Protocol):
    """A function that returns the order of the next epoch, and can go back to an earlier one."""

    def __call__(self) -> Any:
        """Return the next order."""

    def state(self) -> Any:
        """Return what the next orders depend on."""

    def restore(self, state: Any) -> None:
        """Go back to a state."""


class Drawn:
    """The orders that a generator of NumPy's draws.

    Parameters
    ----------
    rng : Generator
    count : int
        Number of samples.
    """

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self._rng, self._count = rng, count

    def __call__(self) -> np.ndarray:
        """Return the next order."""
        return self._rng.permutation(self._count)

    def state(self) -> Any:
        """Return the state of the generator."""
        return self._rng.bit_generator.state

    def restore(self, state: Any) -> None:
        """Set the state of the generator."""
        self._rng.bit_generator.state = state


def permutations(rngs: list[np.random.Generator], count: int) -> np.ndarray:
    """Return the numbers below a count in an order of each generator, (R, count)."""
    return np.stack([rng.permutation(count).astype(_small(count)) for rng in rngs])


def permutation(
    rngs: list[np.random.Generator] | np.random.Generator,
    count: int,
    each: Callable[[list[np.random.Generator], int], np.ndarray] = permutations,
) -> np.ndarray:
    """Return the numbers below a count in a new order, (count,), or in one per replicate, (R, count).

    Parameters
    ----------
    rngs : Generator, or list of one per replicate
    count : int
    each : callable
        `permutations`, or an engine's way to draw the same.
    """
    return each(rngs, count) if isinstance(rngs, list) else rngs.permutation(count)


def as_order(order: Any, count: int, replicate_shape: tuple[int, ...]) -> np.ndarray:
    """Return a copy of the order that a function has given for the next epoch.

    Parameters
    ----------
    order : array_like of int, shape (count,), or (*replicate_shape, count)
    count : int
        Number of samples.
    replicate_shape : tuple of int

    Raises
    ------
    TypeError
        For anything but integers.
    ValueError
        For another shape, or an order in which a sample does not occur exactly once.
    """
    array = _integers("shuffle to return", order)
    shapes = dict.fromkeys([(count,), (*replicate_shape, count)])
    if array.shape not in shapes:
        expected = " or ".join(map(str, shapes))
        raise ValueError(f"fit: expected shuffle to return an order of shape {expected}, got {array.shape}")
    own = array.astype(np.uint64)  # in which a number below 0 is a very large one
    if own.max() >= count:
        _check_range("shuffle to return samples", array, count)
    own = own.astype(_small(count)) if array.ndim > 1 else own.view(np.int64)
    seen = np.zeros(own.shape, bool)
    if array.ndim > 1:
        np.put_along_axis(seen, own, values=True, axis=-1)
    else:
        seen[own] = True  # faster than along an axis
    if not seen.all():
        missing = int(np.argwhere(~seen)[0, -1])
        raise ValueError(f"fit: expected shuffle to return each sample once, got an order without sample {missing}")
    return own


def as_rows(rows: Any, count: int, replicate_shape: tuple[int, ...]) -> np.ndarray:
    """Return a copy of the numbers of the samples to train on.

    Parameters
    ----------
    rows : array_like of int, shape (M,), or (*replicate_shape, M)
    count : int
        Number of samples.
    replicate_shape : tuple of int

    Raises
    ------
    TypeError
        For anything but integers.
    ValueError
        For another shape, no rows, or a row that is none.
    """
    array = _integers("rows to be", rows)
    if array.ndim == 0 or array.shape[:-1] not in ((), replicate_shape) or not array.shape[-1]:
        own = f" or ({', '.join(map(str, replicate_shape))}, M)" if replicate_shape else ""
        raise ValueError(f"fit: expected rows of shape (M,){own}, M at least 1, got {array.shape}")
    _check_range("rows", array, count)
    return array.astype(_small(count) if array.ndim > 1 else np.int64)


def in_order(rows: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return rows, (M,) or (*replicate_shape, M), in an order of either shape."""
    if rows.ndim == 1 or order.ndim == 1:
        return np.asarray(rows[..., order])
    return np.take_along_axis(rows, order, axis=-1)


def _integers(what: str, given: Any) -> np.ndarray:
    """Return what was given as an array, which must be of integers; `what` names it in the error."""
    array = np.asarray(given)
    if array.dtype.kind not in "iu":
        raise TypeError(f"fit: expected {what} an array of integers, got {array.dtype} {array.shape}")
    return array


def _check_range(what: str, array: np.ndarray, count: int) -> None:
    """Raise for a number that is no sample's; `what` names the array in the error."""
    outside = array[(array < 0) | (array >= count)]
    if outside.size:
        raise ValueError(f"fit: expected {what} from 0 to {count - 1}, got {outside[0]}")


def _small(count: int) -> type[np.signedinteger[Any]]:
    """Return the type of R orders of so many samples, the only memory that grows like that."""
    return np.int32 if count < 2**31 else np.int64
