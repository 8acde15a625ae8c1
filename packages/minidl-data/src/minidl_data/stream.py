"""An endless stream of the disk data set with random access to its samples."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minidl_data._arguments import read_float_dtype, read_integer
from minidl_data.disk import MOST_SAMPLES, Points, Samples, labelled

# A sample takes two 64-bit words. One step of Philox's 256-bit counter yields four words: two samples.
_WORDS = 2
_SAMPLES_PER_STEP = 2
_END = 2**256
_TOGETHER = 4096  # so many samples at a time cost little more than one


@dataclass(frozen=True)
class DiskStream:
    """An endless sequence of labelled points in which sample i depends on the seed and i alone.

    Indexing computes samples: ``stream[i]`` is one point and its class, ``stream[start:stop]`` the arrays ``(x, y)``,
    as :func:`make_disk` returns them. Slices computed in any order and by any process agree. The object holds a seed
    and a dtype alone. It is immutable, small to pickle, comparable and hashable.

    Parameters
    ----------
    seed : None, int or numpy.random.SeedSequence, optional
        Identifies the stream; different seeds give independent streams. With None, the constructor draws a seed and
        stores it in the attribute `seed`.
    dtype : dtype, default: float32
        float16, float32 or float64. For one seed, the three streams hold the same points truncated to 11, 24 and 53
        binary places. Each point is labelled at its truncated coordinates.

    Attributes
    ----------
    seed : int or numpy.random.SeedSequence
        The seed. ``DiskStream(stream.seed)`` is the same stream.
    dtype : numpy.dtype
        The dtype of the points.

    Raises
    ------
    TypeError
        If an argument or an index has the wrong type, and on iteration over the stream itself, which has no end.
    ValueError
        If the seed or an index is negative, or a slice has no stop or a step other than 1.

    Notes
    -----
    Section III-A of the report describes the distribution. Coordinates are the leading bits of the words of
    ``numpy.random.Philox(seed)``, two words per sample. The counter ``i // 2`` therefore gives access to sample i.

    Examples
    --------
    >>> stream = DiskStream(0)
    >>> x, y = stream[10**18 : 10**18 + 4]
    >>> x.shape, y
    ((4, 2), array([1, 0, 1, 1]))

    Ten million points, with 65,536 at a time in memory:

    >>> sum(int(y.sum()) for x, y in stream.batches(0, 10_000_000, 65_536))
    4999752
    """

    seed: int | np.random.SeedSequence | None = field(default=None, compare=False)
    dtype: DTypeLike = field(default=np.float32, kw_only=True)
    _key: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Fix the seed and derive Philox's key from it, as ``numpy.random.Philox(seed)`` does."""
        seed = _read_seed(self.seed)
        sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        low, high = sequence.generate_state(2, np.uint64).tolist()
        object.__setattr__(self, "seed", seed)
        object.__setattr__(self, "dtype", read_float_dtype("DiskStream", self.dtype))
        object.__setattr__(self, "_key", low | high << 64)

    @overload
    def __getitem__(self, index: int) -> tuple[Points, np.int64]: ...
    @overload
    def __getitem__(self, index: slice) -> Samples: ...
    def __getitem__(self, index: int | slice) -> tuple[Points, np.int64] | Samples:
        if isinstance(index, slice):
            return self._make(*_read_slice(index))
        start = _read_position("DiskStream", "index", index)
        x, y = self._make(start, start + 1)
        return x[0], y[0]

    def __iter__(self) -> NoReturn:
        raise TypeError("DiskStream: a stream has no end to iterate to, use batches(start, stop, batch_size)")

    def batches(self, start: int, stop: int, batch_size: int) -> Iterator[Samples]:
        """Iterate over the samples from `start` to `stop` with one batch, or a few small ones, in memory at a time.

        Parameters
        ----------
        start, stop : int
            Index of the first sample, and one past the index of the last.
        batch_size : int
            Samples per batch, at least 1. The last batch holds the remaining samples.

        Returns
        -------
        iterator of (x, y)
            The arrays of consecutive slices of the stream.

        Raises
        ------
        TypeError
            If an argument is not an integer.
        ValueError
            If `start` or `stop` is negative, or `batch_size` below 1. The call raises all errors, not the first
            batch.

        Examples
        --------
        >>> [y.tolist() for x, y in DiskStream(0).batches(0, 5, 2)]
        [[0, 0], [0, 0], [0]]
        """
        who = "DiskStream.batches"
        start, stop = _read_position(who, "start", start), _read_position(who, "stop", stop)
        size = read_integer(who, "batch_size", batch_size, minimum=1, maximum=MOST_SAMPLES)
        return self._walk(start, stop, size)

    def _walk(self, start: int, stop: int, size: int) -> Iterator[Samples]:
        """Make small batches many at a time, and yield them as slices."""
        block = max(1, _TOGETHER // size) * size
        for first in range(start, stop, block):
            x, y = self._make(first, min(first + block, stop))
            for begin in range(0, len(x), size):
                yield x[begin : begin + size], y[begin : begin + size]

    def _make(self, start: int, stop: int) -> Samples:
        step, ahead = divmod(start, _SAMPLES_PER_STEP)
        words = np.random.Philox(key=self._key, counter=step)
        words.random_raw(ahead * _WORDS)
        dtype = np.dtype(self.dtype)

        def draw(out: Points) -> None:
            out[...] = _leading_bits(words.random_raw(out.size), dtype).reshape(out.shape)

        return labelled(max(stop - start, 0), dtype, draw)


def _leading_bits(words: NDArray[np.uint64], dtype: np.dtype[Any]) -> Points:
    """Return numbers in [0, 1) from the leading bits of 64-bit words, as many as the significand of `dtype` holds."""
    bits = np.finfo(dtype).nmant + 1
    numbers: Points = (words >> (64 - bits)).astype(dtype)
    numbers *= dtype.type(2.0**-bits)
    return numbers


def _read_seed(seed: Any) -> int | np.random.SeedSequence:
    if isinstance(seed, np.random.SeedSequence):
        return seed
    if seed is None:
        return secrets.randbits(128)  # the size of the entropy that NumPy's SeedSequence draws
    return read_integer("DiskStream", "seed, unless None or a SeedSequence,", seed, minimum=0)


def _read_slice(index: slice) -> tuple[int, int]:
    if index.step not in (None, 1):
        raise ValueError(f"DiskStream: a slice must have the step 1, got {index.step!r}")
    if index.stop is None:
        raise ValueError("DiskStream: a slice must have a stop, because the stream has no end")
    start = 0 if index.start is None else _read_position("DiskStream", "start", index.start)
    stop = _read_position("DiskStream", "stop", index.stop)
    read_integer("DiskStream", "stop - start", max(stop - start, 0), minimum=0, maximum=MOST_SAMPLES)
    return start, stop


def _read_position(who: str, name: str, value: Any) -> int:
    return read_integer(who, name, value, minimum=0, maximum=_END)
