"""How good a model is: loss and accuracy over a data set."""

from __future__ import annotations

import copy
from math import prod
from typing import Any, NamedTuple

import numpy as np

from minidl.accuracy import classes_of, count_hits, names_classes
from minidl.backend import Array, is_float, library_of
from minidl.engine import Engine, choose
from minidl.inference import batch_rows, inference
from minidl.losses import Loss
from minidl.module import Module
from minidl.samples import count_samples, rows, sample_axis


class Evaluation(NamedTuple):
    """Loss and accuracy over a data set.

    Attributes
    ----------
    loss : float, or array of the shape of the replicate axes
        Per sample: the sum over all samples, divided by their number.
    accuracy : float, array of the shape of the replicate axes, or None
        Share of samples whose class is predicted right; None where the targets are not classes.
    """

    loss: Any
    accuracy: Any


def evaluate(
    model: Module,
    loss: Loss,
    x: Array,
    y: Array,
    *,
    batch_size: int | None = None,
    engine: Engine = "auto",
    threads: int | None = None,
) -> Evaluation:
    """Measure loss and accuracy of a model in evaluation mode, in the memory of one batch.

    Parameters
    ----------
    model : Module
    loss : Loss
        Left as it is: its next `backward` still belongs to the caller's last `forward`.
    x : array, shape (N, ..., F); for replicates (N, F), shared by them, or (*lead, N, ..., F)
    y : array
        Targets that suit `loss`; accuracy is reported for class indices, one-hot rows, and a column of zeros and ones.
    batch_size : int, optional
        Samples at a time; without it as many as are fast.
    engine, threads
        As for `predict`.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError, TypeError
        If x and y do not have as many samples, or none, and for whatever model and loss do not accept.
    """
    lead = model.lead
    samples = count_samples("evaluate", x, y, lead)
    infer = inference(model, choose(model, engine, "evaluate"), threads, "evaluate", engine)
    loss, tally = copy.copy(loss), Tally(loss, y, len(lead))
    x_axis, y_axis = sample_axis(x, lead), sample_axis(y, lead)
    size = batch_rows(model, batch_size, x, x_axis)
    for start in range(0, samples, size):
        target = rows(y, start, start + size, y_axis)
        prediction = infer(rows(x, start, start + size, x_axis))
        value = loss.forward(prediction, target, lead=len(lead))
        tally.add(value, prediction, target)
    return tally.take()


class Tally:
    """Adds up loss and accuracy batch by batch.

    Parameters
    ----------
    loss : Loss
    y : array
        All targets: whether they are classes is decided once.
    lead : int
        Number of replicate axes.
    """

    def __init__(self, loss: Loss, y: Array, lead: int) -> None:
        self._is_mean, self._threshold, self._lead = loss.reduction == "mean", loss.threshold, lead
        self._to_numpy = library_of(y, "evaluate", "y").to_numpy
        self._classes, self._one_hot = names_classes(y), is_float(y)
        self._clear()

    def _clear(self) -> None:
        self._loss: Any = 0.0
        self._hits: Any = 0
        self._samples = self._labels = 0

    def add(self, value: Array, prediction: Array, target: Array) -> Any:
        """Count one batch in; return whether its loss is nan, a bool, or one per replicate."""
        lead, samples = self._lead, prediction.shape[self._lead]
        loss: Any = self._to_numpy(value).astype(np.float64) if lead else float(value)
        self._loss = self._loss + (loss * samples if self._is_mean else loss)
        self._samples += samples
        if self._classes:
            labels = classes_of(target) if self._one_hot else target
            self._hits = self._hits + count_hits(prediction, labels, lead, self._threshold)
            self._labels += prod(prediction.shape[lead:-1])
        return loss != loss  # noqa: PLR0124 - nan alone differs from itself

    def take(self) -> Evaluation:
        """Return loss and accuracy of all that was counted, as floats or arrays of the replicate axes; start anew."""
        loss = self._loss / self._samples
        accuracy = self._to_numpy(self._hits) / self._labels if self._classes else None
        self._clear()
        if self._lead:
            return Evaluation(loss, accuracy)
        return Evaluation(float(loss), None if accuracy is None else float(accuracy))
