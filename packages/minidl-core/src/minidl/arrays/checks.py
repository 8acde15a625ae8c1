"""Checks of settings: numbers (one for all, or one per replicate), counts, random generators and paths."""

from __future__ import annotations

import os
from collections.abc import Callable
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Interval(NamedTuple):
    """The numbers that a setting may be, in words and as a test."""

    words: str
    contains: Callable[[Any], Any]


FINITE = Interval("finite", np.isfinite)
POSITIVE = Interval("finite and > 0", lambda value: np.isfinite(value) & (value > 0))
NON_NEGATIVE = Interval("finite and >= 0", lambda value: np.isfinite(value) & (value >= 0))
ABOVE_ZERO = Interval("> 0", lambda value: value > 0)
PROBABILITY = Interval("in [0, 1]", lambda value: (value >= 0) & (value <= 1))
DECAY = Interval("in [0, 1)", lambda value: (value >= 0) & (value < 1))


def as_number(
    who: object, name: str, value: Any, interval: Interval, replicate_shape: tuple[int, ...] = ()
) -> float | np.ndarray:
    """Check a setting: one number, or an array of them with one per replicate.

    Parameters
    ----------
    who, name
        Words for the error: ``Adam: expected lr ...``.
    value : float or array_like, shape replicate_shape
    interval : Interval
        Where it must lie.
    replicate_shape : tuple of int
        The replicate axes of the network.

    Returns
    -------
    float or ndarray of float64, shape replicate_shape

    Raises
    ------
    TypeError
        If it is not a real number.
    ValueError
        If it lies elsewhere, or there is not one per replicate.
    """
    numbers = np.asarray(value) if not isinstance(value, Real) else np.float64(value)
    if numbers.dtype.kind not in "fiu" or isinstance(value, bool):
        raise TypeError(f"{who}: expected {name} to be a number, got {value!r}")
    if numbers.shape not in ((), replicate_shape):
        per_replicate = f", or one per replicate, shape {replicate_shape}" if replicate_shape else ""
        raise ValueError(f"{who}: expected {name} to be one number{per_replicate}, got shape {numbers.shape}")
    if not np.all(interval.contains(numbers)):
        raise ValueError(f"{who}: expected {name} to be {interval.words}, got {value!r}")
    return numbers.astype(np.float64) if numbers.ndim else float(numbers)


def check_kinds(who: object, *things: tuple[str, object, type]) -> None:
    """Raise a TypeError unless each thing, given as (name, thing, class), is of its class."""
    for name, thing, kind in things:
        if not isinstance(thing, kind):
            raise TypeError(f"{who}: expected {name} to be a {kind.__name__}, got {thing!r}")


def as_generators(
    who: object, rng: Any, replicate_shape: tuple[int, ...]
) -> list[np.random.Generator] | np.random.Generator:
    """Return one generator, or for a list, a tuple, a range or an array of seeds one per replicate.

    Raises
    ------
    TypeError, ValueError
        As :func:`as_generator`; also if there is not one per replicate.
    """
    if not isinstance(rng, list | tuple | range | np.ndarray):
        return as_generator(who, rng)
    if (len(rng),) != replicate_shape:
        raise ValueError(f"{who}: expected one rng, or one per replicate {replicate_shape}, got {len(rng)}")
    return [as_generator(who, one) for one in rng]


def as_count(who: object, name: str, value: Any, *, low: int = 1) -> int:
    """Check a setting that counts something: an integer, at least `low`.

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If it is below `low`.
    """
    if type(value) is int and value >= low:
        return value
    if isinstance(value, np.ndarray) and not value.ndim:
        value = value[()]
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{who}: expected {name} to be an integer, got {value!r}")
    if value < low:
        raise ValueError(f"{who}: expected {name} to be at least {low}, got {value}")
    return int(value)


def as_generator(who: object, rng: Any) -> np.random.Generator:
    """Return a generator for None, an int, a SeedSequence or a Generator (SPEC 7).

    Raises
    ------
    TypeError, ValueError
        For anything else; for a negative seed.
    """
    expected = "None, an int >= 0, a SeedSequence or a numpy.random.Generator"
    if isinstance(rng, bool):  # NumPy would take it for a seed
        raise TypeError(f"{who}: expected rng to be {expected}, got {rng!r}")
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{who}: expected rng to be {expected}, got {rng!r}") from error


def as_path(who: object, name: str, value: Any) -> Path:
    """Return the path of a file.

    Raises
    ------
    TypeError
        If it is neither text nor a path.
    """
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{who}: expected {name} to be the path of a file, got {value!r}")
    return Path(value)
