"""Linear: the gradient of the bias.

A linear layer computes y = x Wᵀ + b. Given dL/dy, return dL/db. The bias b_i
is added to the output i of every sample:

    dL/db_i = Σ_s dL/dy_si

Shapes: dy (samples, outputs), dbias (outputs,).
"""


def backward(dy):
    """Return dbias = dL/db."""
    return dy.sum(axis=-2)
