"""The regressor."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from minidl_sklearn.criterion import activate
from minidl_sklearn.mlp import BaseMLP
from minidl_sklearn.scores import r2
from minidl_sklearn.sklearn_parts import REGRESSOR_CONSTRAINTS, fit_context


class MLPRegressor(RegressorMixin, BaseMLP):
    """Multi-layer perceptron for regression, with the parameters and the results of scikit-learn's.

    From the same `random_state` the same initial weights, validation set and orders of samples are drawn, and each step
    computes the same, so that a fitted network agrees with scikit-learn's to rounding. minidl trains it, in its
    compiled engine if minidl-native is installed.

    Parameters
    ----------
    loss : {"squared_error", "poisson"}
        Half the squared error, or half the Poisson deviance of counts, for which the output is the logarithm of the
        prediction.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter
        As for `MLPClassifier`.
    shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction
        As for `MLPClassifier`.
    beta_1, beta_2, epsilon, n_iter_no_change, max_fun
        As for `MLPClassifier`.

    Attributes
    ----------
    loss_, best_loss_, loss_curve_, t_, coefs_, intercepts_, n_features_in_, feature_names_in_, n_iter_, n_layers_
        As of `MLPClassifier`.
    validation_scores_ : list of float, or None
        R² of the validation set after each epoch; None without early stopping.
    best_validation_score_ : float or None
        The largest of them.
    n_outputs_ : int
        Number of outputs.
    out_activation_ : str
        "identity", or "exp" for the Poisson deviance.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from minidl_sklearn import MLPRegressor
    >>> x, y = make_regression(n_samples=200, n_features=20, random_state=1)
    >>> regressor = MLPRegressor(max_iter=2000, tol=0.1, random_state=1).fit(x[:150], y[:150])
    >>> regressor.score(x[150:], y[150:]) > 0.95
    True
    """

    _parameter_constraints = REGRESSOR_CONSTRAINTS
    _takes_numbers = True

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
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
    ) -> None:
        self.loss = loss
        super().__init__(
            hidden_layer_sizes, activation, solver=solver, alpha=alpha, batch_size=batch_size,
            learning_rate=learning_rate, learning_rate_init=learning_rate_init, power_t=power_t, max_iter=max_iter,
            shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose, warm_start=warm_start,
            momentum=momentum, nesterovs_momentum=nesterovs_momentum, early_stopping=early_stopping,
            validation_fraction=validation_fraction, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon,
            n_iter_no_change=n_iter_no_change, max_fun=max_fun,
        )  # fmt: skip

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

    def predict(self, X: Any) -> np.ndarray:
        """Predict the targets of samples.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        array, shape (n_samples,), or (n_samples, n_outputs) for several outputs
        """
        z = self._outputs(X)
        y: np.ndarray = activate(self.out_activation_, z)
        return y[:, 0] if y.shape[1] == 1 else y

    def _check_targets(self, y: Any, *, first: bool, incremental: bool) -> np.ndarray:  # noqa: ARG002 - the classifier's
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return np.asarray(y.reshape(len(y), -1))

    def _output_kind(self, y: np.ndarray) -> tuple[int, str]:
        return y.shape[1], "exp" if self.loss == "poisson" else "identity"

    def _as_target(self, y: np.ndarray, dtype: Any) -> np.ndarray:
        return np.ascontiguousarray(y, dtype)

    def _score_outputs(self, z: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
        return r2(y, activate(self.out_activation_, z), weight)
