"""Functions that need care in floating point, for layers and losses alike."""

from __future__ import annotations

from minidl.arrays.backend import Array, Backend


def sigmoid(backend: Backend, x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``, right to a few ulp everywhere.

    No exponential of a positive number is ever taken, so nothing overflows: for x >= 0 this is 1 / (1 + exp(-x)), for
    x < 0 it is exp(x) / (1 + exp(x)). The report's 0.5 + 0.5 tanh(x / 2) does not overflow either, but in float32 it is
    wrong by 6e-4 of its value at x = -10 and has no digit left at -40, where a logarithm would see it.
    """
    xp = backend.xp
    return xp.exp(backend.minimum(x, 0)) / (1 + xp.exp(-xp.abs(x)))


def log_softmax(backend: Backend, x: Array) -> Array:
    """Return ``x - log(sum(exp(x)))`` over the last axis; the largest x is taken out first, so no exp overflows."""
    xp = backend.xp
    x = x - xp.amax(x, axis=-1, keepdims=True)
    return x - xp.log(xp.sum(xp.exp(x), axis=-1, keepdims=True))
