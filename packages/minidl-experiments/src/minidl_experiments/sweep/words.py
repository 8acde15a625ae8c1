"""How configurations and their parts are written."""

from __future__ import annotations

from collections.abc import Iterable

from minidl_experiments.sweep.grid import Config

LABELS = {
    "lr": "learning rate",
    "width": "width (units per hidden layer)",
    "activation": "activation",
    "optimizer": "optimizer",
    "batch_size": "batch size (samples)",
    "p_drop": "dropout probability",
}
"""The axes with their units."""


def value_words(config: Config, axis: str) -> str:
    """Return one setting as text: ``0.001``, ``relu``."""
    value = getattr(config, axis)
    return f"{value:g}" if isinstance(value, float) else str(value)


def config_words(config: Config, axes: Iterable[str]) -> str:
    """Return some settings as text: ``lr 0.001, width 25, relu``."""
    names = {axis: "" if axis in ("activation", "optimizer") else f"{axis} " for axis in axes}
    return ", ".join(f"{name}{value_words(config, axis)}" for axis, name in names.items())


def tick_words(values: Iterable[float]) -> list[str]:
    """Return the values of an axis as short text."""
    return [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]


def seeds_words(count: int) -> str:
    """Return a number of seeds as text."""
    return "one seed" if count == 1 else f"{count} seeds"


def percent(share: float) -> str:
    """Return a share as text: ``97.50 %``."""
    return f"{100 * share:.2f} %"


def time_words(seconds: float) -> str:
    """Return a duration as text: ``45 s``, ``3 min``, ``2 h 5 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
