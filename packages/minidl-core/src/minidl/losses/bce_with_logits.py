"""Binary cross-entropy of logits (report, section II-C2, behind a sigmoid)."""

from __future__ import annotations

import math
from typing import Any

from minidl.arrays.backend import Array
from minidl.arrays.checks import ABOVE_ZERO, NON_NEGATIVE
from minidl.arrays.settings import number
from minidl.losses.loss import Loss


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits: eq. 11 behind a sigmoid, ``L = Σ [log(1 + exp(x)) - x y]``.

    Parameters
    ----------
    reduction : {"sum", "mean", "batchmean"}
    pos_weight : float or array, one per replicate
        What a target of 1 counts, a target of 0 counting 1: above 1 for classes with few ones. ``-y log f`` is
        multiplied by it.
    ceiling : float or array, one per replicate
        The most that an element counts in the value, above 0, so that few certain and wrong predictions do not hide the
        others. The gradient is that of the loss without a ceiling.

    Raises
    ------
    ValueError, TypeError
        If pos_weight is negative or not a number, or ceiling not a number above 0.

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
    settings = ("pos_weight", "ceiling")
    pos_weight = number("pos_weight", NON_NEGATIVE, "What a target of 1 counts; a number, or one per replicate.")
    ceiling = number("ceiling", ABOVE_ZERO, "The most that an element counts in the value.")

    def __init__(self, reduction: str = "sum", *, pos_weight: Any = 1.0, ceiling: Any = math.inf) -> None:
        super().__init__(reduction)
        self.pos_weight, self.ceiling = pos_weight, ceiling

    def forward(
        self, prediction: Array, target: Array, *, replicate_axes: int = 0, weight: Array | None = None
    ) -> Array:
        """Return ``Σ [max(x, 0) - x y + log(1 + exp(-|x|))]``, and save x, y and exp(-|x|).

        With a pos_weight of w, ``(w - 1) y [max(-x, 0) + log(1 + exp(-|x|))]`` is added: -log f, w - 1 times more.
        """
        backend = self.check(prediction, target, replicate_axes)
        x, y, xp = prediction, target, backend.xp
        e = xp.exp(-xp.abs(x))
        terms = backend.maximum(x, 0) - x * y + xp.log1p(e)
        more = None  # what a target of 1 counts more
        if type(self.pos_weight) is not float or self.pos_weight != 1:
            more = self.broadcast_setting(self.pos_weight, x, replicate_axes) - 1
            terms = terms + more * y * (backend.maximum(-x, 0) + xp.log1p(e))
        terms = self.below_ceiling(terms, replicate_axes)
        return self.save_for_backward(self.reduce(terms, replicate_axes, weight), x, y, e, more, backend)

    def backward(self) -> Array:
        """Return ``dL/dx = sigmoid(x) - y`` (eq. 12, with its sign mended), plus ``(w - 1) y (sigmoid(x) - 1)``.

        With e = exp(-|x|) the sigmoid is 1 / (1 + e) for x >= 0, and e / (1 + e) for x < 0.
        """
        x, y, e, more, backend = self.saved()
        sigmoid = backend.xp.where(x < 0, e, 1) / (1 + e)
        slope = sigmoid - y
        if more is not None:
            slope = slope + more * y * (sigmoid - 1)
        return slope * self.term_weight

    def targets_are_classes(self, target: Array) -> bool:
        """Whether there is one column, class 1 against class 0; several columns may be labels of their own."""
        return bool(target.shape[-1] == 1)
