"""Predictions that change.

predict(model, x) gives other numbers each time that it is called. The model
itself is right: `training` of a Network says whether its dropout is active.
Something in predict is wrong or missing: find it, and repair it. The model
must be left in the mode that it was in.

Shapes: x (samples, inputs), the prediction (samples, outputs).
"""


class Network:
    """Dropout with probability 1/2, then y = x Wᵀ."""

    def __init__(self, weight, rng):
        self.weight, self.rng = weight, rng
        self.training = True

    def forward(self, x):
        """Return y; dropout is active in training mode only."""
        if self.training:
            x = x * 2 * (self.rng.random(x.shape) >= 0.5)
        return x @ self.weight.mT


def predict(model, x):
    """Return the prediction in evaluation mode."""
    before = model.training
    model.training = False
    try:
        return model.forward(x)
    finally:
        model.training = before
