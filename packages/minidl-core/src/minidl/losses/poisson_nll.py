"""Negative log-likelihood of counts; beyond the report."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.arrays.backend import Array, dtype_name
from minidl.arrays.checks import NON_NEGATIVE
from minidl.arrays.settings import flag, number
from minidl.losses.loss import Loss


class PoissonNLLLoss(Loss):
    """Negative log-likelihood of counts under a Poisson distribution, without log(y!); beyond the report.

    The output f is the logarithm of the rate, ``L = Σ [exp(f) - y f]``, or with ``log_input=False`` the rate itself,
    ``L = Σ [f - y log(f + eps)]``. The mean is over all elements, as in torch.

    Parameters
    ----------
    reduction : {"sum", "mean", "batchmean"}
    log_input : bool
        Whether outputs are logarithms of rates.
    eps : float or array, one per replicate
        Keeps log(0) away where outputs are rates.

    Raises
    ------
    ValueError, TypeError
        If eps is negative or not a number, or log_input not a bool.

    Examples
    --------
    >>> import numpy as np
    >>> loss = PoissonNLLLoss()
    >>> float(loss(np.array([[0.0]]), np.array([[3.0]])))
    1.0
    >>> loss.backward()
    array([[-2.]])
    """

    settings = ("log_input", "eps")
    log_input = flag("log_input", "Whether outputs are logarithms of rates.")
    eps = number("eps", NON_NEGATIVE, "Keeps log(0) away where outputs are rates; a number, or one per replicate.")

    def __init__(self, reduction: str = "sum", *, log_input: bool = True, eps: Any = 1e-8) -> None:
        super().__init__(reduction)
        self.log_input, self.eps = log_input, eps

    def forward(
        self, prediction: Array, target: Array, *, replicate_axes: int = 0, weight: Array | None = None
    ) -> Array:
        """Return ``Σ [exp(f) - y f]``, or ``Σ [f - y log(f + eps)]``; save the rate, or f + eps, and y."""
        xp = self.check(prediction, target, replicate_axes).xp
        f, y = prediction, target
        if self.log_input:
            rate = xp.exp(f)
            return self.save_for_backward(self.reduce(rate - y * f, replicate_axes, weight), rate, y)
        tiny = float(np.finfo(dtype_name(f.dtype)).tiny)  # in float16 the default alone would be zero
        eps = max(self.eps, tiny) if isinstance(self.eps, float) else np.maximum(self.eps, tiny)
        rate = f + self.broadcast_setting(eps, prediction, replicate_axes)
        return self.save_for_backward(self.reduce(f - y * xp.log(rate), replicate_axes, weight), rate, y)

    def backward(self) -> Array:
        """Return ``dL/df = exp(f) - y``, or ``1 - y / (f + eps)``."""
        rate, y = self.saved()
        return (rate - y if self.log_input else 1 - y / rate) * self.term_weight
