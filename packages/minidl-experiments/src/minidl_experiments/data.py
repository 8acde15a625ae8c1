"""The random streams and the data of each seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

import minidl_data

Floats: TypeAlias = NDArray[np.floating[Any]]


class Streams(NamedTuple):
    """The independent random streams of one seed.

    Two experiments with the same seed have the same data and order, and the same weights where the layers' shapes
    agree.

    Attributes
    ----------
    data, weights, order : numpy.random.SeedSequence
    """

    data: np.random.SeedSequence
    weights: np.random.SeedSequence
    order: np.random.SeedSequence


def streams(seed: int) -> Streams:
    """Derive the random streams of one seed.

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
    """Draw a training and a test set for each seed.

    Parameters
    ----------
    seeds : sequence of int
    samples : int
        Points per set. With 1000, the sets of each seed equal those of ``minidl_data.load_disk``.

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
