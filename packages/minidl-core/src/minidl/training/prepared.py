"""Steps and evaluations in minidl-native that are made again and again, as in online learning."""

from __future__ import annotations

import math
from operator import attrgetter, is_
from typing import Any

import numpy as np

from minidl.arrays.backend import Array
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.compiled import Compiled
from minidl.training.metrics import Evaluation

_settings = attrgetter("reduction", "threshold")
_NUMBERS = (float, int, type(None))  # settings that cannot be changed in place


class PreparedStep:
    """The last training step of a single network, which can be made again with other samples.

    To check and collect what a step needs takes longer than the step of a small network. Both are done once, and
    `is_for` compares whether anything has changed since.

    Parameters
    ----------
    made : Compiled
        That has just been trained with loss and optimizer.
    loss : Loss
    optimizer : Optimizer
    records : tuple of LossRecord and OptimizerRecord
        The two as minidl-native reads them.
    chosen : {"auto", "native"}
        The engine that was asked for.
    """

    def __init__(self, made: Compiled, loss: Loss, optimizer: Optimizer, records: tuple[Any, Any], chosen: str) -> None:
        self._made, self._loss, self._optimizer, self._chosen = made, loss, optimizer, chosen
        self._arrays_of = attrgetter("model", "model.values", *optimizer.vectors)
        self._settings_of = attrgetter(*optimizer.settings)
        self._arrays, self._settings = self._arrays_of(optimizer), self._settings_of(optimizer)
        self._numbers, self._reduction = loss.numbers(), loss.reduction
        self._model, *_ = self._arrays
        self._spare: list[Any] = []  # results to fill again; each thread takes its own
        self._loss_record, (self._kind, self._state, self._vectors, *_) = records

    def is_for(self, loss: Loss, optimizer: Optimizer, chosen: str) -> bool:
        """Whether a step with this loss, optimizer and engine is still the one that was prepared."""
        made = self._made
        try:
            return (
                loss is self._loss
                and optimizer is self._optimizer
                and chosen == self._chosen
                and made.is_current()
                and made.was_trained_with(loss, optimizer)
                and all(map(is_, self._arrays_of(optimizer), self._arrays))
                and self._settings_of(optimizer) == self._settings
                and loss.reduction == self._reduction
                and loss.numbers() == self._numbers
            )
        except ValueError:  # an array among the settings has no truth value
            return False

    def __call__(self, x: Array, y: Array) -> float | None:
        """Make the step and return the loss of the batch; None for samples that do not fit, with nothing changed."""
        if not (type(x) is type(y) is np.ndarray and x.ndim == 2 and len(x)):
            return None
        optimizer, model, made = self._optimizer, self._model, self._made
        native, count, rate = made.native, len(x), optimizer.next_rate()
        result = self._spare.pop() if self._spare else native.EpochResult.empty(())
        result.steps[...] = 0
        try:
            self._loss.check_values(y, model.out_features or 0)
            samples = native.Samples(x, as_targets(y), None, count)
            record = native.OptimizerRecord(self._kind, self._state, self._vectors, rate, optimizer.t)
            made.network.train(model.values, samples, self._loss_record, record, result)
        except (ValueError, TypeError):
            if result.steps:  # raised by the handler of a signal
                raise
            return None
        finally:
            optimizer.t += int(result.steps)
        model.zero_grad()
        value = float(result.loss)
        self._spare.append(result)
        return value if self._reduction == "sum" else value / count


def prepare(
    made: Compiled, loss: Loss, optimizer: Optimizer, records: tuple[Any, Any], chosen: str
) -> PreparedStep | None:
    """Return a step to be repeated; None for settings that may change unseen; see `PreparedStep`."""
    if not _may_be_repeated(made, *records):
        return None
    return PreparedStep(made, loss, optimizer, records, chosen)


class PreparedEvaluation:
    """The last evaluation of a single network without options, which can be made again with other samples.

    Parameters
    ----------
    made : Compiled
    loss : Loss
    record : LossRecord
        The loss as minidl-native reads it, with the threshold of accuracy that `evaluate` takes by itself.
    y : ndarray
        Targets like those of the next evaluations.
    """

    def __init__(self, made: Compiled, loss: Loss, record: Any, y: np.ndarray) -> None:
        self._made, self._loss, self._record = made, loss, record
        self._numbers, self._settings, self._targets = loss.numbers(), _settings(loss), (y.dtype, y.shape[1:])

    def is_for(self, loss: Loss) -> bool:
        """Whether an evaluation with this loss is still the one that was prepared; the network is current."""
        same = loss is self._loss and self._made.measures(loss)
        return same and _settings(loss) == self._settings and loss.numbers() == self._numbers

    def __call__(self, values: np.ndarray, out_features: int, x: np.ndarray, y: Array) -> Evaluation | None:
        """Return loss and accuracy; None for samples that do not fit, or for none."""
        native, count = self._made.native, len(x)
        if not count or type(y) is not np.ndarray or (y.dtype, y.shape[1:]) != self._targets or len(y) != count:
            return None
        result = native.EpochResult.empty(())
        try:
            self._loss.check_values(y, out_features)
            batch = native.Samples(x, as_targets(y), None, count)
            self._made.network.evaluate(values, batch, self._record, result)
        except (ValueError, TypeError):
            return None
        loss = result.loss.item() / count
        if self._record.threshold is None:
            return Evaluation(loss, None)
        return Evaluation(loss, math.nan if math.isnan(loss) else result.hits.item() / count)


def prepare_evaluation(made: Compiled, loss: Loss, record: Any, y: np.ndarray) -> PreparedEvaluation | None:
    """Return an evaluation to be repeated; None where options were given, or settings may change unseen."""
    threshold = loss.threshold if loss.targets_are_classes(y) else None
    if record.threshold != threshold or not _may_be_repeated(made, record):
        return None
    return PreparedEvaluation(made, loss, record, y)


def _may_be_repeated(made: Compiled, *records: Any) -> bool:
    """Whether a network is single, without statistics that each step replaces, and settings are plain numbers."""
    settings = [value for record in records for value in record.settings.values()]
    alone = not made.network.replicate_shape and not made.measuring
    return alone and all(isinstance(value, _NUMBERS) for value in settings)


def as_targets(y: np.ndarray) -> np.ndarray:
    """Return targets as minidl-native reads them: class indices as int64; what it does not take, it refuses."""
    return y.astype(np.int64, copy=False) if y.dtype.kind in "iu" else y
