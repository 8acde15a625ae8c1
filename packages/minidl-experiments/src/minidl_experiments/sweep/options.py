"""From the command line and a TOML file to a grid."""

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
    """How to read one value: `read` raises ValueError for what is not as `expected`."""

    read: Callable[[Any], Any]
    expected: str


def read_sweep(path: Path | None, flags: Mapping[str, Any]) -> tuple[Grid, Definition]:
    """Read what to train.

    Parameters
    ----------
    path : pathlib.Path, optional
        TOML file. Its keys are the names that table and results have: ``lr``, ``width``, ``activation``,
        ``optimizer``, ``batch_size`` and ``p_drop`` with a value or an array of values, ``seeds``, ``seed``,
        ``epochs`` and ``samples`` with a whole number.
    flags : mapping
        The same keys, with text as on the command line (``"1e-3,1e-2"``) or numbers. They take precedence over the
        file; those that are None do not count.

    Returns
    -------
    grid : Grid
    definition : Definition

    Raises
    ------
    ValueError
        If the file cannot be read, or for an unknown key or a value that its key cannot have.
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
    except ValueError as error:  # no TOML, or no UTF-8
        raise ValueError(f"{path}: expected a TOML file, got one with an error: {error}") from error
    for name in given:
        if name not in (*_AXES, *_COUNTS):
            raise ValueError(f"{path}: unknown key {name!r}; allowed are {', '.join((*_AXES, *_COUNTS))}")
    return given


def _read_all(given: Mapping[str, Any], called: Callable[[str], str]) -> dict[str, Any]:
    """Read all values; `called` says how an error names one of them."""
    return {
        name: _read_axis(called(name), _AXES[name], value)
        if name in _AXES
        else _read_value(called(name), _COUNTS[name], value)
        for name, value in given.items()
    }


def _split(value: Any) -> Any:
    """Turn text of the command line into what a TOML file would hold."""
    return [_literal(word.strip()) for word in value.split(",")] if isinstance(value, str) else value


def _literal(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            pass
    return word


def _read_axis(name: str, kind: _Kind, value: Any) -> tuple[Any, ...]:
    """Read one value or a list of them, each counted once."""
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


_COUNT = _Kind(partial(_whole, low=1), f"a whole number from 1 to {_MOST}")

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
    "seed": _Kind(partial(_whole, low=0), f"a whole number from 0 to {_MOST}"),
    "epochs": _COUNT,
    "samples": _COUNT,
}
