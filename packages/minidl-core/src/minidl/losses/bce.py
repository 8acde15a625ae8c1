"""Binary cross-entropy of probabilities (report, section II-C2)."""

from __future__ import annotations

import numpy as np

from minidl.arrays.backend import Array, describe, dtype_name
from minidl.losses.loss import Loss

_FLOOR = float(np.float32(1e-12))  # torch keeps f (1 - f) above this number, in float32 precision


class BCELoss(Loss):
    """Binary cross-entropy of probabilities, ``L = -Σ [y log f + (1 - y) log(1 - f)]`` (eq. 11, with its bracket).

    The logarithms are cut off at -100, as in torch, so that a certain and wrong prediction costs 100 and not infinity.
    :class:`BCEWithLogitsLoss` needs no such cut.

    Parameters
    ----------
    reduction : {"sum", "mean", "batchmean"}

    Raises
    ------
    ValueError
        By `forward`, for a prediction or a target outside [0, 1]; nan passes.

    Examples
    --------
    >>> import numpy as np
    >>> loss = BCELoss()
    >>> float(loss(np.array([[0.5]]), np.array([[1.0]])))
    0.6931471805599453
    >>> loss.backward()
    array([[-2.]])
    """

    def forward(
        self, prediction: Array, target: Array, *, replicate_axes: int = 0, weight: Array | None = None
    ) -> Array:
        """Return ``-Σ [y log f + (1 - y) log(1 - f)]`` (eq. 11), and save f and y."""
        backend = self.check(prediction, target, replicate_axes)
        f, y, xp = prediction, target, backend.xp
        self._check_probabilities(f, "a prediction")
        self._check_probabilities(y, "a target")
        with np.errstate(divide="ignore"):  # log(0) is -inf before the cut
            log_f, log_1f = backend.maximum(xp.log(f), -100), backend.maximum(xp.log1p(-f), -100)
        terms = -(y * log_f + (1 - y) * log_1f)
        return self.save_for_backward(self.reduce(terms, replicate_axes, weight), f, y, backend)

    def backward(self) -> Array:
        """Return ``dL/df = (f - y) / (f (1 - f))``; eq. 12 is the gradient with respect to the logit instead."""
        f, y, backend = self.saved()
        smallest = max(_FLOOR, float(np.finfo(dtype_name(f.dtype)).tiny))  # in float16 the floor alone would be zero
        return (f - y) / backend.maximum(f * (1 - f), smallest) * self.term_weight

    def check_values(self, target: Array, features: int) -> None:  # noqa: ARG002 - probabilities have no width
        """Refuse a target outside [0, 1]; nan passes."""
        self._check_probabilities(target, "a target")

    def _check_probabilities(self, x: Array, what: str) -> None:
        if ((x < 0) | (x > 1)).any():
            raise ValueError(f"{self}: expected {what} in [0, 1], got {describe(x)} from {x.min()} to {x.max()}")

    def targets_are_classes(self, target: Array) -> bool:
        """Whether there is one column, class 1 against class 0; several columns may be labels of their own."""
        return bool(target.shape[-1] == 1)
