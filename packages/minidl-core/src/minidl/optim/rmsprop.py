"""RMSprop: gradients divided by their root mean square (Tieleman and Hinton, 2012)."""

from __future__ import annotations

from typing import Any

from minidl.arrays.backend import Array
from minidl.arrays.checks import DECAY, NON_NEGATIVE
from minidl.arrays.settings import number
from minidl.layers.module import Module
from minidl.optim.momentum import Momentum
from minidl.optim.torch_state import Spelling


class RMSprop(Momentum):
    """RMSprop: each gradient is divided by the root of a moving average of its square (Tieleman and Hinton, 2012).

    This is Adam without the first moment and without the corrections of the start.

    Parameters
    ----------
    model : Module
    lr : float, array of shape replicate_shape, or schedule
    alpha : float or array of shape replicate_shape
        Decay rate of the second moment, in [0, 1).
    eps : float or array of shape replicate_shape
        Added to the root. In float16 the default is zero, and a parameter without gradient becomes nan: give 1e-7 or
        more.
    momentum : float or array of shape replicate_shape
        In [0, 1): the velocity is u = momentum u + value, and the step lr u.
    weight_decay, clip, decay_biases
        As for `Optimizer`.

    Attributes
    ----------
    v : array, shape (*replicate_shape, size)
        Second moment, laid out as the parameters; assigning copies into it.
    velocity : array, shape (*replicate_shape, size), or None
        The momentum's memory, laid out as the parameters; None without momentum.

    Raises
    ------
    ValueError, TypeError
        As for `Optimizer`; also for an alpha or a momentum outside [0, 1), or a negative eps.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> layer = minidl.Linear(1, 1, rng=0)
    >>> before = layer.values.copy()
    >>> layer.grads[...] = [100, -0.001]
    >>> minidl.RMSprop(layer, 0.5, alpha=0.75).step()
    >>> np.round(layer.values - before, 3)
    array([-1.,  1.], dtype=float32)
    """

    settings = ("alpha", "eps", "momentum", "weight_decay", "clip", "decay_biases")
    vectors = ("v", "velocity")
    spelling = Spelling(
        {"v": "square_avg", "velocity": "momentum_buffer"}, fixed={"centered": False, "maximize": False}
    )
    alpha = number("alpha", DECAY, "How much of the second moment is kept; a number, or one per replicate.")
    eps = number("eps", NON_NEGATIVE, "Added to the root; a number, or one per replicate.")

    def __init__(
        self,
        model: Module,
        lr: Any = 1e-2,
        *,
        alpha: Any = 0.99,
        eps: Any = 1e-8,
        momentum: Any = 0.0,
        weight_decay: Any = 0.0,
        clip: Any = None,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(model, lr, weight_decay=weight_decay, clip=clip, decay_biases=decay_biases)
        self.alpha, self.eps, self.momentum = alpha, eps, momentum
        self._v = model.backend.xp.zeros_like(model.values)
        self._value = model.backend.xp.zeros_like(model.values)  # made anew in each step
        self._velocity = None
        self.velocity_if_any()

    def step(self) -> None:
        """Change the parameters by ``-lr value``, with momentum by ``-lr u``.

        The value is made of the gradient g and its second moment::

            v = alpha v + (1 - alpha) g²
            value = g / (eps + sqrt(v))
            u = momentum u + value
        """
        xp, broadcast = self.model.backend.xp, self.model.broadcast_setting
        rate, alpha, new, eps = self.next_rate(), *map(broadcast, (self.alpha, 1 - self.alpha, self.eps))
        vectors = self.gradient(), self._v, self._value
        for g, v, value, (a, one_minus_a, e) in self.model.trained_blocks(vectors, (alpha, new, eps)):
            v *= a
            v += one_minus_a * (g * g)
            xp.divide(g, e + xp.sqrt(v), out=value)
        value, u = self._value, self.velocity_if_any()
        if u is not None:
            self.remember(u, value)
            value = u
        self.model.update(rate, value)
        self._t += 1

    @property
    def v(self) -> Array:
        """Second moment, laid out as the parameters; assigning copies into it."""
        return self._v

    @v.setter
    def v(self, array: Array) -> None:
        self._v[...] = self.as_vector("v", array)
