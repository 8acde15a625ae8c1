"""Negative log-likelihood of a mean and a variance (Nix and Weigend, 1994); beyond the report."""

from __future__ import annotations

import math

import numpy as np

from minidl.arrays.backend import Array, dtype_name
from minidl.losses.loss import Loss

_LEAST = 1e-6  # of a variance, torch's


class GaussianNLLLoss(Loss):
    """Negative log-likelihood of targets under a normal distribution whose variance is predicted too.

    The first half of the outputs are the means m, the second half the logarithms s of the variances:
    ``L = Σ [s + (y - m)² exp(-s)] / 2`` (Nix and Weigend, 1994), the constant log(2 pi) / 2 left out as in torch. With
    targets (N, C), predictions are (N, 2 C). torch takes the variance itself; its logarithm may be negative, as an
    output without activation is. As in torch the variance is kept above 1e-6, or the smallest normal number of the
    dtype if that is larger, so that an exact fit costs no infinity. The mean is over all targets, as in torch.

    Parameters
    ----------
    reduction : {"sum", "mean", "batchmean"}

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
        """Return ``Σ [s + (m - y)² / v] / 2`` with v = exp(s); save m - y, v and what v was raised by."""
        backend = self.check(prediction, target, replicate_axes)
        half = target.shape[-1]
        mean, s = prediction[..., :half], prediction[..., half:]
        least = math.log(max(_LEAST, float(np.finfo(dtype_name(s.dtype)).tiny)))
        bounded = backend.maximum(s, least)
        diff, v = mean - target, backend.xp.exp(bounded)
        terms = 0.5 * (bounded + diff * diff / v)
        share = backend.xp.exp(s - bounded)  # 1 where nothing was raised
        return self.save_for_backward(self.reduce(terms, replicate_axes, weight), diff, v, share, backend)

    def backward(self) -> Array:
        """Return ``dL/dm = (m - y) / v`` and ``dL/ds = [1 - (m - y)² / v] / 2``, side by side.

        Where v was raised to its bound, dL/ds is smaller by exp(s) / v: the derivative with respect to the variance,
        as torch has it, times that of exp(s).
        """
        diff, v, share, backend = self.saved()
        dm = diff / v * self.term_weight
        ds = 0.5 * (1 - diff * diff / v) * share * self.term_weight
        return backend.xp.concatenate((dm, ds), -1)
