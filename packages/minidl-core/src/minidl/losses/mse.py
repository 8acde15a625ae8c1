"""The squared error (report, section II-C1)."""

from __future__ import annotations

from minidl.arrays.backend import Array
from minidl.losses.loss import Loss


class MSELoss(Loss):
    """Squared error, ``L = Σ (f - y)²`` (eq. 9).

    The mean is over all elements, as in torch.

    Parameters
    ----------
    reduction : {"sum", "mean", "batchmean"}

    Examples
    --------
    >>> import numpy as np
    >>> loss = MSELoss()
    >>> float(loss(np.array([[1.0, 2.0]]), np.array([[0.0, 5.0]])))
    10.0
    >>> loss.backward()
    array([[ 2., -6.]])
    """

    def forward(
        self, prediction: Array, target: Array, *, replicate_axes: int = 0, weight: Array | None = None
    ) -> Array:
        """Return ``Σ (f - y)²`` (eq. 9), and save f - y."""
        self.check(prediction, target, replicate_axes)
        diff = prediction - target
        return self.save_for_backward(self.reduce(diff * diff, replicate_axes, weight), diff)

    def backward(self) -> Array:
        """Return ``dL/df = 2 (f - y)``. Eq. 10 has the other sign, which would climb instead of descend."""
        (diff,) = self.saved()
        return diff * (2 * self.term_weight)
