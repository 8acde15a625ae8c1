"""Dropout between training and evaluation.

Right after training, the gradient that this layer returns in evaluation mode is
wrong. A new layer is right in either mode. One line is wrong or missing: find
it, and repair it.

Shapes: x, y, dy and dx are equal.
"""


class Dropout:
    """Set elements to 0 with probability p_drop while `training` is True."""

    def __init__(self, p_drop, rng):
        self.p_drop, self.rng = p_drop, rng
        self.training = True
        self.mask = 1.0

    def forward(self, x):
        """Return y, and save the mask for backward."""
        if not self.training:
            self.mask = 1.0
            return x
        kept = self.rng.random(x.shape) >= self.p_drop
        self.mask = kept / (1 - self.p_drop)
        return x * self.mask

    def backward(self, dy):
        """Return dx."""
        return dy * self.mask
