"""Mini-batches for one epoch."""

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from minidl_data._arguments import RNG, read_integer, read_rng

X = TypeVar("X", bound=np.generic)
Y = TypeVar("Y", bound=np.generic)


def batches(
    x: NDArray[X], y: NDArray[Y], batch_size: int, *, rng: RNG = None
) -> Iterator[tuple[NDArray[X], NDArray[Y]]]:
    """Iterate once over samples and labels in batches, shuffled if `rng` is given.

    Parameters
    ----------
    x : numpy.ndarray, shape (n, ...)
        Samples along the first axis.
    y : numpy.ndarray, shape (n, ...)
        Labels or targets of the samples.
    batch_size : int
        Samples per batch, at least 1. The last batch holds the remaining samples.
    rng : None, int, numpy.random.SeedSequence or numpy.random.Generator, optional
        None keeps the order of the samples. A generator gives every pass a new order; an integer or a seed sequence
        gives every pass the same order.

    Returns
    -------
    iterator of (x_batch, y_batch)
        Without `rng`, views of `x` and `y`; with it, new arrays. One batch and the order of the samples (eight bytes
        per sample) are held in memory, so `x` and `y` may be memory maps.

    Raises
    ------
    TypeError
        If `x` or `y` is not a NumPy array (tensors are refused), or another argument has the wrong type.
    ValueError
        If `batch_size` is below 1, `x` and `y` differ in length, or the seed is negative. The call raises all errors,
        not the first batch.

    Examples
    --------
    >>> x, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    >>> [labels.tolist() for _, labels in batches(x, y, 2)]
    [[0, 1], [2, 3], [4]]
    >>> [labels.tolist() for _, labels in batches(x, y, 2, rng=0)]
    [[2, 4], [3, 0], [1]]
    """
    batch_size = read_integer("batches", "batch_size", batch_size, minimum=1)
    _check_samples("x", x)
    _check_samples("y", y)
    if len(x) != len(y):
        raise ValueError(f"batches: x and y must have the same length, got shapes {x.shape} and {y.shape}")
    order = None if rng is None else read_rng("batches", rng).permutation(len(x))
    return _walk(x, y, batch_size, order)


def _walk(
    x: NDArray[X], y: NDArray[Y], batch_size: int, order: NDArray[np.int64] | None
) -> Iterator[tuple[NDArray[X], NDArray[Y]]]:
    for start in range(0, len(x), batch_size):
        rows = slice(start, start + batch_size)
        yield (x[rows], y[rows]) if order is None else (x[order[rows]], y[order[rows]])


def _check_samples(name: str, array: Any) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"batches: {name} must be a numpy.ndarray, got {type(array).__name__}")
    if array.ndim == 0:
        raise ValueError(f"batches: {name} must have samples along its first axis, got shape ()")
