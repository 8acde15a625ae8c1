"""Leaky ReLU: the gradient.

Leaky ReLU computes y = x where x > 0, and y = alpha x elsewhere, so that a
unit with a negative input still learns. The derivative is 1 where x > 0, and
alpha elsewhere, at x = 0 too.

Shapes: dy, x and dx are equal; alpha is a number.
"""

import numpy as np


def backward(dy, x, alpha):
    """Return dx = dL/dx."""
    return np.where(x > 0, dy, alpha * dy)
