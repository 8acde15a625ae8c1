"""The configurations of a search: all combinations, or random draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, product
from typing import Any

import numpy as np

from minidl_experiments.search.axes import Axes, Entry, Range, has_range
from minidl_experiments.search.candidate import FIELDS, NAMES, Candidate
from minidl_experiments.tabular.options import flag

GRID: Axes = {"width": ((16,), (32, 32), (64, 64)), "lr": (1e-3, 3e-3, 1e-2)}
"""What a grid combines where no axis is given."""

RANGES: Axes = {
    "width": tuple((Range(8, 128, log=True, whole=True),) * layers for layers in (1, 2)),
    "lr": (Range(3e-4, 3e-2, log=True),),
    "p_drop": (0.0, 0.1, 0.3),
}
"""What is drawn from where no axis is given."""

MOST_CONFIGURATIONS = 100_000
_ATTEMPTS = 1000  # draws without a new configuration, after which there are taken to be no more


def grid_of(base: Candidate, axes: Axes) -> list[Candidate]:
    """Return all combinations of values; the first axis varies slowest.

    Parameters
    ----------
    base : Candidate
        The settings that are not varied.
    axes : mapping of str to tuple

    Raises
    ------
    ValueError
        For a range, which has no end of values, and for more than 100,000 combinations.
    """
    for field, entries in axes.items():
        if any(map(has_range, entries)):
            raise ValueError(f"{flag(NAMES[field])}: expected values for a grid; a range needs --random or --optuna")
    count = int(np.prod([len(entries) for entries in axes.values()], dtype=float))
    if count > MOST_CONFIGURATIONS:
        raise ValueError(f"expected at most {MOST_CONFIGURATIONS} combinations, got {count}: --random draws some")
    names = list(axes)
    return [replace(base, **dict(zip(names, values, strict=True))) for values in product(*axes.values())]


def draw(base: Candidate, axes: Axes, count: int, seed: int) -> list[Candidate]:
    """Return different random configurations, fewer than `count` if there are no more.

    With the same seed, more draws begin with the same configurations.

    Parameters
    ----------
    base : Candidate
        The settings that are not drawn.
    axes : mapping of str to tuple
    count, seed : int
    """
    return list(islice(_different(base, axes, np.random.default_rng(seed)), count))


def _different(base: Candidate, axes: Axes, rng: np.random.Generator) -> Iterator[Candidate]:
    seen: set[Candidate] = set()
    waited = 0
    while waited < _ATTEMPTS:
        drawn = replace(base, **{field: _drawn(entries, rng) for field, entries in axes.items()})
        waited = waited + 1 if drawn in seen else 0
        if drawn not in seen:
            seen.add(drawn)
            yield drawn


def _drawn(entries: tuple[Entry, ...], rng: np.random.Generator) -> Any:
    """Draw one of the entries, and within ranges a number."""
    entry = entries[int(rng.integers(len(entries)))]
    if isinstance(entry, tuple):
        return tuple(int(one.at(rng.random())) if isinstance(one, Range) else one for one in entry)
    return entry.at(rng.random()) if isinstance(entry, Range) else entry


def varied(candidates: Mapping[Candidate, object] | list[Candidate]) -> list[str]:
    """Return the settings in which configurations differ."""
    return [field for field in FIELDS if len({getattr(candidate, field) for candidate in candidates}) > 1]
