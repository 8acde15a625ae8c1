"""Negative log-likelihood of a mean and a variance (Nix and Weigend, 1994); beyond the report."""

from __future__ import annotations

from minidl.arrays.backend import Array
from minidl.losses.loss import Loss


class GaussianNLLLoss(Loss):
    """Negative log-likelihood of targets under a normal distribution whose variance is predicted too.

    The first half of the outputs are the means m, the second half the logarithms s of the variances:
    ``L = Σ [s + (y - m)² exp(-s)] / 2`` (Nix and Weigend, 1994), the constant log(2 pi) / 2 left out as in torch. With
    targets (N, C), predictions are (N, 2 C). torch takes the variance itself and keeps it above 1e-6; its logarithm is
    a number of any size, which an output without activation can be. The mean is over all targets, as in torch.

    Parameters
    ----------
    reduction : {"sum", "mean"}

    Examples
    --------
    >>> import numpy as np
    >>> loss = GaussianNLLLoss()
    >>> float(loss(np.array([[1.0, 0.0]]), np.array([[3.0]])))
    2.0
    >>> loss.backward()
    array([[-2. , -1.5]])
    """

    one_output_per_target = False

    def target_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the targets: one column for mean and variance."""
        if shape[-1] % 2:
            raise ValueError(
                f"{self}: expected a mean and a log variance for each target, got predictions of shape {shape}"
            )
        return (*shape[:-1], shape[-1] // 2)

    def forward(
        self, prediction: Array, target: Array, *, replicate_axes: int = 0, weight: Array | None = None
    ) -> Array:
        """Return ``Σ [s + (m - y)² exp(-s)] / 2``, and save m - y and exp(-s)."""
        backend = self.check(prediction, target, replicate_axes)
        half = target.shape[-1]
        mean, log_variance = prediction[..., :half], prediction[..., half:]
        diff, precision = mean - target, backend.xp.exp(-log_variance)
        terms = 0.5 * (log_variance + diff * diff * precision)
        return self.save_for_backward(self.reduce(terms, replicate_axes, weight), diff, precision, backend)

    def backward(self) -> Array:
        """Return ``dL/dm = (m - y) exp(-s)`` and ``dL/ds = [1 - (m - y)² exp(-s)] / 2``, side by side."""
        diff, precision, backend = self.saved()
        dm = diff * precision * self.term_weight
        ds = 0.5 * (1 - diff * diff * precision) * self.term_weight
        return backend.xp.concatenate((dm, ds), -1)
