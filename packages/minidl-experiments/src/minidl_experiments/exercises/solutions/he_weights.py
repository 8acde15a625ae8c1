"""He's initial weights.

The signal should keep its size from layer to layer. A sum of n inputs times
weights of variance s² has n s² times the mean square of an input, and a ReLU
removes half of it. So s² = 2 / n, with n the number of inputs:

    weights are normal with mean 0 and standard deviation sqrt(2 / n)

Draw them by one call of rng.standard_normal, in the shape of the weights, and
scale them.

Shape: (outputs, inputs).
"""

import numpy as np


def weights(n_in, n_out, rng):
    """Return the initial weights, shape (n_out, n_in)."""
    return np.sqrt(2 / n_in) * rng.standard_normal((n_out, n_in))
