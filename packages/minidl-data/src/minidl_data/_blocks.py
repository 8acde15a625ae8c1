"""Processing of long arrays in blocks, which keeps temporaries small and in the cache."""

from collections.abc import Iterator

BLOCK = 8_192
"""Samples per block. A float64 temporary takes 64 KiB; from 128 KiB on, malloc may map new pages for each temporary."""


def blocks(n_samples: int) -> Iterator[slice]:
    """Yield the slices that cut `n_samples` rows into blocks, in order.

    >>> list(blocks(10_000))
    [slice(0, 8192, None), slice(8192, 10000, None)]
    """
    return (slice(start, min(start + BLOCK, n_samples)) for start in range(0, n_samples, BLOCK))
