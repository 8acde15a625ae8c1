"""Normalization of each sample over its features (Ba, Kiros and Hinton, 2016)."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.arrays.backend import Array, Backend
from minidl.arrays.checks import NON_NEGATIVE, as_count
from minidl.arrays.numerics import at_least_single, rounded
from minidl.arrays.settings import number
from minidl.layers.module import Module


class LayerNorm(Module):
    """Shift and scale every sample to mean 0 and variance 1, then each feature by a weight and a bias.

    ``y = weight n + bias`` with ``n = (x - mean(x)) / sqrt(var(x) + eps)``, mean and variance taken over the features
    of the sample. It does the same in training and in evaluation.

    Parameters
    ----------
    features : int
        Width of the input and of the output.
    eps : float
        Keeps the root away from 0.
    lr : float, optional
        The learning rate that `update` uses when it is given none.
    dtype : optional
        float16, float32 (the default) or float64. float16 is normalized in float32.
    backend : {"numpy", "torch", "torch:DEVICE"} or Backend, optional

    Attributes
    ----------
    weight, bias : array, shape (*replicate_shape, features)
        Ones and zeros at first. Views into the parameter vector; assigning copies into the view.

    Raises
    ------
    ValueError, TypeError
        For a width below 1, a negative `eps` or `lr`, another dtype or backend.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> norm = minidl.LayerNorm(3, dtype="float64")
    >>> norm(np.array([[1.0, 2.0, 3.0], [-10.0, 0.0, 10.0]])).round(4)
    array([[-1.2247,  0.    ,  1.2247],
           [-1.2247,  0.    ,  1.2247]])
    """

    in_features: int
    out_features: int
    settings: tuple[str, ...] = ("eps", "lr")
    eps = number("eps", NON_NEGATIVE, "Is added to the variance; a number, or one per replicate.")

    def __init__(
        self,
        features: int,
        *,
        eps: float = 1e-5,
        lr: float | None = None,
        dtype: Any = None,
        backend: str | Backend | None = None,
    ) -> None:
        self.in_features = self.out_features = as_count("LayerNorm", "features", features)
        self.eps = eps
        initial = {"weight": np.ones(self.in_features), "bias": np.zeros(self.in_features)}
        super().__init__(initial, lr=lr, dtype=dtype, backend=backend)

    def infer(self, x: Array) -> Array:
        """Return ``weight n + bias``."""
        n, _ = self._normalize(x)
        return self.broadcast_param("weight", x) * n + self.broadcast_param("bias", x)

    def forward(self, x: Array) -> Array:
        """Return ``weight n + bias``, and save n and the root of the variance."""
        n, root = self._normalize(x)
        y = self.broadcast_param("weight", x) * n + self.broadcast_param("bias", x)
        return self.save_for_backward(y, n, root)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:
        """Add dL/dweight and dL/dbias, return dL/dx.

        A feature's weight multiplies its n in every sample. An x_j acts on its own n through 1 / root, on all n of its
        sample through the mean, with -1 / F, and through the root, whose derivative with respect to x_j is n_j / F::

            dL/dweight = Σ dy n                       (over the samples)
            dL/dbias   = Σ dy
            dL/dn      = dy weight
            dL/dx      = (dL/dn - mean(dL/dn) - n mean(dL/dn n)) / root
        """
        n, root = self.saved(dy)
        self.accumulate_grad("weight", self.sum_samples, dy * n)
        self.accumulate_grad("bias", self.sum_samples, dy)
        if not need_dx:
            return None
        dn = dy * self.broadcast_param("weight", dy)
        return (dn - dn.mean(axis=-1, keepdims=True) - n * (dn * n).mean(axis=-1, keepdims=True)) / root

    @property
    def weight(self) -> Array:
        """The factor of each feature, a view; assigning copies into it."""
        return self.param("weight")

    @weight.setter
    def weight(self, array: Array) -> None:
        self.assign("weight", array)

    @property
    def bias(self) -> Array:
        """The shift of each feature, a view; assigning copies into it."""
        return self.param("bias")

    @bias.setter
    def bias(self, array: Array) -> None:
        self.assign("bias", array)

    def _normalize(self, x: Array) -> tuple[Array, Array]:
        """Return ``n = (x - mean) / root``, and the root of the variance of each sample."""
        self.check_input(x, self.in_features)
        wide = at_least_single(self.backend, x)
        centered = wide - wide.mean(axis=-1, keepdims=True)
        variance = (centered * centered).mean(axis=-1, keepdims=True)
        root = self.backend.xp.sqrt(variance + self.broadcast_setting(self.eps, wide))
        return rounded(self.backend, centered / root, x.dtype), rounded(self.backend, root, x.dtype)
