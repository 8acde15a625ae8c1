"""The targets of a classifier: classes, and what a network is trained on instead."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import unique_labels

from minidl_sklearn.labels import check_classes, count_hits, encode
from minidl_sklearn.mlp import BaseMLP
from minidl_sklearn.scores import accuracy


class ClassTargets(BaseMLP):
    """Base class of the classifier, with all that a multi-layer perceptron must know of its targets."""

    class_weight: Any
    label_smoothing: float

    def _check_targets(self, y: Any, *, first: bool, incremental: bool) -> np.ndarray:  # noqa: ARG002 - the regressor's
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if hasattr(self, "classes_") and (self.warm_start or incremental):
            check_classes(self, y)
        else:
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        return encode(self._label_binarizer, y)

    def _output_kind(self, y: np.ndarray) -> tuple[int, str]:
        if self._label_binarizer.y_type_ == "multiclass":
            return len(self.classes_), "softmax"
        return y.shape[1], "logistic"

    def _as_target(self, y: np.ndarray, dtype: Any) -> np.ndarray:
        if y.ndim == 1:
            return y
        share = self.label_smoothing
        return np.asarray((1 - share) * y + 0.5 * share, dtype) if share else y.astype(dtype)

    def _loss_kind(self) -> str:
        return self.out_activation_

    def _encode(self, y: Any) -> np.ndarray:
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        unknown = np.setdiff1d(unique_labels(y), self.classes_)
        if len(unknown):
            raise ValueError(f"validation_data: expected classes of the training set, got {unknown} beside them")
        return encode(self._label_binarizer, y)

    def _class_weights(self, y: Any, *, incremental: bool) -> np.ndarray | None:
        if self.class_weight is None:
            return None
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight: expected a dict for partial_fit, which sees a part of the samples, got 'balanced'"
            )
        y = y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y
        return np.asarray(compute_sample_weight(self.class_weight, y))

    def _stratifies(self) -> bool:
        return bool(self.n_outputs_ == 1)

    def _score_outputs(self, z: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
        return accuracy(count_hits(z, y), weight)
