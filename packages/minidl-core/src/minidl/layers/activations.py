"""Activation functions (report, section II-B): what each computes, and its derivative.

`infer` is the function itself. `forward` is the same and saves what the derivative needs; it stands next to `backward`.
"""

from __future__ import annotations

from minidl.arrays.backend import Array
from minidl.arrays.checks import FINITE
from minidl.arrays.numerics import sigmoid
from minidl.arrays.settings import number
from minidl.layers.module import Module

SATURATED = 0.05  # of the largest derivative: below this share, hardly any gradient passes


class Activation(Module):
    """A function that is applied to each element; it has no parameters and takes arrays of any shape.

    Every method keeps library, device, dtype and shape, and raises TypeError for anything but a floating array.

    Attributes
    ----------
    steepest : float or None
        The largest derivative of a function that has flat parts; None for one that passes some gradient everywhere.
    """

    keeps_width = True
    steepest: float | None = None

    def __init__(self) -> None:
        super().__init__()

    def saturated(self, x: Array) -> Array | None:
        """Return where the derivative is below 5 % of `steepest`; None for a function that has no flat parts."""
        if self.steepest is None:
            return None
        twin, xp = self._twin(), self.check_array(x).xp
        derivative = twin.backward(xp.ones_like(twin.forward(x)))
        return xp.abs(derivative) < SATURATED * self.steepest


class Identity(Activation):
    """The input itself, ``y = x``: a layer that stands where another may be chosen.

    Examples
    --------
    >>> import numpy as np
    >>> identity = Identity()
    >>> identity(np.array([-1.0, 2.0])), identity.backward(np.array([5.0, 5.0]))
    (array([-1.,  2.]), array([5., 5.]))
    """

    def infer(self, x: Array) -> Array:
        """Return x."""
        self.check_array(x)
        return x

    def forward(self, x: Array) -> Array:
        """Return x."""
        return self.save_for_backward(self.infer(x))

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:  # noqa: ARG002 - it costs next to nothing
        """Return ``dL/dx = dy``."""
        self.saved(dy)
        return dy


class ReLU(Activation):
    """Rectified linear unit, ``y = max(0, x)``.

    The derivative is 1 where x > 0 and 0 elsewhere, also at 0 and at nan; nan itself is passed on.

    Examples
    --------
    >>> import numpy as np
    >>> relu = ReLU()
    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    >>> relu.backward(np.array([5.0, 5.0, 5.0]))
    array([0., 0., 5.])
    """

    steepest = 1.0

    def infer(self, x: Array) -> Array:
        """Return ``max(0, x)``."""
        return self.check_array(x).maximum(x, 0)

    def forward(self, x: Array) -> Array:
        """Return ``max(0, x)``, and save where x > 0."""
        return self.save_for_backward(self.infer(x), x > 0)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:  # noqa: ARG002 - it costs next to nothing
        """Return ``dL/dx``: dy where x > 0, 0 elsewhere."""
        (positive,) = self.saved(dy)
        return dy * positive


class LeakyReLU(Activation):
    """Leaky rectified linear unit: x where x > 0, alpha x elsewhere (eq. 7).

    Parameters
    ----------
    alpha : float
        Slope for x <= 0.

    Raises
    ------
    ValueError, TypeError
        If alpha is not a finite number.

    Examples
    --------
    >>> import numpy as np
    >>> leaky = LeakyReLU(0.1)
    >>> leaky(np.array([-1.0, 2.0]))
    array([-0.1,  2. ])
    >>> leaky.backward(np.array([5.0, 5.0]))
    array([0.5, 5. ])
    """

    settings: tuple[str, ...] = ("alpha", "lr")
    alpha = number("alpha", FINITE, "Slope for x <= 0; a number, or one per replicate.")

    def __init__(self, alpha: float = 0.01) -> None:
        self.alpha = alpha
        super().__init__()

    def infer(self, x: Array) -> Array:
        """Return x where x > 0, alpha x elsewhere."""
        xp = self.check_array(x).xp
        if self.replicate_shape:
            self.check_replicates(x)
        return xp.where(x > 0, x, self.broadcast_setting(self.alpha, x) * x)

    def forward(self, x: Array) -> Array:
        """Return x where x > 0, alpha x elsewhere, and save where x > 0."""
        return self.save_for_backward(self.infer(x), x > 0, self.check_array(x).xp)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:  # noqa: ARG002 - it costs next to nothing
        """Return ``dL/dx``: dy where x > 0, alpha dy elsewhere (eq. 8)."""
        positive, xp = self.saved(dy)
        return xp.where(positive, dy, self.broadcast_setting(self.alpha, dy) * dy)


class Tanh(Activation):
    """Hyperbolic tangent, ``y = tanh(x)``.

    Examples
    --------
    >>> import numpy as np
    >>> tanh = Tanh()
    >>> tanh(np.zeros(1)), tanh.backward(np.ones(1))
    (array([0.]), array([1.]))
    """

    steepest = 1.0  # at 0

    def infer(self, x: Array) -> Array:
        """Return ``tanh(x)``."""
        return self.check_array(x).xp.tanh(x)

    def forward(self, x: Array) -> Array:
        """Return ``y = tanh(x)``, and save y: the derivative is 1 - y²."""
        y = self.infer(x)
        return self.save_for_backward(y, y)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:  # noqa: ARG002 - it costs next to nothing
        """Return ``dL/dx = dy (1 - y²)``."""
        (y,) = self.saved(dy)
        return dy * (1 - y * y)


class Sigmoid(Activation):
    """Logistic function, ``y = 1 / (1 + exp(-x))``, in a form that neither overflows nor loses digits.

    Notes
    -----
    No exponential of a positive number is taken, so nothing overflows: for x >= 0 the output is 1 / (1 + exp(-x)), for
    x < 0 it is exp(x) / (1 + exp(x)), and both are right to a few ulp. The report's 0.5 + 0.5 tanh(x / 2) does not
    overflow either. In float32 its relative error is 6e-4 at x = -10 and it has no digit left at -40, where a
    logarithm would see it.

    Examples
    --------
    >>> import numpy as np
    >>> sigmoid = Sigmoid()
    >>> sigmoid(np.zeros(1)), sigmoid.backward(np.ones(1))
    (array([0.5]), array([0.25]))
    """

    steepest = 0.25  # at 0

    def infer(self, x: Array) -> Array:
        """Return ``1 / (1 + exp(-x))``."""
        return sigmoid(self.check_array(x), x)

    def forward(self, x: Array) -> Array:
        """Return ``y = 1 / (1 + exp(-x))``, and save y: the derivative is y (1 - y)."""
        y = self.infer(x)
        return self.save_for_backward(y, y)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:  # noqa: ARG002 - it costs next to nothing
        """Return ``dL/dx = dy y (1 - y)``."""
        (y,) = self.saved(dy)
        return dy * (y * (1 - y))
