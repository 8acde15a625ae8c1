"""Progress display of a search: a bar on a terminal, occasional plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress

from minidl_experiments.console import say
from minidl_experiments.progress import Words, time_words
from minidl_experiments.search.candidate import candidate_words
from minidl_experiments.search.measures import WORDS
from minidl_experiments.search.result import Result, ordered
from minidl_experiments.search.table import score_words
from minidl_experiments.tabular.choices import Measure

BETWEEN_LINES = 5.0  # seconds


class SearchProgress:
    """Counter of configurations, with an estimate of the remaining time and the best score; a context manager.

    Parameters
    ----------
    console : rich.console.Console
    measure : Measure
    names : list of str
        The settings that are shown.
    total : int
        Number of configurations.
    finished : iterable of Result
        Those of an earlier start of the same search.
    done : int, optional
        Number of trials so far, of which some may have no result; by default those that are finished.
    clock : callable
        Monotonic clock in seconds.
    """

    def __init__(
        self,
        console: Console,
        measure: Measure,
        names: list[str],
        total: int,
        finished: Iterable[Result],
        done: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console, self._measure, self._names, self._total, self._clock = console, measure, names, total, clock
        self._results = list(finished)
        self._before = self._done = len(self._results) if done is None else done
        self._start = self._last_line = clock()
        self._bar = Progress(
            BarColumn(bar_width=10),
            Words(lambda _: self._words()),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total, completed=self._before)

    def __enter__(self) -> Self:
        self._bar.start()
        self._say()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def report(self, result: Result, _: int = 1) -> None:
        """Count a result."""
        self.trial(result)

    def trial(self, result: Result | None) -> None:
        """Count a trial, which has no result if it was pruned."""
        self._results += [] if result is None else [result]
        self._done += 1
        self._bar.update(self._task, completed=self._done)
        if self._done >= self._total or self._clock() - self._last_line >= BETWEEN_LINES:
            self._say()

    def _say(self) -> None:
        self._last_line = self._clock()
        if not self._console.is_terminal:
            say(self._console, self._words())

    def _words(self) -> str:
        words = [f"{self._done} of {self._total} configurations"]
        new, spent = self._done - self._before, self._clock() - self._start
        if new and self._done < self._total:
            words.append(f"about {time_words(spent / new * (self._total - self._done))} left")
        best = next(iter(ordered(self._results, self._measure)), None)
        if best is not None and not np.isnan(best.score(self._measure)):
            settings = candidate_words(best.candidate, self._names)
            score = score_words(self._measure, best.score(self._measure))
            words.append(f"best {WORDS[self._measure]} {score}" + (f" ({settings})" if settings else ""))
        return ", ".join(words)
