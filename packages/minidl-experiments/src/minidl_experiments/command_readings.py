"""The command `minidl readings`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from minidl_experiments.printing import table_console
from minidl_experiments.progress import EpochProgress, say
from minidl_experiments.readings import RUNS, Reading, compare_readings, write_readings
from minidl_experiments.shell import REPRODUCTION, check_files, home_expanded, interrupted, make_folder
from minidl_experiments.statements import LATE

_COLUMNS = ("Adam train", "Adam test", "SGD train", "SGD test")
_AGREES = {True: "yes", False: "no", None: "undecided"}


def readings(
    out: Annotated[
        Path, typer.Option(callback=home_expanded, help="Folder for readings.json; created if missing.")
    ] = REPRODUCTION,
    seeds: Annotated[int, typer.Option(min=5, help="Networks per reading and optimizer, all trained at once.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="First of the consecutive seeds.")] = 0,
    epochs: Annotated[int, typer.Option(min=LATE, help="Epochs per network; 50 in the report.")] = 50,
) -> None:
    """Train every reading of the report's Figure 1 and compare it with the report's numbers.

    The readings differ in the position of the sigmoid, in the activation of the third hidden layer and in the reduction
    of the loss, a sum or a mean. Ctrl-C stops the training; finished readings are still written.
    """
    make_folder(out)
    check_files(out / "readings.json")
    errors, all_seeds = Console(stderr=True), range(seed, seed + seeds)
    with EpochProgress(errors, RUNS * epochs) as progress:
        found = compare_readings(all_seeds, epochs, progress)
    if found:
        written = write_readings(found, all_seeds, epochs, out)  # before the print, which a closed pipe may end
        console = table_console()
        print_readings(console, found)
        say(console, f"wrote {written}")
    if len(found) < RUNS // 2:
        interrupted(f"{len(found)} of {RUNS // 2} readings", out / "readings.json" if found else None)


def print_readings(console: Console, found: Sequence[Reading]) -> None:
    """Print mean accuracies and the objections to each reading.

    Parameters
    ----------
    console : rich.console.Console
    found : sequence of Reading
    """
    table = Table(box=SIMPLE_HEAD, title="Mean accuracy in %; the report: 98.4 and 97.5 with Adam")
    table.add_column("third hidden /\noutput units", no_wrap=True)
    table.add_column("loss", no_wrap=True)
    for name in _COLUMNS:
        table.add_column(name.replace(" ", "\n"), justify="right", no_wrap=True)
    for name in ("agrees", "seeds that\ndiverged"):
        table.add_column(name, justify="right", no_wrap=True)
    for reading in found:
        means = {quantity.name: f"{quantity.mean:.1f}" for quantity in reading.quantities}
        cells = [means.get(f"{name} accuracy", "diverges") for name in _COLUMNS]
        table.add_row(reading.network, str(reading.reduction), *cells, _AGREES[reading.agrees], _diverged(reading))
    console.print(table)
    for reading in found:
        if reading.objections:
            say(console, f"{reading.network}, {reading.reduction}:")
        for objection in reading.objections:
            say(console, f"    {objection}")


def _diverged(reading: Reading) -> str:
    """Return the number of diverged seeds, for each optimizer with which some seeds diverged but not all."""
    trained = [one for one in reading.quantities if one.name.endswith("train accuracy")]
    return ", ".join(f"{one.run} {one.diverged_words}" for one in trained if one.diverged)
