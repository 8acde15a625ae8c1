"""What the classifier and the regressor share."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from operator import is_
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

import minidl
from minidl_sklearn.form import Form, form_of
from minidl_sklearn.held_out import Data, given
from minidl_sklearn.initial_weights import initial_weights, weights_by_rule
from minidl_sklearn.inputs import as_samples, check_samples
from minidl_sklearn.lbfgs import fit_lbfgs
from minidl_sklearn.network import Network, check_parameters
from minidl_sklearn.options import check_together
from minidl_sklearn.sklearn_parts import check_sample_weight
from minidl_sklearn.solver import OPTIMIZERS
from minidl_sklearn.stochastic import new_training
from minidl_sklearn.stopping import start_curves
from minidl_sklearn.undo import unchanged_on_error


class BaseMLP(BaseEstimator, ABC):
    """Base class of the multi-layer perceptrons; the parameters are those of `MLPClassifier`."""

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
        validation_data: Any = None,
        restart_stopping: bool = False,
        schedule: Any = None,
        clip: float | None = None,
        callbacks: Any = None,
        engine: Any = None,
        dtype: str | None = None,
    ) -> None:
        self.hidden_layer_sizes, self.activation, self.solver = hidden_layer_sizes, activation, solver
        self.alpha, self.batch_size, self.max_iter, self.shuffle = alpha, batch_size, max_iter, shuffle
        self.learning_rate, self.learning_rate_init, self.power_t = learning_rate, learning_rate_init, power_t
        self.random_state, self.tol, self.verbose, self.warm_start = random_state, tol, verbose, warm_start
        self.momentum, self.nesterovs_momentum = momentum, nesterovs_momentum
        self.early_stopping, self.validation_fraction = early_stopping, validation_fraction
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.n_iter_no_change, self.max_fun = n_iter_no_change, max_fun
        self.dropout, self.normalize, self.init = dropout, normalize, init
        self.validation_data, self.restart_stopping = validation_data, restart_stopping
        self.schedule, self.clip, self.callbacks = schedule, clip, callbacks
        self.engine, self.dtype = engine, dtype

    # ---- for the two estimators

    @abstractmethod
    def _check_targets(self, y: Any, *, first: bool, incremental: bool) -> np.ndarray:
        """Return validated targets as they are trained on; a first training may set attributes."""

    @abstractmethod
    def _as_target(self, y: np.ndarray, dtype: Any) -> np.ndarray:
        """Return targets for the loss of a network."""

    @abstractmethod
    def _output_kind(self, y: np.ndarray) -> tuple[int, str]:
        """Return the number of outputs and the name of their activation."""

    @abstractmethod
    def _loss_kind(self) -> str:
        """Return the name of the loss in `criterion.LOSSES`."""

    @abstractmethod
    def _encode(self, y: Any, trained_on: np.ndarray) -> np.ndarray:
        """Return targets of a validation set in the form of those of the training."""

    @abstractmethod
    def _score_outputs(self, z: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
        """Return the score of outputs in front of their activation."""

    def _keep_outputs(self) -> None:
        """Keep what the outputs of a new network mean."""

    def _check_outputs(self) -> None:
        """Raise a ValueError unless the outputs of the network mean what the parameters ask for."""

    def _class_weights(self, y: Any, counted: Any = None, *, incremental: bool) -> np.ndarray | None:  # noqa: ARG002 - the classifier's
        """Return what each sample counts by its class, "balanced" by those of other targets; None for one each."""
        return None

    def _stratifies(self) -> bool:
        """Whether the validation set has the same shares of classes as the training set."""
        return False

    def _solver_is_stochastic(self) -> bool:
        """Whether there is a `partial_fit`; an AttributeError says why not."""
        if self.solver not in OPTIMIZERS:
            raise AttributeError(
                f"partial_fit is only available for stochastic optimizers. {self.solver} is not stochastic."
            )
        return True

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Self:
        """Train; with `incremental` one epoch more."""
        with unchanged_on_error(self):
            train = self._prepare(X, y, sample_weight, incremental=incremental)
        return self._finish(train)

    def _finish(self, train: Callable[[], None]) -> Self:
        """Run a training that has been prepared."""
        train()
        if not np.isfinite(self._held.model.values).all():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        return self

    def _prepare(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Callable[[], None]:
        """Check everything and set the attributes that a training starts from; return the training."""
        hidden = _hidden_widths(self.hidden_layer_sizes)
        form = check_together(self, len(hidden))
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        dtype = (np.float64, np.float32) if self.dtype is None else np.dtype(self.dtype)
        with np.errstate(over="ignore"):  # what is too large for float32 is refused
            X, y = validate_data(
                self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=dtype, reset=first,
                y_numeric=self._takes_numbers,
            )  # fmt: skip
        by_class, classes = self._class_weights(y, incremental=incremental), y
        y = self._check_targets(y, first=first, incremental=incremental)
        weight = self._check_weight(sample_weight, X, by_class)
        held_out = given(self, y, partial(self._class_weights, counted=classes, incremental=incremental))
        rng = check_random_state(self.random_state)
        outputs, out_activation = self._output_kind(y)
        if not first:
            self._check_outputs()
        if first:
            self._start([X.shape[1], *hidden, outputs], form, out_activation, X.dtype, rng)
        elif outputs != self.n_outputs_:
            raise ValueError(f"{type(self).__name__}: expected y of {self.n_outputs_} outputs, got {outputs}")
        return self._training(Data(X, y, weight), held_out, rng, incremental=incremental)

    def _check_weight(self, sample_weight: Any, X: Any, by_class: np.ndarray | None = None) -> Any:
        """Return validated weights of samples times those of their classes, or None."""
        if sample_weight is None and by_class is None:
            return None
        weight = check_sample_weight(sample_weight, X)
        if by_class is not None:
            weight = weight * by_class
        if weight.min() < 0 or not weight.any():
            raise ValueError(
                f"{type(self).__name__}: expected sample_weight to be at least 0, and not 0 for all samples, "
                f"got weights from {weight.min():g} to {weight.max():g}"
            )
        return weight

    def _start(
        self, widths: list[int], form: Form, out_activation: str, dtype: Any, rng: np.random.RandomState
    ) -> None:
        """Draw the weights that a first training starts from."""
        if self.init is None:
            drawn = initial_weights(widths, form.activations or [self.activation], dtype, rng)
        else:
            drawn = weights_by_rule(widths, self.init, dtype, rng)
        self._begin(Network(*drawn, form), out_activation)

    def _begin(self, network: Network, out_activation: str) -> None:
        """Take a network that has not been trained here, and set all attributes that a training starts from."""
        self.n_outputs_, self.n_layers_ = network.coefs[-1].shape[1], len(network.coefs) + 1
        self.out_activation_ = out_activation
        self._keep_outputs()
        self._hold(network)
        self._optimizer: Any = None
        self._split_rows: Any = None
        self.n_iter_ = 0
        if self.solver == "lbfgs":
            self.t_ = 0
        else:
            start_curves(self)

    def _training(
        self, data: Data, held_out: Data | None, rng: np.random.RandomState, *, incremental: bool
    ) -> Callable[[], None]:
        network = self._network()
        if self.solver == "lbfgs":
            if network.dtype != np.float64:
                coefs = [coef.astype(np.float64) for coef in network.coefs]
                network = Network(coefs, network.intercepts, network.form, like=network)
                self._hold(network)
            return partial(fit_lbfgs, self, network, as_samples(data.x, network.dtype), data.y, data.weight)
        data = data._replace(x=as_samples(data.x, network.dtype))
        return new_training(self, network, data, held_out, rng, incremental=incremental)

    # ---- the network

    def to_minidl(self) -> minidl.Sequential:
        """Return a copy of the network, in evaluation mode.

        Its outputs are those in front of the output activation `out_activation_`: logits of classes or labels,
        predictions, or logarithms of predicted counts.

        Returns
        -------
        minidl.Sequential
        """
        check_is_fitted(self, "coefs_")
        model = copy.deepcopy(self._network().model)
        model.eval()
        return model

    def _hold(self, network: Network) -> None:
        """Make a network this estimator's; the lists are copies, in which somebody may replace an array."""
        self._held = network
        self.coefs_, self.intercepts_ = list(network.coefs), list(network.intercepts)

    def _network(self) -> Network:
        """Return the network of ``coefs_`` and ``intercepts_``, in which somebody may have replaced arrays."""
        held: Network | None = self.__dict__.get("_held")
        given = (self.activation, self.dropout, self.normalize)
        if held is not None and all(map(is_, held.given, given)) and held.is_of(self.coefs_, self.intercepts_):
            return held
        check_parameters(type(self).__name__, self.coefs_, self.intercepts_)
        form = form_of(len(self.coefs_) - 1, *given)
        if held is not None and held.form == form and held.fits(self.coefs_, self.intercepts_):
            held.copy_from(self.coefs_, self.intercepts_)
        else:
            held = Network(self.coefs_, self.intercepts_, form, like=held)
        held.given = given
        self._hold(held)
        return held

    def _outputs(self, X: Any) -> np.ndarray:
        """Return the outputs of the network for samples, in front of their activation."""
        if "coefs_" not in self.__dict__:
            check_is_fitted(self, "coefs_")
        network = self._network()
        return np.asarray(minidl.predict(network.model, check_samples(self, X, network.dtype), engine=self.engine))

    def __getstate__(self) -> dict[str, Any]:
        """Return the state; the network's own weights are in it once."""
        state: dict[str, Any] = dict(super().__getstate__())
        held, own = state.get("_held"), (state.get("coefs_"), state.get("intercepts_"))
        if None in own:  # somebody has deleted them
            state.pop("_held", None)
        elif held is not None and held.is_of(*own):
            del state["coefs_"], state["intercepts_"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "coefs_" not in state and "_held" in state:
            self._hold(self._held)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _hidden_widths(sizes: Any) -> list[int]:
    """Return the widths of the hidden layers, of which one may be given as a number."""
    widths = list(sizes) if isinstance(sizes, Iterable) else [sizes]
    if np.any(np.array(widths) <= 0):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {widths}.")
    return widths
