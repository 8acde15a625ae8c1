"""RMSprop: one step.

RMSprop divides each gradient by the root of a moving average of its square,
so that steps do not depend on the scale of the gradients:

    v ← alpha v + (1 - alpha) grad²
    value ← value - lr grad / (sqrt(v) + eps)

Return the new value and the new v.

Shapes: value, grad and v are equal; lr, alpha and eps are numbers.
"""

import numpy as np


def step(value, grad, v, lr, alpha, eps):
    """Return (value, v)."""
    v = alpha * v + (1 - alpha) * grad**2
    return value - lr * grad / (np.sqrt(v) + eps), v
