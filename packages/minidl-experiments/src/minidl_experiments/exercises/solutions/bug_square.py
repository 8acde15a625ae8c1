"""Two layers of the same width.

The network y = tanh(x Aᵀ) Bᵀ has as many hidden units as inputs and outputs.
No shape is wrong, and yet a gradient is. One line is wrong: find it, and
repair it.

Shapes: x, dy and dx (samples, n), a and b (n, n).
"""

import numpy as np


def backward(dy, x, a, b):
    """Return (dx, da, db)."""
    hidden = np.tanh(x @ a.mT)
    db = dy.mT @ hidden
    dhidden = dy @ b
    dsum = dhidden * (1 - hidden**2)
    da = dsum.mT @ x
    dx = dsum @ a
    return dx, da, db
