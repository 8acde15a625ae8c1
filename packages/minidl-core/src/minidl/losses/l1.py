"""The absolute error; beyond the report."""

from __future__ import annotations

from minidl.arrays.backend import Array
from minidl.losses.loss import Loss


class L1Loss(Loss):
    """Absolute error, ``L = Σ |f - y|``: the best constant is the median; beyond the report.

    The mean is over all elements, as in torch.

    Parameters
    ----------
    reduction : {"sum", "mean", "batchmean"}

    Examples
    --------
    >>> import numpy as np
    >>> loss = L1Loss()
    >>> float(loss(np.array([[1.0, 2.0]]), np.array([[0.0, 5.0]])))
    4.0
    >>> loss.backward()
    array([[ 1., -1.]])
    """

    def forward(
        self, prediction: Array, target: Array, *, replicate_axes: int = 0, weight: Array | None = None
    ) -> Array:
        """Return ``Σ |f - y|``, and save f - y."""
        backend = self.check(prediction, target, replicate_axes)
        diff = prediction - target
        value = self.reduce(backend.xp.abs(diff), replicate_axes, weight)
        return self.save_for_backward(value, diff, backend)

    def backward(self) -> Array:
        """Return ``dL/df = sign(f - y)``, and 0 where f = y."""
        diff, backend = self.saved()
        return backend.xp.sign(diff) * self.term_weight
