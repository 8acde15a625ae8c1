"""The options of a training on own data, from the command line and from a TOML file."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.tabular.choices import Loss, Missing, Schedule, Task
from minidl_experiments.tabular.together import check_together, replaced
from minidl_experiments.tabular.words import listed, near

SETTINGS = "model.toml"  # in the folder of a training
PATIENCE = 20  # epochs without a better validation loss, after which a network is stopped
VALIDATION = 0.15  # of the training rows
STREAM_EPOCHS = 10  # at most, where the rows are read from the disk in each


@dataclass(frozen=True)
class Options:
    """Everything that a training on own data depends on, beside the data.

    The names are those of the command line; None is chosen by the data.
    """

    data: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    task: Task | None = None
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    missing: Missing = Missing.IMPUTE
    drop_unlabelled: bool = False
    test: float = 0.2
    cv: int | None = None
    networks: int = 5
    early_stopping: bool = True
    width: tuple[int, ...] = (32, 32)
    activation: Activation = Activation.RELU
    last_activation: Activation | None = None
    alpha: float = 0.01
    p_drop: float = 0.0
    loss: Loss | None = None
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)
    optimizer: Optimizer = Optimizer.ADAM
    lr: float | None = None
    eta: float | None = None
    kappa: float | None = None
    momentum: float = 0.0
    weight_decay: float | None = None
    clip: float | None = None
    schedule: Schedule = Schedule.CONSTANT
    epochs: int = 300
    batch_size: int | None = None
    seed: int = 0
    stream: bool = False
    out: str | None = None


def read_options(path: Path | None, flags: Mapping[str, Any]) -> Options:
    """Return the options of a TOML file and of the command line, which takes precedence.

    Parameters
    ----------
    path : pathlib.Path or None
        TOML with the options' names as keys, such as ``batch_size = 32``.
    flags : mapping
        None, or an empty tuple, stands for an option that is not given.

    Raises
    ------
    ValueError
        For a file that cannot be read, an unknown key, and a value that an option cannot have.
    """
    return options_of(path, {} if path is None else read_toml(path), flags)


def options_of(path: Path | None, toml: Mapping[str, Any], flags: Mapping[str, Any]) -> Options:
    """Return the options of what stands in a TOML file, and on the command line.

    Parameters
    ----------
    path : pathlib.Path or None
        The file, for errors.
    toml : mapping
        As `read_toml` returns it.
    flags : mapping
        As for `read_options`.
    """
    filed = {name: read_option(f"{path}: {name}", name, value) for name, value in toml.items()}
    given = {
        name: read_option(flag(name), name, value)
        for name, value in flags.items()
        if value is not None and value not in ([], ())
    }
    if {"cv", "test"} <= given.keys():
        raise ValueError("expected --test or --cv, got both")
    given = {name: value for name, value in filed.items() if name not in replaced(filed, given)} | given
    check_together(given)
    if given.get("stream"):
        given.setdefault("epochs", STREAM_EPOCHS)
    return Options(**given)


def flag(name: str) -> str:
    """Return the name of an option on the command line."""
    return f"--{name.replace('_', '-')}"


def as_toml(options: Options) -> str:
    """Return the options as the text of a TOML file; those that are None are left out."""
    values = {field.name: getattr(options, field.name) for field in fields(options)}
    unused = {"test"} if options.cv is not None else set()
    unused |= set() if options.stream else {"stream"}
    unused |= set() if options.loss is Loss.QUANTILE else {"quantiles"}
    unused |= set() if Activation.LEAKY_RELU in (options.activation, options.last_activation) else {"alpha"}
    given = {name: value for name, value in values.items() if value not in (None, ()) and name not in unused}
    return "".join(f"{name} = {_toml(value)}\n" for name, value in given.items())


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_toml(path: Path, more: Sequence[str] = (), option: str = "--from") -> dict[str, Any]:
    """Return what stands in a TOML file of options.

    Parameters
    ----------
    path : pathlib.Path
    more : sequence of str
        Keys beside those of `Options`.
    option : str
        That named the file, for errors.

    Raises
    ------
    ValueError
        For a file that cannot be read, and an unknown key.
    """
    allowed = [*_KINDS, *more]
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ValueError(f"{option}: cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # invalid TOML or invalid UTF-8
        raise ValueError(f"{path}: expected a valid TOML file, got an error: {error}") from error
    for name in given:
        if name not in allowed:
            raise ValueError(f"{path}: unknown key {name!r}{near(name, allowed)}; allowed are {listed(allowed, 99)}")
    return given


def read_option(who: str, name: str, value: Any) -> Any:
    """Return the value of an option as `Options` holds it.

    Parameters
    ----------
    who : str
        Where the value stands, for errors.
    name : str
    value : object
        From the command line or a TOML file.

    Raises
    ------
    ValueError
        If the option cannot have the value.
    """
    kind = _KINDS[name]
    try:
        return kind.read(value)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{who}: expected {kind.expected}, got {value!r}") from None


class _Kind(NamedTuple):
    """Parser of one option: `read` raises ValueError unless the value is as `expected`."""

    read: Callable[[Any], Any]
    expected: str


def _number(value: Any, low: float, high: float = math.inf, *, inside: bool = False) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    if not low <= value <= high or (inside and value in (low, high)):
        raise ValueError
    return float(value)


def _whole(value: Any, low: int, high: int = 2**31 - 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError
    return value


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError


def _text(value: Any) -> str:
    if isinstance(value, str | Path) and str(value):
        return str(value)
    raise ValueError


def _several(read: Callable[[Any], Any], value: Any) -> tuple[Any, ...]:
    """Return one value or several as a tuple."""
    values = tuple(map(read, value if isinstance(value, list | tuple) else [value]))
    if not values:
        raise ValueError
    return values


def _listed(read: Callable[[Any], Any], parse: Callable[[str], Any], value: Any) -> tuple[Any, ...]:
    """Return values that the command line separates by commas."""
    return _several(read, list(map(parse, value.split(","))) if isinstance(value, str) else value)


def _choice(kind: type[StrEnum]) -> _Kind:
    return _Kind(kind, f"one of {', '.join(kind)}")


_ABOVE_ZERO = _Kind(partial(_number, low=0.0, inside=True), "a number above 0")
_NOT_NEGATIVE = _Kind(partial(_number, low=0.0), "a number that is at least 0")
_COUNT = _Kind(partial(_whole, low=1), "an integer that is at least 1")
_NAMES = _Kind(partial(_several, _text), "a name or several")
_SWITCH = _Kind(_flag, "true or false")

_KINDS: dict[str, _Kind] = {
    "data": _NAMES,
    "target": _NAMES,
    "task": _choice(Task),
    "drop": _NAMES,
    "categorical": _NAMES,
    "missing": _choice(Missing),
    "drop_unlabelled": _SWITCH,
    "test": _Kind(partial(_number, low=0.0, high=1.0, inside=True), "a share between 0 and 1"),
    "cv": _Kind(partial(_whole, low=2, high=1000), "a number of folds from 2 to 1000"),
    "networks": _Kind(partial(_whole, low=1, high=1000), "an integer from 1 to 1000"),
    "early_stopping": _SWITCH,
    "width": _Kind(partial(_listed, partial(_whole, low=1, high=2**20), int), "integers such as 32,32"),
    "activation": _choice(Activation),
    "last_activation": _choice(Activation),
    "alpha": _Kind(partial(_number, low=-math.inf), "a number"),
    "p_drop": _Kind(partial(_number, low=0.0, high=0.999), "a number from 0 to below 1"),
    "loss": _choice(Loss),
    "quantiles": _Kind(
        lambda value: tuple(sorted(_listed(partial(_number, low=0.0, high=1.0, inside=True), float, value))),
        "numbers between 0 and 1 such as 0.05,0.5,0.95",
    ),
    "optimizer": _choice(Optimizer),
    "lr": _ABOVE_ZERO,
    "eta": _ABOVE_ZERO,
    "kappa": _Kind(partial(_number, low=-math.inf), "a number"),
    "momentum": _NOT_NEGATIVE,
    "weight_decay": _NOT_NEGATIVE,
    "clip": _ABOVE_ZERO,
    "schedule": _choice(Schedule),
    "epochs": _COUNT,
    "batch_size": _COUNT,
    "seed": _Kind(partial(_whole, low=0), "an integer from 0 to 2147483647"),
    "stream": _SWITCH,
    "out": _Kind(_text, "the name of a folder"),
}
