"""A chain of layers.

A test of this chain with dy = 1 everywhere passes. In a training the gradients
of the layers are wrong. One line is wrong: find it, and repair it.

Shapes: x, y, dy and dx are equal.
"""

import numpy as np


class Tanh:
    """The layer y = tanh(x)."""

    def forward(self, x):
        """Return y, and save it for backward."""
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        """Return dx."""
        return dy * (1 - self.y**2)


class Scale:
    """The layer y = factor x."""

    def __init__(self, factor):
        self.factor = factor

    def forward(self, x):
        """Return y."""
        return self.factor * x

    def backward(self, dy):
        """Return dx."""
        return self.factor * dy


class Chain:
    """One layer after the other."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        """Return the output of the last layer."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        """Return dL/dx for the gradient dy = dL/dy of the output."""
        dx = dy
        for layer in reversed(self.layers):
            dx = layer.backward(dx)
        return dx
