"""The step that Adam and AdamW share: moments of the gradient (report, eq. 14 to 16)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.checks import DECAY, NON_NEGATIVE
from minidl.arrays.settings import flag, number
from minidl.layers.module import Module
from minidl.optim.optimizer import Optimizer
from minidl.optim.rates import power
from minidl.optim.torch_state import Spelling


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
    """For eps_hat, eps / sqrt(1 - beta2^t)"""


class Moments(Optimizer):
    """Base class of Adam and AdamW, which differ in what weight decay acts on.

    Attributes
    ----------
    m, v : array, shape (*replicate_shape, size)
        First and second moment, laid out as the parameters; assigning copies into them.
    """

    settings = ("beta1", "beta2", "eps", "eps_hat", "weight_decay", "clip", "decay_biases")
    vectors = ("m", "v")
    spelling = Spelling({"m": "exp_avg", "v": "exp_avg_sq"}, {"betas": ("beta1", "beta2")})
    beta1 = number("beta1", DECAY, "How much of the first moment is kept; a number, or one per replicate.")
    beta2 = number("beta2", DECAY, "How much of the second moment is kept; a number, or one per replicate.")
    eps = number("eps", NON_NEGATIVE, "Added to the root; a number, or one per replicate.")
    eps_hat = flag("eps_hat", "Whether eps is added before the bias correction, as the paper's epsilon hat.")

    def __init__(
        self,
        model: Module,
        lr: Any,
        *,
        beta1: Any,
        beta2: Any,
        eps: Any,
        eps_hat: bool,
        weight_decay: Any,
        clip: Any,
        decay_biases: bool,
    ) -> None:
        super().__init__(model, lr, weight_decay=weight_decay, clip=clip, decay_biases=decay_biases)
        self.beta1, self.beta2, self.eps, self.eps_hat = beta1, beta2, eps, eps_hat
        self._m = model.backend.xp.zeros_like(model.values)
        self._v = model.backend.xp.zeros_like(model.values)
        self._value = model.backend.xp.zeros_like(model.values)  # eq. 16, made anew in each step

    def value_of(self, gradient: Array) -> Array:
        """Return the value of the next step, made of a gradient g and its moments; do not keep it.

        ::

            m = beta1 m + (1 - beta1) g                                  (eq. 14)
            v = beta2 v + (1 - beta2) g²                                 (eq. 15)
            value = m / (1 - beta1^t) / (eps + sqrt(v / (1 - beta2^t)))  (eq. 16)

        With ``eps_hat`` eps is added to sqrt(v) itself, before the correction, for which eq. 16 takes
        ``eps / sqrt(1 - beta2^t)``::

            sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps)
                = m / (1 - beta1^t) / (eps / sqrt(1 - beta2^t) + sqrt(v / (1 - beta2^t)))
        """
        xp, vectors = self.model.backend.xp, (gradient, self._m, self._v, self._value)
        for g, m, v, value, s in self.model.trained_blocks(vectors, self._numbers(self.t + 1)):
            m *= s.beta1
            m += s.one_minus_beta1 * g
            v *= s.beta2
            v += s.one_minus_beta2 * (g * g)
            xp.divide(m, s.correction1, out=value)
            value /= s.eps + xp.sqrt(v / s.correction2)
        return self._value

    def _numbers(self, t: int) -> _Numbers:
        """Return the numbers of step t, each a float, or an array that multiplies the vectors of the replicates."""
        beta1, beta2, eps = self.beta1, self.beta2, self.eps
        if not self.model.replicate_shape:  # all are floats
            correction2 = 1 - beta2**t
            eps = eps / math.sqrt(correction2) if self.eps_hat else eps
            return _Numbers(beta1, 1 - beta1, 1 - beta1**t, beta2, 1 - beta2, correction2, eps)
        correction2 = 1 - power(beta2, t)
        eps = eps / np.sqrt(correction2) if self.eps_hat else eps
        numbers = _Numbers(beta1, 1 - beta1, 1 - power(beta1, t), beta2, 1 - beta2, correction2, eps)
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
