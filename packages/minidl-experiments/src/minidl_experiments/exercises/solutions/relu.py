"""ReLU: the gradient.

ReLU computes y = max(x, 0) for each element. Its derivative is 1 where x is
above 0, and 0 elsewhere; at x = 0, where there is none, take 0. By the chain
rule each element of dL/dy is multiplied by the derivative:

    dL/dx = dL/dy where x > 0, else 0

Shapes: dy, x and dx are equal.
"""


def backward(dy, x):
    """Return dx = dL/dx."""
    return dy * (x > 0)
