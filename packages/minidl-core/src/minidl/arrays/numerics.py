"""Functions that need care in floating point."""

from __future__ import annotations

from minidl.arrays.backend import Array, Backend


def log_softmax(backend: Backend, x: Array) -> Array:
    """Return ``x - log(sum(exp(x)))`` over the last axis; the largest x is subtracted first, so no exp overflows."""
    xp = backend.xp
    x = x - xp.amax(x, axis=-1, keepdims=True)
    return x - xp.log(xp.sum(xp.exp(x), axis=-1, keepdims=True))


def sigmoid(backend: Backend, x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``; no exponential of a positive number is taken, so nothing overflows."""
    xp = backend.xp
    return xp.exp(backend.minimum(x, 0)) / (1 + xp.exp(-xp.abs(x)))
