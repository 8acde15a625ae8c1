"""What is shown while networks are trained: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class EpochProgress:
    """Counts epochs over several trainings, one after the other; used in a ``with`` statement.

    Parameters
    ----------
    console : rich.console.Console
        On a terminal it gets a bar with the time left; every line of `say` goes there too.
    epochs : int
        Of all trainings together.
    """

    def __init__(self, console: Console, epochs: int) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epochs,"),
            TimeElapsedColumn(),
            TextColumn("elapsed,"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=epochs)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, name: str) -> None:
        """Name the training that runs now."""
        self._bar.update(self._task, description=name)

    def advance(self) -> None:
        """Count one epoch."""
        self._bar.advance(self._task)

    def say(self, line: str) -> None:
        """Print a line, above the bar if there is one."""
        say(self._console, line)


def say(console: Console, line: str) -> None:
    """Print a line as it is: neither broken nor coloured, and brackets are no markup."""
    console.print(line, soft_wrap=True, highlight=False, markup=False)
