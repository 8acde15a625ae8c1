"""Functions that need care in floating point."""

from __future__ import annotations

from typing import Any

from minidl.arrays.backend import Array, Backend, dtype_name


def sigmoid(backend: Backend, x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``; no exponential of a positive number is taken, so nothing overflows."""
    xp = backend.xp
    return xp.exp(backend.minimum(x, 0)) / (1 + xp.exp(-xp.abs(x)))


def at_least_single(backend: Backend, x: Array) -> Array:
    """Return float16 as float32, whose range squares and exponentials need; anything else as it is."""
    return backend.asarray(x, backend.dtype("float32", "minidl")) if dtype_name(x.dtype) == "float16" else x


def rounded(backend: Backend, x: Array, dtype: Any) -> Array:
    """Return x in a dtype of its library; x itself if it has that dtype."""
    return x if x.dtype == dtype else backend.asarray(x, dtype)
