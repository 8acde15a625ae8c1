"""Binary cross-entropy from logits.

A logit z stands for the probability p = 1 / (1 + exp(-z)). With targets t of
0 or 1 the loss is

    L = Σ -(t log(p) + (1 - t) log(1 - p))

The logarithm of a p that is rounded to 0 is -infinity, so compute the loss
from the logit:

    -(t log(p) + (1 - t) log(1 - p)) = max(z, 0) - z t + log(1 + exp(-|z|))

np.log1p(u) computes log(1 + u). The gradient is p - t; p must not overflow.

Shapes: z, t and the gradient are equal; the loss is one number.
"""

import numpy as np


def forward(z, t):
    """Return the loss."""
    return (np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))).sum()


def backward(z, t):
    """Return dz = dL/dz."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, small) / (1 + small) - t
