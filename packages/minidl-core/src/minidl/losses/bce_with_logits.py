"""Binary cross-entropy of logits (report, section II-C2, behind a sigmoid)."""

from __future__ import annotations

from minidl.arrays.backend import Array
from minidl.losses.loss import Loss


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits: eq. 11 behind a sigmoid, ``L = Σ [log(1 + exp(x)) - x y]``.

    Parameters
    ----------
    reduction : {"sum", "mean"}

    Notes
    -----
    With f = 1 / (1 + exp(-x)), log f = x - log(1 + exp(x)) and log(1 - f) = -log(1 + exp(x)): that is the formula.
    Computed as ``max(x, 0) - x y + log(1 + exp(-|x|))`` it never overflows, and the two large terms of a
    certain prediction cancel before the small one is added.

    Examples
    --------
    >>> import numpy as np
    >>> loss = BCEWithLogitsLoss()
    >>> float(loss(np.array([[0.0, 1000.0]]), np.array([[1.0, 0.0]])))
    1000.6931471805599
    >>> loss.backward()
    array([[-0.5,  1. ]])
    """

    threshold = 0.0

    def forward(self, prediction: Array, target: Array, *, replicate_axes: int = 0) -> Array:
        """Return ``Σ [max(x, 0) - x y + log(1 + exp(-|x|))]``, and save x, y and exp(-|x|)."""
        backend = self.check(prediction, target, replicate_axes)
        x, y, xp = prediction, target, backend.xp
        e = xp.exp(-xp.abs(x))
        terms = backend.maximum(x, 0) - x * y + xp.log1p(e)
        return self.save_for_backward(self.reduce(terms, replicate_axes), x, y, e, backend)

    def backward(self) -> Array:
        """Return ``dL/dx = sigmoid(x) - y`` (eq. 12, with its sign mended).

        With e = exp(-|x|) the sigmoid is 1 / (1 + e) for x >= 0, and e / (1 + e) for x < 0.
        """
        x, y, e, backend = self.saved()
        return (backend.xp.where(x < 0, e, 1) / (1 + e) - y) / self.count

    def targets_are_classes(self, target: Array) -> bool:
        """Whether there is one column, class 1 against class 0; several columns may be labels of their own."""
        return bool(target.shape[-1] == 1)
