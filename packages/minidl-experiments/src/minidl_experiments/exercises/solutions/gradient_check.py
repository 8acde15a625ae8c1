"""A gradient check by central differences.

A derivative can be estimated without any formula: change one element of x by
eps in both directions, and divide the difference of f by the distance.

    df/dx_i ≈ (f(x + eps e_i) - f(x - eps e_i)) / (2 eps)

where e_i is 1 at element i and 0 elsewhere. The error falls with eps², that of
a one-sided difference only with eps. f takes an array of the shape of x and
returns a number. x may have any number of axes: np.ndindex(x.shape) goes
through its indices. x must be what it was when you return.

Shapes: x and the gradient are equal.
"""

import numpy as np


def numerical_gradient(f, x, eps):
    """Return the estimated gradient of f at x."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += eps
        below[index] -= eps
        gradient[index] = (f(above) - f(below)) / (2 * eps)
    return gradient
