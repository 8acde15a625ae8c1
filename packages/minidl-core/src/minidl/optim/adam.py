"""Adam (report, section II-D2)."""

from __future__ import annotations

from typing import Any, NamedTuple

from minidl.arrays.backend import Array
from minidl.arrays.blocks import blocks
from minidl.arrays.checks import DECAY, NON_NEGATIVE
from minidl.arrays.settings import number
from minidl.layers.module import Module
from minidl.optim.optimizer import Optimizer, power


class _Numbers(NamedTuple):
    """The numbers in eq. 14 to 16 at one step."""

    beta1: Any
    one_minus_beta1: Any
    correction1: Any
    """1 - beta1^t"""
    beta2: Any
    one_minus_beta2: Any
    correction2: Any
    """1 - beta2^t"""
    eps: Any


class Adam(Optimizer):
    """Adam: steps of about the same size in every parameter (eq. 14 to 16; Kingma and Ba, 2014).

    Parameters
    ----------
    model : Module
    lr : float or array of shape replicate_shape
    beta1, beta2 : float or array of shape replicate_shape
        Decay rates of the first and second moment, in [0, 1).
    eps : float or array of shape replicate_shape
        Added to the root after the bias correction, as in eq. 16 and in torch. In float16 the default is zero, and a
        parameter without gradient becomes nan: give 1e-7 or more.
    weight_decay : float or array of shape replicate_shape
        Weight decay times the parameters is added to the gradient; AdamW decays the parameters instead.

    Attributes
    ----------
    m, v : array, shape (*replicate_shape, size)
        First and second moment, laid out as the parameters; assigning copies into them.

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

    settings = ("beta1", "beta2", "eps", "weight_decay")
    vectors = ("m", "v")
    beta1 = number("beta1", DECAY, "How much of the first moment is kept; a number, or one per replicate.")
    beta2 = number("beta2", DECAY, "How much of the second moment is kept; a number, or one per replicate.")
    eps = number("eps", NON_NEGATIVE, "Added to the root after the bias correction; a number, or one per replicate.")

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
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
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
        t, xp = self.t + 1, self.model.backend.xp
        numbers, rate = self._numbers(t), self.next_rate()
        for g, m, v, value, s in blocks((self.gradient(), self._m, self._v, self._value), numbers):
            m *= s.beta1
            m += s.one_minus_beta1 * g
            v *= s.beta2
            v += s.one_minus_beta2 * (g * g)
            xp.divide(m, s.correction1, out=value)
            value /= s.eps + xp.sqrt(v / s.correction2)
        self.model.update(rate, self._value)
        self._t = t

    def _numbers(self, t: int) -> _Numbers:
        """Return the numbers of step t, each a float, or an array that multiplies the vectors of the replicates."""
        beta1, beta2 = self.beta1, self.beta2
        if not self.model.replicate_shape:  # all are floats
            return _Numbers(beta1, 1 - beta1, 1 - beta1**t, beta2, 1 - beta2, 1 - beta2**t, self.eps)
        numbers = _Numbers(beta1, 1 - beta1, 1 - power(beta1, t), beta2, 1 - beta2, 1 - power(beta2, t), self.eps)
        return _Numbers._make(map(self.model.broadcast_setting, numbers))

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
        self._m[...] = self.as_vector("m", array)

    @property
    def v(self) -> Array:
        """Second moment, laid out as the parameters; assigning copies into it."""
        return self._v

    @v.setter
    def v(self, array: Array) -> None:
        self._v[...] = self.as_vector("v", array)
