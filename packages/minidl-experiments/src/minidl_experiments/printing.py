"""Printing of the table and of the verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from minidl_experiments.progress import say
from minidl_experiments.statements import Verdict
from minidl_experiments.table import Quantity

_INSIDE = {True: "yes", False: "no", None: ""}
_HELD = {True: "held", False: "NOT HELD", None: "undecided"}
_TABLE = 100  # minimum width in columns: a narrower terminal wraps lines, but no cell is truncated


def table_console() -> Console:
    """Return a console on standard output that is wide enough for a whole table."""
    console = Console()
    console.width = max(console.width, _TABLE)
    return console


def print_quantities(console: Console, quantities: Sequence[Quantity]) -> None:
    """Print the report's numbers next to the reproduced ones.

    Parameters
    ----------
    console : rich.console.Console
    quantities : sequence of Quantity
    """
    table = Table(box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    diverged = ["diverged"] if any(quantity.diverged for quantity in quantities) else []
    for name in ("report", "mean", "5-95 %", "inside", *diverged):
        table.add_column(name, justify="right", no_wrap=True)
    run = ""
    for quantity in quantities:
        if quantity.run != run:
            run = quantity.run
            table.add_row(run, style="bold")
        table.add_row(*_cells(quantity), *[quantity.diverged_words for _ in diverged])
    console.print(table)


def _cells(quantity: Quantity) -> tuple[str, ...]:
    unit, digits = ("%", 2) if quantity.unit == "%" else ("", 4)
    report = "" if quantity.report is None else f"{quantity.report:.{digits - 1}f} {unit}"
    interval = f"{quantity.low:.{digits}f} - {quantity.high:.{digits}f} {unit}"
    return f"  {quantity.name}", report, f"{quantity.mean:.{digits}f} {unit}", interval, _INSIDE[quantity.inside]


def print_verdicts(console: Console, verdicts: Mapping[str, Verdict]) -> None:
    """Print the verdict on each statement of the report.

    Parameters
    ----------
    console : rich.console.Console
    verdicts : mapping of str to Verdict
        Verdicts by statement.
    """
    for text, verdict in verdicts.items():
        say(console, f"{_HELD[verdict.held] + ':':<12} {text}")
        say(console, f"{'':<12} {verdict.evidence}")
    say(console, "± is twice the standard error over the seeds; a difference within it is undecided")
