"""Cross-entropy over classes; beyond the report."""

from __future__ import annotations

import math
from typing import Any

from minidl.arrays.backend import Array, Backend, describe, dtype_name, is_float, library_of
from minidl.arrays.checks import ABOVE_ZERO, PROBABILITY
from minidl.arrays.settings import number
from minidl.arrays.softmax import log_softmax
from minidl.losses.loss import Loss


class CrossEntropyLoss(Loss):
    """Cross-entropy of logits over classes, ``L = -Σ log softmax(x)[class]``; beyond the report.

    Targets are class indices, integers of the shape of the prediction without its last axis, or probabilities of the
    classes in the shape and dtype of the prediction, such as one-hot rows. The mean is over all rows of classes, as in
    torch; "batchmean" differs only where there are axes between samples and classes.

    Parameters
    ----------
    reduction : {"sum", "mean", "batchmean"}
    label_smoothing : float or array, one per replicate
        In [0, 1]: this share of each target is spread evenly over all C classes (Szegedy et al., 2016), so that p
        becomes ``(1 - label_smoothing) p + label_smoothing / C``.
    ceiling : float or array, one per replicate
        The most that a sample counts in the value, above 0, so that few certain and wrong predictions do not hide the
        others. The gradient is that of the loss without a ceiling.

    Raises
    ------
    ValueError, TypeError
        For a label_smoothing outside [0, 1] or a ceiling that is not above 0; by `forward`, for a class below 0 or
        above C - 1.

    Examples
    --------
    >>> import numpy as np
    >>> loss = CrossEntropyLoss()
    >>> float(loss(np.zeros((1, 4)), np.array([2])))
    1.3862943611198906
    >>> loss.backward()
    array([[ 0.25,  0.25, -0.75,  0.25]])
    """

    takes_classes = True
    threshold = math.inf  # a single output is the only class
    settings = ("label_smoothing", "ceiling")
    label_smoothing = number("label_smoothing", PROBABILITY, "Share of a target that is spread over all classes.")
    ceiling = number("ceiling", ABOVE_ZERO, "The most that a sample counts in the value.")

    def __init__(self, reduction: str = "sum", *, label_smoothing: Any = 0.0, ceiling: Any = math.inf) -> None:
        super().__init__(reduction)
        self.label_smoothing, self.ceiling = label_smoothing, ceiling

    def forward(
        self, prediction: Array, target: Array, *, replicate_axes: int = 0, weight: Array | None = None
    ) -> Array:
        """Return ``-Σ log softmax(x)[class]``, or ``-Σ p log softmax(x)``; save log softmax and the target.

        With a label smoothing of s, each term is ``1 - s`` of that, and s of the mean of ``-log softmax(x)``.
        """
        backend = self.check(prediction, target, replicate_axes)
        log_p = log_softmax(prediction)
        terms = -(target * log_p).sum(axis=-1) if is_float(target) else -backend.pick(log_p, target)
        terms, smoothing = terms[..., None], None
        if type(self.label_smoothing) is not float or self.label_smoothing:
            smoothing = self.broadcast_setting(self.label_smoothing, prediction, replicate_axes)
            terms = (1 - smoothing) * terms - smoothing * log_p.mean(axis=-1, keepdims=True)
        value = self.reduce(self.below_ceiling(terms, replicate_axes), replicate_axes, weight)
        return self.save_for_backward(value, log_p, target, smoothing, backend)

    def backward(self) -> Array:
        """Return ``dL/dx = softmax(x) - onehot(class)``, or ``softmax(x) Σ p - p``; p is the smoothed target."""
        log_p, target, smoothing, backend = self.saved()
        softmax = backend.xp.exp(log_p)
        if not is_float(target):
            classes = backend.xp.arange(softmax.shape[-1], device=softmax.device)
            one_hot = backend.indices(target)[..., None] == classes
            if smoothing is None:
                return backend.xp.where(one_hot, softmax - 1, softmax) * self.term_weight
            target = backend.asarray(one_hot, softmax.dtype)
        if smoothing is not None:
            target = (1 - smoothing) * target + smoothing / softmax.shape[-1]
        return (softmax * target.sum(axis=-1, keepdims=True) - target) * self.term_weight

    def check(self, prediction: Array, target: Array, replicate_axes: int) -> Backend:
        """Return the backend of prediction and target; raise unless the targets are classes or probabilities."""
        backend = self.check_prediction(prediction, replicate_axes)
        library = library_of(target, self, "target")
        shape = tuple(prediction.shape)
        one_per_row = tuple(target.shape) in (shape[:-1], shape[replicate_axes:-1])
        if not _are_indices(target):
            if one_per_row and tuple(target.shape) not in (shape, shape[replicate_axes:]):
                raise TypeError(f"{self}: expected class indices to be integers, got {describe(target)}")
            return super().check(prediction, target, replicate_axes)
        if library is not backend:
            raise TypeError(f"{self}: expected class indices in the library of the prediction, {backend.name}")
        if not one_per_row:
            raise self.wrong_shape(shape[:-1], replicate_axes, target)
        self.check_values(target, shape[-1])
        return backend

    def check_values(self, target: Array, features: int) -> None:
        """Refuse class indices below 0 or above ``features - 1``."""
        library = library_of(target, self, "target")
        if not _are_indices(target):
            return
        target = library.indices(target)
        outside = target[(target < 0) | (target >= features)]
        if outside.shape[0]:
            raise ValueError(f"{self}: expected class indices from 0 to {features - 1}, got {int(outside[0])}")

    def targets_are_classes(self, target: Array) -> bool:  # noqa: ARG002 - whatever they are
        """Whether targets are classes: always, as indices or as probabilities whose largest counts."""
        return True


def _are_indices(target: Array) -> bool:
    return "int" in dtype_name(target.dtype)
