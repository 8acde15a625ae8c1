"""The fully connected layer (report, section II-A1)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from minidl.arrays.backend import NUMPY, Array, Backend, get_backend
from minidl.arrays.checks import NON_NEGATIVE, as_count, as_generator, as_number
from minidl.layers.initial import Rule, draw, draw_biases, rule_of
from minidl.layers.module import Module
from minidl.parameters.spec import LayerSpec


class Linear(Module):
    """Fully connected layer, ``y = x Wᵀ + b`` (eq. 1).

    Parameters
    ----------
    in_features, out_features : int
        Widths of the input and the output.
    bias : bool
        Whether there is a `b`.
    std_w : float, optional
        Standard deviation of the initial weights, which are normal with mean zero, instead of a rule (`init`). For tanh
        and sigmoid the report recommends 1 / sqrt(in_features).
    std_b : float, optional
        Standard deviation of the initial biases. Without it they are zero, and uniform for ``init="torch"``.
    init : {"he", "glorot", "lecun", "torch"} or callable, optional
        The rule of the initial weights, see Notes. A callable ``init(rng, (out_features, in_features))`` returns them.
        Without it, and without `std_w`, ``"he"``.
    lr : float, optional
        The learning rate that `update` uses when it is given none.
    dtype : optional
        float16, float32 (the default) or float64.
    backend : {"numpy", "torch", "torch:DEVICE"} or Backend, optional
    rng : None, int, SeedSequence or Generator, optional
        Where the initial values come from. They are drawn by NumPy in float64 whatever the backend and dtype, so a seed
        gives the same layer everywhere.

    Attributes
    ----------
    weight : array, shape (*replicate_shape, out_features, in_features)
    bias : array, shape (*replicate_shape, out_features), or None
        Views into the parameter vector. Assigning copies into the view.

    Raises
    ------
    ValueError, TypeError
        For widths below 1, a negative `std_w`, `std_b` or `lr`, a `std_b` without bias, `std_w` beside `init`, `std_b`
        beside ``init="torch"``, an unknown rule, another dtype or backend; if a callable returns another shape.

    Notes
    -----
    `forward` takes x of shape (..., sample, in_features). With replicates, x is (sample, in_features) and
    shared by all of them, or (*replicate_shape, ..., sample, in_features).

    The rules draw weights of mean zero and of variance

    ============ ================================== =========================================
    ``"he"``     2 / in_features                    normal, for ReLU
    ``"lecun"``  1 / in_features                    normal, for tanh
    ``"glorot"`` 2 / (in_features + out_features)   uniform, for tanh
    ``"torch"``  1 / (3 in_features)                uniform; the biases too, within the same bounds
    ============ ================================== =========================================

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> layer = minidl.Linear(2, 3, rng=0)
    >>> y = layer.forward(np.ones((4, 2), np.float32))
    >>> y.shape, layer.backward(np.ones_like(y)).shape
    ((4, 3), (4, 2))
    >>> layer.params()[1].grad
    array([4., 4., 4.], dtype=float32)
    """

    in_features: int
    out_features: int

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        std_w: float | None = None,
        std_b: float | None = None,
        init: str | Rule | None = None,
        lr: float | None = None,
        dtype: Any = None,
        backend: str | Backend | None = None,
        rng: Any = None,
    ) -> None:
        n_in = as_count("Linear", "in_features", in_features)
        n_out = as_count("Linear", "out_features", out_features)
        if std_b is not None and not bias:
            raise ValueError(f"Linear: expected std_b to be None without a bias, got {std_b!r}")
        _refuse_two_rules(init, std_w, std_b)
        scale_w = as_number("Linear", "std_w", 0.0 if std_w is None else std_w, NON_NEGATIVE)
        scale_b = as_number("Linear", "std_b", 0.0 if std_b is None else std_b, NON_NEGATIVE)
        rule = rule_of("Linear", "he" if init is None else init)
        get_backend(backend, "Linear").dtype("float32" if dtype is None else dtype, "Linear")
        if lr is not None:
            as_number("Linear", "lr", lr, NON_NEGATIVE)
        generator = as_generator("Linear", rng)  # all else is right: a generator that is handed in moves on
        normal = generator.standard_normal
        shape = n_out, n_in
        initial = {"weight": draw("Linear", rule, generator, shape) if std_w is None else scale_w * normal(shape)}
        if bias:
            initial["bias"] = scale_b * normal(n_out) if scale_b else draw_biases(generator, n_out, n_in, init)
        self.in_features, self.out_features = n_in, n_out
        super().__init__(initial, lr=lr, dtype=dtype, backend=backend)

    def infer(self, x: Array) -> Array:
        """Return ``x Wᵀ + b`` (eq. 1) and save nothing."""
        self.check_input(x, self.in_features)
        rows = x if x.ndim in self._flat else self._joined(x)
        y = rows @ self._weight_t
        if self._bias is not None:
            y += self._bias
        return y if rows is x else y.reshape(*self.replicate_shape, *self._sample_axes(x), self.out_features)

    def forward(self, x: Array) -> Array:
        """Return ``x Wᵀ + b`` (eq. 1), and save x, which dL/dW needs."""
        return self.save_for_backward(self.infer(x), x)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:
        """Add dL/dW and dL/db, return dL/dx.

        Each sample adds x_j dy_i to dL/dW_ij and dy_i to dL/db_i, and x_j acts on every output through W_ij::

            dL/dW = dyᵀ x        (eq. 3)
            dL/db = Σ dy         (eq. 4, over the samples)
            dL/dx = dy W         (eq. 2)
        """
        (x,) = self.saved(dy)
        rows = dy if dy.ndim in self._flat else self._joined(dy)
        x = x if x.ndim in self._flat else self._joined(x)
        self.accumulate_grad("weight", self._matmul, rows.mT, x)
        if self._bias is not None:
            self.accumulate_grad("bias", self.sum_samples, rows)
        if not need_dx:
            return None
        dx = rows @ self._weight
        return dx if rows is dy else dx.reshape(*dy.shape[:-1], self.in_features)

    def cache_views(self) -> None:
        """Cache the views that every step needs: properties and `mT` are slow for small layers."""
        bias, replicates = self.bias, self.replicate_shape
        self._weight, self._weight_t = self.weight, self.weight.mT
        self._matmul = self.backend.xp.matmul if self.backend is NUMPY else self._matmul_of_tensors
        # With replicates a sample axis is missing; without them (n,) is added faster than (1, n).
        self._bias = bias[..., None, :] if replicates and bias is not None else bias
        self._flat = (2, len(replicates) + 2)  # the numbers of axes with one sample axis

    @property
    def weight(self) -> Array:
        """The weights W, a view; assigning copies into it."""
        return self._params["weight"].value

    @weight.setter
    def weight(self, array: Array) -> None:
        self.assign("weight", array)

    @property
    def bias(self) -> Array | None:
        """The biases b, a view; assigning copies into it."""
        return self._params["bias"].value if "bias" in self._params else None

    @bias.setter
    def bias(self, array: Array) -> None:
        self.assign("bias", array)

    def options(self) -> dict[str, Any]:
        """Return ``bias=False`` if there is none, and the learning rate if there is one."""
        return ({} if self.bias is not None else {"bias": False}) | super().options()

    @classmethod
    def from_record(cls, record: LayerSpec, children: Mapping[str, Any], **more: Any) -> Self:
        """Build a layer as a record describes it; its weights are zeros, and nothing is drawn for them."""
        shapes = {param.name: param.shape for param in record.params}
        if shapes.get("weight") != (record.out_features, record.in_features):  # before they take memory
            raise ValueError(f"expected a weight {(record.out_features, record.in_features)}, got {shapes}")
        return super().from_record(record, children, init=lambda _, shape: np.zeros(shape), **more)

    def _matmul_of_tensors(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """Return ``a @ b``; torch.matmul with `out` fails where b lacks a's axes in front and a has one column."""
        return self.backend.xp.matmul(a, b.expand(*a.shape[:-2], *b.shape[-2:]), out=out)

    def _joined(self, x: Array) -> Array:
        """Return x with its sample axes joined into one, (*replicate_shape, sample, feature)."""
        return x.reshape(*self.replicate_shape, math.prod(self._sample_axes(x)), x.shape[-1])

    def _sample_axes(self, x: Array) -> tuple[int, ...]:
        """Return the lengths of the axes between the replicates and the features; x has more than two axes."""
        return tuple(x.shape[len(self.replicate_shape) : -1])


def _refuse_two_rules(init: str | Rule | None, std_w: float | None, std_b: float | None) -> None:
    """Refuse two rules for the same numbers."""
    if init is not None and std_w is not None:
        raise ValueError(f"Linear: expected std_w or init, got both: std_w={std_w!r}, init={init!r}")
    if init == "torch" and std_b is not None:
        raise ValueError(f"Linear: expected std_b to be None with init='torch', which draws biases, got {std_b!r}")
