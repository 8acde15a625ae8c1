"""Logistic regression.

The loss of this model grows from step to step, whatever the learning rate. One
line is wrong: find it, and repair it.

Shapes: x (samples, inputs), t (samples,) of 0 and 1, weight (inputs,).
"""

import numpy as np


def loss(x, t, weight):
    """Return the cross-entropy, summed over the samples."""
    z = x @ weight
    return (np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))).sum()


def step(x, t, weight, lr):
    """Return the weights after a step down the gradient of the loss."""
    p = 1 / (1 + np.exp(-(x @ weight)))
    dz = p - t
    return weight - lr * (x.mT @ dz)
