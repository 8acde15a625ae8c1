"""The classifier."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target

from minidl_sklearn.class_targets import ClassTargets
from minidl_sklearn.criterion import activate
from minidl_sklearn.labels import decode
from minidl_sklearn.mlp import BaseMLP
from minidl_sklearn.options import OF_CLASSIFIER
from minidl_sklearn.sklearn_parts import fit_context, is_first_call
from minidl_sklearn.undo import unchanged_on_error


class MLPClassifier(ClassifierMixin, ClassTargets):
    """Multi-layer perceptron that classifies, with the parameters and the results of scikit-learn's.

    From the same `random_state` the same initial weights, validation set and orders of samples are drawn, and each step
    computes the same, so that a fitted network agrees with scikit-learn's to rounding. minidl trains it, in its
    compiled engine if minidl-native is installed. Two classes have one logistic output, several classes a softmax,
    several labels a logistic output each; the loss is the cross-entropy.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int
        Widths of the hidden layers.
    activation : {"identity", "logistic", "tanh", "relu"} or sequence of str
        Of the hidden layers: one for all, or one for each. Beyond scikit-learn's also "leaky_relu", "elu", "gelu",
        "silu" and "softplus".
    solver : {"lbfgs", "sgd", "adam"}
        "lbfgs" is SciPy's L-BFGS-B on all samples at once; the others train by mini-batches. Beyond scikit-learn's also
        "adamw" and "rmsprop".
    alpha : float
        L2 penalty: ``alpha/2`` times the sum of the squared weights, divided by the number of samples in the batch, is
        part of the loss. With "adamw" it is no part of the loss: each step takes ``alpha`` times the learning rate off
        each weight.
    batch_size : int or "auto"
        Samples in a mini-batch; "auto" is ``min(200, n_samples)``.
    learning_rate : {"constant", "invscaling", "adaptive"}
        Of "sgd": constant; ``learning_rate_init / (t_ + 1) ** power_t`` after each epoch; or divided by 5 whenever the
        training does not improve for `n_iter_no_change` epochs, until it is 1e-6.
    learning_rate_init : float
        Learning rate of all solvers but "lbfgs" at the start.
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
        Decay rates of the moments of "adam" and "adamw", in [0, 1); `beta_2` also of "rmsprop".
    epsilon : float
        Added to the root of the second moment: of "adam" and "adamw" before the bias correction, and of "rmsprop".
    n_iter_no_change : int or inf
        Epochs without improvement after which the training ends.
    max_fun : int
        The most evaluations of the loss by "lbfgs".
    dropout : float or sequence of float
        Beyond scikit-learn, as all below. The probability with which a unit behind the activation is dropped in
        training, in [0, 1), one for all hidden layers or one for each. The masks come from `random_state`.
    normalize : {"batch", "layer"} or None
        Normalization in front of each activation: over the batch (`minidl.BatchNorm1d`), or over the features of a
        sample (`minidl.LayerNorm`). "batch" enlarges batches whose last one would have a single sample.
    init : {"he", "glorot", "lecun", "torch"}, callable or None
        The rule of the initial weights, as for `minidl.Linear`; None draws scikit-learn's.
    class_weight : "balanced", dict or None
        What the samples of each class count in loss and validation score, beside `sample_weight`; "balanced" makes all
        classes of the training set count the same in sum, and gives those of `validation_data` the same weights. It is
        a dict for `partial_fit`.
    label_smoothing : float
        In [0, 1): this share of each target is spread evenly over all classes, or over the two values of a label.
    validation_data : tuple of (X, y) or (X, y, sample_weight), or None
        A data set to measure after each epoch, and for `early_stopping` in place of a part of the samples.
    restart_stopping : bool
        Whether `fit` with `warm_start` judges progress anew, see Notes.
    schedule : minidl.Schedule, callable or None
        ``schedule(t)`` is the learning rate of the t-th batch, from 1 on, in place of `learning_rate_init`.
    clip : float or None
        A gradient with a larger norm is scaled down to this one.
    callbacks : sequence of minidl.Callback or callable, or None
        Each is called as ``callback(epoch, history)`` after each epoch, and ends the training by returning True. The
        history has the curves ``loss``, and of a validation set ``val_loss`` and the metric ``val_score``.
    engine : {"auto", "numpy", "native"} or None
        The engine of training and prediction, as for `minidl.fit`; "lbfgs" computes its losses in NumPy.
    dtype : {"float32", "float64"} or None
        Of the network, whatever that of X; "lbfgs" computes in float64 all the same.
    n_networks : int
        So many networks are trained at once, and predict together; see Notes.
    bagging : bool
        Whether each of several networks draws as many samples as there are, with replacement, from the training set; a
        validation set is split off before.
    stopping : {"each", "mean"}
        Whether each of several networks stops by its own loss or score and keeps its own best weights, or all stop by
        the mean of their losses, or with `early_stopping` by the score of their joint prediction, and keep the weights
        of one epoch.
    n_jobs : int or None
        Over how many processes, or workers of the backend of joblib that is set, `fit` spreads several networks: each
        trains a block of them at once. The networks do not depend on it. None is that of ``joblib.parallel_config``,
        and else 1; -1 takes all. `partial_fit`, ``stopping="mean"`` and networks with callbacks stay in this process.

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
        Accuracy on the validation set after each epoch; None without a validation set.
    best_validation_score_ : float or None
        The largest of them.
    validation_loss_curve_ : list of float, or None
        Loss of the validation set after each epoch, without the penalty; None without a validation set.
    t_ : int
        Number of samples that the training has gone through.
    coefs_ : list of array, shape (n_in, n_out)
        Weights of the layers: views of the network's vector. They may be written to, and replaced; the numbers of an
        array that replaces one are copied at the next prediction or training.
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
    engine_ : str
        The engine of the last training, and why it was this one, as in `minidl.History`.
    networks_ : list of MLPClassifier
        The networks, with ``n_networks=1`` each, where there are several. `coefs_` and `intercepts_` are theirs.
    networks_samples_ : list of array of int
        With `bagging`, the rows that each network was trained on.
    mean_scores_ : list of float
        With ``stopping="mean"`` and a validation set, the score of the joint prediction after each epoch.

    Notes
    -----
    Several networks differ in their seed, and so in initial weights, orders of samples, dropout and validation set. The
    seed of the first one is `random_state` if that is an int; so it is the network of ``n_networks=1``, and the seeds
    of the others are drawn from it. Every network is the one that an estimator with its seed would be alone, to
    rounding. They predict the mean of their probabilities. `loss_curve_`, `validation_scores_` and
    `validation_loss_curve_` are then arrays of shape (n_epochs, n_networks), with nan after the end of a network;
    `best_loss_` and `best_validation_score_` arrays of one number per network; `loss_` is the mean over the networks,
    `n_iter_` and `t_` are the largest. Networks are trained one after another, not at once, with "lbfgs", callbacks,
    samples of weight zero, and in a `partial_fit` after they have stopped at different epochs.

    A `fit` with `warm_start` goes on, as in scikit-learn, with what the training before has left: after 10 epochs
    without improvement it ends at the first one more, early stopping compares with a score from another validation set,
    and the weights may end worse than they began. With `restart_stopping` the epochs without improvement are counted
    from 0, the loss or the score to beat is that of this training, beginning with the weights that it starts from, and
    a data set of equal size keeps its validation rows.

    In `partial_fit`, scikit-learn refuses early stopping. With `validation_data` it is allowed here: each call adds to
    the curves and to `best_validation_score_`, and the weights stay those of the last call.

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

    _parameter_constraints = OF_CLASSIFIER
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
        with unchanged_on_error(self):
            if is_first_call(self, classes):
                labels = y if type_of_target(y).startswith("multilabel") else classes
                self._label_binarizer = LabelBinarizer().fit(labels)
            train = self._ready(X, y, sample_weight, incremental=True)
        return self._finish(train)

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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
