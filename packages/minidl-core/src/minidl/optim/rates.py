"""Learning rates: a number, one per replicate, or a schedule, which is a function of the step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from minidl.arrays.checks import NON_NEGATIVE, as_number


def rate(name: str, doc: str, *, check: Callable[[Any, Any], None]) -> property:
    """Return a property for a learning rate: a number, one per replicate, a schedule, or None.

    Parameters
    ----------
    name : str
        Of the attribute.
    doc : str
    check : callable
        ``check(self, value)`` raises if the value does not go with the other settings.
    """

    def assign(self: Any, value: Any) -> None:
        if value is not None and not (callable(value) and not isinstance(value, type)):
            value = as_number(type(self).__name__, name, value, NON_NEGATIVE, self.replicate_shape)
        check(self, value)
        setattr(self, f"_{name}", value)

    return property(attrgetter(f"_{name}"), assign, doc=doc)


def refuse_beside_eta(optimizer: Any, lr: Any) -> None:
    """Raise if both a learning rate and eta are given."""
    if lr is not None and getattr(optimizer, "eta", None) is not None:
        raise ValueError(
            f"{type(optimizer).__name__}: expected lr, or kappa and eta, got {lr=} beside kappa={optimizer.kappa}, "
            f"eta={optimizer.eta}: set eta to None first"
        )


def refuse_beside_lr(optimizer: Any, value: Any) -> None:
    """Raise if kappa or eta is given beside a learning rate."""
    if value is not None and getattr(optimizer, "lr", None) is not None:
        raise ValueError(
            f"{type(optimizer).__name__}: expected lr, or kappa and eta, got {value} beside lr={optimizer.lr}: "
            "set lr to None first"
        )


def rate_at(who: str, schedule: Callable[[int], Any], t: int, replicate_shape: tuple[int, ...]) -> Any:
    """Return a schedule's learning rate for step t, a float or an array of shape replicate_shape.

    Parameters
    ----------
    who : str
        The optimizer, for errors.
    schedule : callable
    t : int
        The step, counted from 1.
    replicate_shape : tuple of int

    Raises
    ------
    ValueError, TypeError
        Naming the schedule and t, if the rate is nan, infinite or negative, of another shape, no number, or cannot be
        computed.
    """
    try:
        value = schedule(t)
    except ArithmeticError as error:
        raise ValueError(
            f"{who}: {words_of(schedule)} at step {t}: expected a learning rate, got {type(error).__name__}: {error}"
        ) from error
    if type(value) is float and 0 <= value < math.inf:
        return value
    where = f"{who}: {words_of(schedule)} at step {t}"
    return as_number(where, "the learning rate", value, NON_NEGATIVE, replicate_shape)


def rates_at(
    who: str, schedule: Callable[[int], Any], steps: Sequence[int], replicate_shape: tuple[int, ...]
) -> np.ndarray:
    """Return the learning rates for several steps, (steps,) or (steps, *replicate_shape); see `rate_at`."""
    rates = [rate_at(who, schedule, t, replicate_shape) for t in steps]
    if set(map(type, rates)) == {float}:
        return np.array(rates)
    return np.array([np.broadcast_to(value, replicate_shape) for value in rates])


def words_of(schedule: Any) -> str:
    """Return a schedule in words: the name of a function, else its repr."""
    return getattr(schedule, "__qualname__", None) or repr(schedule)


def power(base: Any, exponent: Any) -> Any:
    """Return ``base ** exponent``, with the same bits for one number as for one per replicate.

    NumPy's vectorised power can differ from Python's in the last bit.
    """
    if type(base) is float and type(exponent) is not np.ndarray:
        return base**exponent
    bases, exponents = np.broadcast_arrays(base, exponent)
    pairs = zip(bases.ravel().tolist(), exponents.ravel().tolist(), strict=True)
    return np.array([one**other for one, other in pairs]).reshape(bases.shape)
