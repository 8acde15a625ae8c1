"""The command `minidl readings`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from minidl_experiments.console import print_table, say
from minidl_experiments.progress import EpochProgress
from minidl_experiments.readings import RUNS, Reading, compare_readings, write_readings
from minidl_experiments.rules import AGREEMENT, LATE, MARGIN
from minidl_experiments.shell import REPRODUCTION, check_files, home_expanded, interrupted, make_folder

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
        console = Console()
        print_readings(console, found)
        say(console, f"wrote {written}")
    if len(found) < RUNS // 2:
        interrupted(f"{len(found)} of {RUNS // 2} readings", out / "readings.json" if found else None)


def print_readings(console: Console, found: Sequence[Reading]) -> None:
    """Print mean accuracies, the objections to each reading and the rules of the verdicts.

    Parameters
    ----------
    console : rich.console.Console
    found : sequence of Reading
    """
    table = Table(
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title="Mean accuracy in %; the report: 98.4 and 97.5 with Adam"
    )
    table.add_column("third hidden /\noutput units", no_wrap=True)
    table.add_column("loss", no_wrap=True)
    for name in _COLUMNS:
        table.add_column(name.replace(" ", "\n"), justify="right", no_wrap=True)
    for name in ("agrees", "seeds that\ndiverged"):
        table.add_column(name, justify="right", no_wrap=True)
    for reading in found:
        means = {quantity.name: f"{quantity.mean:.1f}" for quantity in reading.quantities}
        cells = [means.get(f"{name} accuracy", "-") for name in _COLUMNS]
        table.add_row(reading.network, str(reading.reduction), *cells, _AGREES[reading.agrees], _diverged(reading))
    print_table(console, table)
    for reading in found:
        if reading.objections:
            say(console, f"{reading.network}, {reading.reduction}:")
        for objection in reading.objections:
            say(console, f"    {objection}", " " * 8)
    _print_rules(console, found)


def _print_rules(console: Console, found: Sequence[Reading]) -> None:
    """Print the rule of each statement once."""
    say(console, f"A reading {AGREEMENT}. A statement is held if its rule is met:")
    for text, rule in {text: one.rule for reading in found for text, one in reading.verdicts.items()}.items():
        say(console, f"    {text}: {rule}", " " * 8)
    say(console, MARGIN)


def _diverged(reading: Reading) -> str:
    """Return the number of diverged seeds, a line for each optimizer with which a seed diverged."""
    trained = {one.run: one.diverged_words for one in reading.quantities if one.name.endswith("train accuracy")}
    lost = {name: trained.get(name, "all") for name in ("Adam", "SGD")}
    return "\n".join(f"{name} {words}" for name, words in lost.items() if words)
