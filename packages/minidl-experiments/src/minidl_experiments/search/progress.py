"""Progress display of a search: a bar on a terminal, occasional plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np
from rich.console import Console

from minidl_experiments.progress import LineProgress, time_words
from minidl_experiments.search.candidate import candidate_words
from minidl_experiments.search.measures import WORDS
from minidl_experiments.search.result import Result, ordered
from minidl_experiments.search.table import score_words
from minidl_experiments.tabular.choices import Measure


class SearchProgress(LineProgress):
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
        self._measure, self._names, self._total, self._results = measure, names, total, list(finished)
        self._before = self._done = len(self._results) if done is None else done
        super().__init__(console, clock, total, self._before)

    def report(self, result: Result, _: int = 1) -> None:
        """Count a result."""
        self.trial(result)

    def trial(self, result: Result | None) -> None:
        """Count a trial, which has no result if it was pruned."""
        self._results += [] if result is None else [result]
        self._done += 1
        self._update(self._done, last=self._done >= self._total)

    def _words(self) -> list[str]:
        words = [f"{self._done} of {self._total} configurations"]
        new, spent = self._done - self._before, self._clock() - self._start
        if new and self._done < self._total:
            words.append(f"about {time_words(spent / new * (self._total - self._done))} left")
        elif self._done < self._total and self._console.is_terminal:
            words.append(f"{time_words(spent)} so far")
        best = next(iter(ordered(self._results, self._measure)), None)
        if best is not None and not np.isnan(best.score(self._measure)):
            settings = candidate_words(best.candidate, self._names)
            score = score_words(self._measure, best.score(self._measure))
            words += [f"best {WORDS[self._measure]} {score}", *[f"with {settings}"] * bool(settings)]
        return words
