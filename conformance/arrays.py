"""Arrays of both libraries, in the layouts, shapes and edge values that users come with."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch

DTYPES = ("float64", "float32", "float16")
BACKENDS = ("numpy", "torch")

without_native = pytest.mark.skipif(find_spec("minidl_native") is None, reason="minidl-native is not installed")
# What runs a training: the code that one can read, on the arrays of either library, and the compiled engine.
RUNNERS = (*BACKENDS, pytest.param("native", marks=without_native))


def backend_and_engine(runner):
    """Return the library of the arrays, and the engine that `fit` is asked for."""
    return ("numpy", "native") if runner == "native" else (runner, "numpy")


# Axes in front of the features.
SHAPES = {
    "one sample": (1,),
    "batch": (7,),
    "no axis": (),
    "empty": (0,),
    "sequence": (4, 3),
    "sequence of none": (4, 0),
    "four axes": (2, 1, 3),
}

LAYOUTS = {
    "contiguous": lambda x: x,
    "reversed": lambda x: x[::-1].copy()[::-1],
    "every second": lambda x: np.repeat(x, 2, axis=0)[::2],
    "transposed": np.asfortranarray,
    "part of wider": lambda x: np.concatenate([x, x], axis=-1)[..., : x.shape[-1]],
}

EDGES = [0.0, -0.0, 1.0, -1.0, 1e-7, -1e-7, 30.0, -30.0, 1e4, -1e4, np.inf, -np.inf, np.nan]
DY_EDGES = [0.0, -0.0, 1e4]


def random(rng, shape, dtype):
    return rng.standard_normal(shape).astype(dtype)


def as_library(x, backend):
    """Return x itself, or as a tensor with the same strides where torch allows them."""
    if backend == "numpy":
        return x
    return torch.from_numpy(x.copy()) if any(stride < 0 for stride in x.strides) else torch.from_numpy(x)


def as_numpy(x):
    return x.detach().numpy() if isinstance(x, torch.Tensor) else np.asarray(x)


def torch_dtype(dtype):
    return getattr(torch, dtype)


class Untouched:
    """Watches arrays: what goes in is never written to, what comes out is never overwritten later (law 3)."""

    def __init__(self):
        self.watched = []

    def watch(self, name, array):
        """Remember the bits of an array, and return it."""
        self.watched.append((name, array, bits(array)))
        return array

    def check(self):
        for name, array, before in self.watched:
            assert bits(array) == before, f"{name} was written to"


def bits(x):
    return as_numpy(x).tobytes()
