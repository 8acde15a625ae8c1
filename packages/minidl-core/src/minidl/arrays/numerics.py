"""Functions that need care in floating point."""

from __future__ import annotations

from minidl.arrays.backend import Array, Backend


def sigmoid(backend: Backend, x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``; no exponential of a positive number is taken, so nothing overflows."""
    xp = backend.xp
    return xp.exp(backend.minimum(x, 0)) / (1 + xp.exp(-xp.abs(x)))
