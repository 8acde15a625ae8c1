"""Text and tables in the width of the terminal: lines break between words, and no cell is truncated."""

from __future__ import annotations

import os
import textwrap

from rich.console import Console
from rich.table import Table

_HUGE = 1000  # larger losses have three digits and an exponent


def width_of(console: Console) -> int | None:
    """Return the number of columns; None for a file or a pipe, unless the variable COLUMNS states a number.

    Parameters
    ----------
    console : rich.console.Console

    Returns
    -------
    int or None
    """
    return console.width if console.is_terminal or "COLUMNS" in os.environ else None


def fit(console: Console, text: str, indent: str = "") -> str:
    """Break lines between words where they are wider than the console; file names and other long words stay whole.

    Parameters
    ----------
    console : rich.console.Console
    text : str
    indent : str
        Beginning of each line but the first of a broken line.

    Returns
    -------
    str
    """
    width = width_of(console)
    if width is None:
        return text
    return "\n".join(_broken(line, width, indent) for line in text.split("\n"))


def _broken(line: str, width: int, indent: str) -> str:
    if len(line) <= width:
        return line
    return textwrap.fill(
        line, max(width, len(indent) + 1), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def say(console: Console, text: str, indent: str = "") -> None:
    """Print text verbatim, without highlighting or markup, with the line breaks of `fit`."""
    console.print(fit(console, text, indent), soft_wrap=True, highlight=False, markup=False)


def natural_width(console: Console, table: Table) -> int:
    """Return the number of columns that a table takes with every cell on one line."""
    return console.measure(table, options=console.options.update(max_width=10_000)).maximum


def print_table(console: Console, table: Table, width: int | None = None) -> None:
    """Print a table whose cells are never truncated, even if it is wider than the console.

    Parameters
    ----------
    console : rich.console.Console
    table : rich.table.Table
    width : int, optional
        Number of columns for a table with cells of several lines; its natural width by default.
    """
    before = console.width
    console.width = max(before, width or natural_width(console, table))
    console.print(table)
    console.width = before


def print_cells(console: Console, table: Table) -> None:
    """Print a table, on a narrower terminal a line of text for each row, broken between words."""
    width = width_of(console)
    if width is None or natural_width(console, table) <= width:
        print_table(console, table)
        return
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        words = (f"{column.header} {cell}" for column, cell in zip(table.columns, cells, strict=True))
        say(console, ", ".join(words), "  ")


def loss_words(loss: float) -> str:
    """Return a loss or a difference of losses as text: ``0.0352``, ``6.88e6``."""
    return f"{loss:.2e}".replace("e+0", "e").replace("e+", "e") if abs(loss) >= _HUGE else f"{loss:.4f}"
