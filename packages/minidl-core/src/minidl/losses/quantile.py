"""The pinball loss of quantiles (Koenker and Bassett, 1978); beyond the report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minidl.arrays.backend import Array
from minidl.losses.loss import Loss

_NATIVE = 8  # quantiles that the compiled engine has names for


class QuantileLoss(Loss):
    """Pinball loss: each output predicts a quantile of its target (Koenker and Bassett, 1978); beyond the report.

    With d = y - f, an output for quantile q costs ``q d`` where it is too low and ``(q - 1) d`` where it is too high:
    the best constant has a share q of the targets below. The outputs of one target stand side by side: with targets
    (N, C) and Q quantiles, predictions are (N, C Q). The mean is over all outputs.

    Parameters
    ----------
    reduction : {"sum", "mean", "batchmean"}
    quantiles : float or sequence of float
        One or several, each above 0 and below 1. The compiled engine takes up to eight.

    Raises
    ------
    ValueError, TypeError
        For a quantile outside (0, 1), or none.

    Examples
    --------
    >>> import numpy as np
    >>> loss = QuantileLoss(quantiles=[0.1, 0.9])
    >>> round(float(loss(np.array([[1.0, 3.0]]), np.array([[2.0]]))), 3)
    0.2
    >>> loss.backward()
    array([[-0.1,  0.1]])
    """

    one_output_per_target = False

    def __init__(self, reduction: str = "sum", *, quantiles: float | Iterable[float] = 0.5) -> None:
        super().__init__(reduction)
        self.quantiles = quantiles

    @property
    def quantiles(self) -> tuple[float, ...]:
        """The quantiles, each above 0 and below 1."""
        return self._quantiles

    @quantiles.setter
    def quantiles(self, quantiles: float | Iterable[float]) -> None:
        values = np.atleast_1d(np.asarray(quantiles))
        if values.dtype.kind not in "fiu":
            raise TypeError(f"QuantileLoss: expected quantiles to be numbers, got {quantiles!r}")
        if values.ndim != 1 or not values.size or not ((values > 0) & (values < 1)).all():
            raise ValueError(f"QuantileLoss: expected quantiles above 0 and below 1, got {quantiles!r}")
        self._quantiles = tuple(values.astype(np.float64).tolist())

    def numbers(self) -> dict[str, Any]:
        """Return the quantiles as quantile1, quantile2, ..., up to quantile8 at least; nan for those there are not."""
        missing = max(0, _NATIVE - len(self._quantiles))
        return {f"quantile{i}": q for i, q in enumerate([*self._quantiles, *[np.nan] * missing], start=1)}

    def target_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the targets: one column for the outputs of all quantiles."""
        count = len(self._quantiles)
        if shape[-1] % count:
            raise ValueError(f"{self}: expected {count} outputs for each target, got predictions of shape {shape}")
        return (*shape[:-1], shape[-1] // count)

    def forward(
        self, prediction: Array, target: Array, *, replicate_axes: int = 0, weight: Array | None = None
    ) -> Array:
        """Return ``Σ max(q d, (q - 1) d)`` with d = y - f, and save d and the quantiles."""
        backend = self.check(prediction, target, replicate_axes)
        q = backend.asarray(np.array(self._quantiles), prediction.dtype)
        per_target = (*prediction.shape[:-1], target.shape[-1], len(self._quantiles))
        diff = target[..., None] - prediction.reshape(per_target)
        terms = backend.xp.where(diff < 0, (q - 1) * diff, q * diff).reshape(prediction.shape)
        return self.save_for_backward(self.reduce(terms, replicate_axes, weight), diff, q, prediction.shape, backend)

    def backward(self) -> Array:
        """Return ``dL/df``: -q where f is too low, 1 - q where it is too high, 0 where it is right."""
        diff, q, shape, backend = self.saved()
        slope = backend.xp.where(diff < 0, 1 - q, backend.xp.where(diff > 0, -q, 0 * q))
        return slope.reshape(shape) * self.term_weight

    def __repr__(self) -> str:
        quantiles = "" if self._quantiles == (0.5,) else f", quantiles={list(self._quantiles)}"
        return f"QuantileLoss({self.reduction}{quantiles})"
