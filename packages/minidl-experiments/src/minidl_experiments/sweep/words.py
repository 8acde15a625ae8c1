"""Text for configurations and their settings."""

from __future__ import annotations

from collections.abc import Iterable

from minidl_experiments.sweep.grid import AXES, Config, Grid

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


def fixed_words(grid: Grid) -> str:
    """Return the settings shared by all configurations as text; empty if all axes vary."""
    return config_words(grid.configs[0], [axis for axis in AXES if axis not in grid.varied])


def tick_words(values: Iterable[float]) -> list[str]:
    """Return the values of an axis as short text."""
    return [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]


def seeds_words(count: int) -> str:
    """Return a number of seeds as text."""
    return "one seed" if count == 1 else f"{count} seeds"


def percent(share: float) -> str:
    """Return a share as text: ``97.50 %``."""
    return f"{100 * share:.2f} %"
