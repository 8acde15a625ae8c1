"""What belongs to a seed: its own points, its own weights, its own order of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

import minidl_data

Floats: TypeAlias = NDArray[np.floating[Any]]


class Streams(NamedTuple):
    """The independent sources of randomness of one seed.

    Two experiments that share a seed share its data and its order and, where the layers' shapes agree, its weights.

    Attributes
    ----------
    data, weights, order : numpy.random.SeedSequence
    """

    data: np.random.SeedSequence
    weights: np.random.SeedSequence
    order: np.random.SeedSequence


def streams(seed: int) -> Streams:
    """Derive the sources of randomness of one seed.

    Parameters
    ----------
    seed : int
        At least 0.

    Returns
    -------
    Streams
    """
    return Streams(*np.random.SeedSequence(seed).spawn(3))


class Samples(NamedTuple):
    """Points and targets of R seeds.

    Attributes
    ----------
    x : array of float32, shape (R, N, 2)
    y : array of float32, shape (R, N, 2)
        One-hot: (1, 0) outside the disk, (0, 1) inside.
    """

    x: Floats
    y: Floats


class Data(NamedTuple):
    """A training and a test set for each seed."""

    train: Samples
    test: Samples


def draw(seeds: Sequence[int], samples: int) -> Data:
    """Draw the training and test sets of some seeds.

    Parameters
    ----------
    seeds : sequence of int
    samples : int
        Points in each set; with 1000, seed by seed, these are the sets of ``minidl_data.load_disk``.

    Returns
    -------
    Data

    Raises
    ------
    ValueError
        If `samples` is negative.
    """
    rngs = [np.random.default_rng(streams(seed).data) for seed in seeds]
    return Data(*(_stack([minidl_data.make_disk(samples, rng=rng) for rng in rngs]) for _ in Data._fields))


def _stack(sets: list[tuple[Floats, NDArray[np.int64]]]) -> Samples:
    points, classes = zip(*sets, strict=True)
    return Samples(np.stack(points), minidl_data.one_hot(np.stack(classes)))
