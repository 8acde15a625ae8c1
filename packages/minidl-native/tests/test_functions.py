"""exp and the smooth activations are right to a few ulp over their whole range, for each instruction set."""

import numpy as np
import pytest

import minidl
from minidl_native import _engine


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def silu(x):
    return np.maximum(x, -1e5) * sigmoid(x)


def elu(x):
    return np.where(x > 0, x, setting(x) * np.expm1(np.minimum(x, 0)))


def softplus(x):
    beta = setting(x)
    z = (x.astype(narrower(x)) * beta).astype(x.dtype)  # whose rounding error any exponential multiplies
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(z))) / beta


def gelu(x):
    return minidl.GELU()(x.astype(np.float64))  # tests of minidl-core compare it with 400 digits


def narrower(x):
    """Return the dtype of the engine for an array in the wider one."""
    return np.float32 if x.dtype == np.float64 else np.float64


def setting(x):
    """Return what the engine takes for every setting here."""
    return narrower(x)(0.01)


# The function, and the ulps by which the engine's may be off: the largest seen in float32 are 1.02 for exp, 1.37 for
# tanh, 2.38 for sigmoid, whose three roundings add up, and 7.23 for GELU: a polynomial and two exponentials.
FUNCTIONS = {
    "exp": (np.exp, 1.1),
    "Tanh": (np.tanh, 1.5),
    "Sigmoid": (sigmoid, 2.5),
    "SiLU": (silu, 3.5),
    "ELU": (elu, 2.5),
    "Softplus": (softplus, 4),
    "GELU": (gelu, 8),
}
TIMES_SUBNORMAL = {"SiLU", "Softplus", "GELU"}  # products with a number that may be subnormal, with few digits then


def errors(name, x, isa):
    """Return how many ulps each value is off, against a wider type."""
    function, _ = FUNCTIONS[name]
    y, wide = np.empty_like(x), np.float64 if x.dtype == np.float32 else np.longdouble
    _engine.function(name, x, y, isa)
    least = 2000 * np.finfo(x.dtype).tiny if name in TIMES_SUBNORMAL else 0
    with np.errstate(all="ignore"):
        exact = function(x.astype(wide))
        rounded = exact.astype(x.dtype)
        alike = (y == rounded) | (np.isnan(y) & np.isnan(rounded))
        return np.where(alike, 0, np.abs(y - exact) / np.spacing(np.maximum(np.abs(rounded), x.dtype.type(least))))


def assert_right(name, x, isa):
    off = errors(name, x, isa)
    worst = np.argmax(np.where(np.isnan(off), np.inf, off))
    assert off[worst] <= FUNCTIONS[name][1], f"{name}({x[worst]}) is {off[worst]} ulp off"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_kinds_of_float32(isa, name):
    bits = np.arange(0, 2**32, 4099, dtype=np.uint64).astype(np.uint32)
    assert_right(name, bits.view(np.float32), isa)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_more_of_float32(name):
    for start in range(0, 2**32, 2**28):
        bits = np.arange(start, start + 2**28, 61, dtype=np.uint64).astype(np.uint32)
        assert_right(name, bits.view(np.float32), "")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64(isa, name):
    rng = np.random.default_rng(0)
    tiny = 10 ** rng.uniform(-320, 3, 40_000)
    x = np.concatenate([rng.uniform(-low, low, 40_000) for low in (1, 25, 750)] + [tiny, -tiny])
    assert_right(name, x, isa)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_ends(isa, dtype, name):
    info = np.finfo(dtype)
    ends = [0.0, np.inf, np.nan, info.tiny, info.smallest_subnormal, info.max, 1, 88.72284, 88.72283, 103.97, 709.7827]
    x = np.array([*ends, *(-end for end in ends)], dtype)
    assert_right(name, x, isa)
    y = np.empty_like(x)
    _engine.function(name, x, y, isa)
    if name == "Tanh":
        np.testing.assert_array_equal(np.signbit(y), np.signbit(x))


@pytest.mark.parametrize("kind", ["ReLU", "LeakyReLU"])
def test_relu_and_leaky_relu_keep_nan(isa, dtype, kind):
    x = np.array([np.nan, -1, -0.0, 0.0, 2, -np.inf, np.inf], dtype)
    y = np.empty_like(x)
    _engine.function(kind, x, y, isa)
    slope = np.asarray(0.01, dtype) if kind == "LeakyReLU" else 0
    expected = np.array([np.nan, -slope, 0, 0, 2, -np.inf if kind == "LeakyReLU" else 0, np.inf], dtype)
    np.testing.assert_array_equal(y, expected)
