"""The callbacks of one training: who is one, what they answer, and that each is told the end."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeGuard

import numpy as np

from minidl.training.callbacks.callback import Callback, Run
from minidl.training.callbacks.checkpoint import Checkpoint
from minidl.training.callbacks.progress import Progress
from minidl.training.history import History


class Callbacks:
    """The callbacks of one training.

    Parameters
    ----------
    callbacks : sequence of Callback or callable
    progress : bool
        Whether a `Progress` comes first.

    Attributes
    ----------
    checkpoints : list of Checkpoint

    Raises
    ------
    TypeError
        If one cannot be called, or is a class where an object was meant.
    """

    def __init__(self, callbacks: Any, *, progress: bool) -> None:
        found: list[Any] = list(callbacks) if isinstance(callbacks, Iterable) else [None]
        if not all(map(callable, found)):
            raise TypeError(f"fit: expected callbacks to be a list of callables, got {callbacks!r}")
        for callback in found:
            if isinstance(callback, type) and issubclass(callback, Callback):
                raise TypeError(f"fit: expected callbacks to be objects, got the class {callback.__name__}: call it")
        self._all: list[Callable[[int, History], object]] = [*([Progress()] if progress else []), *found]
        self.checkpoints = [callback for callback in found if isinstance(callback, Checkpoint)]
        self._kept = [one for one in found if isinstance(one, Callback) and type(one).state is not Callback.state]

    def __bool__(self) -> bool:
        return bool(self._all)

    @contextmanager
    def told(self, run: Run) -> Iterator[None]:
        """Start all callbacks, and tell each that was started how the block ends, the last one first."""
        with ExitStack() as ends:
            for callback in self._all:
                if isinstance(callback, Callback):
                    callback.start(run)
                    ends.push(_end_of(callback))
            yield

    def epochs_ahead(self) -> int:
        """Return how many epochs may be trained before they are called; 1 where one is a plain function."""
        return min(map(_epochs_ahead, self._all), default=sys.maxsize)

    @property
    def read_parameters(self) -> bool:
        """Whether one of them reads the parameters when it is called for an epoch that is not the last one trained."""
        return any(isinstance(one, Callback) and one.reads_parameters for one in self._all)

    def states(self) -> list[list[Any]]:
        """Return the kind and the state of each callback that has one."""
        return [[type(callback).__name__, callback.state()] for callback in self._kept]

    def check_kinds(self, states: Any) -> None:
        """Raise unless states are of callbacks of these kinds, in this order."""
        expected, got = [kind for kind, _ in states], [type(callback).__name__ for callback in self._kept]
        if expected != got:
            raise ValueError(
                f"expected callbacks {', '.join(expected) or 'without state'}, got {', '.join(got) or 'none'}"
            )

    def restore(self, states: Any) -> None:
        """Give the callbacks, which have been started, their states back."""
        for callback, (_, state) in zip(self._kept, states, strict=True):
            callback.restore(state)

    def ask(self, epoch: int, history: History, replicate_shape: tuple[int, ...]) -> tuple[bool, np.ndarray | None]:
        """Call all callbacks.

        Parameters
        ----------
        epoch : int
        history : History
        replicate_shape : tuple of int

        Returns
        -------
        ends : bool
            Whether one of them ends the training.
        stops : array of bool, shape replicate_shape, or None
            The replicates that one of them stops, if there are any.
        """
        ends, stops = False, None
        for answer in [callback(epoch, history) for callback in self._all]:
            if answer is None:
                continue
            if replicate_shape and _is_mask(answer, replicate_shape):
                stops = answer if stops is None else stops | answer
            else:
                ends |= _is_true(answer)
        return ends, stops if stops is not None and stops.any() else None

    def ask_late(self, epoch: int, history: History, errors: dict[int, BaseException]) -> None:
        """Call all callbacks after an epoch of a single network that is no longer the last one trained.

        Parameters
        ----------
        epoch : int
        history : History
        errors : dict from int to BaseException
            The error of each callback that has raised one, which is not called again; the others know all epochs.
        """
        for index, callback in enumerate(self._all):
            if index in errors:
                continue
            try:
                if _is_true(callback(epoch, history)):
                    raise ValueError(  # noqa: TRY301 - an error of the callback as any other
                        f"fit: expected no end of the training after epoch {epoch}, as the epochs_ahead of "
                        f"{type(callback).__name__} has promised"
                    )
            except BaseException as error:  # noqa: BLE001 - for the caller to raise when all is noted
                errors[index] = error


def _epochs_ahead(callback: Callable[[int, History], object]) -> int:
    """Return how many epochs may be trained before a callback is called.

    Raises
    ------
    TypeError
        For an answer that is neither an integer nor inf.
    """
    answer: Any = callback.epochs_ahead() if isinstance(callback, Callback) and _promises(type(callback)) else 1
    try:
        return sys.maxsize if answer == math.inf else max(1, operator.index(answer))
    except TypeError:
        kind = type(callback).__name__
        raise TypeError(f"fit: expected epochs_ahead of {kind} to return an integer or inf, got {answer!r}") from None


def _promises(kind: type[Callback]) -> bool:
    """Whether `epochs_ahead` speaks for `__call__`: that of a base class does not for a new `__call__`."""
    own = [next(place for place, base in enumerate(kind.__mro__) if name in vars(base)) for name in _PAIR]
    return own[0] <= own[1]


_PAIR = "epochs_ahead", "__call__"


def _end_of(callback: Callback) -> Callable[..., None]:
    def tell(_kind: Any, error: BaseException | None, _traceback: Any) -> None:
        callback.finish(error)

    return tell


def _is_mask(answer: object, replicate_shape: tuple[int, ...]) -> TypeGuard[np.ndarray]:
    return isinstance(answer, np.ndarray) and answer.dtype == bool and answer.shape == replicate_shape


def _is_true(answer: Any) -> bool:
    """Whether an answer is True or 1, also as a number or an array of one element of either library."""
    if hasattr(answer, "shape") and hasattr(answer, "item") and math.prod(answer.shape) == 1:
        answer = answer.item()
    return isinstance(answer, bool | int) and answer == 1
