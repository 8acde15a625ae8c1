"""The samples of each batch that a process computes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.arrays.backend import Array, library_of
from minidl.arrays.samples import rows, sample_axis
from minidl.training.engine import Part


@dataclass(frozen=True)
class Shard:
    """The samples `first` to `last` of a batch of `count`; there may be none.

    Attributes
    ----------
    x, y : array
    options : dict
        What the loss is told beside them: the weights of the samples, if any.
    first, last, count : int
    part_of_mass : float, or array of shape replicate_shape
        The weight of these samples divided by that of the batch; without weights, of their numbers.
    fingerprint : int
        A number that tells this batch and its data from others, the same in each process; 0 for a process alone.
    """

    x: Array
    y: Array
    options: dict[str, Array]
    first: int
    last: int
    count: int
    part_of_mass: Any
    fingerprint: int


def shards(part: Part, rank: int, size: int) -> Iterator[Shard]:
    """Iterate over the batches of a part, cut into as many pieces as there are processes.

    Process `rank` of `size` takes the samples ``count rank // size`` up to ``count (rank + 1) // size``: the pieces
    differ by one sample at most, and are empty where a batch has fewer samples than there are processes. Nothing but
    these samples is copied, and of several processes the first sample of each batch, by which they compare their data.
    """
    weights = part.samples.ordered_weights(part.order)
    for batch in range(part.batches):
        start = batch * part.batch_size
        count = min(part.batch_size, part.count - start)
        first, last = count * rank // size, count * (rank + 1) // size
        x, y, options = _samples(part, start + first, start + last)
        mass = _part_of_mass(None if weights is None else weights[..., start : start + count], first, last, count)
        fingerprint = _fingerprint(part, batch, start, count) if size > 1 else 0
        yield Shard(x, y, options, first, last, count, mass, fingerprint)


def _samples(part: Part, start: int, stop: int) -> tuple[Array, Array, dict[str, Array]]:
    """Return the samples from `start` to `stop` in the order of the part: views without an order, else copies."""
    samples, order = part.samples, part.order
    if order is None:
        return *samples.rows(start, stop), samples.options(start, stop)
    if start < stop:
        return next(samples.batches(order[..., start:stop], stop - start))
    x, y, options = next(samples.batches(order[..., :1], 1))  # with the axes that other processes' samples have
    return rows(x, 0, 0, sample_axis(x, samples.replicate_shape)), y, options


def _part_of_mass(weights: np.ndarray | None, first: int, last: int, count: int) -> Any:
    if weights is None:
        return (last - first) / count
    own, whole = weights[..., first:last].sum(axis=-1), weights.sum(axis=-1)
    share = np.divide(own, whole, out=np.zeros_like(whole), where=whole > 0)
    return share if share.ndim else float(share)


def _fingerprint(part: Part, batch: int, start: int, count: int) -> int:
    """Return a checksum of which batch this is, of its samples' numbers, and of all that its first sample has."""
    found = zlib.crc32(f"{part.epoch}, {part.before + batch}, {count}".encode())
    if part.order is not None:
        found = zlib.crc32(part.order[..., start : start + count].tobytes(), found)
    x, y, options = _samples(part, start, start + 1)
    return _checksum((x, y, *options.values()), found)


def checksum_words(samples: Any) -> str:
    """Return words that differ for other arrays; None, and what is no arrays, is told by its kind."""
    if not isinstance(samples, Sequence) or not all(map(_is_array, samples)):
        return "none" if samples is None else type(samples).__name__
    shapes = ", ".join(f"{array.dtype} {tuple(array.shape)}" for array in samples)
    return f"{shapes} with the checksum {_checksum(samples):08x}"


def _is_array(thing: Any) -> bool:
    return isinstance(thing, np.ndarray) or hasattr(thing, "detach")


def _checksum(arrays: Sequence[Array], found: int = 0) -> int:
    for array in arrays:
        found = zlib.crc32(library_of(array, "fit").to_numpy(array).tobytes(), found)
    return found
