"""The orders in which replicates go through their samples, drawn on several threads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.random import PCG64, BitGenerator, Generator

from minidl_native import _engine
from minidl_native.locks import held
from minidl_native.pool import Pool, capsule_of
from minidl_native.reading import UnsupportedError

_MOST = np.iinfo(np.int32).max
_CAPSULE = vars(BitGenerator)["capsule"]  # through which Generator draws, whatever the engine reads
_TRIED = 300  # more than 255, so that NumPy's way is seen with one byte and with two


def permutations(
    generators: Sequence[Generator], count: int, *, threads: int = 1, pool: Pool | None = None
) -> np.ndarray:
    """Return one order of the numbers below `count` for each generator, as its `permutation` draws it.

    The numbers and the states of the generators afterwards are those of NumPy, whatever the number of threads.

    Parameters
    ----------
    generators : sequence of numpy.random.Generator
    count : int
    threads : int
    pool : Pool, optional
        Of a training that draws for each epoch.

    Returns
    -------
    ndarray of int32, shape (len(generators), count)

    Raises
    ------
    UnsupportedError
        If NumPy must draw: for a generator in the list twice, a subclass, or more numbers than int32 has. Nothing has
        been drawn then.

    Examples
    --------
    >>> import minidl_native
    >>> ours, theirs = np.random.default_rng(0), np.random.default_rng(0)
    >>> orders = minidl_native.permutations([ours, np.random.default_rng(1)], 5)
    >>> orders.shape, bool((orders[0] == theirs.permutation(5)).all())
    ((2, 5), True)
    """
    for generator in generators:
        if type(generator) is not Generator:
            raise UnsupportedError(f"a {type(generator).__name__} that may draw in its own way")
    if count > _MOST:
        raise UnsupportedError(f"orders of more than {_MOST} samples")
    if not _draws_alike():
        raise UnsupportedError("a NumPy that shuffles in another way")
    return _draw(generators, count, threads, pool)


def _draw(generators: Sequence[Generator], count: int, threads: int = 1, pool: Pool | None = None) -> np.ndarray:
    sources = tuple(generator.bit_generator for generator in generators)
    locks = {id(source): source for source in sources}
    if len(locks) < len(sources):
        raise UnsupportedError("replicates that draw from one generator")
    for kind in set(map(type, sources)):
        if getattr(kind, "capsule", None) is not _CAPSULE:
            raise UnsupportedError(f"a {kind.__name__} that may draw in its own way")
    orders = np.empty((len(sources), count), np.int32)
    # In one order everywhere, so that two trainings never wait for each other.
    with held([locks[key].lock for key in sorted(locks)]):
        _engine.orders(sources, orders, threads, capsule_of(pool))
    return orders


@cache
def _draws_alike() -> bool:
    """Whether this version of NumPy shuffles as the engine does; a later one may draw other numbers from a seed."""
    ours, theirs = _new(), _new()
    equal = bool(np.array_equal(_draw([ours], _TRIED)[0], theirs.permutation(_TRIED)))
    return equal and ours.bit_generator.state == theirs.bit_generator.state


def _new() -> Generator:
    return Generator(PCG64(0))
