"""One pass through the samples, and what becomes of a replicate whose loss is nan."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import numpy as np

from minidl.backend import Array
from minidl.evaluation import Evaluation, Tally
from minidl.history import DivergenceError, History
from minidl.losses import Loss
from minidl.module import Module
from minidl.optim import Optimizer


class EpochRunner:
    """Trains a model epoch by epoch.

    A single network whose loss becomes nan ends the training. Of replicates, those that diverge are frozen: they keep
    the parameters from before that batch, while the others go on.

    Parameters
    ----------
    model : Module
    loss : Loss
    optimizer : Optimizer
    tally : Tally
    history : History
        Where the replicates that diverge are noted.
    quiet : contextlib.ExitStack
        Takes the setting that keeps NumPy from warning, step after step, of the infinities in a frozen replicate.
    """

    def __init__(
        self, model: Module, loss: Loss, optimizer: Optimizer, tally: Tally, history: History, quiet: ExitStack
    ) -> None:
        self._model, self._loss, self._optimizer, self._tally = model, loss, optimizer, tally
        self._history, self._quiet = history, quiet
        self._frozen = np.zeros(model.lead, bool)
        self._kept: Array = None

    def run(self, epoch: int, batches: Iterable[tuple[Array, ...]]) -> Evaluation:
        """Make a step for each batch; return loss and accuracy on the way.

        Raises
        ------
        DivergenceError
            If the loss of the network, or of the last of its replicates, became nan.
        """
        model, loss, optimizer, tally = self._model, self._loss, self._optimizer, self._tally
        lead = len(model.lead)
        for batch, (x, y) in enumerate(batches, start=1):
            prediction = model.forward(x)
            value = loss.forward(prediction, y, lead=lead)
            nan = tally.add(value, prediction, y)
            if nan.any() if lead else nan:
                self._freeze(nan, epoch, batch)
            model.backward(loss.backward(), need_dx=False)
            optimizer.step()
            if self._kept is not None:
                model.values[self._frozen] = self._kept
        return tally.take()

    def _freeze(self, nan: Any, epoch: int, batch: int) -> None:
        if not self._model.lead:
            raise DivergenceError(epoch, batch, self._history)
        new = nan & ~self._frozen
        if not new.any():
            return
        for index in map(int, np.flatnonzero(new)):
            self._history.diverged[index] = (epoch, batch)
            where = f"epoch {epoch}, batch {batch}"
            warnings.warn(
                f"fit: replicate {index} has diverged, nan in {where}, and is frozen", RuntimeWarning, stacklevel=4
            )
        self._frozen |= new
        if self._frozen.all():
            raise DivergenceError(epoch, batch, self._history)
        if self._kept is None:
            self._quiet.enter_context(np.errstate(over="ignore", invalid="ignore"))
        self._kept = self._model.backend.asarray(self._model.values[self._frozen])
