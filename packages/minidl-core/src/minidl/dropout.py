"""Dropout (report, section II-A3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from minidl.backend import Array, backend_of
from minidl.checks import PROBABILITY, as_generator, as_number
from minidl.module import Module


class Dropout(Module):
    """Drop each unit with probability `p_drop` in training, and scale the others by 1 / (1 - p_drop).

    In evaluation mode, and for p_drop = 0, input and gradient pass unchanged and nothing is drawn.

    Parameters
    ----------
    p_drop : float
        Probability of dropping a unit, in [0, 1].
    rng : None, int, SeedSequence or Generator, optional
        Where the masks come from. They are drawn by NumPy in float32 whatever the arrays, so a seed drops the same
        units in every library and dtype.

    Raises
    ------
    ValueError, TypeError
        If p_drop is not a number in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> dropout = Dropout(0.5, rng=0)
    >>> dropout(np.ones((2, 3)))
    array([[2., 2., 2.],
           [0., 0., 0.]])
    >>> dropout.eval()(np.ones((2, 3)))
    array([[1., 1., 1.],
           [1., 1., 1.]])
    """

    keeps_width = True
    settings: tuple[str, ...] = ("p_drop", "lr")

    def __init__(self, p_drop: float = 0.5, *, rng: Any = None) -> None:
        self.p_drop: Any = as_number("Dropout", "p_drop", p_drop, PROBABILITY)
        generator = as_generator("Dropout", rng)
        super().__init__()
        self._rngs = [generator]

    def infer(self, x: Array) -> Array:
        """Return x: nothing is dropped outside training."""
        backend_of(x, self)
        return x

    def forward(self, x: Array) -> Array:
        """Return ``x mask / (1 - p_drop)``, and save that factor; in evaluation mode return x."""
        if not self.training or not np.any(self.p_drop):
            return self._save(self.infer(x), None)
        if self.lead:
            self._accept_replicates(x)
        factor = self._draw(x)
        return self._save(x * factor, factor)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:  # noqa: ARG002 - it costs next to nothing
        """Return ``dL/dx = dy mask / (1 - p_drop)``, with the mask of `forward`."""
        (factor,) = self._recall(dy)
        return dy if factor is None else dy * factor

    def _draw(self, x: Array) -> Array:
        """Draw mask / (1 - p_drop) for one x, of its shape; for an x that replicates share, one mask for each."""
        backend, p_drop = backend_of(x, self), np.asarray(self.p_drop)
        uniform = self._uniform(tuple(x.shape), np.broadcast_to(p_drop, self.lead).ravel())
        keep = uniform >= p_drop.reshape(*p_drop.shape, *(1,) * (uniform.ndim - p_drop.ndim))
        scale = np.divide(1, 1 - p_drop, out=np.zeros(p_drop.shape), where=p_drop < 1)
        return backend.asarray(keep, x.dtype) * self._buffer.beside(scale if scale.ndim else scale.item(), x)

    def _uniform(self, shape: tuple[int, ...], p_drops: np.ndarray) -> np.ndarray:
        """Draw for each replicate as it would draw alone, where p_drop = 0 draws nothing."""
        if len(self._rngs) == 1:
            return self._rngs[0].random(shape, dtype=np.float32)
        each = shape[len(self.lead) :] if len(shape) > 2 else shape
        uniform = np.ones((len(self._rngs), *each), np.float32)
        for rng, p_drop, part in zip(self._rngs, p_drops, uniform, strict=True):
            if p_drop:
                rng.random(dtype=np.float32, out=part)
        return uniform.reshape(*self.lead, *each)

    def _merge(self, twins: Sequence[Self]) -> None:
        super()._merge(twins)
        self._rngs = [rng for twin in twins for rng in twin._rngs]

    def _pick(self, index: int) -> None:
        super()._pick(index)
        self._rngs = [self._rngs[index]]
