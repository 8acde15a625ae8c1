"""Nesterov momentum: one step.

Nesterov's step looks ahead: it goes where the new velocity will lead after one
more decay.

    velocity ← momentum velocity + grad
    value ← value - lr (grad + momentum velocity)

The second line uses the new velocity. Return both.

Shapes: value, grad and velocity are equal; lr and momentum are numbers.
"""


def step(value, grad, velocity, lr, momentum):
    """Return (value, velocity)."""
    velocity = momentum * velocity + grad
    return value - lr * (grad + momentum * velocity), velocity
