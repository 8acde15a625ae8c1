"""Linear: the gradient of the weights.

A linear layer computes y = x Wᵀ + b. Given dL/dy, return dL/dW. The weight
W_ij appears in y_si for every sample s, with the factor x_sj:

    dL/dW_ij = Σ_s dL/dy_si x_sj

Shapes: dy (samples, outputs), x (samples, inputs), dweight (outputs, inputs).
Write the sum as a product of matrices; NumPy transposes the last two axes of
an array a by a.mT.
"""


def backward(dy, x):
    """Return dweight = dL/dW."""
    return dy.mT @ x
