"""The validation set of a training: given, or split off the samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import validate_data

import minidl
from minidl_sklearn.criterion import Criterion
from minidl_sklearn.inputs import as_samples
from minidl_sklearn.network import Network


class Data(NamedTuple):
    """Samples, their targets as the estimator encodes them, and their weights if there are any."""

    x: Any
    y: np.ndarray
    weight: np.ndarray | None

    def take(self, rows: np.ndarray | None) -> Data:
        """Return some of the samples; all of them for None."""
        if rows is None:
            return self
        return Data(self.x[rows], self.y[rows], None if self.weight is None else self.weight[rows])


def given(estimator: Any, trained_on: np.ndarray, class_weights: Callable[[Any], np.ndarray | None]) -> Data | None:
    """Return the validation set that is given, if there is one.

    Parameters
    ----------
    estimator : BaseMLP
    trained_on : array
        The targets of the training, as the estimator encodes them.
    class_weights : callable
        Returns what samples of these targets count by their classes, or None.

    Raises
    ------
    ValueError, TypeError
        If it is no (X, y) or (X, y, sample_weight) of the same features and kind of targets.
    """
    if estimator.validation_data is None:
        return None
    if len(estimator.validation_data) not in (2, 3):
        raise ValueError(
            f"validation_data: expected (X, y) or (X, y, sample_weight), got {len(estimator.validation_data)} of them"
        )
    X, y, weight = (*estimator.validation_data, None)[:3]
    X, y = validate_data(
        estimator, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=(np.float64, np.float32), reset=False,
        y_numeric=estimator._takes_numbers,
    )  # fmt: skip
    encoded = estimator._encode(y, trained_on)  # first: it refuses classes that have no weight
    return Data(X, encoded, estimator._check_weight(weight, X, class_weights(y)))


def split(estimator: Any, data: Data, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on and those to validate on; two classes are split in equal shares.

    With `restart_stopping`, a training that goes on with as many samples holds out the same ones.

    Raises
    ------
    ValueError
        If fewer than two samples are left for validation.
    """
    kept = getattr(estimator, "_split_rows", None) if estimator.restart_stopping else None
    if kept is None or sum(map(len, kept)) != len(data.x):
        stratify = data.y if estimator._stratifies() else None
        share = estimator.validation_fraction
        kept = train_test_split(np.arange(len(data.x)), random_state=rng, test_size=share, stratify=stratify)
    if len(kept[1]) < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    if estimator.restart_stopping:
        estimator._split_rows = kept
    train, held = kept
    return train, held


class HeldOut:
    """Measures a validation set.

    Parameters
    ----------
    estimator : BaseMLP
    network : Network
    data : Data

    Attributes
    ----------
    outputs : array
        Those of the network at the last call, in front of their activation.
    """

    outputs: np.ndarray

    def __init__(self, estimator: Any, network: Network, data: Data) -> None:
        self._estimator, self._model = estimator, network.model
        self._data = data._replace(x=as_samples(data.x, network.dtype))
        self._target = estimator._as_target(data.y, network.dtype)
        self._criterion = Criterion(estimator, network.dtype, self._target)

    def __call__(self) -> tuple[float, float]:
        """Return the score and the loss, the loss without a penalty."""
        z = self.outputs = minidl.predict(self._model, self._data.x, engine=self._estimator.engine)
        score = float(self._estimator._score_outputs(z, self._data.y, self._data.weight))
        return score, self._criterion.value(z, self._target, self._data.weight)
