"""Long vectors in blocks that fit the cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import Any

BLOCK = 32768  # elements: six float32 vectors of this length take 800 KB, less than a second-level cache of 1 MB


def blocks(vectors: tuple[Any, ...], settings: tuple[Any, ...]) -> Iterable[tuple[Any, ...]]:
    """Cut vectors into blocks, so that several operations in a row find their operands in the cache.

    An optimizer passes over its vectors a dozen times. Without blocks, each pass over a long vector reads it from main
    memory.

    Parameters
    ----------
    vectors : tuple of array, shape (*replicate_shape, size)
    settings : tuple of float or array, shape (*replicate_shape, 1)
        Numbers that multiply the vectors; a named tuple keeps its names.

    Returns
    -------
    iterable of tuple
        A view of each vector, and last the settings of the same replicates.
    """
    shape = vectors[0].shape
    return ((*vectors, settings),) if prod(shape) <= BLOCK else _cut(tuple(shape), vectors, settings)


def _cut(shape: tuple[int, ...], vectors: tuple[Any, ...], settings: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    make = getattr(settings, "_make", tuple)
    for piece in _pieces(shape):
        own = make(s[piece[:1]] if hasattr(s, "shape") else s for s in settings)
        yield *(vector[piece] for vector in vectors), own


def _pieces(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Yield index tuples that cover an array: several replicates at a time, or several pieces of each replicate."""
    *leading, size = shape
    if not leading:
        yield from ((slice(start, start + BLOCK),) for start in range(0, size, BLOCK))
    elif size <= BLOCK:
        rows = BLOCK // size
        yield from ((slice(start, start + rows),) for start in range(0, leading[0], rows))
    else:
        for row in range(leading[0]):
            yield from ((slice(row, row + 1), *piece) for piece in _pieces((size,)))
