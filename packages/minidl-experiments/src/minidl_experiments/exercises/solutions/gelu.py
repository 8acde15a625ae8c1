"""GELU with tanh: the gradient.

GELU multiplies its input by a smooth gate:

    u = sqrt(2 / pi) (x + 0.044715 x³)
    y = x g        with the gate g = (1 + tanh(u)) / 2

x appears twice, in front of the gate and inside it. By the product rule

    dy/dx = g + x dg/dx

and by the chain rule dg/dx = (1 - tanh(u)²) / 2 · du/dx.

Shapes: dy, x and dx are equal.
"""

import numpy as np

SCALE = np.sqrt(2 / np.pi)


def backward(dy, x):
    """Return dx = dL/dx."""
    t = np.tanh(SCALE * (x + 0.044715 * x**3))
    gate = (1 + t) / 2
    slope = (1 - t * t) / 2 * SCALE * (1 + 3 * 0.044715 * x * x)
    return dy * (gate + x * slope)
