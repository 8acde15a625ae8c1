"""Huber loss: loss and gradient.

The Huber loss is squared for small differences d = f - y and linear for large
ones, so that an outlier pulls with at most delta:

    d² / 2                        where |d| <= delta
    delta (|d| - delta / 2)       elsewhere

summed over all elements. The gradient of an element is d where
|d| <= delta, and delta with the sign of d elsewhere.

Shapes: prediction, target and gradient are equal; the loss is one number.
"""

import numpy as np


def forward(prediction, target, delta):
    """Return the loss."""
    size = np.abs(prediction - target)
    return np.where(size <= delta, size * size / 2, delta * (size - delta / 2)).sum()


def backward(prediction, target, delta):
    """Return dL/dprediction."""
    return np.clip(prediction - target, -delta, delta)
