"""Linear: the gradient of the input.

A linear layer computes y = x Wᵀ + b. Given dL/dy, return dL/dx. The input
x_sj of sample s appears in every output y_si of its sample, with the factor
W_ij:

    dL/dx_sj = Σ_i dL/dy_si W_ij

Shapes: dy (samples, outputs), weight (outputs, inputs), dx (samples, inputs).
"""


def backward(dy, weight):
    """Return dx = dL/dx."""
    return dy @ weight
