"""Weights of samples: what each counts in a loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.arrays.backend import Array, describe, is_float, library_of


def as_weights(who: object, weight: Array, shape: tuple[int, ...], replicate_axes: int) -> np.ndarray:
    """Check weights of samples, and return them as a NumPy array of float64.

    Parameters
    ----------
    who : object
        In whose name errors are raised.
    weight : array, shape (sample,) or (*replicates, sample)
        Of either library and any real dtype.
    shape : tuple of int
        Of what is weighted, (*replicates, sample, ...).
    replicate_axes : int

    Raises
    ------
    ValueError
        For another shape, or a weight that is negative or not finite.
    TypeError
        For anything but an array of real numbers.
    """
    w = library_of(weight, who, "weight").to_numpy(weight)
    if w.dtype.kind not in "fiu":
        raise TypeError(f"{who}: expected weights to be numbers, got {describe(weight)}")
    expected = tuple(shape[: replicate_axes + 1])
    if w.shape not in (expected, expected[replicate_axes:]) or len(shape) < replicate_axes + 2:
        raise ValueError(f"{who}: expected a weight for each sample, shape {expected}, got shape {w.shape}")
    w = w.astype(np.float64)
    if not (np.isfinite(w) & (w >= 0)).all():
        raise ValueError(f"{who}: expected weights to be finite and at least 0, got {w.min()} to {w.max()}")
    return w


def class_weights(y: Array, weights: str | Mapping[int, float] = "balanced") -> np.ndarray:
    """Return a weight for each sample by its class, for ``fit(..., sample_weight=)``.

    Parameters
    ----------
    y : array
        Class indices, shape (..., N), one-hot rows of floats, (..., N, C), or a column, (..., N, 1).
    weights : {"balanced"} or mapping of int to float
        ``"balanced"`` gives all classes that occur the same total weight and the samples a mean weight of 1:
        ``N / (number of classes * samples of the class)``, as in scikit-learn. A mapping gives the weight of each
        class; 1 for those it leaves out.

    Returns
    -------
    ndarray of float64, shape (..., N)

    Raises
    ------
    ValueError
        For targets that are not classes, no targets, another word, a class that does not occur, or a weight that is
        negative or not finite.
    TypeError
        For weights that are neither a word nor a mapping.

    Examples
    --------
    >>> import numpy as np
    >>> class_weights(np.array([0, 0, 0, 1]))
    array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    >>> class_weights(np.array([0, 2]), {2: 5.0})
    array([1., 5.])
    """
    classes = _classes(y)
    if not classes.size:
        raise ValueError(f"class_weights: expected at least one sample, got {describe(y)}")
    if not isinstance(weights, str | Mapping):
        raise TypeError(f"class_weights: expected 'balanced' or a weight for each class by its number, got {weights!r}")
    if isinstance(weights, str):
        if weights != "balanced":
            raise ValueError(f"class_weights: expected 'balanced' or a weight for each class, got {weights!r}")
        rows = classes.reshape(-1, classes.shape[-1])
        return np.stack([_balanced(row) for row in rows]).reshape(classes.shape)
    if not all(np.isfinite(weight) and weight >= 0 for weight in weights.values()):
        raise ValueError(f"class_weights: expected weights that are finite and at least 0, got {dict(weights)}")
    absent = [label for label in weights if not (classes == label).any()]
    if absent:
        raise ValueError(f"class_weights: expected classes that occur, got a weight for {absent[0]!r}")
    result = np.ones(classes.shape)
    for label, weight in weights.items():
        result[classes == label] = weight
    return result


def _balanced(classes: np.ndarray) -> np.ndarray:
    found, index, counts = np.unique(classes, return_inverse=True, return_counts=True)
    return np.asarray((classes.size / (found.size * counts))[index])


def _classes(y: Array) -> np.ndarray:
    array: Any = library_of(y, "class_weights", "y").to_numpy(y)
    if not is_float(array):
        if array.dtype.kind not in "iu" or not array.ndim:
            raise ValueError(f"class_weights: expected class indices, got {describe(y)}")
        if array.ndim > 1 and array.shape[-1] == 1:
            return np.asarray(array[..., 0])
        if array.ndim > 1 and ((array == 0) | (array == 1)).all() and (array.sum(axis=-1) == 1).all():
            raise ValueError(
                "class_weights: expected class indices, (N,), or one-hot rows of floats, got integers that may be "
                "either: try y.argmax(axis=-1)"
            )
        return np.asarray(array)
    binary = array.ndim > 1 and bool(((array == 0) | (array == 1)).all())
    if not binary or (array.shape[-1] > 1 and not (array.sum(axis=-1) == 1).all()):
        raise ValueError(f"class_weights: expected class indices, one-hot rows or zeros and ones, got {describe(y)}")
    return np.asarray(array[..., 0] if array.shape[-1] == 1 else array.argmax(axis=-1))
