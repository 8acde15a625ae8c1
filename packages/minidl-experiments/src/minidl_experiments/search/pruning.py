"""What the pruner of Optuna is told of the trials in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import minidl
from minidl_experiments.tabular.training import Watch

EVERY = 5  # epochs between two reports to the pruner, each of which is written into the storage


class Reports:
    """What the pruner is told: after some epochs the lowest validation loss so far, a mean over folds and networks.

    Parameters
    ----------
    trials : sequence of optuna.trial.Trial
        Of the configurations that are trained at once, each with as many networks.
    pruned : type of exception
    sign : {1, -1}
        -1 if higher scores are better, so that the reports point in the same direction.

    Attributes
    ----------
    ended : list of bool
        The trials that the pruner has ended.
    """

    def __init__(self, trials: Sequence[Any], pruned: type[BaseException], sign: int) -> None:
        self._trials, self._pruned, self._sign, self._step = trials, pruned, sign, 0
        self.ended = [False] * len(trials)

    def watch(self, _: str) -> Watch:
        """Begin a training; return the function to call after each of its epochs.

        The function stops the networks of a trial that is ended, and raises `pruned` when all trials are.
        """
        lowest: Any = np.inf

        def report(epoch: int, history: minidl.History) -> np.ndarray | None:
            nonlocal lowest
            lowest = np.fmin(lowest, (history.val_loss or history.loss)[-1])
            self._step += 1
            if epoch % EVERY:
                return None
            each = lowest.reshape(len(self._trials), -1)
            for number, value in enumerate(each.mean(axis=1).tolist()):
                self._report(number, value)
            if all(self.ended):
                raise self._pruned
            return np.repeat(self.ended, each.shape[1])

        return report

    def _report(self, number: int, value: float) -> None:
        """Tell the pruner about a trial, unless it has been ended, and ask."""
        if self.ended[number] or not np.isfinite(value):
            return
        trial = self._trials[number]
        trial.report(self._sign * value, self._step)
        self.ended[number] = bool(trial.should_prune())
