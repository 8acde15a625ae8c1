"""The table of the best configurations."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from minidl_experiments.progress import say
from minidl_experiments.sweep.grid import Grid
from minidl_experiments.sweep.scores import Score
from minidl_experiments.sweep.words import fixed_words, seeds_words, value_words

BEST = 10


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
    table = Table(box=SIMPLE_HEAD)
    for axis in grid.varied:
        table.add_column(axis, justify="right", no_wrap=True)
    for name in ("mean", "5-95 %", *_diverged_header(best)):
        table.add_column(name, justify="right", no_wrap=True)
    for one in best:
        table.add_row(*(value_words(one.config, axis) for axis in grid.varied), *_numbers(one, best))
    console.print(table)


def _diverged_header(best: Sequence[Score]) -> list[str]:
    return ["diverged"] if any(one.diverged for one in best) else []


def _numbers(one: Score, best: Sequence[Score]) -> list[str]:
    diverged = [f"{one.diverged} of {one.seeds}"] if _diverged_header(best) else []
    if one.is_lost:
        return ["-", "-", *diverged]
    return [f"{100 * one.mean:.2f}", f"{100 * one.low:.2f} - {100 * one.high:.2f}", *diverged]
