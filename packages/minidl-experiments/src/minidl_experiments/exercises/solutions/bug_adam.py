"""Adam.

This Adam hardly moves parameters whose gradients are around 1e-5, although its
steps should not depend on the scale of the gradients:

    value ← value - lr m̂ / (sqrt(v̂) + eps)

One line is wrong: find it, and repair it.

Shapes: value, grad, m and v are equal.
"""

import numpy as np


def step(value, grad, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """Return (value, m, v)."""
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return value - lr * m_hat / (np.sqrt(v_hat) + eps), m, v
