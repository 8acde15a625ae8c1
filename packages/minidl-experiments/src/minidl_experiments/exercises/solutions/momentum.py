"""SGD with momentum: one step.

A velocity remembers the gradients before, and the step follows the velocity:

    velocity ← momentum velocity + grad
    value ← value - lr velocity

The step uses the new velocity. Return both.

Shapes: value, grad and velocity are equal; lr and momentum are numbers.
"""


def step(value, grad, velocity, lr, momentum):
    """Return (value, velocity)."""
    velocity = momentum * velocity + grad
    return value - lr * velocity, velocity
