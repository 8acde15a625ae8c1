"""Validation of arguments: every error message names the function, the expected value and the received value."""

import operator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

RNG: TypeAlias = int | np.random.SeedSequence | np.random.Generator | None
"""The values that ``rng=`` accepts, as in SPEC 7 of Scientific Python."""

FLOATS = (np.float16, np.float32, np.float64)


def read_integer(who: str, name: str, value: Any, *, minimum: int, maximum: int | None = None) -> int:
    """Return `value` as an int; a bool or a fraction is a TypeError, one out of range a ValueError."""
    try:
        # operator.index(True) is 1, but a bool as a size or a seed is a mistake of the caller.
        number = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{who}: {name} must be an integer, got {describe(value)}")
    if number < minimum:
        raise ValueError(f"{who}: {name} must be at least {minimum}, got {number}")
    if maximum is not None and number > maximum:
        raise ValueError(f"{who}: {name} must be at most {maximum}, got {number}")
    return number


def read_float_dtype(who: str, dtype: DTypeLike) -> np.dtype[Any]:
    """Return `dtype` as one of the three supported dtypes; anything else is a TypeError."""
    try:
        # np.dtype(None) is float64, while the default of every function here is float32.
        found = None if dtype is None else np.dtype(dtype)
    except (TypeError, ValueError):
        found = None
    if found is None or found not in FLOATS:
        raise TypeError(f"{who}: dtype must be float16, float32 or float64, got {dtype!r}")
    return found


def read_rng(who: str, rng: RNG) -> np.random.Generator:
    """Return `rng` as a generator; a bool is a TypeError, a negative seed a ValueError."""
    message = f"{who}: rng must be None, an integer of at least 0, a SeedSequence or a Generator, got {describe(rng)}"
    if isinstance(rng, bool):  # rng=True looks like shuffle=True, but would be the seed 1 on every pass
        raise TypeError(message)
    try:
        return np.random.default_rng(rng)
    except TypeError:
        raise TypeError(message) from None
    except ValueError:
        raise ValueError(message) from None


def read_array(who: str, name: str, value: ArrayLike) -> NDArray[Any]:
    """Return `value` as an array; a ragged list or a tensor that cannot be converted is a TypeError."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{who}: {name} must be an array, got {type(value).__name__} ({error})") from error


def describe(value: Any) -> str:
    """Return `value` and its type for an error message."""
    return f"{value!r} ({type(value).__name__})"
