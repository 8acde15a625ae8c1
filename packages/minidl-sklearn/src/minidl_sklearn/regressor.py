"""The regressor."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

import minidl
from minidl_sklearn.criterion import activate
from minidl_sklearn.exchange import hold, network_of
from minidl_sklearn.meaning import Meaning, outputs_of, standard_deviations
from minidl_sklearn.mlp import BaseMLP
from minidl_sklearn.options import OF_REGRESSOR
from minidl_sklearn.scores import d2, r2
from minidl_sklearn.sklearn_parts import check_sample_weight, fit_context


class MLPRegressor(RegressorMixin, BaseMLP):
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
    quantiles : float, sequence of float, or None
        The quantiles that ``loss="quantile"`` predicts, each above 0 and below 1; None with every other loss.
    huber_delta : float
        The difference from which ``loss="huber"`` counts linearly.

    Attributes
    ----------
    loss_, best_loss_, loss_curve_, validation_loss_curve_, t_
        As of `MLPClassifier`.
    coefs_, intercepts_, n_features_in_, feature_names_in_, n_iter_, n_layers_
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

    def __init__(
        self,
        loss: str = "squared_error",
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
        quantiles: Any = None,
        huber_delta: float = 1.0,
        validation_data: Any = None,
        restart_stopping: bool = False,
        schedule: Any = None,
        clip: float | None = None,
        callbacks: Any = None,
        engine: Any = None,
        dtype: str | None = None,
    ) -> None:
        self.loss, self.quantiles, self.huber_delta = loss, quantiles, huber_delta
        super().__init__(
            hidden_layer_sizes, activation, solver=solver, alpha=alpha, batch_size=batch_size,
            learning_rate=learning_rate, learning_rate_init=learning_rate_init, power_t=power_t, max_iter=max_iter,
            shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose, warm_start=warm_start,
            momentum=momentum, nesterovs_momentum=nesterovs_momentum, early_stopping=early_stopping,
            validation_fraction=validation_fraction, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon,
            n_iter_no_change=n_iter_no_change, max_fun=max_fun, dropout=dropout, normalize=normalize, init=init,
            validation_data=validation_data, restart_stopping=restart_stopping, schedule=schedule, clip=clip,
            callbacks=callbacks, engine=engine, dtype=dtype,
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

    @classmethod
    def from_minidl(cls, model: minidl.Module, **params: Any) -> Self:
        """Return an estimator that predicts with a copy of a network, and trains it further in `partial_fit`.

        Parameters
        ----------
        model : minidl.Sequential
            As for `MLPClassifier.from_minidl`. Its outputs are predictions; with ``loss="poisson"`` logarithms of them,
            with ``loss="gaussian"`` means and logarithms of variances, with ``loss="quantile"`` quantiles.
        **params
            Parameters of the estimator, such as `loss`.

        Returns
        -------
        MLPRegressor

        Raises
        ------
        ValueError, TypeError
            For another kind of network.

        Examples
        --------
        >>> import numpy as np
        >>> import minidl
        >>> from minidl_sklearn import MLPRegressor
        >>> model = minidl.Sequential([minidl.Linear(2, 5, rng=0), minidl.Tanh(), minidl.Linear(5, 1, rng=1)])
        >>> MLPRegressor.from_minidl(model).predict(np.ones((4, 2))).shape
        (4,)
        """
        estimator, network = cls(**params), network_of(cls.__name__, model)
        outputs, each = network.coefs[-1].shape[1], outputs_of(estimator, 1)
        if outputs % each:
            raise ValueError(f"{cls.__name__}: expected {each} outputs for each target, got a network of {outputs}")
        return hold(estimator, network, estimator._out_activation())

    def predict(self, X: Any, *, return_std: bool = False) -> Any:
        """Predict the targets of samples.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
        return_std : bool
            Whether to return the standard deviations too, which ``loss="gaussian"`` learns.

        Returns
        -------
        prediction : array, shape (n_samples,), or (n_samples, n_outputs) for several outputs
            Of several quantiles the columns are quantiles; of several targets, those of the first target come first.
        std : array of the same shape
            With `return_std`.
        """
        z = self._outputs(X)
        if return_std and self._meaning.kind != "gaussian":
            raise ValueError(
                f"return_std: expected a network trained with loss='gaussian', got one whose outputs are "
                f"{self._meaning}"
            )
        y = _column(self._predictions(z))
        return (y, _column(standard_deviations(z))) if return_std else y

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
        check_is_fitted(self, "coefs_")
        if self._meaning.kind != "quantile":
            return float(super().score(X, y, sample_weight))
        z = self._outputs(X)
        y = check_array(y, ensure_2d=False, dtype=z.dtype, input_name="y")
        check_consistent_length(z, y, sample_weight)
        weight = None if sample_weight is None else check_sample_weight(sample_weight, z)
        return self._score_outputs(z, y.reshape(len(z), -1), weight)

    def _predictions(self, z: np.ndarray) -> np.ndarray:
        """Return the columns of `predict` of outputs z."""
        if self._meaning.kind == "gaussian":
            return z[:, : z.shape[1] // 2]
        return np.asarray(activate(self.out_activation_, z))

    def _keep_outputs(self) -> None:
        self._meaning = Meaning.of(self)

    def _check_outputs(self) -> None:
        self._meaning.check_kept(self)

    def _loss_kind(self) -> str:
        return self.loss

    def _encode(self, y: Any, trained_on: np.ndarray) -> np.ndarray:
        columns: np.ndarray = y.reshape(len(y), -1)
        if columns.shape[1] != trained_on.shape[1]:
            raise ValueError(f"validation_data: expected y of {trained_on.shape[1]} outputs, got {columns.shape[1]}")
        return columns

    def _check_targets(self, y: Any, *, first: bool, incremental: bool) -> np.ndarray:  # noqa: ARG002 - the classifier's
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return np.asarray(y.reshape(len(y), -1))

    def _output_kind(self, y: np.ndarray) -> tuple[int, str]:
        return outputs_of(self, y.shape[1]), self._out_activation()

    def _out_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _as_target(self, y: np.ndarray, dtype: Any) -> np.ndarray:
        return np.ascontiguousarray(y, dtype)

    def _score_outputs(self, z: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
        if self._meaning.kind == "quantile":
            return d2(y, z, np.array(self._meaning.quantiles), weight)
        return r2(y, self._predictions(z), weight)


def _column(y: np.ndarray) -> np.ndarray:
    """Return predictions; those of a single column as a vector."""
    return y[:, 0] if y.shape[1] == 1 else y
