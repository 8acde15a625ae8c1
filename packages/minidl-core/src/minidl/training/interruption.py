"""Ctrl-C in the middle of an epoch: it waits for the end of a step, and what was done is kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Self

import numpy as np

from minidl.training.metrics import Sums


@dataclass
class Position:
    """How far an epoch is.

    Attributes
    ----------
    epoch : int
        Counted from 1.
    order : array of int or None
        The order of its samples, as in `Part`.
    t : int
        Number of steps that the optimizer had made when the epoch began.
    done : array of int, shape replicate_shape
        Batches of this epoch that each replicate has learnt from.
    sums : Sums or None
        What those batches have added up to, if the epoch was interrupted.
    """

    epoch: int
    order: np.ndarray | None
    t: int
    done: np.ndarray
    sums: Sums | None = None

    def groups(self, replicates: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Iterate over replicates that are equally far: their number of batches, and which they are, as bools.

        In the engine, each thread goes through the epoch with replicates of its own.
        """
        for done in np.unique(self.done[replicates]).tolist():
            yield done, replicates & (self.done == done)


@dataclass(frozen=True)
class Interruption:
    """What a training needs to go on as if it had not been interrupted, beside model, optimizer and history.

    Attributes
    ----------
    position : Position or None
        In the epoch that was interrupted; None between two epochs.
    source : object
        The state of the source of batches.
    """

    position: Position | None
    source: Any


class Deferred:
    """A block in which Ctrl-C waits until `check` is called, or the block ends; a second one does not wait.

    The handler that was there decides what happens then. In other threads than the main one, where no signal arrives,
    and where none of Python's handlers is there, nothing is changed.

    Attributes
    ----------
    in_order : bool
        Whether the signal has waited, so that it arrived between two steps.
    """

    def __init__(self) -> None:
        self._handler: Any = None
        self._pending: tuple[int, FrameType | None] | None = None
        self._is_second = False
        self.in_order = False
        self.let_through = _Gate(self)
        """Lets the signal through in a block, where no state is changed, or the code keeps its own in order."""

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                self._handler, self._own = handler, self._note
                signal.signal(signal.SIGINT, self._own)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._handler is not None:
            if signal.getsignal(signal.SIGINT) is self._own:  # a callback may have set another
                signal.signal(signal.SIGINT, self._handler)
            self.check()

    @property
    def later(self) -> AbstractContextManager[None]:
        """`let_through`; where a signal has come already, a block behind which it is let through."""
        return self.let_through if self._pending is None else self._check_after()

    @contextmanager
    def _check_after(self) -> Iterator[None]:
        yield
        self.check()

    def check(self) -> None:
        """Let the signal through, if there was one."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self.in_order = not self._is_second
            self._handler(*pending)
            self.in_order = False  # the handler has raised nothing

    def _note(self, number: int, frame: FrameType | None) -> None:
        is_second = self._pending is not None
        self._pending = number, frame
        self._is_second = is_second and not self.let_through.is_open
        if is_second or self.let_through.is_open:
            self.check()


class _Gate:
    """A block in which a signal is let through; entered a few times in each epoch, so as short as can be."""

    def __init__(self, deferred: Deferred) -> None:
        self._deferred, self.is_open = deferred, False

    def __enter__(self) -> None:
        self._deferred.check()
        self.is_open = True

    def __exit__(self, *_: object) -> None:
        self.is_open = False
