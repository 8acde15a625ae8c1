"""Momentum without effect.

This optimizer trains exactly as fast with momentum as without. One line is
wrong: find it, and repair it.

Shapes: values, grads and velocities are lists of arrays of equal shapes.
"""

import numpy as np


class Momentum:
    """SGD with momentum, for a list of parameters that it changes in place."""

    def __init__(self, values, lr, momentum):
        self.values, self.lr, self.momentum = values, lr, momentum
        self.velocities = [np.zeros_like(value) for value in values]

    def step(self, grads):
        """Change the parameters."""
        for value, grad, velocity in zip(self.values, grads, self.velocities, strict=True):
            velocity *= self.momentum
            velocity += grad
            value -= self.lr * velocity
