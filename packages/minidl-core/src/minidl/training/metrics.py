"""Loss and accuracy: how often a prediction names the right class, and the sums over batches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from math import prod
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from minidl.arrays.backend import Array, is_float, library_of
from minidl.arrays.samples import Samples
from minidl.losses.loss import Loss


def accuracy(prediction: Array, target: Array, *, replicate_axes: int = 0, threshold: float = 0.5) -> Any:
    """Compute the share of samples whose class is predicted right.

    Parameters
    ----------
    prediction : array, shape (*replicates, ..., C)
        Scores of C classes, of which the largest counts; for C = 1, the score of class 1 against class 0.
    target : array, shape (*replicates, ...) or (*replicates, ..., C)
        Class indices, or one-hot rows (for C = 1, zeros and ones); without the replicate axes where they share targets.
    replicate_axes : int
        How many of the first axes of `prediction` are replicates.
    threshold : float
        For C = 1: scores above it say class 1. 0.5 suits probabilities, 0 logits.

    Returns
    -------
    scalar, or array of the shape of the replicate axes
        Between 0 and 1; nan where a prediction is nan.

    Raises
    ------
    ValueError
        If the targets are not classes, their shape does not fit, or there are no samples.

    Examples
    --------
    >>> import numpy as np
    >>> float(accuracy(np.array([[0.9, 0.1], [0.3, 0.7]]), np.array([0, 0])))
    0.5
    """
    if library_of(prediction, "accuracy", "prediction") is not library_of(target, "accuracy", "target"):
        raise TypeError("accuracy: expected prediction and target in the same library and on the same device")
    if not names_classes(target):
        raise ValueError("accuracy: expected class indices or one-hot rows as targets, got other numbers")
    expected = tuple(prediction.shape if is_float(target) else prediction.shape[:-1])
    if tuple(target.shape) not in (expected, expected[replicate_axes:]):
        raise ValueError(f"accuracy: expected targets of shape {expected}, got {tuple(target.shape)}")
    labels = classes_of(target) if is_float(target) else library_of(target, "accuracy").indices(target)
    samples = int(np.prod(prediction.shape[replicate_axes:-1]))
    if not samples:
        raise ValueError("accuracy: expected at least one sample, got none")
    hits = count_hits(prediction, labels, replicate_axes, threshold) / samples
    library = library_of(prediction, "accuracy")
    nan = library.xp.isnan(prediction).reshape(*prediction.shape[:replicate_axes], -1).any(-1)
    return library.xp.where(nan, np.nan, hits)[()] if bool(nan.any()) else hits  # nan names no class


def count_hits(
    prediction: Array, labels: Array, replicate_axes: int, threshold: float, weight: Array | None = None
) -> Array:
    """Return how many samples of each replicate are predicted right, one number or an array of the replicate axes.

    With weights each sample counts as much as its own.
    """
    hits = classes_of(prediction, threshold) == labels
    if weight is not None:
        weight = weight.reshape(*weight.shape, *(1,) * (hits.ndim - replicate_axes - 1))
        hits = library_of(hits, "accuracy").to_numpy(hits) * weight
    elif not replicate_axes and type(hits) is np.ndarray:
        return np.count_nonzero(hits)  # several times faster than `sum`
    return (hits if hits.ndim == replicate_axes + 1 else hits.reshape(*hits.shape[:replicate_axes], -1)).sum(-1)


def classes_of(output: Array, threshold: float = 0.5) -> Array:
    """Return the class that each row names, shape (..., C) -> (...); of two classes, whether it is the second."""
    if output.shape[-1] == 1:
        return output[..., 0] > threshold
    if output.shape[-1] == 2:
        return output[..., 1] > output[..., 0]  # several times faster than argmax along so short an axis
    return output.argmax(-1)


def names_classes(target: Array) -> bool:
    """Whether targets are class indices, one-hot rows, or a column of zeros and ones."""
    return not is_float(target) or _are_one_hot(target)


def _are_one_hot(target: Array) -> bool:
    """Whether numbers are one-hot rows, or a column of zeros and ones."""
    binary = bool(((target == 0) | (target == 1)).all())
    return binary and (target.shape[-1] == 1 or bool((target.sum(axis=-1) == 1).all()))


class _LossAndAccuracy(NamedTuple):
    loss: Any
    accuracy: Any


class Evaluation(_LossAndAccuracy):
    """Loss and accuracy over a data set, a tuple of two, and beside it the metrics that were asked for.

    Attributes
    ----------
    loss : float, or array of the shape of the replicate axes
        Per sample: the sum over all samples, divided by their number, or of weighted ones by the sum of the weights.
    accuracy : float, array of the shape of the replicate axes, or None
        Share of samples whose class is predicted right; None if it is not reported.
    metrics : dict of str to float, or array of the shape of the replicate axes
        By their names.
    """

    metrics: Mapping[str, Any] = MappingProxyType({})

    def with_metrics(self, metrics: Mapping[str, Any]) -> Evaluation:
        """Return this with metrics."""
        other = Evaluation(*self)
        other.metrics = dict(metrics)
        return other

    def __repr__(self) -> str:
        metrics = f", metrics={self.metrics}" if self.metrics else ""
        return f"Evaluation(loss={self.loss!r}, accuracy={self.accuracy!r}{metrics})"


class Sums(NamedTuple):
    """What batches add up to, each a number or an array of the replicate axes.

    Attributes
    ----------
    loss : float or array
        Of their losses, where the mean of a batch counts once for each sample.
    hits : int or array
        Of the samples whose class is predicted right.
    samples, labels : int or array
        Of the samples, and of the classes that were predicted.
    """

    loss: Any
    hits: Any
    samples: Any
    labels: Any

    def replaced(self, replicates: np.ndarray, other: Sums) -> Sums:
        """Return these sums with those of some replicates, an array of bool, taken from others."""
        return Sums(*(np.where(replicates, new, old) for old, new in zip(self, other, strict=True)))


class Tally:
    """Adds up loss and accuracy batch by batch.

    Parameters
    ----------
    loss : Loss
    samples : Samples
        All of them.
    accuracy : bool, optional
        Whether to report accuracy; without it the loss decides.

    Attributes
    ----------
    threshold : float or None
        A single output above this value says class 1; None if accuracy is not reported.

    Raises
    ------
    ValueError
        If accuracy is asked for and the targets are not classes.
    """

    def __init__(self, loss: Loss, samples: Samples, *, accuracy: bool | None = None) -> None:
        self._loss_function, self._axes = loss, len(samples.replicate_shape)
        self._to_numpy, self._one_hot = samples.y_library.to_numpy, samples.y_is_float
        if accuracy is None:
            accuracy = loss.targets_are_classes(samples.y)
        elif accuracy and not loss.one_output_per_target:
            raise ValueError(
                f"expected accuracy to be None or False with {loss}, whose outputs are no scores of classes"
            )
        elif accuracy and not (self._name_classes(loss, samples) or _are_one_hot(samples.y)):
            raise ValueError("expected class indices, one-hot rows or zeros and ones as targets for accuracy=True")
        self.threshold = loss.threshold if accuracy else None
        # A single column of probabilities of classes is the only class, as the single output is.
        self._target_threshold = math.inf if loss.threshold == math.inf else 0.5
        self._clear()

    @staticmethod
    def _name_classes(loss: Loss, samples: Samples) -> bool:
        return not samples.y_is_float or loss.targets_are_classes(samples.y)

    def _clear(self) -> None:
        self._loss: Any = 0.0
        self._hits: Any = 0
        self._samples: Any = 0
        self._labels: Any = 0

    def add(
        self,
        value: Array,
        prediction: Array,
        target: Array,
        weight: Array | None = None,
        penalty: np.ndarray | None = None,
    ) -> np.ndarray | None:
        """Count one batch; return which replicates have a nan loss, None if none has.

        The penalty, if there is one, is added to the value. For a single network the returned array has no axes.
        """
        axes: int = self._axes
        samples: Any = prediction.shape[axes]
        if weight is not None:
            samples = weight.sum(axis=-1)
        loss: Any = self._to_numpy(value).astype(np.float64) if axes else float(value)
        if penalty is not None:
            loss = loss + penalty if axes else loss + float(penalty)
        is_mean = self._loss_function.reduction != "sum"
        self._loss = self._loss + (loss * samples if is_mean else loss)
        self._samples = self._samples + samples
        if self.threshold is not None:
            labels = classes_of(target, self._target_threshold) if self._one_hot else target
            self._hits = self._hits + count_hits(prediction, labels, axes, self.threshold, weight)
            self._labels = self._labels + samples * prod(prediction.shape[axes + 1 : -1])
        nan = loss != loss  # noqa: PLR0124 - nan alone differs from itself
        return np.asarray(nan) if (nan.any() if axes else nan) else None

    def set_sums(self, loss: Any, hits: Any, samples: Any) -> None:
        """Set what the batches so far add up to; the mean of a batch counts once for each of its samples."""
        if not self._axes:  # NumPy's arithmetic with arrays of no axes is slow
            loss, hits, samples = loss.item(), hits.item(), samples.item()
        self._loss, self._hits, self._samples, self._labels = loss, hits, samples, samples

    def sums(self) -> Sums:
        """Return what the batches so far have added up to."""
        hits = self._to_numpy(self._hits) if hasattr(self._hits, "detach") else self._hits
        return Sums(self._loss, hits, self._samples, self._labels)

    def start(self, sums: Sums | None = None) -> None:
        """Start anew, or from what batches have added up to before."""
        self._clear()
        if sums is not None:
            self._loss, self._hits, self._samples, self._labels = sums

    def take(self) -> Evaluation:
        """Return loss and accuracy of all batches, as floats or arrays of the replicate axes, and start anew."""
        result = self.result()
        self._clear()
        return result

    def result(self) -> Evaluation:
        """Return loss and accuracy of all batches, as floats or arrays of the replicate axes."""
        sums = self.sums()
        loss = sums.loss / sums.samples
        if self.threshold is None:
            return Evaluation(loss if self._axes else float(loss), None)
        if not self._axes:  # the classes that nan names mean nothing
            return Evaluation(float(loss), math.nan if math.isnan(loss) else float(sums.hits / sums.labels))
        with np.errstate(invalid="ignore"):  # the compiled engine counts no samples of a replicate that has stopped
            return Evaluation(loss, np.where(np.isnan(loss), np.nan, sums.hits / sums.labels))


def new_tally(who: str, loss: Loss, samples: Samples, accuracy: bool | None) -> Tally:  # noqa: FBT001 - three values
    """Return an empty tally; an error in the name of `who` if accuracy is asked for and cannot be counted."""
    if accuracy is not None and not isinstance(accuracy, bool | np.bool):
        raise TypeError(f"{who}: expected accuracy to be None, True or False, got {accuracy!r}")
    try:
        return Tally(loss, samples, accuracy=accuracy)
    except ValueError as error:
        raise ValueError(f"{who}: {error}") from None
