"""Dropout.

A network with this layer is good in training and much worse in evaluation: its
hidden units are about twice as large there. One line is wrong: find it, and
repair it. Draw the uniform numbers by one call, as the file does.

Shapes: x, y, dy and dx are equal.
"""

import numpy as np


class Dropout:
    """Set elements to 0 with probability p_drop while `training` is True."""

    def __init__(self, p_drop, rng):
        self.p_drop, self.rng = p_drop, rng
        self.training = True

    def forward(self, x):
        """Return y, and save the mask for backward."""
        if self.training:
            kept = self.rng.random(x.shape) >= self.p_drop
            self.mask = kept / (1 - self.p_drop)
        else:
            self.mask = np.ones_like(x)
        return x * self.mask

    def backward(self, dy):
        """Return dx."""
        return dy * self.mask
