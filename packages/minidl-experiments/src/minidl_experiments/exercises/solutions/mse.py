"""Squared error: loss and gradient.

The loss is the sum over all samples and features, with f the prediction and
y the target:

    L = Σ (f - y)²        dL/df = 2 (f - y)

Shapes: prediction, target and gradient are equal; the loss is one number.
"""


def forward(prediction, target):
    """Return the loss."""
    return ((prediction - target) ** 2).sum()


def backward(prediction, target):
    """Return dL/dprediction."""
    return 2 * (prediction - target)
