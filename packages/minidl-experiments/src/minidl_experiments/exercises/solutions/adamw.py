"""AdamW: one step.

In Adam, a weight decay that is added to the gradient is divided by the root of
the averaged squares: parameters with large gradients hardly decay. AdamW
leaves the gradient alone and shrinks the value itself:

    value ← value - lr decay value - lr m̂ / (sqrt(v̂) + eps)

Both terms use the value before the step. The averages are those of Adam:

    m ← beta1 m + (1 - beta1) grad          m̂ = m / (1 - beta1ᵗ)
    v ← beta2 v + (1 - beta2) grad²         v̂ = v / (1 - beta2ᵗ)

Shapes: value, grad, m and v are equal; all else are numbers.
"""

import numpy as np


def step(value, grad, m, v, t, lr, beta1, beta2, eps, decay):
    """Return (value, m, v)."""
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    direction = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return value - lr * (direction + decay * value), m, v
