"""The command `minidl evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from minidl_experiments.console import say
from minidl_experiments.shell import fail

_MODEL = typer.Argument(
    help="File of a model, as `minidl train data.csv` writes it.", metavar="model", show_default=False
)
_DATA = typer.Argument(
    help="File with the columns of the training and the targets; several of them, a pattern in quotes, or - for CSV on "
    "standard input.",
    show_default=False,
)
_DROP = typer.Option("--drop-unlabelled", help="Leave out rows without a target.", show_default=False)


def evaluate(
    model: Annotated[Path, _MODEL],
    data: Annotated[list[str], _DATA],
    *,
    drop_unlabelled: Annotated[bool, _DROP] = False,
) -> None:
    """Print how good a model of `minidl train data.csv` is on other rows.

    The scores are those of the training, with intervals over the rows.
    """
    from minidl_experiments.tabular.evaluation import evaluate_model  # noqa: PLC0415 - pandas is slow to import
    from minidl_experiments.tabular.model_file import load_model  # noqa: PLC0415 - the same
    from minidl_experiments.tabular.printing import print_scores  # noqa: PLC0415 - the same
    from minidl_experiments.tabular.reading import read_table  # noqa: PLC0415 - the same
    from minidl_experiments.tabular.words import counted  # noqa: PLC0415 - beside them

    console = Console()
    try:
        found = evaluate_model(load_model(model), read_table(data), drop_unlabelled=drop_unlabelled)
    except (ValueError, TypeError) as error:
        fail(error)
    say(console, f"data: {counted(found.rows, 'row')}")
    for note in found.notes:
        say(console, f"note: {note}", "  ")
    print_scores(console, found.scores, found.interval, "")
