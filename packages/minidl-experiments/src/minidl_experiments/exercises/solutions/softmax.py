"""Softmax that does not overflow.

Softmax turns the scores z of C classes into probabilities:

    p_c = exp(z_c) / Σ_k exp(z_k)

exp overflows for scores above 709. The same number subtracted from all scores
of a sample changes no probability, because it cancels: subtract the largest.

Shapes: z and p (..., samples, classes). The sum is over the last axis.
"""

import numpy as np


def softmax(z):
    """Return p."""
    exps = np.exp(z - z.max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)
