"""What `minidl train` does with data of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

import minidl
from minidl_experiments.console import say
from minidl_experiments.shell import INTERRUPTED, check_files, fail, load_figures, make_folder
from minidl_experiments.standard_streams import complain
from minidl_experiments.tabular.assessment import Assessment, assess, divide
from minidl_experiments.tabular.display import TrainingDisplay
from minidl_experiments.tabular.networks import optimizer_for
from minidl_experiments.tabular.options import SETTINGS, Options, read_option, read_options, read_toml
from minidl_experiments.tabular.printing import (
    baseline_words,
    plan_words,
    print_scores,
    problem_lines,
    training_lines,
)
from minidl_experiments.tabular.problem import Problem, pose
from minidl_experiments.tabular.reading import STDIN, read_table
from minidl_experiments.tabular.split import Part
from minidl_experiments.tabular.workers import HERE, Workers

FILES = "model.safetensors", "report.html", "scores.json", SETTINGS, "learning_curves.png", "confusion_matrix.png"


def train_on_tables(flags: Mapping[str, Any], settings: Path | None, workers: Workers = HERE) -> None:
    """Train, measure and write a model for tables.

    Parameters
    ----------
    flags : mapping
        The options of the command line by their names; None for those that are not given.
    settings : pathlib.Path or None
        A TOML file of options.
    workers : Workers
    """
    console = Console()
    try:
        options = read_options(settings, flags)
        workers.check(options)
        if options.stream:
            from minidl_experiments.streaming.command import train_on_stream  # noqa: PLC0415 - for --stream alone

            train_on_stream(console, options)
            return
        folder = folder_for(options)
        problem, parts = _divided(options)
    except (ValueError, TypeError, ImportError, ConnectionError) as error:
        fail(error)
    load_figures()
    for line in (*problem_lines(problem), plan_words(problem, options)):
        say(console, line, "  ")
    new = not folder.exists()
    make_folder(folder)
    check_files(*(folder / name for name in FILES))
    try:
        found = assessed(problem, options, parts, workers=workers)
    except typer.Exit:
        if new:
            folder.rmdir()  # nothing was written
        raise
    show_and_write(console, folder, problem, options, found)


def _divided(options: Options) -> tuple[Problem, list[Part]]:
    """Return the problem that the options pose, and its training and test rows; raise for whatever is wrong."""
    problem = pose(read_table(options.data), options)
    optimizer_for(options, minidl.Linear(1, 1), len(problem), 1)  # raises for settings that do not go together
    return problem, divide(problem, options)


def show_and_write(console: Console, folder: Path, problem: Problem, options: Options, found: Assessment) -> None:
    """Print how a training went, and write its files into a folder."""
    for line in (*(f"note: {note}" for note in found.notes), *training_lines(found, options)):
        say(console, line, "  ")
    print_scores(console, found.scores, found.interval, baseline_words(problem))
    _write(console, folder, problem, options, found)


def _write(console: Console, folder: Path, problem: Problem, options: Options, found: Assessment) -> None:
    """Write all files, and print their names."""
    from minidl_experiments.tabular import report  # noqa: PLC0415 - matplotlib is slow to import

    written = report.write_results(folder, problem, options, found)
    removed = report.remove_other_pictures(written, folder)
    for path in written:
        say(console, f"wrote {path}")
    for path in removed:
        say(console, f"removed {path} of an earlier training")


def folder_for(options: Options, suffix: str = "", own: str = SETTINGS) -> Path:
    """Return the folder of the results.

    Parameters
    ----------
    options : Options
    suffix : str
        Behind the name of the data, where the folder is named after them.
    own : str
        A file of the command, without which a folder with other files is not touched.

    Raises
    ------
    ValueError
        If there are no data.
    typer.Exit
        If there is something else in its place; the reason is printed.
    """
    if not options.data:
        raise ValueError("expected data, such as data.csv, or the key data in the file of --from")
    first = options.data[0]
    stem = "model" if first == STDIN else Path(first.removesuffix(".gz")).stem.strip("*?[]") or "model"
    folder = Path(options.out or f"{stem}{suffix}")
    if folder.exists() and not folder.is_dir():
        fail(f"--out: expected the name of a folder, got the file {folder}")
    if options.out is None and folder.exists() and any(folder.iterdir()) and not (folder / own).exists():
        name = "train" if own == SETTINGS else "sweep"
        fail(f"the folder {folder} has other files than those of minidl {name}: choose another by --out")
    if options.out is None and own == SETTINGS and first != STDIN:
        _check_owner(folder, first)
    return folder


def _check_owner(folder: Path, data: str) -> None:
    """End the command if a folder that is named after data has the model of others, which have the same name."""
    try:
        before = read_option(SETTINGS, "data", read_toml(folder / SETTINGS).get("data"))[0]
    except ValueError:  # there is no earlier training, or nobody can repeat it
        return
    if Path(before).resolve() != Path(data).resolve():
        fail(f"the folder {folder} has a model of other data, {before}: choose another by --out")


def assessed(
    problem: Problem, options: Options, parts: list[Part], kept: str = "nothing was written",
    workers: Workers = HERE,
) -> Assessment:  # fmt: skip
    """Train and measure, with a display; end the command on Ctrl-C and on an error.

    Parameters
    ----------
    problem : Problem
    options : Options
    parts : list of Part
        As `divide` returns them.
    kept : str
        What there is after Ctrl-C, in words.
    workers : Workers
    """
    try:
        with TrainingDisplay(Console(stderr=True), options.epochs) as display:
            return assess(problem, options, parts, display.watch, workers.train(display))
    except KeyboardInterrupt:
        complain(f"minidl: interrupted; {kept}")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenProcessPool:
        fail(f"processes were killed again and again, perhaps for lack of memory; {kept}")
    except (ValueError, TypeError, ConnectionError) as error:
        fail(error)
