"""Linear: several networks at once.

Write forward, y = x Wᵀ + b, and backward, which returns the gradients of the
input, the weights and the bias. The last two axes are samples and features.
An axis in front of them counts networks (replicates): each has weights, a
bias and samples of its own, and the same formulas must hold for each.

Shapes: x (..., samples, inputs), weight (..., outputs, inputs),
bias (..., outputs), y and dy (..., samples, outputs). Each gradient has the
shape of what it is the gradient of. Use .mT instead of .T, and count axes
from the end.
"""


def forward(x, weight, bias):
    """Return y."""
    return x @ weight.mT + bias[..., None, :]


def backward(dy, x, weight):
    """Return (dx, dweight, dbias)."""
    dx = dy @ weight
    dweight = dy.mT @ x
    dbias = dy.sum(axis=-2)
    return dx, dweight, dbias
