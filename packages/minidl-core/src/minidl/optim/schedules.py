"""Schedules: learning rates that fall, or rise and fall, with the step t = 1, 2, ..."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from minidl.arrays.checks import FINITE, NON_NEGATIVE, POSITIVE, Interval, as_count, as_number
from minidl.optim.rates import power
from minidl.optim.schedule import Schedule

FRACTION = Interval("in [0, 1)", lambda value: (value >= 0) & (value < 1))


@dataclass(frozen=True, eq=False, repr=False)
class PowerSchedule(Schedule):
    """Power law, ``eta t**-kappa`` (eq. 13).

    Parameters
    ----------
    eta, kappa : float or array of shape replicate_shape
        Rate of the first step, and exponent.

    Raises
    ------
    ValueError, TypeError
        For an eta that is negative, or a number that is not finite.

    Examples
    --------
    >>> schedule = PowerSchedule(0.1, kappa=1)
    >>> schedule(1), schedule(2)
    (0.1, 0.05)
    """

    eta: Any
    kappa: Any
    numbers = {"eta": NON_NEGATIVE, "kappa": FINITE}  # noqa: RUF012 - a ClassVar of the base class

    def rate(self, t: int) -> float:
        """Return ``eta t**-kappa``."""
        return self.eta * power(float(t), -self.kappa)  # type: ignore[no-any-return]  # they are numbers


@dataclass(frozen=True, eq=False, repr=False)
class StepSchedule(Schedule):
    """Steps down: `lr`, times `factor` after every `every` steps (torch's StepLR).

    Parameters
    ----------
    lr : float or array of shape replicate_shape
        Rate of the first steps.
    every : int or array of int
        Number of steps with the same rate.
    factor : float or array of shape replicate_shape

    Raises
    ------
    ValueError, TypeError
        For a negative or infinite number, or an `every` below 1.

    Examples
    --------
    >>> schedule = StepSchedule(0.5, every=10, factor=0.5)
    >>> schedule(10), schedule(11)
    (0.5, 0.25)
    """

    lr: Any
    every: Any
    factor: Any
    numbers = {"lr": NON_NEGATIVE, "factor": NON_NEGATIVE}  # noqa: RUF012 - a ClassVar of the base class
    counts = {"every": 1}  # noqa: RUF012 - as above

    def rate(self, t: int) -> float:
        """Return ``lr factor**((t - 1) // every)``."""
        return self.lr * self.factor ** ((t - 1) // self.every)  # type: ignore[no-any-return]  # they are numbers


@dataclass(frozen=True, eq=False, repr=False)
class ExponentialSchedule(Schedule):
    """Exponential decay, ``lr factor**(t - 1)`` (torch's ExponentialLR).

    Parameters
    ----------
    lr, factor : float or array of shape replicate_shape
        Rate of the first step, and what each further step multiplies it by.

    Raises
    ------
    ValueError, TypeError
        For a negative or infinite number.

    Examples
    --------
    >>> schedule = ExponentialSchedule(0.5, factor=0.5)
    >>> schedule(1), schedule(2), schedule(3)
    (0.5, 0.25, 0.125)
    """

    lr: Any
    factor: Any
    numbers = {"lr": NON_NEGATIVE, "factor": NON_NEGATIVE}  # noqa: RUF012 - a ClassVar of the base class

    def rate(self, t: int) -> float:
        """Return ``lr factor**(t - 1)``."""
        return self.lr * self.factor ** (t - 1)  # type: ignore[no-any-return]  # they are numbers


@dataclass(frozen=True, eq=False, repr=False)
class CosineSchedule(Schedule):
    """Half a cosine from `lr` down to `final` (Loshchilov and Hutter, 2017), after a linear warm-up.

    Parameters
    ----------
    lr : float or array of shape replicate_shape
        Highest rate.
    steps : int or array of int
        Number of steps, the warm-up included; `final` from then on.
    warmup : int or array of int
        Number of steps of the warm-up, during which the rate is ``lr t / (warmup + 1)``.
    final : float or array of shape replicate_shape

    Raises
    ------
    ValueError, TypeError
        For a negative or infinite number, fewer than one step, or a warm-up that leaves no step for the cosine.

    Examples
    --------
    >>> schedule = CosineSchedule(0.5, steps=14, warmup=4)
    >>> [round(schedule(t), 3) for t in (1, 2, 5, 10, 15)]
    [0.1, 0.2, 0.5, 0.25, 0.0]
    """

    lr: Any
    steps: Any
    warmup: Any = 0
    final: Any = 0.0
    numbers = {"lr": NON_NEGATIVE, "final": NON_NEGATIVE}  # noqa: RUF012 - a ClassVar of the base class
    counts = {"steps": 1, "warmup": 0}  # noqa: RUF012 - as above

    def __init__(self, lr: Any, steps: Any, *, warmup: Any = 0, final: Any = 0.0) -> None:
        for name, value in (("lr", lr), ("steps", steps), ("warmup", warmup), ("final", final)):
            object.__setattr__(self, name, value)
        self.__post_init__()
        if np.any(np.less_equal(self.steps, self.warmup)):
            raise ValueError(f"CosineSchedule: expected a warmup of fewer steps than {self.steps}, got {self.warmup}")

    def rate(self, t: int) -> float:
        """Return ``lr t / (warmup + 1)``, and then a half cosine from `lr` to `final`."""
        if t <= self.warmup:
            return self.lr * t / (self.warmup + 1)  # type: ignore[no-any-return]  # they are numbers
        part = (t - 1 - self.warmup) / (self.steps - self.warmup)
        return _cosine(self.lr, self.final, part) if part < 1 else self.final


@dataclass(frozen=True, eq=False, repr=False)
class OneCycleSchedule(Schedule):
    """One cycle: half a cosine up to `lr`, and another down to almost nothing (Smith and Topin, 2017).

    The names and defaults are those of torch's OneCycleLR.

    Parameters
    ----------
    lr : float or array of shape replicate_shape
        Highest rate.
    steps : int or array of int
        Number of steps of the cycle; the rate of the last one from then on.
    pct_start : float or array of shape replicate_shape
        The part of the steps in which the rate rises, in [0, 1).
    div_factor : float or array of shape replicate_shape
        The first rate is ``lr / div_factor``.
    final_div_factor : float or array of shape replicate_shape
        The last rate is the first one divided by it.

    Raises
    ------
    ValueError, TypeError
        For a negative or infinite rate, fewer than one step, a `pct_start` outside [0, 1), or a factor that is not
        above 0.

    Examples
    --------
    >>> schedule = OneCycleSchedule(0.5, steps=100)
    >>> [round(schedule(t), 4) for t in (1, 30, 65, 100)]
    [0.02, 0.5, 0.25, 0.0]
    """

    lr: Any
    steps: Any
    pct_start: Any = 0.3
    div_factor: Any = 25.0
    final_div_factor: Any = 1e4
    numbers = {  # noqa: RUF012 - a ClassVar of the base class
        "lr": NON_NEGATIVE, "pct_start": FRACTION, "div_factor": POSITIVE, "final_div_factor": POSITIVE,
    }  # fmt: skip
    counts = {"steps": 1}  # noqa: RUF012 - as above

    def rate(self, t: int) -> float:
        """Return a rate that rises until step ``pct_start steps``, and then falls until step `steps`."""
        first = self.lr / self.div_factor
        top, end = self.pct_start * self.steps - 1, self.steps - 1
        past = t - 1
        if past < top:
            return _cosine(first, self.lr, past / top)
        top = max(top, 0.0)
        return _cosine(self.lr, first / self.final_div_factor, min((past - top) / (end - top), 1.0) if end else 0.0)


@dataclass(frozen=True, eq=False, repr=False)
class PiecewiseSchedule(Schedule):
    """Constant rates, each from a step on: ``PiecewiseSchedule({1: 0.1, 100: 0.01})``.

    Parameters
    ----------
    steps : sequence of int, or mapping from int to a rate
        The first step of each rate, rising, beginning with 1.
    rates : sequence of float or array of shape replicate_shape
        As many; not beside a mapping.

    Raises
    ------
    ValueError, TypeError
        If the steps do not begin with 1 or do not rise, if there are not as many rates, or for a rate that is negative
        or not finite.

    Examples
    --------
    >>> schedule = PiecewiseSchedule([1, 100], [0.1, 0.01])
    >>> schedule(99), schedule(100)
    (0.1, 0.01)
    """

    steps: Any
    rates: Any = None

    def __post_init__(self) -> None:
        who, steps, rates = "PiecewiseSchedule", self.steps, self.rates
        if isinstance(steps, Mapping):
            if rates is not None:
                raise ValueError(f"{who}: expected one mapping or two lists, got {rates=} beside a mapping")
            rates, steps = list(steps.values()), list(steps)
        if not all(isinstance(value, Sequence | np.ndarray) for value in (steps, rates)):
            raise TypeError(f"{who}: expected a mapping from steps to rates, or two lists, got {steps!r}, {rates!r}")
        firsts = tuple(as_count(who, "steps", step) for step in steps)
        if not firsts or firsts[0] != 1 or any(b <= a for a, b in pairwise(firsts)):
            raise ValueError(f"{who}: expected steps that rise from 1, got {list(firsts)}")
        if len(rates) != len(firsts):
            raise ValueError(f"{who}: expected {len(firsts)} rates, one for each of the steps, got {len(rates)}")
        object.__setattr__(self, "steps", firsts)
        object.__setattr__(self, "rates", tuple(as_number(who, "rates", r, NON_NEGATIVE, np.shape(r)) for r in rates))
        super().__post_init__()

    def rate(self, t: int) -> Any:
        """Return the rate whose first step is the last one up to t."""
        return self.rates[bisect.bisect_right(self.steps, t) - 1]


def _cosine(start: float, end: float, part: float) -> float:
    """Return a point of half a cosine from start (part 0) to end (part 1)."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * part))
