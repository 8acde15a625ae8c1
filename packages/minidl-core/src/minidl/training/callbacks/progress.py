"""Progress of a training on the standard error stream."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import Any

from minidl.training.callbacks.callback import Callback, Run
from minidl.training.history import History


class Progress(Callback):
    """Show how far a training is, with the time left, loss and metrics; ``fit(..., progress=True)`` is short for it.

    Where tqdm is installed, a bar is drawn; otherwise a line is printed per epoch. Both go to the standard error
    stream. A stream that is missing, closed or full does not end the training.

    Examples
    --------
    >>> import io, sys
    >>> from contextlib import redirect_stderr
    >>> import numpy as np
    >>> import minidl
    >>> model, x = minidl.Linear(1, 1, rng=0), np.ones((4, 1), np.float32)
    >>> with redirect_stderr(io.StringIO()) as stream:
    ...     history = minidl.fit(
    ...         model, minidl.MSELoss(), minidl.SGD(model, 0.1), x, x, epochs=2, batch_size=2,
    ...         callbacks=[minidl.Progress()],
    ...     )
    >>> "loss" in stream.getvalue()
    True
    """

    def __init__(self) -> None:
        self._began = 0.0
        self._first = self._last = 0
        self._bar: Any = None

    def start(self, run: Run) -> None:
        """Note the time, and draw an empty bar if tqdm is there."""
        self._began, self._first, self._last = time.monotonic(), len(run.history), run.epochs
        self._bar = None
        if sys.stderr is not None:  # as under pythonw
            with suppress(ImportError, OSError, ValueError):
                tqdm = import_module("tqdm").tqdm
                self._bar = tqdm(initial=self._first, total=self._last, unit="epoch", file=sys.stderr)

    def __call__(self, epoch: int, history: History) -> None:
        """Show an epoch."""
        with suppress(OSError, ValueError):
            if self._bar is not None:
                self._bar.set_postfix_str(history.last_words(), refresh=False)
                self._bar.update()
            elif sys.stderr is not None:
                sys.stderr.write(f"epoch {epoch}/{self._last}, {self._time_left(epoch)} left: {history.last_words()}\n")

    def finish(self, error: BaseException | None) -> None:  # noqa: ARG002 - a bar ends in one way
        """Close the bar."""
        if self._bar is not None:
            with suppress(OSError, ValueError):
                self._bar.close()

    def _time_left(self, epoch: int) -> str:
        seconds = (time.monotonic() - self._began) / (epoch - self._first) * (self._last - epoch)
        minutes, seconds = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
