"""Loss and accuracy, added up batch by batch."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from minidl.arrays.backend import Array, is_float, library_of
from minidl.losses.loss import Loss
from minidl.training.metrics import classes_of, count_hits, names_classes


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


class Tally:
    """Adds up loss and accuracy batch by batch.

    Parameters
    ----------
    loss : Loss
    y : array
        All targets: whether they are classes is decided once.
    replicate_axes : int
        Number of replicate axes.

    Attributes
    ----------
    threshold : float or None
        A single output above this value says class 1; None where the targets are not classes.
    """

    def __init__(self, loss: Loss, y: Array, replicate_axes: int) -> None:
        self._is_mean, self._replicate_axes = loss.reduction == "mean", replicate_axes
        self._to_numpy, self._one_hot = library_of(y, "evaluate", "y").to_numpy, is_float(y)
        self.threshold = loss.threshold if names_classes(y) else None
        self._clear()

    def _clear(self) -> None:
        self._loss: Any = 0.0
        self._hits: Any = 0
        self._samples = self._labels = 0

    def add(self, value: Array, prediction: Array, target: Array) -> np.ndarray | None:
        """Count one batch; return which replicates have a nan loss, None if none has.

        For a single network the returned array has no axes.
        """
        axes, samples = self._replicate_axes, prediction.shape[self._replicate_axes]
        loss: Any = self._to_numpy(value).astype(np.float64) if axes else float(value)
        self._loss = self._loss + (loss * samples if self._is_mean else loss)
        self._samples += samples
        if self.threshold is not None:
            labels = classes_of(target) if self._one_hot else target
            self._hits = self._hits + count_hits(prediction, labels, axes, self.threshold)
            self._labels += prod(prediction.shape[axes:-1])
        nan = loss != loss  # noqa: PLR0124 - nan alone differs from itself
        return np.asarray(nan) if (nan.any() if axes else nan) else None

    def take(self) -> Evaluation:
        """Return loss and accuracy of all batches, as floats or arrays of the replicate axes, and start anew."""
        loss = self._loss / self._samples
        accuracy = None if self.threshold is None else self._to_numpy(self._hits) / self._labels
        self._clear()
        if self._replicate_axes:
            return Evaluation(loss, accuracy)
        return Evaluation(float(loss), None if accuracy is None else float(accuracy))
