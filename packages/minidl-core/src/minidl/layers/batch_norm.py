"""Normalization of each feature over the batch (Ioffe and Szegedy, 2015)."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from minidl.arrays.backend import Array, Backend
from minidl.arrays.checks import NON_NEGATIVE, PROBABILITY, as_count
from minidl.arrays.numerics import at_least_single, rounded
from minidl.arrays.settings import number
from minidl.layers.module import Module


class BatchNorm1d(Module):
    """Shift and scale every feature to mean 0 and variance 1 over the batch, then by a weight and a bias.

    ``y = weight n + bias`` with ``n = (x - mean) / sqrt(var + eps)``. In training, mean and variance are those of the
    batch, over all of its sample axes, and each `forward` moves the running statistics towards them. In evaluation they
    are the running statistics, so that a prediction does not depend on the other samples. Of a batch that the processes
    of a `minidl.distributed.Group` share they are those of the whole batch, for four small messages a step.

    Parameters
    ----------
    features : int
        Width of the input and of the output.
    eps : float
        Keeps the root away from 0.
    momentum : float
        The share of a new batch in the running statistics, in [0, 1].
    lr : float, optional
        The learning rate that `update` uses when it is given none.
    dtype : optional
        float16, float32 (the default) or float64. float16 is normalized in float32.
    backend : {"numpy", "torch", "torch:DEVICE"} or Backend, optional

    Attributes
    ----------
    weight, bias : array, shape (*replicate_shape, features)
        Ones and zeros at first. Views into the parameter vector; assigning copies into the view.
    statistics : dict of str to array
        ``running_mean`` and ``running_var``, (*replicate_shape, features), and ``num_batches_tracked``. They are no
        parameters: optimizers leave them alone, while state dicts and copies contain them.

    Raises
    ------
    ValueError, TypeError
        For a width below 1, a negative `eps` or `lr`, a `momentum` outside [0, 1], another dtype or backend; by
        `forward` in training, for a batch of fewer than two samples, whose variance is 0.

    Notes
    -----
    The variance that normalizes a batch is its mean square, Σ/N; the running variance estimates that of all data,
    Σ/(N - 1), as in torch. Features are always the last axis, also of an x with three, where torch expects
    (sample, feature, position).

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> norm = minidl.BatchNorm1d(2, dtype="float64")
    >>> norm(np.array([[1.0, 10.0], [3.0, 30.0]])).round(4)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> norm.statistics["running_mean"]
    array([0.2, 2. ])
    >>> norm.eval()(np.array([[0.2, 2.0]]))
    array([[0., 0.]])
    """

    in_features: int
    out_features: int
    settings: tuple[str, ...] = ("eps", "momentum", "lr")
    least_samples: int = 2  # one sample has no variance
    eps = number("eps", NON_NEGATIVE, "Is added to the variance; a number, or one per replicate.")
    momentum = number("momentum", PROBABILITY, "The share of a new batch; a number, or one per replicate.")

    def __init__(
        self,
        features: int,
        *,
        eps: float = 1e-5,
        momentum: float = 0.1,
        lr: float | None = None,
        dtype: Any = None,
        backend: str | Backend | None = None,
    ) -> None:
        self.in_features = self.out_features = width = as_count("BatchNorm1d", "features", features)
        self.eps, self.momentum = eps, momentum
        super().__init__({"weight": np.ones(width), "bias": np.zeros(width)}, lr=lr, dtype=dtype, backend=backend)
        asarray = self.backend.asarray
        self.statistics = {
            "running_mean": asarray(np.zeros(width), self.dtype),
            "running_var": asarray(np.ones(width), self.dtype),
            "num_batches_tracked": asarray(np.zeros((), np.int64)),
        }

    def infer(self, x: Array) -> Array:
        """Return ``weight n + bias`` with the running statistics."""
        self.check_input(x, self.in_features)
        n, _ = self._normalize_by_running(x)
        return self.broadcast_param("weight", x) * n + self.broadcast_param("bias", x)

    def forward(self, x: Array) -> Array:
        """Return ``weight n + bias``; save n, the root of the variance, and whether both depend on the batch."""
        self.check_input(x, self.in_features)
        n, root = self._normalize_by_batch(x) if self.training else self._normalize_by_running(x)
        y = self.broadcast_param("weight", x) * n + self.broadcast_param("bias", x)
        return self.save_for_backward(y, n, root, self.training)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:
        """Add dL/dweight and dL/dbias, return dL/dx.

        A feature's weight multiplies its n in every sample. In training, the x_s of a sample acts on its own n through
        1 / root, on the n of all N samples through the mean, with -1 / N, and through the root, whose derivative with
        respect to x_s is n_s / N. The means are those over the samples::

            dL/dweight = Σ dy n                       (over the samples)
            dL/dbias   = Σ dy
            dL/dn      = dy weight
            dL/dx      = (dL/dn - mean(dL/dn) - n mean(dL/dn n)) / root

        In evaluation mean and root are constants: ``dL/dx = dL/dn / root``.
        """
        n, root, by_batch = self.saved(dy)
        self.accumulate_grad("weight", self.sum_samples, dy * n)
        self.accumulate_grad("bias", self.sum_samples, dy)
        if not need_dx:
            return None
        dn = dy * self.broadcast_param("weight", dy)
        if not by_batch:
            return dn / root
        return (dn - self._mean(dn) - n * self._mean(dn * n)) / root

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

    def _normalize_by_batch(self, x: Array) -> tuple[Array, Array]:
        """Return ``n = (x - mean) / root`` and the root of the variance, and move the running statistics."""
        count = self._count(x)
        if count < self.least_samples:
            raise ValueError(f"{self}: expected at least two samples in training, got x of shape {tuple(x.shape)}")
        wide = at_least_single(self.backend, x)
        mean = self._mean(wide)
        centered = wide - mean
        variance = self._mean(centered * centered)
        self._track(mean, variance * (count / (count - 1)))
        return self._divide(centered, variance, x)

    def _normalize_by_running(self, x: Array) -> tuple[Array, Array]:
        """Return ``n = (x - running_mean) / root``, and the root of the running variance."""
        mean, variance = (self.broadcast_features(self.statistics[f"running_{name}"], x) for name in ("mean", "var"))
        return self._divide(at_least_single(self.backend, x) - mean, at_least_single(self.backend, variance), x)

    def _divide(self, centered: Array, variance: Array, x: Array) -> tuple[Array, Array]:
        root = self.backend.xp.sqrt(variance + self.broadcast_setting(self.eps, variance))
        return rounded(self.backend, centered / root, x.dtype), rounded(self.backend, root, x.dtype)

    def _track(self, mean: Array, variance: Array) -> None:
        """Replace each running statistic r by ``(1 - momentum) r + momentum new``, in a new array."""
        share, old = self.broadcast_setting(self.momentum), self.statistics
        own = self.replicate_shape if mean.ndim > 2 else ()  # of an x that replicates share there is one mean

        def moved(name: str, new: Array) -> Array:
            running = at_least_single(self.backend, old[name])
            return rounded(
                self.backend, (1 - share) * running + share * new.reshape(*own, self.in_features), self.dtype
            )

        self.statistics = {
            "running_mean": moved("running_mean", mean),
            "running_var": moved("running_var", variance),
            "num_batches_tracked": self.backend.xp.asarray(old["num_batches_tracked"] + 1),
        }

    def _mean(self, x: Array) -> Array:
        """Return the mean over the samples; of a batch that several processes share, over those of all."""
        axes = self._sample_axes(x)
        if self.share is None:
            return x.mean(axis=axes, keepdims=True)
        return self.share.total(x.sum(axis=axes, keepdims=True)) / self._count(x)

    def _count(self, x: Array) -> int:
        """Return the number of rows that a mean is taken over."""
        sizes = [x.shape[axis] for axis in self._sample_axes(x)]
        return prod(sizes if self.share is None else [self.share.count, *sizes[1:]])

    def _sample_axes(self, x: Array) -> tuple[int, ...]:
        """Return the axes between the replicates and the features; an x of two axes is shared by the replicates."""
        return tuple(range(len(self.replicate_shape) if x.ndim > 2 else 0, x.ndim - 1))
