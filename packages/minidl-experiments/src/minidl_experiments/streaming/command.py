"""What `minidl train --stream` does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

import minidl
from minidl_experiments.console import say
from minidl_experiments.progress import BarProgress
from minidl_experiments.shell import INTERRUPTED, check_files, load_figures, make_folder
from minidl_experiments.standard_streams import complain
from minidl_experiments.streaming.batches import BUFFER
from minidl_experiments.streaming.memory import memory_words
from minidl_experiments.streaming.source import Pieces
from minidl_experiments.streaming.survey import Survey, survey
from minidl_experiments.streaming.training import assess_stream, train_stream
from minidl_experiments.tabular.command import FILES, folder_for, show_and_write
from minidl_experiments.tabular.display import TrainingDisplay
from minidl_experiments.tabular.encoder import NumberColumn
from minidl_experiments.tabular.networks import optimizer_for
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.words import counted


def train_on_stream(console: Console, options: Options) -> None:
    """Train, measure and write a model for tables that are larger than the memory.

    Parameters
    ----------
    console : rich.console.Console
    options : Options

    Raises
    ------
    ValueError
        For options, files and cells that are wrong, before anything is written.
    """
    folder = folder_for(options)
    pieces = Pieces(options.data)
    optimizer_for(options, minidl.Linear(1, 1), len(pieces), 1)  # raises for settings that do not go together
    load_figures()
    errors = Console(stderr=True)
    with _interruptible():
        found = _surveyed(errors, pieces, options)
        lines = list(_lines(found, options))
        for line in lines:
            say(console, line, "  ")
        new = not folder.exists()
        make_folder(folder)
        check_files(*(folder / name for name in FILES))
        try:
            with TrainingDisplay(errors, options.epochs) as display:
                trained = train_stream(found, options, display.watch(f"{counted(options.networks, 'network')}"))
            problem, assessment = assess_stream(found, options, trained, lines)
        except BaseException:
            if new:
                folder.rmdir()  # nothing was written
            raise
    show_and_write(console, folder, problem, options, assessment)
    say(console, memory_words())


@contextmanager
def _interruptible() -> Iterator[None]:
    """End the command in one line on Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        complain("minidl: interrupted; nothing was written")
        raise typer.Exit(INTERRUPTED) from None


def _surveyed(errors: Console, pieces: Pieces, options: Options) -> Survey:
    """Make the first pass, with a bar on a terminal."""
    words = lambda task: [f"first pass: {task.completed:.0f} of {task.total:.0f} rows"]  # noqa: E731 - as short as it is
    with BarProgress(errors, words, len(pieces)) as bar:
        return survey(pieces, options, bar.reach)


def _lines(found: Survey, options: Options) -> Iterator[str]:
    """Yield what the data are and how they are used, in words."""
    texts = sum(not isinstance(column, NumberColumn) for column in found.encoder.columns)
    pieces = found.pieces
    yield f"data: {counted(len(pieces), 'row')} in {counted(len(pieces.groups), 'group')}, read piece by piece"
    yield f"columns: {len(found.encoder.columns) - texts} of numbers, {texts} of text"
    yield f"task: {found.task} ({found.reason})"
    stops = f", {len(found.validation)} for early stopping" if options.early_stopping else ""
    yield (
        f"plan: {counted(options.networks, 'network')} on {found.rows} rows, in random groups and mixed among {BUFFER} "
        f"of them{stops}, tested on {len(found.test)}"
    )
