"""The check of the records in a sweep's file, which a disk, a copy or a person may have damaged."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep.grid import AXES
from minidl_experiments.sweep.train import MEASURES

KEY = (*AXES, "seed")
"""The columns that identify a record."""

COLUMNS = (*KEY, *MEASURES, "diverged_epoch", "diverged_batch", "curves")
"""The columns that are checked."""


def find_fault(record: Mapping[str, object], epochs: int) -> str | None:
    """Return the first fault of a record as text; None for a sound record.

    Parameters
    ----------
    record : mapping
        Values as SQLite holds them, by the names in `COLUMNS`.
    epochs : int
        Epochs of the sweep.

    Returns
    -------
    str or None
    """
    for name, is_sound in _SOUND.items():
        if not is_sound(record[name]):
            return f"{name} is {_words(record[name])}"
    diverged = [name for name in MEASURES if record[name] is None]
    if diverged and (len(diverged) < len(MEASURES) or None in (record["diverged_epoch"], record["diverged_batch"])):
        return f"{diverged[0]} is missing"
    return None if _are_curves(record["curves"], None if diverged else epochs) else "curves cannot be read"


def has_sound_key(record: Mapping[str, object]) -> bool:
    """Whether configuration and seed of a record can be read, so that a new training replaces the record."""
    return all(_SOUND[name](record[name]) for name in KEY)


def record_words(record: Mapping[str, object]) -> str:
    """Return configuration and seed of a record as text."""
    return ", ".join(f"{name} {_words(record[name])}" for name in KEY)


def _words(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if text.isprintable() and 0 < len(text) < 30 else ascii(value)[:30]


def _is_number(low: float, high: float = math.inf) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int | float) and low <= value <= high and math.isfinite(value)


def _is_count(low: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and value >= low


def _or_missing(is_sound: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or is_sound(value)


_SOUND: dict[str, Callable[[object], bool]] = {
    "lr": _is_number(0),
    "width": _is_count(1),
    "activation": lambda value: value in list(Activation),
    "optimizer": lambda value: value in list(Optimizer),
    "batch_size": _is_count(1),
    "p_drop": _is_number(0, 1),
    "seed": _is_count(0),
    **{name: _or_missing(_is_number(0, 1 if name.endswith("accuracy") else math.inf)) for name in MEASURES},
    "diverged_epoch": _or_missing(_is_count(1)),
    "diverged_batch": _or_missing(_is_count(1)),
}


def _are_curves(text: object, epochs: int | None) -> bool:
    """Whether a text holds all curves, of a given number of epochs unless the run diverged."""
    try:
        curves = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return False
    if not isinstance(curves, dict) or not all(isinstance(curves.get(name), list) for name in MEASURES):
        return False
    if any(not isinstance(value, int | float) for name in MEASURES for value in curves[name]):
        return False
    return epochs is None or {len(curves[name]) for name in MEASURES} == {epochs}
