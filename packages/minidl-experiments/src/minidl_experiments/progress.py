"""Progress displays: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.text import Text

from minidl_experiments.console import say

BETWEEN_LINES = 5.0  # seconds


class BarProgress:
    """A bar with words behind it, on a terminal; a context manager.

    Parameters
    ----------
    console : rich.console.Console
    words : callable
        As for `Words`.
    total : float
    completed : int
    """

    def __init__(
        self, console: Console, words: Callable[[Task], Sequence[str]], total: float, completed: int = 0
    ) -> None:
        self._console = console
        self._bar = Progress(
            BarColumn(bar_width=10), Words(words), console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self._bar.add_task("", total=total, completed=completed)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def reach(self, completed: float) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=completed)


class LineProgress(BarProgress, ABC):
    """A bar on a terminal, occasional plain lines elsewhere; a context manager.

    Parameters
    ----------
    console : rich.console.Console
    clock : callable
        Monotonic clock in seconds.
    total : float
    completed : int
    """

    def __init__(self, console: Console, clock: Callable[[], float], total: float, completed: int = 0) -> None:
        super().__init__(console, lambda _: self._words(), total, completed)
        self._clock = clock
        self._start = self._last_line = clock()

    def __enter__(self) -> Self:
        super().__enter__()
        self._say()
        return self

    @abstractmethod
    def _words(self) -> Sequence[str]:
        """Return how far the work is, the most important first."""

    def _update(self, completed: float, *, last: bool) -> None:
        """Move the bar; print a line if this was the last piece of work, or some time has passed."""
        self.reach(completed)
        if last or self._clock() - self._last_line >= BETWEEN_LINES:
            self._say()

    def _say(self) -> None:
        self._last_line = self._clock()
        if not self._console.is_terminal:
            say(self._console, ", ".join(self._words()))


class EpochProgress(BarProgress):
    """Counter of epochs over consecutive trainings; a context manager.

    Parameters
    ----------
    console : rich.console.Console
        Destination of the lines of `say`. A terminal also shows a bar with the remaining time.
    epochs : int
        Total number of epochs of all trainings.
    """

    def __init__(self, console: Console, epochs: int) -> None:
        super().__init__(console, _epoch_words, epochs)

    def start(self, name: str) -> None:
        """Set the name of the current training."""
        self._bar.update(self._task, description=name)

    def advance(self) -> None:
        """Count one epoch."""
        self._bar.advance(self._task)

    def say(self, line: str) -> None:
        """Print a line, above the bar if there is one."""
        say(self._console, line)


class Words(ProgressColumn):
    """Text column of a progress bar: as many parts as the terminal is wide enough for.

    Parameters
    ----------
    words : callable
        Function from a task to the parts of its text, the most important first.
    """

    def __init__(self, words: Callable[[Task], Sequence[str]]) -> None:
        super().__init__()
        self._words = words

    def render(self, task: Task) -> Fitting:
        """Return the text of a task."""
        return Fitting(self._words(task))


class Fitting:
    """Parts of a text between commas, of which rich prints the first ones that fit into one line.

    Parameters
    ----------
    parts : sequence of str
        At least one; if the first part does not fit itself, an ellipsis cuts it off.
    """

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = parts

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the least and the most columns that the text takes."""
        return Measurement(1, min(options.max_width, cell_len(", ".join(self._parts))))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the text."""
        shown = self._parts[0]
        for part in self._parts[1:]:
            longer = f"{shown}, {part}"
            if cell_len(longer) > options.max_width:
                break
            shown = longer
        yield Text(shown, overflow="ellipsis", no_wrap=True)


def _epoch_words(task: Task) -> list[str]:
    words = [f"{task.completed:.0f} of {task.total:.0f} epochs"]
    if task.time_remaining is not None:
        words.append(f"{time_words(task.time_remaining)} left")
    return [*words, task.description] if task.description else words


def time_words(seconds: float) -> str:
    """Return a duration as text: ``45 s``, ``3 min``, ``2 h 5 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
