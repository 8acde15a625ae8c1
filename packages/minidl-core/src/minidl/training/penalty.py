"""The L2 penalty that `fit` and `train_step` add to a loss; beyond the report."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.arrays.checks import NON_NEGATIVE, as_number
from minidl.layers.module import Module
from minidl.losses.loss import Loss


class Penalty:
    """A penalty for large weights, added to the sum of the losses of each batch.

    ::

        L = (Σ l_i + l2/2 Σ W²) / divisor        dL/dW = dΣ l_i/dW / divisor + l2 W / divisor

    W are the parameters with two axes, the weights of `Linear`, that are trained. Biases, scales and what is frozen are
    left out of value and gradient.

    Parameters
    ----------
    model : Module
    l2 : float or array of float64, shape replicate_shape
    """

    def __init__(self, model: Module, l2: float | np.ndarray) -> None:
        self.l2, self._model = l2, model

    def value(self, loss: Loss) -> np.ndarray:
        """Return what the penalty adds to the value of the last `forward`, in float64, shape replicate_shape."""
        squares = self._model.sum_of_squares(self._model.values, least_axes=2)
        half = np.zeros_like(squares)
        np.multiply(self.l2, 0.5 * squares, out=half, where=np.greater(self.l2, 0))  # 0 times infinity is nan
        return half / divisor_of(loss)

    def add_gradient(self, loss: Loss) -> None:
        """Add the penalty's gradient to that of the last `forward`."""
        factor = np.asarray(self.l2 / divisor_of(loss))
        self._model.add_decay(factor if factor.ndim else float(factor), least_axes=2)


def as_penalty(who: str, model: Module, l2: Any) -> Penalty | None:
    """Return the penalty of this strength, None for zero; `who` asks, for errors."""
    l2 = as_number(who, "l2", l2, NON_NEGATIVE, model.replicate_shape)
    return Penalty(model, l2) if np.any(l2) else None


def divisor_of(loss: Loss) -> float | np.ndarray:
    """Return what the last `forward` divided its sum by.

    Raises
    ------
    TypeError
        If the loss takes its mean without `reduce`.
    """
    if loss.reduction == "sum":
        return 1.0
    if loss.divisor is None:
        raise TypeError(f"{loss}: expected a loss that takes its mean with self.reduce, for l2; try reduction='sum'")
    return loss.divisor
