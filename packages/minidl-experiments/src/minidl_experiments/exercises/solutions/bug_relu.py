"""A ReLU that spoils its neighbour.

The layer itself passes its gradient check, but the layer below it gets wrong
gradients as soon as both are in one network. One line is wrong: find it, and
repair it.

Shapes: x, y, dy and dx are equal.
"""

import numpy as np


class ReLU:
    """The layer y = max(x, 0)."""

    def forward(self, x):
        """Return y, and save the mask for backward."""
        self.mask = x > 0
        return np.where(self.mask, x, 0)

    def backward(self, dy):
        """Return dx."""
        return dy * self.mask
