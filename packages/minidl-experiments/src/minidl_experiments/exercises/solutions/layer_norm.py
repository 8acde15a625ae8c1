"""LayerNorm: the gradient.

LayerNorm normalises each sample over its F features, then scales and shifts
each feature:

    root = sqrt(var(x) + eps)        var = the mean of (x - mean(x))²
    n = (x - mean(x)) / root
    y = weight n + bias

The forward is given. The weight of a feature is multiplied by its n in every
sample, and its bias is added in every sample. An x_j acts on the output in
three ways: through its own n, through the mean, and through the root. With
dn = dL/dn they add up to

    dL/dx = (dn - mean(dn) - n mean(dn n)) / root

where each mean is over the features of a sample.

Shapes: dy, x and dx (samples, features); weight, dweight and dbias
(features,).
"""

import numpy as np


def forward(x, weight, bias, eps):
    """Return (y, n, root); n and root are what backward needs."""
    centered = x - x.mean(axis=-1, keepdims=True)
    root = np.sqrt((centered * centered).mean(axis=-1, keepdims=True) + eps)
    n = centered / root
    return weight * n + bias, n, root


def backward(dy, n, root, weight):
    """Return (dx, dweight, dbias)."""
    dn = dy * weight
    mean, projection = dn.mean(axis=-1, keepdims=True), (dn * n).mean(axis=-1, keepdims=True)
    dx = (dn - mean - n * projection) / root
    dweight = (dy * n).sum(axis=-2)
    dbias = dy.sum(axis=-2)
    return dx, dweight, dbias
