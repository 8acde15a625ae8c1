"""How long a curve of each replicate has not improved."""

from __future__ import annotations

import math
from operator import attrgetter
from typing import Any, Protocol

import numpy as np

from minidl.arrays.checks import as_count
from minidl.training.callbacks.callback import Run
from minidl.training.history import History


def epochs(name: str, doc: str) -> property:
    """Return a property for a number of epochs, at least 1."""

    def assign(self: Any, value: Any) -> None:
        setattr(self, f"_{name}_", as_count(type(self).__name__, name, value))

    return property(attrgetter(f"_{name}_"), assign, doc=doc)


class Monitoring(Protocol):
    """A callback that watches a curve."""

    monitor: str
    min_delta: Any


class Patience:
    """Counts the epochs since the curve of each replicate last improved.

    Parameters
    ----------
    callback : Monitoring
        Names the curve, and the change that is no improvement yet.
    run : Run

    Attributes
    ----------
    best_epoch : int, or array of int of shape replicate_shape
        The epoch of the best value so far; 0 before there is one.
    waited : int, or array of int of shape replicate_shape
        Epochs without improvement. Whoever acts on them may set some to 0.

    Raises
    ------
    ValueError
        If the training has no such curve, or it is not known whether its rise or its fall is an improvement.
    """

    def __init__(self, callback: Monitoring, run: Run) -> None:
        curves, shape = run.history.higher_is_better, run.model.replicate_shape
        higher = _direction(type(callback).__name__, callback.monitor, curves)
        self._callback, self._sign = callback, -1.0 if higher else 1.0
        # Numbers for a single network: NumPy's arithmetic with arrays of no axes is slow.
        self._best: Any = np.full(shape, np.inf) if shape else math.inf  # with its sign turned where higher is better
        self.best_epoch: Any = np.zeros(shape, int) if shape else 0
        self.waited: Any = np.zeros(shape, int) if shape else 0

    def watch(self, epoch: int, history: History) -> Any:
        """Look at the last entry of the curve; return what has improved, a bool or one per replicate. nan has not."""
        value = self._sign * history.last(self._callback.monitor)
        better = value < self._best - self._callback.min_delta
        self._best = chosen(better, value, self._best)
        self.best_epoch = chosen(better, epoch, self.best_epoch)
        self.waited = chosen(better, 0, self.waited + 1)
        return better

    def epochs_left(self, patience: int) -> int:
        """Return after how many epochs at the earliest one has waited for so many."""
        return patience - int(np.max(self.waited))

    def state(self) -> dict[str, Any]:
        """Return the best values, their epochs, and the epochs waited since."""
        return {"best": self._best, "best_epoch": self.best_epoch, "waited": self.waited}

    def restore(self, state: Any) -> None:
        """Take over what `state` has returned.

        Raises
        ------
        ValueError
            For anything but three numbers, or three arrays of the replicates.
        """
        now = self.state()
        if state.keys() != now.keys() or any(np.shape(state[name]) != np.shape(now[name]) for name in now):
            raise ValueError(f"{type(self._callback).__name__}: expected {', '.join(now)}, one per network")
        number = np.array if np.ndim(self._best) else float
        count = np.array if np.ndim(self._best) else int
        self._best, self.best_epoch, self.waited = (
            number(state["best"]), count(state["best_epoch"]), count(state["waited"])
        )  # fmt: skip

    def best(self) -> Any:
        """Return the best values so far, nan before there is one."""
        return chosen(self.best_epoch > 0, self._sign * self._best, math.nan)


def chosen(mask: Any, new: Any, old: Any) -> Any:
    """Return the new number if the mask says so, else the old one; of arrays, element by element."""
    if isinstance(mask, np.ndarray):
        return np.where(mask, new, old)
    return new if mask else old


def _direction(who: str, monitor: str, curves: dict[str, bool | None]) -> bool:
    """Return whether higher values of a curve are better."""
    if monitor not in curves:
        hint = "; give fit a validation set" if str(monitor).startswith("val_") else ""
        raise ValueError(
            f"{who}: expected monitor to be a curve of this training, {', '.join(curves)}, got {monitor!r}{hint}"
        )
    higher = curves[monitor]
    if higher is None:
        raise ValueError(
            f"{who}: expected a monitor that is known to improve when it rises or when it falls, got {monitor!r}: give "
            "the metric the attribute higher_is_better, True or False"
        )
    return higher
