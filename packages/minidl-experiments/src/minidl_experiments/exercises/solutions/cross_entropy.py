"""Cross-entropy: loss and gradient.

With scores z of C classes and the index t_s of the right class of each
sample, the loss is the negative logarithm of the right class's probability,
summed over the samples:

    L = -Σ_s log p_s,t        with p = softmax(z)

The logarithm of a probability that is rounded to 0 is -infinity, so compute
it from the scores, with the largest score of each sample subtracted first:

    log p_c = z_c - log Σ_k exp(z_k)

The gradient is p minus 1 at the right class.

Shapes: z and dz (samples, classes), t (samples,) of integers; the loss is one
number. z[np.arange(len(t)), t] are the scores of the right classes.
"""

import numpy as np


def log_softmax(z):
    """Return log p."""
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def forward(z, t):
    """Return the loss."""
    return -log_softmax(z)[np.arange(len(t)), t].sum()


def backward(z, t):
    """Return dz = dL/dz."""
    dz = np.exp(log_softmax(z))
    dz[np.arange(len(t)), t] -= 1
    return dz
