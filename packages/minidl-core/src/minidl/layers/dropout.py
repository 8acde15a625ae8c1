"""Dropout (report, section II-A3)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Self

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.checks import PROBABILITY, as_generator
from minidl.arrays.settings import number
from minidl.layers.module import Module


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
    p_drop = number("p_drop", PROBABILITY, "Probability of dropping a unit; a number, or one per replicate.")

    def __init__(self, p_drop: float = 0.5, *, rng: Any = None) -> None:
        self.p_drop = p_drop
        generator = as_generator("Dropout", rng)
        super().__init__()
        self.generators = [generator]

    def infer(self, x: Array) -> Array:
        """Return x: nothing is dropped outside training."""
        self.check_array(x)
        return x

    def forward(self, x: Array) -> Array:
        """Return ``x mask / (1 - p_drop)``, and save that factor; in evaluation mode return x.

        The mask is 1 where a uniform number is at least p_drop. For an x that replicates share there is one mask for
        each.
        """
        if not self.training or not np.any(self.p_drop):
            return self.save_for_backward(self.infer(x), None)
        backend = self.check_array(x)
        if self.replicate_shape:
            self.check_replicates(x)
        uniform = self._draw_uniform(tuple(x.shape))
        mask = uniform >= _broadcast(self.p_drop, uniform)
        factor = backend.asarray(mask, x.dtype) * self.broadcast_setting(_scale(self.p_drop), x)
        return self.save_for_backward(x * factor, factor)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:  # noqa: ARG002 - it costs next to nothing
        """Return ``dL/dx = dy mask / (1 - p_drop)``, with the mask of `forward`."""
        (factor,) = self.saved(dy)
        return dy if factor is None else dy * factor

    def _draw_uniform(self, shape: tuple[int, ...]) -> np.ndarray:
        """Draw from [0, 1) for each replicate as it would draw alone, where p_drop = 0 draws nothing.

        Of a batch that several processes share each draws for all samples and takes its own, so that the masks are
        those of the whole batch and the generators stay equal.
        """
        axis = len(self.replicate_shape) if len(shape) > 2 else 0
        if self.share is None:
            return self._draw(shape)
        first, last = self.share.first, self.share.last
        if shape[axis] != last - first:
            raise ValueError(f"{self}: expected the {last - first} samples of this process, got x of shape {shape}")
        uniform = self._draw((*shape[:axis], self.share.count, *shape[axis + 1 :]))
        drawn = uniform.ndim - len(shape) + axis  # of an x that replicates share there are masks for each
        return uniform[(slice(None),) * drawn + (slice(first, last),)]

    def _draw(self, shape: tuple[int, ...]) -> np.ndarray:
        """Draw for a batch of this shape."""
        if len(self.generators) == 1:
            return self.generators[0].random(shape, dtype=np.float32)
        replicates = self.replicate_shape
        each = shape[len(replicates) :] if len(shape) > 2 else shape
        uniform = np.ones((len(self.generators), *each), np.float32)
        p_drops = np.broadcast_to(self.p_drop, replicates).ravel()
        for rng, p_drop, part in zip(self.generators, p_drops, uniform, strict=True):
            if p_drop:
                rng.random(dtype=np.float32, out=part)
        return uniform.reshape(*replicates, *each)

    def draws(self) -> Iterator[tuple[Hashable, object]]:
        """Iterate over the states of the generators; nothing is drawn for p_drop = 0."""
        if np.any(self.p_drop):
            yield from super().draws()

    def merge_replicates(self, twins: Sequence[Self]) -> None:
        """Take over settings and generators of the modules that this one replicates; part of `replicate`."""
        super().merge_replicates(twins)
        self.generators = [rng for twin in twins for rng in twin.generators]

    def pick_replicate(self, index: int) -> None:
        """Keep setting and generator of one replicate alone; part of `unstack`."""
        super().pick_replicate(index)
        self.generators = [self.generators[index]]


def _broadcast(p_drop: Any, uniform: np.ndarray) -> Any:
    """Return p_drop, one number or one per replicate, shaped to compare with the uniform numbers in float64."""
    if not isinstance(p_drop, np.ndarray):
        return np.float64(p_drop)  # a Python float would be rounded to float32 first
    return p_drop.reshape(*p_drop.shape, *(1,) * (uniform.ndim - p_drop.ndim))


def _scale(p_drop: Any) -> Any:
    """Return 1 / (1 - p_drop), and 0 for p_drop = 1, which drops everything."""
    if not isinstance(p_drop, np.ndarray):
        return 1 / (1 - p_drop) if p_drop < 1 else 0.0
    return np.divide(1, 1 - p_drop, out=np.zeros(p_drop.shape), where=p_drop < 1)
