"""The command `minidl reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from minidl_experiments.claims import judge_claims
from minidl_experiments.console import say
from minidl_experiments.experiments import RUNS
from minidl_experiments.printing import print_quantities, print_verdicts
from minidl_experiments.progress import EpochProgress
from minidl_experiments.reproduction import (
    FIGURES,
    Reproduction,
    remove_other_figures,
    reproduce,
    write_figures,
    write_table,
)
from minidl_experiments.shell import (
    REPRODUCTION,
    check_files,
    home_expanded,
    interrupted,
    load_figures,
    make_folder,
)
from minidl_experiments.table import list_quantities


def reproduce_command(
    out: Annotated[
        Path, typer.Option(callback=home_expanded, help="Folder for the figures and the table; created if missing.")
    ] = REPRODUCTION,
    seeds: Annotated[int, typer.Option(min=1, help="Networks per experiment, all trained at once.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="First of the consecutive seeds.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs per network; 50 in the report.")] = 50,
) -> None:
    """Train the report's networks for many seeds, draw its figures and check its statements.

    Writes figure_2a.png, figure_2b.png, figure_3.png, figure_4.png and table.json, and prints the table. Ctrl-C stops
    the training; finished runs are still written, and figures of an earlier run that this run did not draw are removed.
    """
    make_folder(out)
    check_files(*(out / f"{name}.png" for name in FIGURES), out / "table.json")
    load_figures()
    with EpochProgress(Console(stderr=True), len(RUNS) * epochs) as progress:
        reproduction = reproduce(range(seed, seed + seeds), epochs, progress)
    finished = bool(reproduction.results)
    if finished:
        _write(reproduction, out)
    if not reproduction.complete:
        interrupted(f"{len(reproduction.results)} of {len(RUNS)} runs", out / "table.json" if finished else None)


def _write(reproduction: Reproduction, folder: Path) -> None:
    console = Console()
    table, figures = write_table(reproduction, folder), write_figures(reproduction.results, folder)
    removed = remove_other_figures(figures, folder)
    print_quantities(console, list_quantities(reproduction.results))
    print_verdicts(console, judge_claims(reproduction.results))
    say(console, "wrote " + ", ".join(map(str, [*figures, table])))
    if removed:
        say(console, f"removed {', '.join(map(str, removed))} of an earlier run")
