"""A branch around a module (He and others, 2016)."""

from __future__ import annotations

from collections.abc import Iterator

from minidl.arrays.backend import Array
from minidl.layers.module import Module


class Residual(Module):
    """A module with a connection around it, ``y = x + inner(x)``: the inner module learns what to add to its input.

    Parameters
    ----------
    inner : Module
        Whose output is as wide as its input. Its parameters move into the vector of this module; in state dicts their
        names begin with ``"inner."``.

    Attributes
    ----------
    inner : Module

    Raises
    ------
    TypeError
        If `inner` is no Module.
    ValueError
        If it changes the width, or is part of another module already.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> block = minidl.Residual(minidl.Sequential([minidl.Linear(2, 2, rng=0), minidl.Tanh()]))
    >>> x = np.ones((4, 2), np.float32)
    >>> bool((block(x) == x + block.inner(x)).all())
    True
    >>> list(block.state_dict())
    ['inner.0.weight', 'inner.0.bias']
    """

    def __init__(self, inner: Module) -> None:
        if not isinstance(inner, Module):
            raise TypeError(f"Residual: expected inner to be a Module, got {inner!r}")
        if inner.in_features != inner.out_features:
            raise ValueError(f"Residual: expected an inner module that keeps the width, got {inner}")
        super().__init__(children={"inner": inner})
        self.in_features = self.out_features = inner.in_features
        self.keeps_width = inner.keeps_width

    @property
    def inner(self) -> Module:
        """The module inside."""
        return self._children["inner"]

    def infer(self, x: Array) -> Array:
        """Return ``x + inner(x)`` in evaluation mode, and save nothing."""
        with self.naming("inner"):
            return self._sum(x, self.inner.infer(x))

    def infer_layers(self, x: Array, path: str = "") -> Iterator[tuple[str, Module, Array, Array]]:
        """Infer, and iterate over the layers inside and last the sum; a subclass is a layer itself."""
        if type(self) is not Residual:
            yield from super().infer_layers(x, path)
            return
        y = x
        for found in self.inner.infer_layers(x, f"{path}inner."):
            yield found
            y = found[-1]
        yield path.removesuffix("."), self, x, self._sum(x, y)

    def forward(self, x: Array) -> Array:
        """Return ``x + inner(x)``."""
        with self.naming("inner"):
            return self.save_for_backward(self._sum(x, self.inner.forward(x)))

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array:
        """Return dL/dx: x acts on y directly and through the inner module, so that is ``dy + inner.backward(dy)``."""
        self.saved(dy)
        with self.naming("inner"):
            dx = self.inner.backward(dy, need_dx=need_dx)
        return dy + dx if need_dx else None

    def check_entry(self, x: Array) -> None:
        """Raise unless the inner module accepts the shape of x; nothing is saved or drawn."""
        with self.naming("inner"):
            self.inner.check_entry(x)

    def __repr__(self) -> str:
        inner = f"inner: {self.inner!r}".replace("\n", "\n  ")
        return f"Residual(\n  {inner}\n)"

    def _sum(self, x: Array, inner: Array) -> Array:
        """Return the sum, unless the two do not have one shape; an x of two axes is shared by replicates."""
        own = (*self.replicate_shape, *x.shape) if x.ndim == 2 else tuple(x.shape)
        if tuple(inner.shape) not in (tuple(x.shape), own):
            raise ValueError(
                f"{self}: expected the inner module to keep the shape {tuple(x.shape)}, got {tuple(inner.shape)}"
            )
        return x + inner
