"""SGD with weight decay: one step.

Weight decay adds a pull towards zero, decay times the value, to the gradient:

    value ← value - lr (grad + decay value)

Return the new value; do not change the arrays that come in.

Shapes: value and grad are equal; lr and decay are numbers.
"""


def step(value, grad, lr, decay):
    """Return the new value."""
    return value - lr * (grad + decay * value)
