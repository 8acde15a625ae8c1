"""The base class of schedules: a learning rate as a function of the step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np

from minidl.arrays.checks import Interval, as_count, as_number


@dataclass(frozen=True, eq=False)
class Schedule(ABC):
    """Base class of schedules: ``schedule(t)`` is the learning rate of step t = 1, 2, ...

    An optimizer takes any callable of t. A class derived from this one is a frozen dataclass besides, whose numbers may
    be arrays with one number per replicate: `rate` is written for one, and computed for each.

    Attributes
    ----------
    numbers : mapping from str to Interval
        The fields that are numbers, and where they must lie.
    counts : mapping from str to int
        The fields that are integers, and their lowest.
    """

    numbers: ClassVar[dict[str, Interval]] = {}
    counts: ClassVar[dict[str, int]] = {}
    _shape: ClassVar[tuple[int, ...]]
    _singles: ClassVar[list[Schedule] | None]

    def __post_init__(self) -> None:
        who, values = type(self).__name__, {}
        for name, interval in self.numbers.items():
            value = getattr(self, name)
            values[name] = as_number(who, name, value, interval, np.shape(value))
        for name, low in self.counts.items():
            values[name] = _as_counts(who, name, getattr(self, name), low)
        shapes = {np.shape(value) for value in values.values()} - {()}
        if len(shapes) > 1:
            raise ValueError(f"{who}: expected arrays of one shape, the replicates', got {sorted(shapes)}")
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_shape", next(iter(shapes), ()))
        object.__setattr__(self, "_singles", self._one_per_replicate(values) if shapes else None)

    def __call__(self, t: int) -> Any:
        """Return the learning rate of step t, counted from 1: a float, or an array of shape replicate_shape."""
        if self._singles is None:
            return self.rate(t)
        return np.array([single.rate(t) for single in self._singles]).reshape(self._shape)

    @abstractmethod
    def rate(self, t: int) -> float:
        """Return the learning rate of step t, where all fields are numbers."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        words = (f"{name}={v.tolist() if isinstance(v, np.ndarray) else v!r}" for name, v in values)
        return f"{type(self).__name__}({', '.join(words)})"

    def _one_per_replicate(self, values: dict[str, Any]) -> list[Schedule]:
        shape = next(np.shape(value) for value in values.values() if np.shape(value))
        return [
            replace(self, **{name: np.broadcast_to(value, shape)[index].item() for name, value in values.items()})
            for index in np.ndindex(shape)
        ]


def as_record(schedule: Schedule) -> dict[str, Any] | None:
    """Return a schedule of minidl as plain data, its kind and its fields; None for one of the user's own."""
    if type(schedule).__name__ not in _kinds() or type(schedule) is not _kinds()[type(schedule).__name__]:
        return None
    values = {field.name: getattr(schedule, field.name) for field in fields(schedule)}
    return {"kind": type(schedule).__name__, "fields": values}


def from_record(record: Any) -> Schedule:
    """Return the schedule of a record.

    Raises
    ------
    ValueError, TypeError
        For another kind than minidl's, or fields that the kind does not accept.
    """
    if record["kind"] not in _kinds():
        raise ValueError(f"expected a schedule, {', '.join(_kinds())}, got {record['kind']!r}")
    return _kinds()[record["kind"]](**record["fields"])


def _kinds() -> dict[str, type[Schedule]]:
    """Return minidl's own kinds by their names; those of others are never looked up."""
    return {kind.__name__: kind for kind in Schedule.__subclasses__() if kind.__module__.partition(".")[0] == "minidl"}


def _as_counts(who: str, name: str, value: Any, low: int) -> int | np.ndarray:
    """Return an integer, or an array of integers with one per replicate, none below `low`."""
    if not np.ndim(value):
        return as_count(who, name, value, low=low)
    counts = [as_count(who, name, one, low=low) for one in np.ravel(value).tolist()]
    return np.array(counts).reshape(np.shape(value))
