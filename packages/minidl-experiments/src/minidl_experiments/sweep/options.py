"""Parsing of the command line and of a TOML file into a grid."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep.grid import Definition, Grid

_MOST = 2**31 - 1


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
    given = {name: _split(value) for name, value in flags.items() if value is not None}
    read |= _read_all(given, lambda name: f"--{name.replace('_', '-')}")
    axes = {name: value for name, value in read.items() if name in _AXES}
    counts = {name: value for name, value in read.items() if name in _COUNTS}
    first, seeds = counts.pop("seed", 0), counts.pop("seeds", len(Grid.seeds))
    return Grid(**axes, seeds=tuple(range(first, first + seeds))), Definition(**counts)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
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


def _split(value: Any) -> Any:
    """Split text of the command line into the values that a TOML file would hold."""
    return [_literal(word.strip()) for word in value.split(",")] if isinstance(value, str) else value


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


def _number(value: Any, high: float) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= high:
        return float(value)
    raise ValueError


def _whole(value: Any, low: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= _MOST:
        return value
    raise ValueError


def _choice(kind: type[StrEnum]) -> _Kind:
    return _Kind(kind, f"one of {', '.join(kind)}")


_COUNT = _Kind(partial(_whole, low=1), f"an integer from 1 to {_MOST}")

_AXES = {
    "lr": _Kind(partial(_number, high=math.inf), "a number of at least 0"),
    "width": _COUNT,
    "activation": _choice(Activation),
    "optimizer": _choice(Optimizer),
    "batch_size": _COUNT,
    "p_drop": _Kind(partial(_number, high=1), "a number from 0 to 1"),
}

_COUNTS = {
    "seeds": _COUNT,
    "seed": _Kind(partial(_whole, low=0), f"an integer from 0 to {_MOST}"),
    "epochs": _COUNT,
    "samples": _COUNT,
}
