"""The Huber loss (Huber, 1964); beyond the report."""

from __future__ import annotations

from typing import Any

from minidl.arrays.backend import Array
from minidl.arrays.checks import ABOVE_ZERO
from minidl.arrays.settings import number
from minidl.losses.loss import Loss


class HuberLoss(Loss):
    """Squared error of small differences, absolute error of large ones (Huber, 1964); beyond the report.

    With d = f - y, each element costs ``d² / 2`` where ``|d| <= delta``, and ``delta (|d| - delta / 2)`` elsewhere: an
    outlier pulls with at most delta. The mean is over all elements, as in torch.

    Parameters
    ----------
    reduction : {"sum", "mean", "batchmean"}
    delta : float or array, one per replicate
        Where the loss becomes linear, above 0. With infinity the loss is half the squared error.

    Raises
    ------
    ValueError, TypeError
        If delta is not a number above 0.

    Examples
    --------
    >>> import numpy as np
    >>> loss = HuberLoss()
    >>> float(loss(np.array([[0.5, 4.0]]), np.array([[0.0, 0.0]])))
    3.625
    >>> loss.backward()
    array([[0.5, 1. ]])
    """

    settings = ("delta",)
    delta = number("delta", ABOVE_ZERO, "Where the loss becomes linear; a number, or one per replicate.")

    def __init__(self, reduction: str = "sum", *, delta: Any = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(
        self, prediction: Array, target: Array, *, replicate_axes: int = 0, weight: Array | None = None
    ) -> Array:
        """Return ``Σ c (|d| - c / 2)`` with d = f - y and c = min(|d|, delta), and save d cut off at delta.

        For ``|d| <= delta`` the term is d² / 2.
        """
        xp = self.check(prediction, target, replicate_axes).xp
        diff, delta = prediction - target, self.broadcast_setting(self.delta, prediction, replicate_axes)
        cut = xp.clip(diff, -delta, delta)
        terms = cut * (diff - 0.5 * cut)
        return self.save_for_backward(self.reduce(terms, replicate_axes, weight), cut)

    def backward(self) -> Array:
        """Return ``dL/df``: f - y, cut off at -delta and delta."""
        (cut,) = self.saved()
        return cut * self.term_weight
