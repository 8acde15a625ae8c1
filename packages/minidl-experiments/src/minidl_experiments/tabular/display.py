"""Live display of a training: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Task

import minidl
from minidl_experiments.console import loss_words, say
from minidl_experiments.progress import BarProgress, time_words
from minidl_experiments.tabular.training import Watch

LINES = 10  # of a training, where there is no terminal


class TrainingDisplay(BarProgress):
    """Epochs, loss and validation of consecutive trainings; a context manager.

    Parameters
    ----------
    console : rich.console.Console
        A terminal shows a bar with the time left; anything else gets a line after every tenth of the epochs.
    epochs : int
        The most epochs of a training.
    """

    def __init__(self, console: Console, epochs: int) -> None:
        super().__init__(console, _words, epochs)
        self._epochs = epochs
        self._bar.update(self._task, found=(), blocks="")

    def blocks(self, finished: int, count: int) -> None:
        """Show how many blocks of the networks are trained, where their epochs are made by workers."""
        words = f"{finished} of {count} blocks of networks are trained"
        self._bar.update(self._task, completed=self._epochs * finished // count, blocks=words)
        if not self._console.is_terminal:
            say(self._console, words)

    def lost(self) -> None:
        """Say that a worker has died."""
        say(self._console, "minidl: a process has died; its networks are trained again")

    def watch(self, name: str) -> Watch:
        """Begin a training, and return the function to call after each of its epochs.

        Parameters
        ----------
        name : str
            Of the training, in words.
        """
        self._bar.reset(self._task, total=self._epochs, description=name, found=(), blocks="")
        every = max(1, self._epochs // LINES)

        def show(epoch: int, history: minidl.History) -> None:
            found = curve_words(history)
            self._bar.update(self._task, completed=epoch, found=found)
            if not self._console.is_terminal and epoch % every == 0:
                say(self._console, f"{name}: epoch {epoch} of at most {self._epochs}, {', '.join(found)}")

        return show


def curve_words(history: minidl.History) -> list[str]:
    """Return the last loss and validation in words; of several networks the means of those that are still trained."""
    parts = [f"loss {loss_words(_mean(history.loss[-1]))}"]
    if history.val_loss:
        parts.append(f"validation {loss_words(_mean(history.val_loss[-1]))}")
    if "val_r2" in history.metrics:
        parts.append(f"R² {_mean(history.metrics['val_r2'][-1]):.3f}")
    if history.val_accuracy:
        parts.append(f"accuracy {100 * _mean(history.val_accuracy[-1]):.1f} %")
    return parts


def _mean(values: Any) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if there.size else float("nan")


def _words(task: Task) -> list[str]:
    if task.fields["blocks"]:
        return [task.fields["blocks"], task.description]
    words = [f"epoch {task.completed:.0f} of at most {task.total:.0f}"]
    if task.time_remaining is not None:
        words.append(f"at most {time_words(task.time_remaining)} left")
    return [*words, *task.fields["found"], task.description]
