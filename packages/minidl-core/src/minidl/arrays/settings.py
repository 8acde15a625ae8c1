"""Settings as properties: checked and normalised whenever they are assigned, in the constructor and later."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import numpy as np

from minidl.arrays.checks import Interval, as_count, as_number


def number(
    name: str,
    interval: Interval,
    doc: str,
    *,
    optional: bool = False,
    check: Callable[[Any, Any], None] | None = None,
) -> property:
    """Return a property for a setting that is a number, or an array of one number per replicate.

    The setting reads as a float or as an array of float64. The class has ``replicate_shape``; without it, as in a loss,
    which learns of the replicates later, the array may have any shape.

    Parameters
    ----------
    name : str
        Of the attribute.
    interval : Interval
        Where the numbers must lie.
    doc : str
    optional : bool
        Whether None may be assigned.
    check : callable, optional
        ``check(self, value)`` raises if the value does not go with the other settings.
    """

    def assign(self: Any, value: Any) -> None:
        if value is not None or not optional:
            shape = getattr(self, "replicate_shape", np.shape(value))
            value = as_number(type(self).__name__, name, value, interval, shape)
        if check is not None:
            check(self, value)
        setattr(self, f"_{name}", value)

    return property(attrgetter(f"_{name}"), assign, doc=doc)


def check_again(thing: Any, names: Iterable[str]) -> None:
    """Check settings of one number per replicate once more: such an array can be changed in place, unseen.

    Raises
    ------
    ValueError
        As when the setting is assigned.
    """
    for name in names:
        value = getattr(thing, name, None)
        if isinstance(value, np.ndarray):
            setattr(thing, name, value)


def count(name: str, doc: str, *, low: int = 0) -> property:
    """Return a property for an integer of at least `low`."""

    def assign(self: Any, value: Any) -> None:
        setattr(self, f"_{name}", as_count(type(self).__name__, name, value, low=low))

    return property(attrgetter(f"_{name}"), assign, doc=doc)


def flag(name: str, doc: str, *, check: Callable[[Any, Any], None] | None = None) -> property:
    """Return a property for a setting that is True or False; see `number`."""

    def assign(self: Any, value: Any) -> None:
        if not isinstance(value, bool | np.bool):
            raise TypeError(f"{type(self).__name__}: expected {name} to be True or False, got {value!r}")
        if check is not None:
            check(self, value)
        setattr(self, f"_{name}", bool(value))

    return property(attrgetter(f"_{name}"), assign, doc=doc)


def choice(name: str, values: tuple[str, ...], doc: str) -> property:
    """Return a property for a setting that is one of some words."""

    def assign(self: Any, value: Any) -> None:
        if value not in values:
            expected = " or ".join(map(repr, values))
            raise ValueError(f"{type(self).__name__}: expected {name} {expected}, got {value!r}")
        setattr(self, f"_{name}", value)

    return property(attrgetter(f"_{name}"), assign, doc=doc)
