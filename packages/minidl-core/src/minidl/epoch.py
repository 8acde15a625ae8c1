"""One pass through the samples, and what becomes of a replicate whose loss is nan."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import numpy as np

from minidl.backend import Array
from minidl.evaluation import Evaluation, Tally
from minidl.history import DivergenceError, History
from minidl.losses import Loss
from minidl.module import Module
from minidl.samples import Shuffled


class Survivors:
    """Which replicates still train.

    A single network whose loss becomes nan ends the training. Of replicates, those that diverge are frozen: they keep
    the parameters from before that batch, which may not be finite any more, while the others go on.

    Parameters
    ----------
    lead : tuple of int
        The replicate axes.
    history : History
        Where those that diverge are noted.

    Attributes
    ----------
    frozen : array of bool, shape lead
    """

    def __init__(self, lead: tuple[int, ...], history: History) -> None:
        self.frozen, self._history = np.zeros(lead, bool), history

    def lose(self, epoch: int, batches: Mapping[int, int], what: str = "the loss is nan") -> None:
        """Note replicates by their index, each with the batch in which its loss became nan.

        Raises
        ------
        DivergenceError
            If none is left.
        """
        for index, batch in sorted(batches.items(), key=lambda item: item[1]):
            self.frozen.flat[index] = True
            if self.frozen.ndim:
                self._history.diverged[index] = (epoch, batch)
                where = f"{what} in epoch {epoch}, batch {batch}"
                warnings.warn(
                    f"fit: replicate {index} has diverged, {where}, and is frozen", RuntimeWarning, stacklevel=4
                )
        if batches and self.frozen.all():
            raise DivergenceError(epoch, max(batches.values()), self._history, what)

    def check_end(self, model: Module, epoch: int, batch: int) -> None:
        """Note those whose parameters the last step has made infinite or nan: no later loss was there to tell.

        Raises
        ------
        DivergenceError
            If none is left.
        """
        finite = model.backend.to_numpy(model.backend.xp.isfinite(model.values)).all(axis=-1)
        lost = np.flatnonzero(~finite & ~self.frozen)
        self.lose(epoch, dict.fromkeys(lost.tolist(), batch), "parameters are not finite after the last step,")


class NumpyEpochs:
    """Trains a model epoch by epoch, by the code that one can read.

    Parameters
    ----------
    model : Module
    loss : Loss
    x, y : array
    batch_size : int
    survivors : Survivors
    step : callable
        Makes a step: ``optimizer.step``, or something that does the same.
    quiet : contextlib.ExitStack
        Takes the setting that keeps NumPy from warning, step after step, of the infinities in a frozen replicate.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        x: Array,
        y: Array,
        *,
        batch_size: int,
        survivors: Survivors,
        step: Callable[[], None],
        quiet: ExitStack,
    ) -> None:
        self._model, self._loss, self._step = model, loss, step
        self._x, self._y, self._batch_size = Shuffled(x, model.lead), Shuffled(y, model.lead), batch_size
        self._tally, self._quiet = Tally(loss, y, len(model.lead)), quiet
        self._survivors = survivors
        self._kept: Array = None

    def run(self, epoch: int, order: np.ndarray) -> Evaluation:
        """Make a step for each batch; return loss and accuracy on the way.

        Parameters
        ----------
        epoch : int
            Counted from 1.
        order : array of int, shape (N,), or (*lead, N)
            The samples, in the order in which they are gone through; one for each replicate, or one for all.

        Raises
        ------
        DivergenceError
            If the loss of the network, or of the last of its replicates, became nan.
        """
        model, loss, step, tally = self._model, self._loss, self._step, self._tally
        lead = len(model.lead)
        batches = zip(self._x.batches(order, self._batch_size), self._y.batches(order, self._batch_size), strict=True)
        for batch, (x, y) in enumerate(batches, start=1):
            prediction = model.forward(x)
            value = loss.forward(prediction, y, lead=lead)
            nan = tally.add(value, prediction, y)
            if nan.any() if lead else nan:
                new = np.flatnonzero(nan & ~self._survivors.frozen)
                self._survivors.lose(epoch, dict.fromkeys(new.tolist(), batch))
                self._keep_frozen()
            model.backward(loss.backward(), need_dx=False)
            step()
            if self._kept is not None:
                model.values[self._survivors.frozen] = self._kept
        return tally.take()

    def _keep_frozen(self) -> None:
        if self._kept is None:
            self._quiet.enter_context(np.errstate(over="ignore", invalid="ignore"))
        self._kept = self._model.backend.asarray(self._model.values[self._survivors.frozen])
