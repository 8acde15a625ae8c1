"""The targets of a classifier: classes, and what a network is trained on instead."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import unique_labels

import minidl
from minidl_sklearn.criterion import activate
from minidl_sklearn.exchange import hold, network_of, with_one_logit
from minidl_sklearn.labels import binarizer_of, check_classes, count_hits, encode
from minidl_sklearn.mlp import BaseMLP
from minidl_sklearn.scores import accuracy


class ClassTargets(BaseMLP):
    """Base class of the classifier, with all that a multi-layer perceptron must know of its targets.

    The parameters are those of `MLPClassifier`.
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        normalize: str | None = None,
        init: Any = None,
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        validation_data: Any = None,
        restart_stopping: bool = False,
        schedule: Any = None,
        clip: float | None = None,
        callbacks: Any = None,
        engine: Any = None,
        dtype: str | None = None,
        n_networks: int = 1,
        bagging: bool = False,
        stopping: str = "each",
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes, activation=activation, solver=solver, alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate, learning_rate_init=learning_rate_init, power_t=power_t, max_iter=max_iter,
            shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose, warm_start=warm_start,
            momentum=momentum, nesterovs_momentum=nesterovs_momentum, early_stopping=early_stopping,
            validation_fraction=validation_fraction, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon,
            n_iter_no_change=n_iter_no_change, max_fun=max_fun, dropout=dropout, normalize=normalize, init=init,
            validation_data=validation_data, restart_stopping=restart_stopping, schedule=schedule, clip=clip,
            callbacks=callbacks, engine=engine, dtype=dtype, n_networks=n_networks, bagging=bagging, stopping=stopping,
            n_jobs=n_jobs,
            class_weight=class_weight, label_smoothing=label_smoothing,
        )  # fmt: skip

    @classmethod
    def from_minidl(cls, model: minidl.Module, *, classes: Any = None, multilabel: bool = False, **params: Any) -> Self:
        """Return an estimator that predicts with a copy of a network, and trains it further in `partial_fit`.

        Parameters
        ----------
        model : minidl.Sequential
            Linear layers, and behind each but the last one, in this order and each optional: a normalization (in all
            places the same), an activation, dropout. Its outputs are logits, in front of sigmoid or softmax; of two
            classes there may be one or two.
        classes : array-like, optional
            The classes in the order of the outputs; of a single output those with a logit below 0 and above. Without
            it, numbers from 0.
        multilabel : bool
            Whether each output is a label of its own.
        **params
            Other parameters of the estimator.

        Returns
        -------
        MLPClassifier

        Raises
        ------
        ValueError, TypeError
            For another kind of network, or other classes than sorted ones, as many as there are outputs.

        Examples
        --------
        >>> import numpy as np
        >>> import minidl
        >>> from minidl_sklearn import MLPClassifier
        >>> model = minidl.Sequential([minidl.Linear(2, 5, rng=0), minidl.Tanh(), minidl.Linear(5, 3, rng=1)])
        >>> MLPClassifier.from_minidl(model, classes=["a", "b", "c"]).predict_proba(np.ones((1, 2))).shape
        (1, 3)
        """
        network = network_of(cls.__name__, model)
        outputs = network.coefs[-1].shape[1]
        binarizer = binarizer_of(cls.__name__, outputs, classes, multilabel=multilabel)
        if outputs == 2 and not multilabel:
            network = with_one_logit(network)
        softmax = binarizer.y_type_ == "multiclass"
        estimator = hold(cls(**params), network, "softmax" if softmax else "logistic")
        estimator._label_binarizer, estimator.classes_ = binarizer, binarizer.classes_
        return estimator

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

    def _encode(self, y: Any, trained_on: np.ndarray) -> np.ndarray:  # noqa: ARG002 - the regressor's
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        unknown = np.setdiff1d(unique_labels(y), self.classes_)
        if len(unknown):
            raise ValueError(f"validation_data: expected classes of the training set, got {unknown} beside them")
        return encode(self._label_binarizer, y)

    def _class_weights(self, y: Any, counted: Any = None, *, incremental: bool) -> np.ndarray | None:
        if self.class_weight is None:
            return None
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight: expected a dict for partial_fit, which sees a part of the samples, got 'balanced'"
            )
        if counted is None or self.class_weight != "balanced":
            return np.asarray(compute_sample_weight(self.class_weight, _dense(y)))
        y, counted = _dense(y), _dense(counted)
        both, those = np.concatenate([y, counted]), len(y) + np.arange(len(counted))
        return np.asarray(compute_sample_weight("balanced", both, indices=those)[: len(y)])

    def _stratifies(self) -> bool:
        return bool(self.n_outputs_ == 1)

    def _pool(self, zs: np.ndarray) -> np.ndarray:
        """Return logits of the mean of the networks' probabilities."""
        p = activate(self.out_activation_, zs).mean(axis=0)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(p) if self.out_activation_ == "softmax" else np.log(p) - np.log1p(-p))

    def _score_outputs(self, z: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
        return accuracy(count_hits(self._label_binarizer, z, y), weight)


def _dense(y: Any) -> np.ndarray:
    """Return targets as an array, with one axis unless they are labels."""
    dense = np.asarray(y.toarray() if issparse(y) else y)
    return dense.ravel() if dense.ndim == 2 and dense.shape[1] == 1 else dense
