"""exp, tanh and sigmoid are right to a few ulp over their whole range, for each instruction set."""

import numpy as np
import pytest

from minidl_native import _engine


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


# The function, and the ulps by which the engine's may be off: the largest seen in float32 are 1.02 for exp, 1.37 for
# tanh and 2.38 for sigmoid, whose three roundings add up.
FUNCTIONS = {"exp": (np.exp, 1.1), "Tanh": (np.tanh, 1.5), "Sigmoid": (sigmoid, 2.5)}


def errors(name, x, isa):
    """Return how many ulps each value is off, against a wider type."""
    function, _ = FUNCTIONS[name]
    y, wide = np.empty_like(x), np.float64 if x.dtype == np.float32 else np.longdouble
    _engine.function(name, x, y, isa)
    with np.errstate(all="ignore"):
        exact = function(x.astype(wide))
        rounded = exact.astype(x.dtype)
        alike = (y == rounded) | (np.isnan(y) & np.isnan(rounded))
        return np.where(alike, 0, np.abs(y - exact) / np.spacing(np.abs(rounded)))


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
