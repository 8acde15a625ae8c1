"""The base class of all optimizers (report, section II-D): computes a step from the gradient."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.checks import FINITE, NON_NEGATIVE
from minidl.arrays.settings import check_again, count, number
from minidl.layers.module import Module


class OptimizerState(NamedTuple):
    """An optimizer as data.

    Attributes
    ----------
    kind : str
        The name of its class.
    settings : dict of str to float, bool or array of shape replicate_shape
    vectors : dict of str to array of shape (*replicate_shape, size), or None
        Its memory, laid out as the parameters; not copied.
    """

    kind: str
    settings: dict[str, Any]
    vectors: dict[str, Array | None]


def _refuse_beside_eta(optimizer: Any, lr: Any) -> None:
    if lr is not None and getattr(optimizer, "eta", None) is not None:
        raise ValueError(
            f"{type(optimizer).__name__}: expected lr, or kappa and eta, got {lr=} beside kappa={optimizer.kappa}, "
            f"eta={optimizer.eta}: set eta to None first"
        )


def _refuse_beside_lr(optimizer: Any, value: Any) -> None:
    if value is not None and getattr(optimizer, "lr", None) is not None:
        raise ValueError(
            f"{type(optimizer).__name__}: expected lr, or kappa and eta, got {value} beside lr={optimizer.lr}: "
            "set lr to None first"
        )


class Optimizer(ABC):
    """Base class of optimizers: computes a step from the gradient.

    An optimizer works on the model's one vector of values and one of gradients, whatever its layers are. Every setting
    is a number, or an array with one number per replicate.

    Parameters
    ----------
    model : Module
        With at least one parameter.
    lr : float or array of shape replicate_shape, optional
        Learning rate.
    kappa, eta : float or array of shape replicate_shape, optional
        Both, instead of `lr`: the learning rate of step t is ``eta * t**-kappa`` (eq. 13).
    weight_decay : float or array of shape replicate_shape
        Weight decay times the parameters is added to the gradient.

    Attributes
    ----------
    settings : tuple of str
        The attributes that are numbers or flags, beside the learning rate.
    vectors : tuple of str
        The attributes that are vectors laid out as the parameters.
    t : int
        Number of steps made.

    Raises
    ------
    ValueError
        If the model has no parameters; for a negative rate or decay; if only one of kappa and eta is given, or `lr`
        beside them.
    TypeError
        If `model` is not a Module, or a setting not a number.
    """

    settings: ClassVar[tuple[str, ...]] = ("weight_decay",)
    vectors: ClassVar[tuple[str, ...]] = ()
    lr = number(
        "lr",
        NON_NEGATIVE,
        "Learning rate; None for kappa and eta, or for the layers' own rates.",
        optional=True,
        check=_refuse_beside_eta,
    )
    kappa = number(
        "kappa", FINITE, "Exponent of the decaying learning rate, or None.", optional=True, check=_refuse_beside_lr
    )
    eta = number("eta", NON_NEGATIVE, "Factor of the decaying rate, or None.", optional=True, check=_refuse_beside_lr)
    weight_decay = number("weight_decay", NON_NEGATIVE, "Weight decay times the parameters is added to the gradient.")
    t = count("t", "Number of steps made.")
    _t: int
    replicate_shape = property(attrgetter("model.replicate_shape"), doc="The shape of the model's replicate axes.")

    def __init__(
        self, model: Module, lr: Any = None, *, kappa: Any = None, eta: Any = None, weight_decay: Any = 0.0
    ) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"{type(self).__name__}: expected a Module, got {type(model).__name__}")
        if not model.values.shape[-1]:
            raise ValueError(f"{type(self).__name__}: expected a model with parameters, got {model} with none")
        if (kappa is None) != (eta is None):
            raise ValueError(f"{type(self).__name__}: expected kappa and eta both or neither, got {kappa=}, {eta=}")
        if lr is not None and kappa is not None:
            raise ValueError(f"{type(self).__name__}: expected lr, or kappa and eta, got {lr=}, {kappa=}, {eta=}")
        self.model = model
        self.kappa, self.eta = kappa, eta
        self.lr = lr
        self._refuse_own_rates(model.modules())
        self.weight_decay = weight_decay
        self.t = 0

    @abstractmethod
    def step(self) -> None:
        """Change the parameters by the gradients that `backward` has added up, and set those to zero."""

    def adaptive_lr(self) -> Iterator[Any]:
        """Yield the learning rates of steps t = 1, 2, ...: ``eta * t**-kappa`` (eq. 13), or `lr` each time."""
        return (self._rate(t) for t in itertools.count(1))

    def next_rate(self) -> Any:
        """Return the learning rate of the next step, None for each layer's own.

        Raises
        ------
        ValueError, TypeError
            If there is none. `step` asks before it changes anything.
        """
        rate = self._rate(self.t + 1)
        if rate is None:
            self.model.check_rates()
            return None
        return rate

    def check_for(self, who: str, model: Module, modules: Sequence[Module]) -> None:
        """Raise unless the optimizer can make steps of a model; part of `fit` and `train_step`.

        Parameters
        ----------
        who : str
            The function in whose name errors are raised.
        model : Module
        modules : sequence of Module
            The model and the modules below it.

        Raises
        ------
        ValueError
            If the optimizer was made for another model, there is no learning rate, or a layer has a learning rate of
            its own that the optimizer's would override; if a setting per replicate was changed in place to a number
            that it may not be.
        """
        if self.model is not model:
            raise ValueError(f"{who}: expected an optimizer of this model, {model}, got one of another, {self.model}")
        if self.replicate_shape:
            check_again(self, ("lr", "kappa", "eta", *self.settings))
            for module in modules:
                check_again(module, module.settings)
        self.next_rate()
        self._refuse_own_rates(modules)

    def _refuse_own_rates(self, modules: Iterable[Module]) -> None:
        if self.lr is None and self.eta is None:
            return
        for module in modules:
            if module.lr is not None and module.values.shape[-1]:
                raise ValueError(
                    f"{type(self).__name__}: expected layers without learning rates of their own, got {module}: give "
                    "the optimizer lr=None, so that each layer uses its own, or the layer lr=None"
                )

    def next_rates(self, steps: int) -> np.ndarray | None:
        """Return the learning rates of the next steps, (steps,) or (steps, *replicate_shape); None for layers' own."""
        if self.eta is None:
            rate = self.next_rate()
            if type(rate) is float:
                return np.full(steps, rate)
            return None if rate is None else np.broadcast_to(rate, (steps, *rate.shape))
        return np.array([self._rate(self.t + step) for step in range(1, steps + 1)])

    def state(self) -> OptimizerState:
        """Return the optimizer as data."""
        settings = {name: getattr(self, name) for name in self.settings}
        return OptimizerState(type(self).__name__, settings, {name: getattr(self, name) for name in self.vectors})

    def forget_not_finite(self, replicates: np.ndarray) -> None:
        """Set to zero what is nan or infinite in the optimizer's memory, such as a second moment that overflowed.

        Parameters
        ----------
        replicates : array of bool, shape (R,); (1,) for a single network
            Whose memory.
        """
        for vector in self.state().vectors.values():
            if vector is not None:
                own = vector.reshape(-1, vector.shape[-1])
                chosen = self.model.backend.asarray(replicates)[:, None]
                own[chosen & ~self.model.backend.xp.isfinite(own)] = 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a pickled state; a vector that may not be written to, as joblib maps it from a file, is copied."""
        own = {name: _writable(value) for name, value in state.items()}
        self.__dict__.update(own)

    def __repr__(self) -> str:
        settings = ((name, getattr(self, name)) for name in ("lr", "kappa", "eta", *self.settings))
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in settings if value is not None)})"

    # ---- for subclasses

    def as_vector(self, name: str, array: Array) -> Array:
        """Return a copy of an array that is laid out as the parameters, in their library and dtype.

        Raises
        ------
        ValueError
            If it has another shape.
        """
        shape = tuple(self.model.values.shape)
        if np.shape(array) != shape:
            raise ValueError(
                f"{type(self).__name__}: expected {name} laid out as the parameters, {shape}, got {np.shape(array)}"
            )
        return self.model.backend.asarray(array, self.model.dtype)

    def gradient(self) -> Array:
        """Return the gradient, plus weight decay times the parameters; for reading only."""
        gradient = self.model.grads_to_read
        if type(self.weight_decay) is float and self.weight_decay == 0:
            return gradient
        return gradient + self.model.broadcast_setting(self.weight_decay) * self.model.values

    def _rate(self, t: int) -> Any:
        if self.eta is None:
            return self.lr
        if self.kappa is None:
            raise ValueError(f"{type(self).__name__}: expected kappa and eta both or neither, got {self!r}")
        return self.eta * power(float(t), -self.kappa)


def _writable(value: Any) -> Any:
    """Return arrays that cannot be written to, or are mapped from a file, as plain copies; all else as it is."""
    if type(value) is dict:
        return {key: _writable(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_writable, value))
    if isinstance(value, np.ndarray) and (type(value) is np.memmap or not value.flags.writeable):
        return np.array(value)
    return value


def power(base: Any, exponent: Any) -> Any:
    """Return ``base ** exponent``, with the same bits for one number as for one per replicate.

    NumPy's vectorised power can differ from Python's in the last bit.
    """
    if type(base) is float and type(exponent) is not np.ndarray:
        return base**exponent
    bases, exponents = np.broadcast_arrays(base, exponent)
    pairs = zip(bases.ravel().tolist(), exponents.ravel().tolist(), strict=True)
    return np.array([one**other for one, other in pairs]).reshape(bases.shape)
