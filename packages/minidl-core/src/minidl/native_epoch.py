"""One pass through the samples in the native engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.accuracy import names_classes
from minidl.backend import Array, is_float
from minidl.engine import Engine, Program, check, choose, unsupported
from minidl.epoch import Survivors
from minidl.evaluation import Evaluation
from minidl.losses import Loss
from minidl.module import Module
from minidl.optim import Optimizer


class NativeEpochs:
    """Trains a model epoch by epoch, as `epoch.NumpyEpochs` does, with one call of the engine for each.

    Parameters
    ----------
    model : Module
    loss : Loss
    optimizer : Optimizer
    x, y : array
    batch_size : int
    survivors : Survivors
    threads : int
        Over which replicates are spread; the numbers do not depend on it.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Optimizer,
        x: Array,
        y: Array,
        *,
        batch_size: int,
        survivors: Survivors,
        threads: int,
    ) -> None:
        self._model, self._optimizer = model, optimizer
        self._x, self._y = x, y
        self._y_dtype = None if is_float(y) else np.int64
        self._batch_size, self._counts = batch_size, names_classes(y)
        self._options: dict[str, Any] = {
            "batch_size": batch_size,
            "loss": type(loss).__name__,
            "mean": loss.reduction == "mean",
            "threshold": loss.threshold if self._counts else None,
            "threads": threads,
        }
        self._survivors = survivors

    def run(self, epoch: int, order: np.ndarray) -> Evaluation:
        """Make a step for each batch; return loss and accuracy on the way.

        Raises
        ------
        DivergenceError
            If the loss of the network, or of the last of its replicates, became nan.
        """
        optimizer, network = self._optimizer, choose(self._model, "native", "fit", training=True).network
        samples = order.shape[-1]
        steps = -(-samples // self._batch_size)
        try:
            result = network.train_epoch(
                self._model.values,
                np.ascontiguousarray(self._x),  # anew in each epoch: a callback may have changed the samples
                np.ascontiguousarray(self._y, dtype=self._y_dtype),
                order,
                optimizer=optimizer.state(),
                rates=optimizer.next_rates(steps),
                t=int(optimizer.t),
                active=~self._survivors.frozen if self._model.lead else None,
                **self._options,
            )
        except BaseException as error:
            optimizer.t += getattr(error, "steps", 0)  # those that were made before Ctrl-C
            raise
        lost = {index: int(batch) for index, batch in enumerate(result.diverged.ravel()) if batch}
        survive = self._survivors.frozen.size - np.count_nonzero(self._survivors.frozen) - len(lost)
        optimizer.t += steps if survive else max(lost.values()) - 1
        self._survivors.lose(epoch, lost)
        hits = result.hits / samples if self._counts else None
        if self._model.lead:
            return Evaluation(result.loss / samples, hits)
        return Evaluation(float(result.loss) / samples, None if hits is None else float(hits))


def choose_for_fit(model: Module, loss: Loss, optimizer: Optimizer, x: Array, engine: Engine) -> Program:
    """Return the program to train with; without a network, the training is to be run on NumPy.

    Raises
    ------
    ValueError
        If the native engine is asked for and cannot run this training.
    """
    program = choose(model, engine, "fit", training=True)
    if program.network is None:
        return program
    why_not = _why_not(model, loss, optimizer, x)
    if why_not and engine == "native":
        raise unsupported("fit", why_not)
    return Program(None, why_not) if why_not else program


def _why_not(model: Module, loss: Loss, optimizer: Optimizer, x: Array) -> str:
    """Return why the engine cannot run a training of this network, once its first sample is known to fit."""
    for thing in (loss, optimizer):
        if type(thing).__module__.partition(".")[0] != "minidl":
            return f"{type(thing).__name__} is not one that it knows"
    if x.ndim not in (2, 2 + len(model.lead)):
        return f"it takes samples of one axis, not x {tuple(x.shape)}"
    return check(model, loss=type(loss).__name__, optimizer=type(optimizer).__name__)
