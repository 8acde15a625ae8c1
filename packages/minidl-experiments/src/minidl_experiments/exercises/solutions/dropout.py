"""Dropout: mask, scale and gradient.

In training, dropout sets each element to 0 with probability p_drop and
divides the others by 1 - p_drop, so that the expected output is x. Draw
uniform numbers by rng.random(x.shape), one call; an element is kept where its
number is at least p_drop. The mask holds 0 and 1 / (1 - p_drop):

    y = x mask        dL/dx = dL/dy mask

In evaluation (training is False) the output is x, the mask is all ones, and
nothing is drawn.

Shapes: all are equal; p_drop is a number in [0, 1).
"""

import numpy as np


def forward(x, p_drop, training, rng):
    """Return (y, mask)."""
    if not training:
        return x, np.ones_like(x)
    mask = (rng.random(x.shape) >= p_drop) / (1 - p_drop)
    return x * mask, mask


def backward(dy, mask):
    """Return dx = dL/dx; the mask is that of forward."""
    return dy * mask
