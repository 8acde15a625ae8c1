"""The targets of a regressor, and the outputs of a network that stand for them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils import column_or_1d

import minidl
from minidl_sklearn.criterion import activate
from minidl_sklearn.exchange import hold, network_of
from minidl_sklearn.meaning import Meaning, outputs_of, variances
from minidl_sklearn.mlp import BaseMLP
from minidl_sklearn.scores import d2, r2


class NumberTargets(BaseMLP):
    """Base class of the regressor, with all that a multi-layer perceptron must know of its targets.

    The parameters are those of `MLPRegressor`.
    """

    loss: str

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
            loss=loss, quantiles=quantiles, huber_delta=huber_delta,
        )  # fmt: skip

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

    def _pool(self, zs: np.ndarray) -> np.ndarray:
        """Return the outputs that predict the mean of the networks' predictions; of "gaussian" the variance too.

        The variance of a mixture is the mean of the variances plus the variance of the means.
        """
        if self._meaning.kind == "poisson":
            return np.asarray(np.log(np.exp(zs).mean(axis=0)))
        if self._meaning.kind != "gaussian":
            return np.asarray(zs.mean(axis=0))
        means = zs[..., : zs.shape[-1] // 2]
        variance = variances(zs).mean(axis=0) + means.var(axis=0)
        return np.concatenate([means.mean(axis=0), np.log(variance)], axis=1)
