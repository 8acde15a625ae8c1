"""The table of the best configurations."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from minidl_experiments.console import natural_width, print_table, say, width_of
from minidl_experiments.sweep.grid import Grid
from minidl_experiments.sweep.scores import Score
from minidl_experiments.sweep.words import config_words, fixed_words, seeds_words, value_words

BEST = 10
_NARROWEST = 64  # columns of a table with whole configurations in one column


def print_best(console: Console, grid: Grid, scores: Sequence[Score]) -> None:
    """Print the best configurations, with mean and interval over their seeds.

    Parameters
    ----------
    console : rich.console.Console
    grid : Grid
    scores : sequence of Score
        At least one.
    """
    best = sorted(scores, key=lambda one: one.rank)[:BEST]
    shown = f"The best {len(best)} of {len(scores)} configurations" if len(scores) > 1 else "One configuration"
    say(console, f"{shown}, test accuracy in % over {seeds_words(best[0].seeds)}")
    if fixed := fixed_words(grid):
        say(console, f"with {fixed}")
    table = _wide_table(grid, best)
    width = width_of(console)
    if width is None or natural_width(console, table) <= width:
        print_table(console, table)
    else:
        print_table(console, _narrow_table(grid, best), max(width, _NARROWEST))


def _wide_table(grid: Grid, best: Sequence[Score]) -> Table:
    """Return the table with a column for each axis that varies."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in (*grid.varied, *_header(best)):
        table.add_column(name, justify="right", no_wrap=True)
    for one in best:
        table.add_row(*(value_words(one.config, axis) for axis in grid.varied), *_numbers(one, best))
    return table


def _narrow_table(grid: Grid, best: Sequence[Score]) -> Table:
    """Return the table with one column for all axes, in which lines break between words."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in _header(best):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("configuration")
    for one in best:
        table.add_row(*_numbers(one, best), config_words(one.config, grid.varied))
    return table


def _header(best: Sequence[Score]) -> list[str]:
    return ["mean", "5-95 %", *_diverged_header(best)]


def _diverged_header(best: Sequence[Score]) -> list[str]:
    return ["diverged"] if any(one.diverged for one in best) else []


def _numbers(one: Score, best: Sequence[Score]) -> list[str]:
    diverged = [f"{one.diverged} of {one.seeds}"] if _diverged_header(best) else []
    if one.is_lost:
        return ["-", "-", *diverged]
    return [f"{100 * one.mean:.2f}", f"{100 * one.low:.2f} - {100 * one.high:.2f}", *diverged]
