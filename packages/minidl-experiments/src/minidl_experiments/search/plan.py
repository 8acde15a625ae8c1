"""The options of a search: what all configurations share, and what is varied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from minidl_experiments.search.axes import Axes, Range, entry_words, has_range, read_axes
from minidl_experiments.search.candidate import NAMES, Candidate
from minidl_experiments.search.space import GRID, RANGES, draw, grid_of
from minidl_experiments.tabular.options import Options, flag, options_of, read_option, read_toml

FOLDS = 5
MOST_VALUES = 6  # of a setting, in words


class Plan(NamedTuple):
    """What is searched.

    Attributes
    ----------
    shared : Options
        The settings of all configurations.
    base : Candidate
        The settings that are not varied.
    axes : mapping of str to tuple
        The values and ranges of those that are.
    random, optuna : int or None
        The number of random draws, or of trials; without either all combinations are made.
    test : float or None
        The share of the rows that are held out of the search, to test the best configuration.
    """

    shared: Options
    base: Candidate
    axes: Axes
    random: int | None
    optuna: int | None
    test: float | None

    def candidates(self) -> list[Candidate]:
        """Return the configurations of a grid, or random ones; raise ValueError for axes that are not of a grid."""
        if self.random is not None:
            return draw(self.base, self.axes, self.random, self.shared.seed)
        return grid_of(self.base, self.axes)

    def corners(self) -> list[Candidate]:
        """Return configurations with every combination of the settings that have names, and some number of others."""
        fixed = {
            field: tuple(dict.fromkeys(_example(entry) for entry in entries)) for field, entries in self.axes.items()
        }
        names = {field: entries if _are_names(entries) else entries[:1] for field, entries in fixed.items()}
        return grid_of(self.base, names)

    def varied_words(self) -> str:
        """Return the settings that are varied with their values and ranges, empty for a single configuration."""
        several = {field: entries for field, entries in self.axes.items() if len(entries) > 1 or has_range(entries[0])}
        return "; ".join(f"{NAMES[field]} {_axis_words(entries)}" for field, entries in several.items())


def read_plan(path: Path | None, flags: Mapping[str, Any], *, random: int | None, optuna: int | None) -> Plan:
    """Return the plan of the command line and of a TOML file, over which the command line takes precedence.

    Parameters
    ----------
    path : pathlib.Path or None
        TOML with the options' names as keys, such as the ``model.toml`` of a training. Lists are values of an axis, and
        texts such as ``"1e-4:1e-1"`` ranges: ``lr = [0.01, 0.003]``, ``hidden = ["16,16", "64"]``.
    flags : mapping
        None, or an empty tuple, stands for an option that is not given.
    random, optuna : int or None

    Raises
    ------
    ValueError
        For a file that cannot be read, an unknown key, a value that an option cannot have, and options that do not go
        together.
    """
    if random is not None and optuna is not None:
        raise ValueError("expected --random or --optuna, got both")
    names = set(NAMES.values())
    toml = {} if path is None else read_toml(path, more=("hidden",), option="--config")
    varied = {name: value for name, value in toml.items() if name in names and _is_axis(name, value)}
    axes = read_axes(varied, path) | read_axes({name: flags.get(name) for name in names})
    fixed = {name: value for name, value in toml.items() if name not in varied and name not in ("test", "stream")}
    shared = options_of(path, fixed, {name: value for name, value in flags.items() if name not in (*names, "test")})
    if shared.cv is None:
        shared = replace(shared, cv=FOLDS)
    several = random is not None or optuna is not None
    axes = axes or (dict(RANGES) if several else dict(GRID))
    return Plan(shared, Candidate.of(shared), axes, random, optuna, _test_share(path, toml, flags))


def _test_share(path: Path | None, toml: Mapping[str, Any], flags: Mapping[str, Any]) -> float | None:
    """Return the share of the rows that are held out, None for none; beside it there may be a number of folds."""
    if flags.get("test") is not None:
        return float(read_option(flag("test"), "test", flags["test"]))
    return float(read_option(f"{path}: test", "test", toml["test"])) if "test" in toml else None


def _is_axis(name: str, value: Any) -> bool:
    """Whether the value of a TOML file is one of the search, rather than an option of a training."""
    return name == "hidden" or isinstance(value, list) or (isinstance(value, str) and ("," in value or ":" in value))


def _example(entry: Any) -> Any:
    if isinstance(entry, Range):
        return entry.at(0.0)
    return tuple(int(_example(one)) for one in entry) if has_range(entry) else entry


def _axis_words(entries: tuple[Any, ...]) -> str:
    words = [entry_words(entry) for entry in entries]
    if len(words) > MOST_VALUES:
        words[MOST_VALUES - 1 :] = [f"{len(words) - MOST_VALUES + 1} more"]
    return " or ".join(words)


def _are_names(entries: tuple[Any, ...]) -> bool:
    return isinstance(entries[0], str)
