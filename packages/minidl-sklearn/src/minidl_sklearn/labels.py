"""Classes as a network is trained on them, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import unique_labels


def encode(binarizer: LabelBinarizer, y: Any) -> np.ndarray:
    """Return a column of bool for two classes, (n, n_labels) of bool for labels, and else indices, (n,).

    Parameters
    ----------
    binarizer : LabelBinarizer
        Fitted.
    y : array
        Of the binarizer's classes.
    """
    if y.ndim > 1 or binarizer.y_type_ not in ("binary", "multiclass"):
        return np.asarray(binarizer.transform(y).astype(bool))
    index = np.asarray(np.searchsorted(binarizer.classes_, y))  # what `transform` finds after many checks
    return index if binarizer.y_type_ == "multiclass" else index[:, None].astype(bool)


def decode(binarizer: LabelBinarizer, z: np.ndarray) -> Any:
    """Return the classes that outputs of a network name.

    Parameters
    ----------
    binarizer : LabelBinarizer
        Fitted.
    z : array, shape (n_samples, n_outputs)
        Logits: above 0 where a probability is above one half.
    """
    classes = binarizer.classes_
    if binarizer.y_type_ == "multiclass":
        return classes.take(z.argmax(axis=1))
    if binarizer.y_type_ == "binary":
        return classes.take(z[:, 0] > 0, mode="clip")  # a single class has an output too
    return binarizer.inverse_transform((z > 0).astype(float))


def count_hits(binarizer: LabelBinarizer, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return which samples are predicted right, in all their labels.

    Parameters
    ----------
    binarizer : LabelBinarizer
        Fitted.
    z : array, shape (n_samples, n_outputs)
        Logits.
    y : array
        As `encode` returns it.
    """
    if binarizer.y_type_ == "binary" and len(binarizer.classes_) == 1:  # whatever the logit is, see `decode`
        return np.ones(len(y), bool)
    return np.asarray(z.argmax(axis=1) == y if y.ndim == 1 else ((z > 0) == y).all(axis=1))


def check_classes(estimator: Any, y: Any) -> None:
    """Refuse classes that a training which goes on cannot have.

    Parameters
    ----------
    estimator : MLPClassifier
        Fitted.
    y : array

    Raises
    ------
    ValueError
        With `warm_start` for other classes than those of the training before; in `partial_fit` for new ones.
    """
    classes, known = unique_labels(y), estimator.classes_
    if estimator.warm_start:
        if set(classes) != set(known):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {known}, `y` has {classes}"
            )
    elif len(np.setdiff1d(classes, known, assume_unique=True)):
        raise ValueError(f"`y` has classes not in `self.classes_`. `self.classes_` has {known}. 'y' has {classes}.")


def binarizer_of(who: str, outputs: int, classes: Any, *, multilabel: bool) -> LabelBinarizer:
    """Return the binarizer for so many outputs of a network.

    Parameters
    ----------
    who : str
        The class of the estimator, for errors.
    outputs : int
    classes : array-like or None
        None for numbers from 0.
    multilabel : bool
        Whether each output is a label of its own.

    Raises
    ------
    ValueError
        For classes that are not sorted, or not as many as there are outputs; for labels with names.
    """
    if multilabel:
        if classes is not None:
            raise ValueError(f"{who}: expected no classes beside multilabel=True, got {classes!r}")
        return LabelBinarizer().fit(np.stack([np.ones(outputs, int), np.zeros(outputs, int)]))
    count = max(outputs, 2)
    given = np.arange(count) if classes is None else np.asarray(classes)
    if given.shape != (count,) or not np.array_equal(np.unique(given), given):
        raise ValueError(f"{who}: expected {count} sorted classes for a network of {outputs} outputs, got {classes!r}")
    return LabelBinarizer().fit(given)
