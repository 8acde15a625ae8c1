"""Smooth relatives of the ReLU: ELU, Softplus, SiLU and GELU, each with its derivative.

All tend to 0 or to a constant for large negative x and to x for large positive x.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from minidl.arrays.backend import Array, Backend
from minidl.arrays.checks import FINITE, POSITIVE
from minidl.arrays.normal import normal
from minidl.arrays.numerics import at_least_single, rounded, sigmoid
from minidl.arrays.settings import choice, number
from minidl.layers.activations import Activation


class ELU(Activation):
    """Exponential linear unit: x where x > 0, ``alpha (exp(x) - 1)`` elsewhere (Clevert and others, 2016).

    Parameters
    ----------
    alpha : float
        The output tends to -alpha for large negative x.

    Raises
    ------
    ValueError, TypeError
        If alpha is not a finite number.

    Examples
    --------
    >>> import numpy as np
    >>> elu = ELU()
    >>> elu(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.6321,  0.    ,  2.    ])
    >>> elu.backward(np.ones(3)).round(4)
    array([0.3679, 1.    , 1.    ])
    """

    steepest = 1.0  # that of x > 0
    settings: tuple[str, ...] = ("alpha", "lr")
    alpha = number("alpha", FINITE, "Minus the limit for large negative x; a number, or one per replicate.")

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha
        super().__init__()

    def infer(self, x: Array) -> Array:
        """Return x where x > 0, ``alpha (exp(x) - 1)`` elsewhere; expm1 keeps the digits of small x."""
        backend = self.check_array(x)
        if self.replicate_shape:
            self.check_replicates(x)
        xp = backend.xp
        return xp.where(x > 0, x, self.broadcast_setting(self.alpha, x) * xp.expm1(backend.minimum(x, 0)))

    def forward(self, x: Array) -> Array:
        """Return x where x > 0, ``alpha (exp(x) - 1)`` elsewhere, and save x."""
        return self.save_for_backward(self.infer(x), x, self.check_array(x))

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:  # noqa: ARG002 - it costs next to nothing
        """Return ``dL/dx``: dy where x > 0, ``alpha exp(x) dy`` elsewhere."""
        x, backend = self.saved(dy)
        xp = backend.xp
        return xp.where(x > 0, dy, self.broadcast_setting(self.alpha, dy) * xp.exp(backend.minimum(x, 0)) * dy)


class Softplus(Activation):
    """Softplus, ``y = log(1 + exp(beta x)) / beta``: a ReLU with a rounded corner, and always positive.

    Parameters
    ----------
    beta : float
        The sharpness of the corner.

    Raises
    ------
    ValueError, TypeError
        If beta is not a finite number above 0.

    Notes
    -----
    The formula is computed as ``max(x, 0) + log1p(exp(-|beta x|)) / beta``, which never overflows and is right to a few
    ulp for every x. torch needs a threshold above which y is x, because its formula overflows; at the default threshold
    of 20 it is wrong by 2e-9. There is no threshold here.

    Examples
    --------
    >>> import numpy as np
    >>> softplus = Softplus()
    >>> softplus(np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.3133, 0.6931, 2.1269])
    >>> softplus.backward(np.ones(3)).round(4)
    array([0.2689, 0.5   , 0.8808])
    """

    steepest = 1.0  # the limit for large x
    settings: tuple[str, ...] = ("beta", "lr")
    beta = number("beta", POSITIVE, "Sharpness of the corner; a number, or one per replicate.")

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta
        super().__init__()

    def infer(self, x: Array) -> Array:
        """Return ``max(x, 0) + log1p(exp(-|beta x|)) / beta``."""
        backend = self.check_array(x)
        if self.replicate_shape:
            self.check_replicates(x)
        xp, beta = backend.xp, self.broadcast_setting(self.beta, x)
        return backend.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(beta * x))) / beta

    def forward(self, x: Array) -> Array:
        """Return ``log(1 + exp(beta x)) / beta``, and save x."""
        return self.save_for_backward(self.infer(x), x, self.check_array(x))

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:  # noqa: ARG002 - it costs next to nothing
        """Return ``dL/dx = dy σ(beta x)``: the derivative of log(1 + exp(z)) is exp(z) / (1 + exp(z)) = σ(z)."""
        x, backend = self.saved(dy)
        return dy * sigmoid(backend, self.broadcast_setting(self.beta, dy) * x)


class SiLU(Activation):
    """Sigmoid linear unit, ``y = x σ(x)``, also called swish (Elfwing and others, 2018).

    Notes
    -----
    At minus infinity the output is 0, the limit; torch returns nan.

    Examples
    --------
    >>> import numpy as np
    >>> silu = SiLU()
    >>> silu(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.2689,  0.    ,  1.7616])
    >>> silu.backward(np.ones(3)).round(4)
    array([0.0723, 0.5   , 1.0908])
    """

    steepest = 1.0998  # at x = 2.4

    def infer(self, x: Array) -> Array:
        """Return ``x σ(x)``."""
        backend = self.check_array(x)
        return backend.maximum(x, -1000) * sigmoid(backend, x)  # σ(-1000) is 0, and -inf times 0 would be nan

    def forward(self, x: Array) -> Array:
        """Return ``y = x σ(x)``, and save x and y."""
        y = self.infer(x)
        return self.save_for_backward(y, x, y, self.check_array(x))

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:  # noqa: ARG002 - it costs next to nothing
        """Return ``dL/dx = dy (σ(x) + y σ(-x))``.

        The derivative of σ is σ(x) (1 - σ(x)) = σ(x) σ(-x), so that of x σ(x) is σ(x) + x σ(x) σ(-x).
        """
        x, y, backend = self.saved(dy)
        return dy * (sigmoid(backend, x) + backend.minimum(y, 1000) * sigmoid(backend, -x))


def _normal_by_tanh(backend: Backend, x: Array) -> tuple[Array, Array]:
    """Return an approximation of Φ(x), and its derivative.

    ``Φ(x) ≈ (1 + tanh(u)) / 2`` with ``u = √(2/π) (x + 0.044715 x³)``. This is σ(z) with ``z = 2 u``, where no sum
    cancels; the derivative is ``σ(z) σ(-z) dz/dx``.
    """
    slope = math.sqrt(8 / math.pi)
    z = slope * (x + 0.044715 * x * x * x)
    gate = sigmoid(backend, z)
    return gate, gate * sigmoid(backend, -z) * slope * (1 + 3 * 0.044715 * x * x)


GATES = {"none": normal, "tanh": _normal_by_tanh}


class GELU(Activation):
    """Gaussian error linear unit, ``y = x Φ(x)``, with Φ the normal distribution function (Hendrycks and Gimpel, 2016).

    Parameters
    ----------
    approximate : {"none", "tanh"}
        ``"tanh"`` takes ``(1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`` for Φ(x).

    Raises
    ------
    ValueError
        For another `approximate`.

    Notes
    -----
    At minus infinity the output is 0, the limit; torch returns nan. For negative x torch's ``1 + erf(x / √2)`` cancels,
    and loses all digits near x = -8; the output here is right to a few ulp. float16 is computed in float32.

    Examples
    --------
    >>> import numpy as np
    >>> gelu = GELU()
    >>> gelu(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.1587,  0.    ,  1.9545])
    >>> gelu.backward(np.ones(3)).round(4)
    array([-0.0833,  0.5   ,  1.0852])
    """

    steepest = 1.129  # at x = √2
    words: Mapping[str, tuple[str, ...]] = {"approximate": tuple(GATES)}
    approximate = choice("approximate", tuple(GATES), "Whether and how Φ is approximated.")

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate
        super().__init__()

    def infer(self, x: Array) -> Array:
        """Return ``x Φ(x)``."""
        return self._output_and_slope(x)[0]

    def forward(self, x: Array) -> Array:
        """Return ``x Φ(x)``, and save the derivative."""
        y, slope = self._output_and_slope(x)
        return self.save_for_backward(y, slope)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:  # noqa: ARG002 - it costs next to nothing
        """Return ``dL/dx = dy (Φ(x) + x φ(x))``, where φ is the derivative of Φ."""
        (slope,) = self.saved(dy)
        return dy * slope

    def _output_and_slope(self, x: Array) -> tuple[Array, Array]:
        """Return ``x Φ(x)`` and ``Φ(x) + x φ(x)``."""
        backend = self.check_array(x)
        wide = at_least_single(backend, x)
        near = backend.xp.clip(wide, -40, 40)  # beyond, Φ is 0 or 1 and φ is 0; an infinity times 0 would be nan
        gate, density = GATES[self.approximate](backend, near)
        y, slope = backend.maximum(wide, -40) * gate, gate + near * density
        return rounded(backend, y, x.dtype), rounded(backend, slope, x.dtype)
