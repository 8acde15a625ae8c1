"""Clipping a gradient by its norm.

A gradient whose norm is above a limit is scaled down to the limit; its
direction stays. A smaller gradient is returned as it is:

    norm = sqrt(Σ grad²)
    grad ← grad limit / norm        where norm > limit

The norm is that of all gradients of a network together: they come as a list of
arrays, and all are scaled by the same factor.

Shapes: grads is a list of arrays of any shapes; return a list of the same.
"""

import numpy as np


def clip(grads, limit):
    """Return the list of clipped gradients."""
    norm = np.sqrt(sum((grad**2).sum() for grad in grads))
    scale = limit / norm if norm > limit else 1.0
    return [grad * scale for grad in grads]
