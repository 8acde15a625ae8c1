"""End a training when it no longer improves."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minidl.arrays.checks import NON_NEGATIVE
from minidl.arrays.settings import flag, number
from minidl.training.callbacks.best_state import BestState
from minidl.training.callbacks.callback import Callback, Run
from minidl.training.callbacks.patience import Patience, epochs
from minidl.training.history import DivergenceError, History


class EarlyStopping(Callback):
    """Stop a network whose validation no longer improves, and give it back its best parameters (Prechelt, 1998).

    Replicates stop one by one: each is watched, stopped and restored as it would be alone. A stopped replicate is not
    trained any more, and its curves are nan from then on; ``History.stopped`` has its last epoch.

    Parameters
    ----------
    monitor : str
        A curve of `History`. Losses and errors improve when they fall, accuracy, R² and AUC when they rise; a metric of
        your own says it by its attribute ``higher_is_better``. nan is no improvement.
    patience : int
        The epochs without improvement after which a network is stopped; at least 1.
    min_delta : float
        A change by no more than this is no improvement.
    restore_best : bool
        Whether each network ends with its state of `best_epoch`, bit for bit: parameters, and what else its state dict
        has. This also holds for those that are not stopped or that diverge. The optimizer's memory stays as it is. An
        error other than `DivergenceError`, or Ctrl-C, leaves the networks as they are.

    Attributes
    ----------
    best_epoch : int, or array of int of shape replicate_shape
        The epoch of the best value, counted from 1; 0 if there is none.
    best : float, or array of shape replicate_shape
        That value, nan if there is none.

    Raises
    ------
    ValueError, TypeError
        For a patience below 1, a negative min_delta, or before the first step for a monitor that the training does not
        have. Settings are checked when they are assigned, too.

    Notes
    -----
    Each training starts anew, unless it continues the last one that the object has watched: ``fit(..., history=...)``
    with the same history.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-1, 1, (40, 1)).astype(np.float32)
    >>> y = np.sin(3 * x) + rng.normal(0, 0.3, x.shape).astype(np.float32)
    >>> model = minidl.Sequential([minidl.Linear(1, 50, rng=rng), minidl.Tanh(), minidl.Linear(50, 1, rng=rng)])
    >>> stopping = minidl.EarlyStopping(patience=20)
    >>> history = minidl.fit(
    ...     model, minidl.MSELoss(), minidl.Adam(model, lr=0.01), x, y, epochs=2000, batch_size=10, rng=0,
    ...     validation_split=0.5, callbacks=[stopping],
    ... )
    >>> len(history) - stopping.best_epoch
    20
    """

    replicate_shape: ClassVar[tuple[int, ...]] = ()  # of the settings: one number for all replicates
    patience = epochs("patience", "Epochs without improvement after which a network is stopped.")
    min_delta = number("min_delta", NON_NEGATIVE, "A change by no more than this is no improvement.")
    restore_best = flag("restore_best", "Whether each network ends with its state of `best_epoch`.")
    _patience: Patience | None = None
    _state: BestState | None = None
    _history: History | None = None

    def __init__(
        self, *, monitor: str = "val_loss", patience: int = 10, min_delta: float = 0.0, restore_best: bool = True
    ) -> None:
        self.monitor, self.patience, self.min_delta, self.restore_best = monitor, patience, min_delta, restore_best

    @property
    def best_epoch(self) -> Any:
        """The epoch of the best value, an int, or one per replicate; 0 if there is none."""
        return 0 if self._patience is None else self._patience.best_epoch

    @property
    def best(self) -> Any:
        """The best value, a float, or one per replicate; nan if there is none."""
        return np.nan if self._patience is None else self._patience.best()

    def start(self, run: Run) -> None:
        """Look whether the training has the curve; forget the last training unless this one continues it."""
        if self._history is not run.history or self._state is None or self._state.model is not run.model:
            self._patience = Patience(self, run)
            self._history, self._state = run.history, BestState(run.model)

    def __call__(self, epoch: int, history: History) -> Any:
        """Note what has improved; return which replicates are to stop."""
        patience, state = self._patience, self._state
        if patience is None or state is None:
            raise ValueError("EarlyStopping: expected to be started by fit, got an epoch")
        better = patience.watch(epoch, history)
        if self.restore_best and np.count_nonzero(better):  # on small arrays several times faster than `any`
            state.keep(np.asarray(better))
        return patience.waited >= self.patience

    def epochs_ahead(self) -> int:
        """Return after how many epochs it may stop a network; a state of more than parameters is kept after each."""
        patience, state = self._patience, self._state
        if patience is None or state is None or (self.restore_best and state.has_more):
            return 1
        return patience.epochs_left(self.patience)

    @property
    def reads_parameters(self) -> bool:  # type: ignore[override]  # it depends on a setting
        """Whether it keeps the best parameters."""
        return bool(self.restore_best)

    def state(self) -> dict[str, Any]:
        """Return what has been the best so far, and when."""
        patience, kept = self._patience, self._state if self.restore_best else None
        return {} if patience is None else {**patience.state(), "kept": None if kept is None else kept.state()}

    def restore(self, state: Any) -> None:
        """Go on watching a training from a checkpoint."""
        if self._patience is not None and self._state is not None:
            kept = state.pop("kept")
            self._patience.restore(state)
            if kept is not None:
                self._state.take_over(kept)

    def finish(self, error: BaseException | None) -> None:
        """Restore the best state, if there is one."""
        ended = error is None or isinstance(error, DivergenceError)
        if self.restore_best and ended and self._state is not None and self._patience is not None:
            self._state.restore(np.asarray(self._patience.best_epoch > 0))
