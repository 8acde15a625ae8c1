"""Optimizers (report, section II-D): how a step is made of the gradient."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from minidl.backend import Array
from minidl.blocks import in_blocks
from minidl.checks import DECAY, FINITE, NON_NEGATIVE, Interval, as_number
from minidl.module import Module


class Optimizer(ABC):
    """Improves the parameters of a model, step by step.

    An optimizer works on the model's one vector of values and one of gradients, whatever its layers are. Every setting
    is a number, or an array with one number per replicate.

    Parameters
    ----------
    model : Module
        With at least one parameter.
    lr : float or array of shape lead, optional
        Learning rate.
    kappa, eta : float or array of shape lead, optional
        Both, instead of `lr`: the learning rate of step t is ``eta * t**-kappa`` (eq. 13).
    weight_decay : float or array of shape lead
        Times the parameters, this is added to the gradient.

    Raises
    ------
    ValueError
        If the model has no parameters; for a negative rate or decay; if only one of kappa and eta is given, or `lr`
        beside them.
    TypeError
        If `model` is not a Module, or a setting not a number.
    """

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
        self.lr: Any = None if lr is None else self._number("lr", lr)
        self.kappa: Any = None if kappa is None else self._number("kappa", kappa, FINITE)
        self.eta: Any = None if eta is None else self._number("eta", eta)
        self.weight_decay = self._number("weight_decay", weight_decay)
        self.t = 0

    @abstractmethod
    def step(self) -> None:
        """Change the parameters by the gradients that `backward` has added up, and set those to zero."""

    def adaptive_lr(self) -> Iterator[Any]:
        """Yield the learning rates of steps t = 1, 2, ...: ``eta * t**-kappa`` (eq. 13), or `lr` each time."""
        return (self._rate(t) for t in count(1))

    def __repr__(self) -> str:
        names = ("lr", "kappa", "eta", *self._settings, "weight_decay")
        settings = ((name, getattr(self, name)) for name in names)
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in settings if value is not None)})"

    _settings: tuple[str, ...] = ()
    _vectors: tuple[str, ...] = ()

    def _rate(self, t: int) -> Any:
        return self.lr if self.eta is None else self.eta * _power(float(t), -self.kappa)

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
        known_good = type(rate) is float and 0 <= rate < math.inf  # to check it in full would be 5 % of a small step
        return rate if known_good else self._number("lr", rate)

    def next_rates(self, steps: int) -> np.ndarray | None:
        """Return the learning rates of the next steps, (steps,) or (steps, *lead); None for each layer's own."""
        if self.eta is None:
            rate = self.next_rate()
            return None if rate is None else np.broadcast_to(np.float64(rate), (steps, *np.shape(rate)))
        rates = np.array([self._rate(self.t + step) for step in range(1, steps + 1)])
        if not NON_NEGATIVE.contains(rates).all():
            raise ValueError(f"{type(self).__name__}: expected lr to be {NON_NEGATIVE.words}, got eta={self.eta!r}")
        return rates

    def state(self) -> dict[str, Any]:
        """Return the optimizer as data: its kind, its settings, and its vectors as they are, not copied."""
        names = (*self._settings, "weight_decay", *self._vectors)
        return {"kind": type(self).__name__, **{name: getattr(self, name) for name in names}}

    def _number(self, name: str, value: Any, interval: Interval = NON_NEGATIVE) -> float | np.ndarray:
        return as_number(type(self).__name__, name, value, interval, self.model.lead)

    def _gradient(self) -> Array:
        """Return the gradient, with the pull of weight decay added."""
        gradient = self.model._grads
        if type(self.weight_decay) is float and self.weight_decay == 0:
            return gradient
        return gradient + self._column(self.weight_decay) * self.model.values

    def _column(self, setting: Any) -> Any:
        """Return a setting in the shape that multiplies the vector, also where it differs between replicates."""
        return self.model._buffer.column(setting)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for.

    Parameters
    ----------
    model : Module
    lr : float or array of shape lead, optional
        Without it, and without `kappa` and `eta`, each layer uses its own learning rate.
    kappa, eta : float or array of shape lead, optional
        Both, instead of `lr`: the learning rate of step t is ``eta * t**-kappa`` (eq. 13).
    momentum : float or array of shape lead
        In [0, 1): the velocity is v = momentum v + g, and the step lr v.
    nesterov : bool
        Step by g + momentum v instead.
    weight_decay : float or array of shape lead
        Times the parameters, this is added to the gradient.

    Attributes
    ----------
    t : int
        Number of steps made.
    velocity : array, shape (*lead, size), or None
        The momentum's memory, laid out as the parameters; None without momentum.

    Raises
    ------
    ValueError, TypeError
        As for `Optimizer`; also for a momentum outside [0, 1), and for nesterov without momentum.

    Examples
    --------
    >>> import minidl
    >>> optimizer = minidl.SGD(minidl.Linear(2, 1), kappa=1, eta=0.1)
    >>> rates = optimizer.adaptive_lr()
    >>> next(rates), next(rates)
    (0.1, 0.05)
    """

    _settings = ("momentum", "nesterov")
    _vectors = ("velocity",)

    def __init__(
        self,
        model: Module,
        lr: Any = None,
        *,
        kappa: Any = None,
        eta: Any = None,
        momentum: Any = 0.0,
        nesterov: bool = False,
        weight_decay: Any = 0.0,
    ) -> None:
        super().__init__(model, lr, kappa=kappa, eta=eta, weight_decay=weight_decay)
        self.momentum = self._number("momentum", momentum, DECAY)
        self.nesterov = nesterov
        if nesterov and not np.any(self.momentum):
            raise ValueError(f"SGD: expected a momentum above 0 with nesterov, got {momentum!r}")
        self.velocity: Array | None = model.backend.xp.zeros_like(model.values) if np.any(self.momentum) else None

    def step(self) -> None:
        """Change the parameters by ``-lr g``; with momentum by ``-lr v``, or ``-lr (g + momentum v)`` (Nesterov)."""
        rate, g = self.next_rate(), self._gradient()
        v = self._velocity_if_any()
        if v is not None:
            momentum = self._column(self.momentum)
            v *= momentum
            v += g
            g = g + momentum * v if self.nesterov else v
        self.model.update(rate, g)
        self.t += 1

    def state(self) -> dict[str, Any]:
        """Return the optimizer as data; see `Optimizer.state`."""
        return {**super().state(), "velocity": self._velocity_if_any()}

    def _velocity_if_any(self) -> Array | None:
        """Return the velocity, which a momentum that was set later begins at zero; None without momentum."""
        if type(self.momentum) is float and not self.momentum:
            return None
        if self.velocity is None:
            self.velocity = self.model.backend.xp.zeros_like(self.model.values)
        return self.velocity


class Adam(Optimizer):
    """Adam: steps of about the same size in every parameter (eq. 14 to 16; Kingma and Ba, 2014).

    Parameters
    ----------
    model : Module
    lr : float or array of shape lead
    beta1, beta2 : float or array of shape lead
        How much of the first and second moment is kept at each step, in [0, 1).
    eps : float or array of shape lead
        Added to the root after the bias correction, as in eq. 16 and in torch. In float16 the default is zero, and a
        parameter without gradient becomes nan: give 1e-7 or more.
    weight_decay : float or array of shape lead
        Times the parameters, this is added to the gradient, as torch's Adam does (AdamW does something else).

    Attributes
    ----------
    m, v : array, shape (*lead, size)
        First and second moment, laid out as the parameters; assigning copies into them.
    t : int
        Number of steps made since the start or the last `restart`.

    Raises
    ------
    ValueError, TypeError
        As for `Optimizer`; also for a beta outside [0, 1) or a negative eps.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> layer = minidl.Linear(1, 1, rng=0)
    >>> before = layer.values.copy()
    >>> layer.grads[...] = [100, -0.001]
    >>> minidl.Adam(layer, 0.5).step()
    >>> np.round(layer.values - before, 3)
    array([-0.5,  0.5], dtype=float32)
    """

    _settings = ("beta1", "beta2", "eps")
    _vectors = ("m", "v")

    def __init__(
        self,
        model: Module,
        lr: Any = 1e-3,
        *,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        eps: Any = 1e-8,
        weight_decay: Any = 0.0,
    ) -> None:
        super().__init__(model, lr, weight_decay=weight_decay)
        self.beta1 = self._number("beta1", beta1, DECAY)
        self.beta2 = self._number("beta2", beta2, DECAY)
        self.eps = self._number("eps", eps)
        self._m = model.backend.xp.zeros_like(model.values)
        self._v = model.backend.xp.zeros_like(model.values)
        self._value = model.backend.xp.zeros_like(model.values)  # eq. 16, made anew in each step

    def step(self) -> None:
        """Change the parameters by ``-lr value``.

        The value is made of the gradient g and its moments::

            m = beta1 m + (1 - beta1) g                                  (eq. 14)
            v = beta2 v + (1 - beta2) g²                                 (eq. 15)
            value = m / (1 - beta1^t) / (eps + sqrt(v / (1 - beta2^t)))  (eq. 16)
        """
        rate, t, beta1, beta2 = self.next_rate(), self.t + 1, self.beta1, self.beta2
        corrections = 1 - _power(beta1, t), 1 - _power(beta2, t)
        numbers = (beta1, 1 - beta1, corrections[0], beta2, 1 - beta2, corrections[1], self.eps)
        vectors = (self._gradient(), self._m, self._v, self._value)
        if self.model.lead:  # otherwise they are numbers, and the calls would be a fortieth of a small step
            numbers = tuple(map(self._column, numbers))
        in_blocks(self._advance, vectors, numbers)
        self.model.update(rate, self._value)
        self.t = t

    def _advance(self, g: Array, m: Array, v: Array, value: Array, *numbers: Any) -> None:
        """Write down eq. 14 to 16 for a block of the vectors; `numbers` are those of `step`, in its order."""
        beta1, new1, correction1, beta2, new2, correction2, eps = numbers
        xp = self.model.backend.xp
        m *= beta1
        m += new1 * g
        v *= beta2
        v += new2 * (g * g)
        xp.divide(m, correction1, out=value)
        value /= eps + xp.sqrt(v / correction2)

    def restart(self) -> None:
        """Set t and both moments to zero, as at the start."""
        self.t = 0
        self._m[...] = 0
        self._v[...] = 0

    @property
    def m(self) -> Array:
        """First moment, laid out as the parameters; assigning copies into it."""
        return self._m

    @m.setter
    def m(self, array: Array) -> None:
        self._m[...] = self._moment("m", array)

    @property
    def v(self) -> Array:
        """Second moment, laid out as the parameters; assigning copies into it."""
        return self._v

    @v.setter
    def v(self, array: Array) -> None:
        self._v[...] = self._moment("v", array)

    def _moment(self, name: str, array: Array) -> Array:
        if np.shape(array) != self._m.shape:
            raise ValueError(
                f"Adam: expected {name} laid out as the parameters, {tuple(self._m.shape)}, got {np.shape(array)}",
            )
        return self.model.backend.asarray(array, self.model.dtype)


def _power(base: Any, exponent: Any) -> Any:
    """Return ``base ** exponent``, with the same bits for one number as for one per replicate.

    NumPy's power of an array may differ from that of its elements in the last one.
    """
    if type(base) is float and type(exponent) is not np.ndarray:
        return base**exponent
    bases, exponents = np.broadcast_arrays(base, exponent)
    pairs = zip(bases.ravel().tolist(), exponents.ravel().tolist(), strict=True)
    return np.array([one**other for one, other in pairs]).reshape(bases.shape)
