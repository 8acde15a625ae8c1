"""Values and ranges of the settings that a search varies, from the command line and from TOML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from minidl_experiments.search.candidate import FIELDS, NAMES
from minidl_experiments.sweep.options import is_ambiguous
from minidl_experiments.tabular.options import flag, read_option

DIGITS = 4  # of a number that is drawn


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Attributes
    ----------
    low, high : float or int
    log : bool
        Whether their logarithms are drawn evenly, rather than the numbers.
    whole : bool
        Whether they are integers.
    """

    low: float
    high: float
    log: bool
    whole: bool = False

    def at(self, share: float) -> float:
        """Return the number at a share, from 0 to below 1, of the range."""
        high = self.high + 1 if self.whole else self.high
        value = self.low * (high / self.low) ** share if self.log else self.low + (high - self.low) * share
        return min(int(value), int(self.high)) if self.whole else self.rounded(value)

    def rounded(self, value: float) -> float:
        """Return a number with few digits that lies in the range."""
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def __str__(self) -> str:
        return f"{self.low:g}:{self.high:g}"


Entry: TypeAlias = Any
"""A value of a setting, a `Range`, or for hidden layers a tuple of integers and ranges of them."""

Axes: TypeAlias = Mapping[str, tuple[Entry, ...]]
"""The entries of each setting that is given."""


class _Kind(NamedTuple):
    """How a setting is read: the type of its numbers, None for names, and whether ranges are logarithmic."""

    number: type[int | float] | None = None
    log: bool = True


_KINDS = {
    "lr": _Kind(float),
    "p_drop": _Kind(float, log=False),
    "weight_decay": _Kind(float),
    "batch_size": _Kind(int),
    "activation": _Kind(),
    "optimizer": _Kind(),
    "schedule": _Kind(),
}


def read_axes(given: Mapping[str, Any], path: Any = None) -> dict[str, tuple[Entry, ...]]:
    """Parse the settings that a search varies.

    Parameters
    ----------
    given : mapping
        Values by the names of the command: text such as ``"0.01,0.003"`` or ``"1e-4:1e-1"``, a number, or a list; for
        ``hidden`` one or several of ``"16,16"`` and ``"8:128,8:128"``. None and an empty list stand for none.
    path : path, optional
        The TOML file in which they stand, for errors.

    Raises
    ------
    ValueError
        Naming the option, for a value that it cannot have.
    """
    found: dict[str, tuple[Entry, ...]] = {}
    for field in FIELDS:
        name = NAMES[field]
        value = given.get(name)
        if value is None or (value == [] and path is None):  # the command line has [] for none
            continue
        who = flag(name) if path is None else f"{path}: {name}"
        entries = [_hidden(who, one) for one in _listed(value)] if field == "width" else _entries(who, field, value)
        if not entries:
            raise ValueError(f"{who}: expected at least one value, got none")
        found[field] = tuple(dict.fromkeys(entries))
        if any(isinstance(entry, Range) for entry in found[field]) and len(found[field]) > 1:
            raise ValueError(f"{who}: expected values or one range, got {value!r}")
    return found


def has_range(entry: Entry) -> bool:
    """Whether an entry stands for many values."""
    return isinstance(entry, Range) or (isinstance(entry, tuple) and any(isinstance(one, Range) for one in entry))


def entry_words(entry: Entry) -> str:
    """Return an entry as text, as the command line takes it."""
    if isinstance(entry, tuple):
        return ",".join(map(str, entry))
    return f"{entry:g}" if isinstance(entry, float) else str(entry)


def _listed(value: Any) -> list[Any]:
    """Return networks: one text, or a list of texts and of lists of numbers."""
    if isinstance(value, list | tuple) and not all(isinstance(one, int) for one in value):
        return list(value)
    return [value]


def _hidden(who: str, value: Any) -> tuple[Entry, ...]:
    """Parse the hidden layers of one network."""
    words = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    layers = [_range(who, word, int, log=True) if _is_range(word) else _number(word, int) for word in words]
    for layer in layers:
        for end in (layer.low, layer.high) if isinstance(layer, Range) else (layer,):
            read_option(who, "width", [end])
    if not layers:
        raise ValueError(f"{who}: expected integers such as 32,32, got {value!r}")
    return tuple(layers)


def _entries(who: str, field: str, value: Any) -> list[Entry]:
    kind = _KINDS[field]
    words = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    if isinstance(value, str) and kind.number and ":" not in value:
        _check_commas(who, value, decimals=kind.number is float)
    entries: list[Entry] = []
    for word in words:
        if kind.number and _is_range(word):
            own = _range(who, word, kind.number, log=kind.log)
            for end in (own.low, own.high):
                read_option(who, field, end)
            entries.append(own)
        else:
            entries.append(read_option(who, field, _number(word, kind.number) if kind.number else _text(word)))
    return entries


def _check_commas(who: str, text: str, *, decimals: bool) -> None:
    if is_ambiguous(text, decimals=decimals):
        raise ValueError(
            f"{who}: expected numbers with a decimal point, got {text!r}, in which commas separate values; if they are "
            "meant, write a space after the comma"
        )


def _is_range(word: Any) -> bool:
    return isinstance(word, str) and ":" in word


def _range(who: str, word: str, number: type[int | float], *, log: bool) -> Range:
    low, _, high = word.partition(":")
    ends = _number(low, number), _number(high, number)
    if not all(isinstance(end, int | float) and math.isfinite(end) for end in ends) or not ends[0] < ends[1]:
        raise ValueError(f"{who}: expected a range such as {'8:128' if number is int else '1e-4:1e-1'}, got {word!r}")
    if log and not ends[0] > 0:
        raise ValueError(f"{who}: expected a range of numbers above 0, whose logarithms are drawn, got {word!r}")
    return Range(*ends, log, number is int)


def _number(word: Any, number: type[int | float]) -> Any:
    """Return text as a number where it is one; anything else is refused by whom it concerns."""
    if not isinstance(word, str):
        return word
    try:
        return number(word.strip())
    except ValueError:
        return word.strip()


def _text(word: Any) -> Any:
    return word.strip() if isinstance(word, str) else word
