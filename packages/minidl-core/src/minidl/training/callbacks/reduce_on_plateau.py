"""Reduce the learning rate when a training no longer improves."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minidl.arrays.checks import NON_NEGATIVE, Interval
from minidl.arrays.settings import number
from minidl.optim.optimizer import Optimizer
from minidl.training.callbacks.callback import Callback, Run
from minidl.training.callbacks.patience import Patience, chosen, epochs
from minidl.training.history import History

_FACTOR = Interval("in (0, 1)", lambda value: (value > 0) & (value < 1))


class ReduceOnPlateau(Callback):
    """Multiply the learning rate by a factor whenever the validation has not improved for some epochs.

    After ``patience`` epochs without improvement ``lr = max(factor lr, min_lr)``, and the waiting begins anew.
    Replicates are watched one by one, and each gets a learning rate of its own.

    Parameters
    ----------
    factor : float
        Between 0 and 1.
    patience : int
        The epochs without improvement after which the learning rate is reduced; at least 1. torch's
        ``ReduceLROnPlateau`` waits one epoch more for the same number.
    min_delta : float
        A change by no more than this is no improvement.
    monitor : str
        A curve of `History`, as for `EarlyStopping`.
    min_lr : float
        The learning rate is never reduced below this.

    Raises
    ------
    ValueError, TypeError
        For settings outside their bounds, also when they are assigned; before the first step for a monitor that the
        training does not have, or an optimizer whose ``lr`` is no number: with a schedule or layers' own rates.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> model, x = minidl.Linear(1, 1, rng=0), np.ones((4, 1), np.float32)
    >>> optimizer = minidl.SGD(model, lr=0.25)
    >>> plateau = minidl.ReduceOnPlateau(factor=0.5, patience=2, min_delta=1.0, monitor="loss")
    >>> _ = minidl.fit(model, minidl.MSELoss(), optimizer, x, x, epochs=5, batch_size=4, callbacks=[plateau])
    >>> optimizer.lr
    0.0625
    """

    replicate_shape: ClassVar[tuple[int, ...]] = ()  # of the settings: one number for all replicates
    factor = number("factor", _FACTOR, "The learning rate is multiplied by it.")
    patience = epochs("patience", "Epochs without improvement after which the learning rate is reduced.")
    min_delta = number("min_delta", NON_NEGATIVE, "A change by no more than this is no improvement.")
    min_lr = number("min_lr", NON_NEGATIVE, "The learning rate is never reduced below this.")
    _patience: Patience | None = None
    _run: Run | None = None

    def __init__(
        self,
        *,
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 0.0,
        monitor: str = "val_loss",
        min_lr: float = 0.0,
    ) -> None:
        self.factor, self.patience, self.min_delta, self.min_lr = factor, patience, min_delta, min_lr
        self.monitor = monitor

    def start(self, run: Run) -> None:
        """Look whether the training has the curve and a learning rate; forget the last training unless it goes on."""
        _learning_rate(run.optimizer)
        if self._run is None or self._run.history is not run.history or self._run.optimizer is not run.optimizer:
            self._patience = Patience(self, run)
        self._run = run

    def epochs_ahead(self) -> int:
        """Return after how many epochs it may change the learning rate."""
        return 1 if self._patience is None else self._patience.epochs_left(self.patience)

    def state(self) -> dict[str, Any]:
        """Return what has been the best so far, and when."""
        return {} if self._patience is None else self._patience.state()

    def restore(self, state: Any) -> None:
        """Go on watching a training from a checkpoint."""
        if self._patience is not None:
            self._patience.restore(state)

    def __call__(self, epoch: int, history: History) -> None:
        """Reduce the learning rate of those that have waited long enough."""
        patience, run = self._patience, self._run
        if patience is None or run is None:
            raise ValueError("ReduceOnPlateau: expected to be started by fit, got an epoch")
        patience.watch(epoch, history)
        plateau = patience.waited >= self.patience
        if not np.count_nonzero(plateau):
            return
        lr = _learning_rate(run.optimizer)
        reduced = np.minimum(lr, np.maximum(self.factor * lr, self.min_lr))
        lr = np.where(plateau, reduced, lr)
        run.optimizer.lr = lr if lr.ndim else lr.item()
        patience.waited = chosen(plateau, 0, patience.waited)


def _learning_rate(optimizer: Optimizer) -> Any:
    """Return a learning rate that is a number, or one per replicate."""
    lr = optimizer.lr
    if isinstance(lr, float | np.ndarray):
        return lr
    raise ValueError(
        f"ReduceOnPlateau: expected an optimizer whose lr is a number, or one per replicate, got lr={lr!r} of "
        f"{optimizer}: a schedule and layers' own rates do not go with it"
    )
