"""What the classifier and the regressor share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from minidl_sklearn.form import Form
from minidl_sklearn.held_out import Data, given
from minidl_sklearn.holder import Holder
from minidl_sklearn.initial_weights import initial_weights, weights_by_rule
from minidl_sklearn.inputs import as_samples
from minidl_sklearn.lbfgs import fit_lbfgs
from minidl_sklearn.network import Network
from minidl_sklearn.networks import check_networks, networks_training
from minidl_sklearn.options import check_together
from minidl_sklearn.sklearn_parts import check_sample_weight
from minidl_sklearn.solver import OPTIMIZERS
from minidl_sklearn.stochastic import run
from minidl_sklearn.stopping import start_curves
from minidl_sklearn.training import Training, finish
from minidl_sklearn.undo import unchanged_on_error


class Start(NamedTuple):
    """What the networks of a first training are like: all but their weights.

    Attributes
    ----------
    widths : list of int
        Of the input, the hidden layers and the output.
    form : Form
    out_activation : str
    dtype : dtype
    """

    widths: list[int]
    form: Form
    out_activation: str
    dtype: Any


class BaseMLP(Holder):
    """Base class of the multi-layer perceptrons; the parameters are those of `MLPClassifier`."""

    def __init__(self, **parameters: Any) -> None:
        """Keep each parameter as it is; the two estimators list them, with their defaults, as scikit-learn wants it."""
        for name, value in parameters.items():
            setattr(self, name, value)

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
            train = self._ready(X, y, sample_weight, incremental=incremental)
        return self._finish(train)

    def _ready(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Callable[[], None]:
        """Check everything and set the attributes that a training starts from; return the training."""
        start, data, held_out = self._prepare(X, y, sample_weight, incremental=incremental)
        if self.n_networks > 1:
            return networks_training(self, start, data, held_out, incremental=incremental)
        rng = check_random_state(self.random_state)
        if start is not None:
            self._start(start, rng)
        return self._training(data, held_out, rng, incremental=incremental)

    def _finish(self, train: Callable[[], None]) -> Self:
        """Run a training that is ready."""
        train()
        for each in self.networks_ if self._has_networks() else [self]:
            each._check_finite()
        return self

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, *, incremental: bool
    ) -> tuple[Start | None, Data, Data | None]:
        """Return what new networks are like, None if there are some, and the validated training and validation sets."""
        hidden = _hidden_widths(self.hidden_layer_sizes)
        form = check_together(self, len(hidden))
        first = self._is_first(incremental=incremental)
        dtype = (np.float64, np.float32) if self.dtype is None else np.dtype(self.dtype)
        with np.errstate(over="ignore"):  # what is too large for float32 is refused
            X, y = validate_data(
                self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=dtype, reset=first,
                y_numeric=self._takes_numbers,
            )  # fmt: skip
        by_class, classes = self._class_weights(y, incremental=incremental), y
        y = self._check_targets(y, first=first, incremental=incremental)
        data = Data(X, y, self._check_weight(sample_weight, X, by_class))
        held_out = given(self, y, partial(self._class_weights, counted=classes, incremental=incremental))
        outputs, out_activation = self._output_kind(y)
        check_networks(self, data)
        if first:
            self._forget()
        else:
            self._check_goes_on(outputs)
        start = Start([X.shape[1], *hidden, outputs], form, out_activation, X.dtype) if first else None
        return start, data, held_out

    def _is_first(self, *, incremental: bool) -> bool:
        """Whether a training starts from new weights."""
        trained = len(self.networks_) if self._has_networks() else int("coefs_" in self.__dict__)
        if not trained or not (self.warm_start or incremental):
            return True
        if trained != self.n_networks:
            raise ValueError(
                f"{type(self).__name__}: expected n_networks={trained}, as in the training that goes on, "
                f"got {self.n_networks}"
            )
        return False

    def _check_goes_on(self, outputs: int) -> None:
        """Refuse targets or a loss that the network of a training which goes on cannot have."""
        self._check_outputs()
        if outputs != self.n_outputs_:
            raise ValueError(f"{type(self).__name__}: expected y of {self.n_outputs_} outputs, got {outputs}")

    def _check_finite(self) -> None:
        if not np.isfinite(self._held.model.values).all():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )

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

    def _start(self, start: Start, rng: np.random.RandomState) -> None:
        """Draw the weights that a first training starts from."""
        if self.init is None:
            drawn = initial_weights(start.widths, start.form.activations or [self.activation], start.dtype, rng)
        else:
            drawn = weights_by_rule(start.widths, self.init, start.dtype, rng)
        self._begin(Network(*drawn, start.form), start.out_activation)

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
        """Return the training of a single network, ready for its first step."""
        network = self._network()
        if self.solver == "lbfgs":
            if network.dtype != np.float64:
                coefs = [coef.astype(np.float64) for coef in network.coefs]
                network = Network(coefs, network.intercepts, network.form, like=network)
                self._hold(network)
            return partial(fit_lbfgs, self, network, as_samples(data.x, network.dtype), data.y, data.weight)
        data = data._replace(x=as_samples(data.x, network.dtype))
        return partial(_run, Training(self, network, data, held_out, rng, incremental=incremental))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _run(training: Training) -> None:
    finish([training], interrupted=not run(training))


def _hidden_widths(sizes: Any) -> list[int]:
    """Return the widths of the hidden layers, of which one may be given as a number."""
    widths = list(sizes) if isinstance(sizes, Iterable) else [sizes]
    if np.any(np.array(widths) <= 0):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {widths}.")
    return widths
