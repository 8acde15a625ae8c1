"""Progress display of a sweep: a bar on a terminal, occasional plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console

from minidl_experiments.progress import LineProgress, time_words
from minidl_experiments.sweep.batches import cost
from minidl_experiments.sweep.grid import Grid, Run
from minidl_experiments.sweep.scores import Score, score
from minidl_experiments.sweep.train import Result
from minidl_experiments.sweep.words import config_words, percent


class SweepProgress(LineProgress):
    """Counter of configurations, with an estimate of the remaining time and the best score; a context manager.

    Parameters
    ----------
    console : rich.console.Console
    grid : Grid
    finished : dict of Run to float or None
        Test accuracies of the runs that are finished already.
    clock : callable
        Monotonic clock in seconds.
    """

    def __init__(
        self,
        console: Console,
        grid: Grid,
        finished: dict[Run, float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._grid = grid
        self._missing = {config: set(grid.seeds) for config in grid.configs}
        self._accuracies = {config: list[float | None]() for config in grid.configs}
        self._best: Score | None = None
        self._count(finished)
        self._work = sum(cost([run]) for run in grid.runs if run.seed in self._missing[run.config])
        self._done, self._seconds, self._workers = 0.0, 0.0, 1
        super().__init__(console, clock, self._work)

    def report(self, results: list[Result], workers: int) -> None:
        """Count the results of a batch; `workers` is the number of batches in parallel."""
        self._count({result.run: result.test_accuracy for result in results})
        self._done += sum(cost([result.run]) for result in results)
        self._seconds += sum(result.seconds for result in results)
        self._workers = workers
        self._update(self._done, last=self.complete)

    @property
    def complete(self) -> bool:
        """Whether all runs are finished."""
        return not any(self._missing.values())

    def _count(self, accuracies: dict[Run, float | None]) -> None:
        for (config, seed), accuracy in accuracies.items():
            if seed not in self._missing.get(config, ()):
                continue  # a run of another grid in the same file
            self._missing[config].remove(seed)
            self._accuracies[config].append(accuracy)
            if not self._missing[config]:
                self._compare(score(config, self._accuracies.pop(config)))

    def _compare(self, new: Score) -> None:
        if not new.is_lost and (self._best is None or new.rank < self._best.rank):
            self._best = new

    def _words(self) -> list[str]:
        done = sum(not seeds for seeds in self._missing.values())
        words = [f"{done} of {len(self._missing)} configurations"]
        spent = self._clock() - self._start
        if self._done and not self.complete:
            # Estimated total minus the time spent: the finished parts of running batches count too.
            whole = self._seconds * self._work / self._done / self._workers
            words.append(f"{time_words(max(0.0, whole - spent))} left")
        elif not self.complete and self._console.is_terminal:
            words.append(f"{time_words(spent)} so far")
        if self._best is not None:
            settings = config_words(self._best.config, self._grid.varied)
            words += [f"best {percent(self._best.mean)}", *[f"with {settings}"] * bool(settings)]
        return words
