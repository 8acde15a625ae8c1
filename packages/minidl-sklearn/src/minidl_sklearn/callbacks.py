"""The callbacks of a training, which are told the losses as the estimator reports them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

import minidl

Call = Callable[[int, minidl.History], object]


class Callbacks:
    """The callbacks of one training.

    `minidl.fit` would tell them its own history, whose losses per unit of weight are not always those of
    ``loss_curve_``, and with weights of samples it does not run the epochs.

    Parameters
    ----------
    callbacks : sequence of minidl.Callback or callable, or None
    validates : bool
        Whether there is a validation set.

    Attributes
    ----------
    history : minidl.History
        ``loss`` of the training set; of a validation set ``val_loss``, and ``val_score`` among the metrics.

    Raises
    ------
    TypeError
        If one of them cannot be called, or is a class where an object was meant.
    """

    def __init__(self, callbacks: Sequence[Call] | None, *, validates: bool) -> None:
        self._all = [] if callbacks is None else list(callbacks)
        for callback in self._all:
            if not callable(callback) or isinstance(callback, type):
                raise TypeError(f"callbacks: expected objects that can be called, got {callback!r}")
        curves: dict[str, bool | None] = {"loss": False, "val_loss": False, "val_score": True}
        self.history = minidl.History(higher_is_better=curves if validates else {"loss": False})

    def __bool__(self) -> bool:
        return bool(self._all)

    @contextmanager
    def told(self, model: minidl.Module, optimizer: minidl.Optimizer, epochs: int) -> Iterator[None]:
        """Tell each `minidl.Callback` the start and the end of the training in the block."""
        run = minidl.Run(model, optimizer, self.history, epochs)
        with ExitStack() as ends:
            for callback in self._all:
                if isinstance(callback, minidl.Callback):
                    callback.start(run)
                    ends.push(_end_of(callback))
            yield

    def end_epoch(self, loss: float, validation: tuple[float, float] | None) -> bool:
        """Note an epoch and ask the callbacks; return whether one of them ends the training.

        Parameters
        ----------
        loss : float
        validation : tuple of (score, loss), or None
        """
        if not self._all:
            return False
        measured = None
        if validation is not None:
            score, validation_loss = validation
            measured = minidl.Evaluation(validation_loss, None).with_metrics({"score": score})
        self.history.append(minidl.Evaluation(loss, None), measured)
        answers = [callback(len(self.history), self.history) for callback in self._all]
        return any(_is_true(answer) for answer in answers)


def _is_true(answer: object) -> bool:
    """Whether an answer is True, also as a NumPy scalar or an array without axes."""
    return isinstance(answer, bool | np.bool | np.ndarray) and np.ndim(answer) == 0 and bool(answer)


def _end_of(callback: minidl.Callback) -> Callable[..., None]:
    def tell(_kind: Any, error: BaseException | None, _traceback: Any) -> None:
        callback.finish(error)

    return tell
