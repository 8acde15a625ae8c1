"""The regressor."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from minidl_sklearn.meaning import variances
from minidl_sklearn.mlp import BaseMLP
from minidl_sklearn.number_targets import NumberTargets
from minidl_sklearn.options import OF_REGRESSOR
from minidl_sklearn.sklearn_parts import check_sample_weight, fit_context


class MLPRegressor(RegressorMixin, NumberTargets):
    """Multi-layer perceptron for regression, with the parameters and the results of scikit-learn's.

    From the same `random_state` the same initial weights, validation set and orders of samples are drawn, and each step
    computes the same, so that a fitted network agrees with scikit-learn's to rounding. minidl trains it, in its
    compiled engine if minidl-native is installed.

    Parameters
    ----------
    loss : {"squared_error", "poisson"}
        Half the squared error, or half the Poisson deviance of counts, for which the output is the logarithm of the
        prediction. Beyond scikit-learn's also "huber", "absolute_error", "quantile" for several `quantiles` at once,
        and "gaussian", which learns the mean and the variance of targets that should be scaled to about 1.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter
        As for `MLPClassifier`.
    shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction
        As for `MLPClassifier`.
    beta_1, beta_2, epsilon, n_iter_no_change, max_fun
        As for `MLPClassifier`.
    dropout, normalize, init, validation_data, restart_stopping, schedule, clip, callbacks, engine, dtype
        As for `MLPClassifier`, beyond scikit-learn.
    n_networks, bagging, stopping, n_jobs
        As for `MLPClassifier`. Several networks predict the mean of their predictions.
    quantiles : float, sequence of float, or None
        The quantiles that ``loss="quantile"`` predicts, each above 0 and below 1; None with every other loss.
    huber_delta : float
        The difference from which ``loss="huber"`` counts linearly.

    Attributes
    ----------
    loss_, best_loss_, loss_curve_, validation_loss_curve_, t_
        As of `MLPClassifier`.
    coefs_, intercepts_, n_features_in_, feature_names_in_, n_iter_, n_layers_
    networks_, networks_samples_, mean_scores_
        As of `MLPClassifier`.
    validation_scores_ : list of float, or None
        `score` of the validation set after each epoch; None without a validation set.
    best_validation_score_ : float or None
        The largest of them.
    n_outputs_ : int
        Number of outputs of the network: one for each target, and for each of its quantiles, or two with "gaussian".
    engine_ : str
        As of `MLPClassifier`.
    out_activation_ : str
        "identity", or "exp" for the Poisson deviance.

    Notes
    -----
    What the outputs of a fitted network mean does not change with `loss` and `quantiles`. `predict` and `score` go by
    the loss of the training, and a training that goes on may change to another loss of the same outputs only: from
    "squared_error" to "huber", but not to "gaussian".

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from minidl_sklearn import MLPRegressor
    >>> x, y = make_regression(n_samples=200, n_features=20, random_state=1)
    >>> regressor = MLPRegressor(max_iter=2000, tol=0.1, random_state=1).fit(x[:150], y[:150])
    >>> regressor.score(x[150:], y[150:]) > 0.95
    True
    """

    _parameter_constraints = OF_REGRESSOR
    _takes_numbers = True

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network, from new weights unless `warm_start` is set.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            float32 is trained in float32, all else in float64; a sparse matrix is made dense.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like, shape (n_samples,), optional

        Returns
        -------
        MLPRegressor
        """
        return self._fit(X, y, sample_weight, incremental=False)

    @available_if(BaseMLP._solver_is_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch more.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        MLPRegressor
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any, *, return_std: bool = False) -> Any:
        """Predict the targets of samples.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
        return_std : bool
            Whether to return the standard deviations too: those that ``loss="gaussian"`` learns, or those of the
            predictions of several networks. For several networks with "gaussian" the variance is the mean of theirs
            plus the variance of their means.

        Returns
        -------
        prediction : array, shape (n_samples,), or (n_samples, n_outputs) for several outputs
            Of several quantiles the columns are quantiles; of several targets, those of the first target come first.
        std : array of the same shape
            With `return_std`.
        """
        if return_std and self._has_networks() and self._meaning.kind != "gaussian":
            each = np.asarray(self._predictions(self._outputs_of_each(X)))
            return _column(each.mean(axis=0)), _column(each.std(axis=0))
        z = self._outputs(X)
        if return_std and self._meaning.kind != "gaussian":
            raise ValueError(
                f"return_std: expected loss='gaussian' in the training, or several networks, got one network whose "
                f"outputs are {self._meaning}"
            )
        y = _column(self._predictions(z))
        return (y, _column(np.sqrt(variances(z)))) if return_std else y

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R² of the predictions; of quantiles the mean of their D², the share of the pinball loss explained.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like, shape (n_samples,), optional

        Returns
        -------
        float
        """
        check_is_fitted(self, "out_activation_")
        if self._meaning.kind != "quantile":
            return float(super().score(X, y, sample_weight))
        z = self._outputs(X)
        y = check_array(y, ensure_2d=False, dtype=z.dtype, input_name="y")
        check_consistent_length(z, y, sample_weight)
        weight = None if sample_weight is None else check_sample_weight(sample_weight, z)
        return self._score_outputs(z, y.reshape(len(z), -1), weight)


def _column(y: np.ndarray) -> np.ndarray:
    """Return predictions; those of a single column as a vector."""
    return y[:, 0] if y.shape[1] == 1 else y
