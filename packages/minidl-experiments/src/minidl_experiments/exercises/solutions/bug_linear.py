"""A linear layer, sample by sample.

This layer goes through the samples one by one. It learns, but badly. One line
is wrong: find it, and repair it.

Shapes: x (samples, inputs), dy (samples, outputs), weight (outputs, inputs).
"""

import numpy as np


def backward(dy, x, weight):
    """Return (dx, dweight, dbias)."""
    dx, dweight, dbias = np.zeros_like(x), np.zeros_like(weight), np.zeros(len(weight))
    for sample in range(len(x)):
        dx[sample] = weight.T @ dy[sample]
        dweight += np.outer(dy[sample], x[sample])
        dbias += dy[sample]
    return dx, dweight, dbias
