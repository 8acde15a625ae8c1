"""Which rows are trained on, validated on and tested on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Part(NamedTuple):
    """One division of the rows; each array is ascending.

    Attributes
    ----------
    train : array of int
        All rows but the test rows, those for validation included.
    test : array of int
        Empty where nothing is tested.
    """

    train: np.ndarray
    test: np.ndarray


def mixed(labels: np.ndarray | None, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return rows in random order, sorted by their class, so that every k-th row has the shares of all classes.

    Parameters
    ----------
    labels : array of int, shape (count,), or None
        The classes; None for none.
    count : int
    rng : numpy.random.Generator
    """
    order = rng.permutation(count)
    return order if labels is None else order[np.argsort(labels[order], kind="stable")]


def hold_out(labels: np.ndarray | None, count: int, size: int, rng: np.random.Generator) -> Part:
    """Draw some rows as a test set, of classes in equal shares.

    Parameters
    ----------
    labels, count, rng
        As for `mixed`.
    size : int
        Number of test rows.
    """
    test = spread(mixed(labels, count, rng), size)
    return Part(np.setdiff1d(np.arange(count), test), np.sort(test))


def folds(labels: np.ndarray | None, count: int, number: int, rng: np.random.Generator) -> list[Part]:
    """Divide rows into folds, each of which is tested once; their sizes differ by one at most.

    Parameters
    ----------
    labels, count, rng
        As for `mixed`.
    number : int
        Of the folds.
    """
    order = mixed(labels, count, rng)
    tests = [np.sort(order[start::number]) for start in range(number)]
    return [Part(np.setdiff1d(np.arange(count), test), test) for test in tests]


def spread(order: np.ndarray, size: int) -> np.ndarray:
    """Return rows at equal distances in an order."""
    return np.asarray(order[((np.arange(size) + 0.5) * len(order) / max(size, 1)).astype(int)])
