"""Adam: one step.

Adam keeps moving averages of the gradient and of its square:

    m ← beta1 m + (1 - beta1) grad
    v ← beta2 v + (1 - beta2) grad²

Both start at zero, so the first averages are too small. Step t = 1, 2, ...
corrects for that, and divides:

    m̂ = m / (1 - beta1ᵗ)        v̂ = v / (1 - beta2ᵗ)
    value ← value - lr m̂ / (sqrt(v̂) + eps)

Return the new value and the averages m and v without the correction.

Shapes: value, grad, m and v are equal; all else are numbers.
"""

import numpy as np


def step(value, grad, m, v, t, lr, beta1, beta2, eps):
    """Return (value, m, v)."""
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return value - lr * m_hat / (np.sqrt(v_hat) + eps), m, v
