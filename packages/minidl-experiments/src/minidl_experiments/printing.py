"""Printing of the table and of the verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from minidl_experiments.console import loss_words, print_table, say
from minidl_experiments.rules import MARGIN
from minidl_experiments.statements import Verdict
from minidl_experiments.table import Quantity

_INSIDE = {True: "yes", False: "no", None: ""}
_HELD = {True: "held", False: "NOT HELD", None: "undecided"}
_INDENT = " " * 13  # of the lines below a verdict


def print_quantities(console: Console, quantities: Sequence[Quantity]) -> None:
    """Print the report's numbers next to the reproduced ones.

    Parameters
    ----------
    console : rich.console.Console
    quantities : sequence of Quantity
    """
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
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
    print_table(console, table)


def _cells(quantity: Quantity) -> tuple[str, ...]:
    unit, words = (" %", "{:.2f}".format) if quantity.unit == "%" else (" ", loss_words)
    report = "" if quantity.report is None else f"{quantity.report:.1f}{unit}"
    interval = f"{words(quantity.low)} - {words(quantity.high)}{unit}"
    return f"  {quantity.name}", report, f"{words(quantity.mean)}{unit}", interval, _INSIDE[quantity.inside]


def print_verdicts(console: Console, verdicts: Mapping[str, Verdict]) -> None:
    """Print the verdict on each statement of the report, with its numbers and its rule.

    Parameters
    ----------
    console : rich.console.Console
    verdicts : mapping of str to Verdict
        Verdicts by statement.
    """
    for text, verdict in verdicts.items():
        say(console, f"{_HELD[verdict.held] + ':':<12} {text}", _INDENT)
        say(console, f"{_INDENT}{verdict.evidence}", _INDENT)
        if verdict.rule:
            say(console, f"{_INDENT}held if {verdict.rule}", _INDENT)
    say(console, MARGIN)
