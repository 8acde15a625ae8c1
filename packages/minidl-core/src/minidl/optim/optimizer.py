"""The base class of all optimizers (report, section II-D): what makes a step of the gradient."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.checks import FINITE, NON_NEGATIVE, Interval, as_number
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


class Optimizer(ABC):
    """Improves the parameters of a model, step by step.

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
        Times the parameters, this is added to the gradient.

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
        self.lr: Any = None if lr is None else self.as_setting("lr", lr)
        self.kappa: Any = None if kappa is None else self.as_setting("kappa", kappa, FINITE)
        self.eta: Any = None if eta is None else self.as_setting("eta", eta)
        self.weight_decay = self.as_setting("weight_decay", weight_decay)
        self.t = 0

    @abstractmethod
    def step(self) -> None:
        """Change the parameters by the gradients that `backward` has added up, and set those to zero."""

    def adaptive_lr(self) -> Iterator[Any]:
        """Yield the learning rates of steps t = 1, 2, ...: ``eta * t**-kappa`` (eq. 13), or `lr` each time."""
        return (self._rate(t) for t in count(1))

    def next_rate(self) -> Any:
        """Return the learning rate of the next step, None for each layer's own.

        Raises
        ------
        ValueError, TypeError
            If there is none, or it is negative or no number. `step` asks before it changes anything.
        """
        rate = self._rate(self.t + 1)
        if rate is None:
            self.model.check_rates()
            return None
        known_good = type(rate) is float and 0 <= rate < math.inf  # the full check would slow down a small step
        return rate if known_good else self.as_setting("lr", rate)

    def next_rates(self, steps: int) -> np.ndarray | None:
        """Return the learning rates of the next steps, (steps,) or (steps, *replicate_shape); None for layers' own."""
        if self.eta is None:
            rate = self.next_rate()
            if type(rate) is float:
                return np.full(steps, rate)
            return None if rate is None else np.broadcast_to(rate, (steps, *rate.shape))
        rates = np.array([self._rate(self.t + step) for step in range(1, steps + 1)])
        if not NON_NEGATIVE.contains(rates).all():
            raise ValueError(f"{type(self).__name__}: expected lr to be {NON_NEGATIVE.words}, got eta={self.eta!r}")
        return rates

    def state(self) -> OptimizerState:
        """Return the optimizer as data."""
        settings = {name: getattr(self, name) for name in self.settings}
        return OptimizerState(type(self).__name__, settings, {name: getattr(self, name) for name in self.vectors})

    def __repr__(self) -> str:
        settings = ((name, getattr(self, name)) for name in ("lr", "kappa", "eta", *self.settings))
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in settings if value is not None)})"

    # ---- for subclasses

    def as_setting(self, name: str, value: Any, interval: Interval = NON_NEGATIVE) -> float | np.ndarray:
        """Return a setting as a float, or as an array of one float64 per replicate, after checking it.

        Raises
        ------
        ValueError, TypeError
            If it lies outside the interval, or is no number.
        """
        return as_number(type(self).__name__, name, value, interval, self.model.replicate_shape)

    def gradient(self) -> Array:
        """Return the gradient, plus weight decay times the parameters; for reading only."""
        gradient = self.model.grads_to_read
        if type(self.weight_decay) is float and self.weight_decay == 0:
            return gradient
        return gradient + self.model.broadcast_setting(self.weight_decay) * self.model.values

    def _rate(self, t: int) -> Any:
        return self.lr if self.eta is None else self.eta * power(float(t), -self.kappa)


def power(base: Any, exponent: Any) -> Any:
    """Return ``base ** exponent``, with the same bits for one number as for one per replicate.

    NumPy's vectorised power can differ from Python's in the last bit.
    """
    if type(base) is float and type(exponent) is not np.ndarray:
        return base**exponent
    bases, exponents = np.broadcast_arrays(base, exponent)
    pairs = zip(bases.ravel().tolist(), exponents.ravel().tolist(), strict=True)
    return np.array([one**other for one, other in pairs]).reshape(bases.shape)
