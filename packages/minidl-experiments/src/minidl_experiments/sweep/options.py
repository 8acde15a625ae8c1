"""Parsing of the command line and of a TOML file into a grid."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep.grid import Definition, Grid

_MOST = 2**31 - 1

# One number with a decimal comma, 0,1, or two values? A point elsewhere in the text, or a space, decides for two.
_DECIMAL_COMMA = re.compile(r"(?<![\w.+-])\d+,\d")
_PADDED = re.compile(r"(?<![\w.+-])0\d")  # the end of 1,024 or of 0,05, read as a value of its own


class _Kind(NamedTuple):
    """Parser of one value: `read` raises ValueError unless the value is as `expected`."""

    read: Callable[[Any], Any]
    expected: str


def read_sweep(path: Path | None, flags: Mapping[str, Any]) -> tuple[Grid, Definition]:
    """Parse the grid and the definition of a sweep.

    Parameters
    ----------
    path : pathlib.Path, optional
        TOML file. The keys ``lr``, ``width``, ``activation``, ``optimizer``, ``batch_size`` and ``p_drop`` take a value
        or an array of values; ``seeds``, ``seed``, ``epochs`` and ``samples`` take an integer.
    flags : mapping
        Options by the same keys, as text of the command line (``"1e-3,1e-2"``) or as numbers. They take precedence over
        the file. None stands for an option that is not given.

    Returns
    -------
    grid : Grid
    definition : Definition

    Raises
    ------
    ValueError
        If the file cannot be read, a key is unknown, or a value is invalid for its key.
    """
    read = {} if path is None else _read_all(_read_toml(path), f"{path}: {{}}".format)
    given = {name: _split(_flag(name), name, value) for name, value in flags.items() if value is not None}
    read |= _read_all(given, _flag)
    axes = {name: value for name, value in read.items() if name in _AXES}
    counts = {name: value for name, value in read.items() if name in _COUNTS}
    first, seeds = counts.pop("seed", 0), counts.pop("seeds", len(Grid.seeds))
    return Grid(**axes, seeds=tuple(range(first, first + seeds))), Definition(**counts)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ValueError(f"--config: cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # invalid TOML or invalid UTF-8
        raise ValueError(f"{path}: expected a valid TOML file, got an error: {error}") from error
    for name in given:
        if name not in (*_AXES, *_COUNTS):
            raise ValueError(f"{path}: unknown key {name!r}; allowed are {', '.join((*_AXES, *_COUNTS))}")
    return given


def _read_all(given: Mapping[str, Any], called: Callable[[str], str]) -> dict[str, Any]:
    """Parse all values; `called` returns the name of an option for an error message."""
    return {
        name: _read_axis(called(name), _AXES[name], value)
        if name in _AXES
        else _read_value(called(name), _COUNTS[name], value)
        for name, value in given.items()
    }


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _split(flag: str, name: str, value: Any) -> Any:
    """Split text of the command line into the values that a TOML file would hold."""
    if not isinstance(value, str):
        return value
    values = [_literal(word.strip()) for word in value.split(",")]
    if name in _NUMBERS and is_ambiguous(value, decimals=name in _DECIMALS):
        expected = "decimal numbers with a point" if name in _DECIMALS else "integers without separators of thousands"
        raise ValueError(
            f"{flag}: expected {expected}, got {value!r}, in which the comma separates the values "
            f"{' and '.join(map(str, values))}; if they are meant, write a space after the comma"
        )
    return values


def is_ambiguous(text: str, *, decimals: bool) -> bool:
    """Whether a list of numbers could be one number with a decimal comma or with thousands separators.

    Parameters
    ----------
    text : str
        Comma-separated numbers.
    decimals : bool
        Whether the numbers may have decimals.

    Returns
    -------
    bool
    """
    return bool(_PADDED.search(text) or (decimals and "." not in text and _DECIMAL_COMMA.search(text)))


def _literal(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            pass
    return word


def _read_axis(name: str, kind: _Kind, value: Any) -> tuple[Any, ...]:
    """Parse one value or a list of values, without duplicates."""
    values = value if isinstance(value, list) else [value]
    if not values:
        raise ValueError(f"{name}: expected at least one value, got none")
    return tuple(dict.fromkeys(_read_value(name, kind, one) for one in values))


def _read_value(name: str, kind: _Kind, value: Any) -> Any:
    try:
        return kind.read(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: expected {kind.expected}, got {value!r}") from None


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ValueError


def _rate(value: Any) -> float:
    if (rate := _number(value)) > 0:
        return rate
    raise ValueError


def _probability(value: Any) -> float:
    if 0 <= (probability := _number(value)) <= 1:
        return probability
    raise ValueError


def _whole(value: Any, low: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= _MOST:
        return value
    raise ValueError


def _choice(kind: type[StrEnum]) -> _Kind:
    return _Kind(kind, f"one of {', '.join(kind)}")


_COUNT = _Kind(partial(_whole, low=1), f"an integer from 1 to {_MOST}")

_AXES = {
    "lr": _Kind(_rate, "a number above 0"),
    "width": _COUNT,
    "activation": _choice(Activation),
    "optimizer": _choice(Optimizer),
    "batch_size": _COUNT,
    "p_drop": _Kind(_probability, "a number from 0 to 1"),
}

_DECIMALS = "lr", "p_drop"
_NUMBERS = *_DECIMALS, "width", "batch_size"

_COUNTS = {
    "seeds": _COUNT,
    "seed": _Kind(partial(_whole, low=0), f"an integer from 0 to {_MOST}"),
    "epochs": _COUNT,
    "samples": _COUNT,
}
