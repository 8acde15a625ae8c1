"""How often a prediction names the right class."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.arrays.backend import Array, is_float, library_of


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
        Between 0 and 1.

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
    labels = classes_of(target) if is_float(target) else target
    samples = int(np.prod(prediction.shape[replicate_axes:-1]))
    if not samples:
        raise ValueError("accuracy: expected at least one sample, got none")
    return count_hits(prediction, labels, replicate_axes, threshold) / samples


def count_hits(prediction: Array, labels: Array, replicate_axes: int, threshold: float) -> Array:
    """Return how many samples of each replicate are predicted right, shape (*replicate_axes)."""
    hits = classes_of(prediction, threshold) == labels
    if not replicate_axes and type(hits) is np.ndarray:
        return np.count_nonzero(hits)  # 0.3 us where `sum` takes 2
    return (hits if hits.ndim == replicate_axes + 1 else hits.reshape(*hits.shape[:replicate_axes], -1)).sum(-1)


def classes_of(output: Array, threshold: float = 0.5) -> Array:
    """Return the class that each row names, shape (..., C) -> (...); of two classes, whether it is the second."""
    if output.shape[-1] == 1:
        return output[..., 0] > threshold
    if output.shape[-1] == 2:
        return output[..., 1] > output[..., 0]  # four times as fast as argmax along so short an axis
    return output.argmax(-1)


def names_classes(target: Array) -> bool:
    """Whether targets are class indices, one-hot rows, or a column of zeros and ones."""
    if not is_float(target):
        return True
    binary = bool(((target == 0) | (target == 1)).all())
    return binary and (target.shape[-1] == 1 or bool((target.sum(axis=-1) == 1).all()))
