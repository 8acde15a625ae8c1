"""Which parameters of a tree of modules are trained, and which are frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from math import prod
from typing import Any, Self

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.blocks import blocks
from minidl.parameters.layout import Layout


class Freezing(Layout):
    """A module whose parameters can be frozen; see `Module` for the constructor's arguments."""

    def freeze(self) -> Self:
        """Train the parameters of this module, and of all modules below it, no more; return the module.

        A frozen parameter stays as it is, bit for bit, and so does the optimizer's memory of it: no gradient is
        computed for it, weight decay and momentum do not reach it, and a norm that `clip` limits leaves it out. A
        gradient that it had before is forgotten at the next step. Gradients pass through a frozen layer to those
        below. Dropout in a frozen module still draws.

        Examples
        --------
        >>> import minidl
        >>> model = minidl.Sequential([minidl.Linear(2, 3), minidl.ReLU(), minidl.Linear(3, 1)])
        >>> model[0].freeze()
        Linear(2 -> 3, frozen)
        >>> model.ranges()
        (slice(9, 13, None),)
        """
        return self._freeze(frozen=True)

    def unfreeze(self) -> Self:
        """Train the parameters of this module, and of all modules below it, again; return the module."""
        return self._freeze(frozen=False)

    @property
    def frozen(self) -> bool:
        """Whether the module has parameters and all of them, those below it included, are frozen."""
        frozen, own = self._buffer.frozen, self._starts
        return bool(frozen and own) and frozen.issuperset(own)

    @property
    def freezes(self) -> bool:
        """Whether the module was frozen, for itself or with one that it is in; also of one without parameters."""
        return self._frozen

    def trained_blocks(self, vectors: tuple[Any, ...], settings: tuple[Any, ...]) -> Iterable[tuple[Any, ...]]:
        """Cut vectors laid out as the parameters into blocks; see `blocks`. Frozen parameters are left out.

        Parameters
        ----------
        vectors : tuple of array, shape (*replicate_shape, size)
        settings : tuple of float or array, shape (*replicate_shape, 1)

        Returns
        -------
        iterable of tuple
            A view of each vector, and last the settings of the same replicates.
        """
        if not self._buffer.frozen:
            return blocks(vectors, settings)
        parts = (tuple(vector[..., part] for vector in vectors) for part in self.ranges())
        return chain.from_iterable(blocks(part, settings) for part in parts)

    def ranges(self, *, least_axes: int = 0) -> tuple[slice, ...]:
        """Return where the parameters that are trained lie in the flat vector; neighbours are joined.

        Parameters
        ----------
        least_axes : int
            Leave out parameters with fewer axes: with 2, biases and scales.

        Returns
        -------
        tuple of slice
            One that covers the whole vector if all parameters are trained; none if all are frozen.
        """
        size = self._values.shape[-1]
        key, known = (self._start, size, least_axes), self._buffer.ranges
        if key not in known:
            known[key] = tuple(self._find_ranges(least_axes))
        return known[key]

    def sum_of_squares(self, vector: Array, *, least_axes: int = 0) -> np.ndarray:
        """Return the sum of the squares of what is trained, for each replicate, in float64: no square overflows there.

        Parameters
        ----------
        vector : array, shape (*replicate_shape, size)
        least_axes : int
            As for `ranges`.
        """
        backend, total = self._buffer.backend, np.zeros(self._buffer.replicate_shape)
        for part in self.ranges(least_axes=least_axes):
            wide = backend.xp.asarray(vector[..., part], dtype=backend.xp.float64)
            total = total + backend.to_numpy(backend.xp.sum(wide * wide, axis=-1))
        return np.asarray(total)

    def add_decay(self, factor: float | np.ndarray, *, least_axes: int = 0) -> None:
        """Add a factor times the parameters that are trained to their gradients.

        Parameters
        ----------
        factor : float or ndarray of shape replicate_shape
        least_axes : int
            As for `ranges`.
        """
        home = self._buffer
        narrow = home.dtype.itemsize == 2  # in 16 bits a small factor has few digits, or is zero
        dtype = home.backend.xp.float32 if narrow else home.dtype
        own = home.backend.asarray(factor[..., None], dtype) if isinstance(factor, np.ndarray) else factor
        for part in self.ranges(least_axes=least_axes):
            values = self._values[..., part]
            self._grads[..., part] += own * (home.backend.asarray(values, dtype) if narrow else values)
        home.fresh.difference_update(self._starts)

    def _freeze(self, *, frozen: bool) -> Self:
        home = self._buffer
        for module in self.modules():
            module._frozen = frozen
        if frozen:
            home.frozen.update(self._starts)
        else:
            home.frozen.difference_update(self._starts)
        home.ranges.clear()
        return self

    def _find_ranges(self, least_axes: int) -> Iterator[slice]:
        start = stop = self._start
        for module in self.modules():
            for name, shape in module._shapes.items():
                begin = module._offsets[name]
                if begin in self._buffer.frozen or len(shape) < least_axes:
                    continue
                if begin > stop:
                    if stop > start:
                        yield slice(start - self._start, stop - self._start)
                    start = begin
                stop = begin + prod(shape)
        if stop > start:
            yield slice(start - self._start, stop - self._start)
