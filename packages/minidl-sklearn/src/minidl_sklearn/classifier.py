"""The classifier."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target

from minidl_sklearn.criterion import activate
from minidl_sklearn.labels import check_classes, count_hits, decode, encode
from minidl_sklearn.mlp import BaseMLP
from minidl_sklearn.scores import accuracy
from minidl_sklearn.sklearn_parts import CLASSIFIER_CONSTRAINTS, fit_context, is_first_call


class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multi-layer perceptron that classifies, with the parameters and the results of scikit-learn's.

    From the same `random_state` the same initial weights, validation set and orders of samples are drawn, and each step
    computes the same, so that a fitted network agrees with scikit-learn's to rounding. minidl trains it, in its
    compiled engine if minidl-native is installed. Two classes have one logistic output, several classes a softmax,
    several labels a logistic output each; the loss is the cross-entropy.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int
        Widths of the hidden layers.
    activation : {"identity", "logistic", "tanh", "relu"}
        Of the hidden layers.
    solver : {"lbfgs", "sgd", "adam"}
        "lbfgs" is SciPy's L-BFGS-B on all samples at once; the other two train by mini-batches.
    alpha : float
        L2 penalty: ``alpha/2`` times the sum of the squared weights, divided by the number of samples in the batch, is
        part of the loss.
    batch_size : int or "auto"
        Samples in a mini-batch; "auto" is ``min(200, n_samples)``.
    learning_rate : {"constant", "invscaling", "adaptive"}
        Of "sgd": constant; ``learning_rate_init / (t_ + 1) ** power_t`` after each epoch; or divided by 5 whenever the
        training does not improve for `n_iter_no_change` epochs, until it is 1e-6.
    learning_rate_init : float
        Learning rate of "sgd" and "adam" at the start.
    power_t : float
        Exponent of "invscaling".
    max_iter : int
        The most epochs, or iterations of "lbfgs".
    shuffle : bool
        Whether each epoch has a new order of the samples.
    random_state : int, RandomState or None
        Where initial weights, validation set and orders come from.
    tol : float
        By how much the loss, or the score of the validation set, must improve to count as improved.
    verbose : bool or int
        Whether to print a line after each epoch.
    warm_start : bool
        Whether `fit` goes on from the weights of the call before.
    momentum : float
        Of "sgd", between 0 and 1.
    nesterovs_momentum : bool
        Whether the momentum is Nesterov's.
    early_stopping : bool
        Whether a part of the samples is kept for validation; its score ends the training, and the weights with the best
        score are kept.
    validation_fraction : float
        The share of that part.
    beta_1, beta_2 : float
        Decay rates of the moments of "adam", in [0, 1).
    epsilon : float
        Added to the root of the second moment of "adam", before the bias correction.
    n_iter_no_change : int or inf
        Epochs without improvement after which the training ends.
    max_fun : int
        The most evaluations of the loss by "lbfgs".

    Attributes
    ----------
    classes_ : array
        The classes.
    loss_ : float
        Loss of the last epoch.
    best_loss_ : float or None
        The smallest loss of an epoch; None with early stopping.
    loss_curve_ : list of float
        Loss of each epoch; not with "lbfgs".
    validation_scores_ : list of float, or None
        Accuracy on the validation set after each epoch; None without early stopping.
    best_validation_score_ : float or None
        The largest of them.
    t_ : int
        Number of samples that the training has gone through.
    coefs_ : list of array, shape (n_in, n_out)
        Weights of the layers: views of the network's vector. They may be written to, and replaced.
    intercepts_ : list of array, shape (n_out,)
        Biases of the layers, likewise.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : array of str
        Names of the features, where X had some.
    n_iter_ : int
        Number of epochs, or of iterations of "lbfgs".
    n_layers_ : int
        Number of layers, the input counted.
    n_outputs_ : int
        Number of outputs.
    out_activation_ : str
        "softmax" or "logistic".

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from minidl_sklearn import MLPClassifier
    >>> x, y = load_iris(return_X_y=True)
    >>> classifier = MLPClassifier((25, 25), max_iter=1000, random_state=0).fit(x, y)
    >>> classifier.score(x, y) > 0.95
    True
    >>> classifier.predict_proba(x[:1]).shape
    (1, 3)
    """

    _parameter_constraints = CLASSIFIER_CONSTRAINTS
    _takes_numbers = False
    loss = "log_loss"

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network, from new weights unless `warm_start` is set.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            float32 is trained in float32, all else in float64; a sparse matrix is made dense.
        y : array-like, shape (n_samples,), or (n_samples, n_labels) of zeros and ones
        sample_weight : array-like, shape (n_samples,), optional

        Returns
        -------
        MLPClassifier
        """
        return self._fit(X, y, sample_weight, incremental=False)

    @available_if(BaseMLP._solver_is_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train for one epoch more.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like, optional
            All classes that may ever come; needed in the first call.

        Returns
        -------
        MLPClassifier
        """
        if is_first_call(self, classes):
            labels = y if type_of_target(y).startswith("multilabel") else classes
            self._label_binarizer = LabelBinarizer().fit(labels)
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> Any:
        """Return the most probable class of each sample, or its labels.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        array, shape (n_samples,), or (n_samples, n_labels)
        """
        z = self._outputs(X)  # first: it knows whether there has been a training
        return decode(self._label_binarizer, z)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes, in the order of `classes_`.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        array, shape (n_samples, n_classes)
        """
        z = self._outputs(X)
        p: np.ndarray = activate(self.out_activation_, z)
        return np.concatenate([1 - p, p], axis=1) if self.n_outputs_ == 1 else p

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of `predict_proba`.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        array, shape (n_samples, n_classes)
        """
        p = self.predict_proba(X)
        return np.asarray(np.log(p, out=p))

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
        return y if y.ndim == 1 else y.astype(dtype)

    def _stratifies(self) -> bool:
        return bool(self.n_outputs_ == 1)

    def _score_outputs(self, z: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
        return accuracy(count_hits(z, y), weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
