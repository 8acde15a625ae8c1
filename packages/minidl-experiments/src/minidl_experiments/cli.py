"""The command `minidl`: `train`, `predict`, `evaluate`, `export`, and the report's experiments and exercises."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from minidl_experiments import __version__
from minidl_experiments.command_evaluate import evaluate
from minidl_experiments.command_export import export
from minidl_experiments.command_predict import predict
from minidl_experiments.command_readings import readings
from minidl_experiments.command_reproduce import reproduce_command
from minidl_experiments.command_train import train
from minidl_experiments.exercises.command import exercise
from minidl_experiments.shell import OneLineErrors
from minidl_experiments.sweep.command import sweep

app = typer.Typer(
    cls=OneLineErrors,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("reproduce")(reproduce_command)
app.command("readings")(readings)
app.command("train")(train)
app.command("predict")(predict)
app.command("evaluate")(evaluate)
app.command("export")(export)
app.command("sweep")(sweep)
app.add_typer(exercise, name="exercise")


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer passes the flag by position
    if wanted:
        sys.stdout.write(f"minidl {__version__}\n")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[  # noqa: FBT002 - the callback handles the flag
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train small networks on your own data, and predict, measure and export what they have learned.

    Or repeat the experiments of the report behind minidl, or learn
    backpropagation by exercises.
    """
