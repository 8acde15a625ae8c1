"""Declarations of options that several commands have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import typer

from minidl_experiments.shell import fail
from minidl_experiments.tabular.choices import Missing, Task

TABLE = "Your own data"
MOST_JOBS = 1000


def option(panel: str, text: str | None = None, *names: str, **more: Any) -> Any:
    """Declare an option of a panel of the help."""
    return typer.Option(*names, rich_help_panel=panel, help=text, **more)


def choice(panel: str, text: str, kind: type[StrEnum], **more: Any) -> Any:
    """Declare an option that takes a name; the names stand in the help, where lines break between words."""

    def read(text: str) -> StrEnum:
        try:
            return kind(text)
        except ValueError as error:
            raise typer.BadParameter(f"expected one of {', '.join(kind)}, got {text!r}") from error

    return option(panel, f"{text}: {', '.join(kind)}.", parser=read, metavar="<name>", **more)


def number(panel: str, text: str, **more: Any) -> Any:
    """Declare an option that takes a decimal number."""
    return option(panel, text, parser=_read_number, metavar="<float>", **more)


def count(panel: str, text: str, low: int | None = 1, high: int | None = None, **more: Any) -> Any:
    """Declare an option that takes an integer; without `low`, whoever reads the options checks it."""

    def read(text: str | int) -> int:
        try:
            value = int(text)
            if (low is None or low <= value) and (high is None or value <= high):
                return value
        except ValueError:
            pass
        raise typer.BadParameter(f"expected an integer{_limits(low, high)}, got {text!r}")

    return option(panel, text, parser=read, metavar="<int>", **more)


def _limits(low: int | None, high: int | None) -> str:
    if low is None:
        return ""
    return f" that is at least {low}" if high is None else f" from {low} to {high}"


def _read_number(text: str | float) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a number with a decimal point, such as 0.1, got {text!r}") from error


def refuse(given: Mapping[str, Any], names: Iterable[str], why: str) -> None:
    """End the command if an option was given that it has no use for.

    Parameters
    ----------
    given : mapping
        The options by their names; None and an empty list stand for one that is not given.
    names : iterable of str
    why : str
    """
    for name in names:
        if given[name] not in (None, [], ()):
            fail(f"--{name.replace('_', '-')}: {why}")


FILES = typer.Argument(
    help="Your data: CSV or TSV, also by gzip, Parquet, .npz or .npy; several files, a pattern in quotes, or - for CSV "
    "on standard input.",
    show_default=False,
)
TARGET = option(TABLE, "Column to predict; give the option again for several columns of numbers.")
TASK = choice(TABLE, "What the target is", Task, show_default="guessed")
DROP = option(TABLE, "Column to leave out; may be given again.")
CATEGORICAL = option(TABLE, "Column of categories that look like numbers; may be given again.")
MISSING = choice(TABLE, "Missing cells; impute takes the median of the training rows", Missing, show_default="impute")
UNLABELLED = option(TABLE, "Leave out rows without a target.", "--drop-unlabelled", show_default=False)
NETWORKS = count(
    TABLE, "Networks whose mean is predicted, with the spread between them; at most 1000.", None, show_default="5"
)
STOPPING = option(
    TABLE, "End when the loss of a validation part of the training rows no longer falls.",
    "--early-stopping/--no-early-stopping", show_default="on",
)  # fmt: skip
