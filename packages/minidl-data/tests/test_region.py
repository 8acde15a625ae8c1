"""`inside` is exact in every dtype, also next to the border."""

import math
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl_data import CENTER, RADIUS, inside

DTYPES = (np.float16, np.float32, np.float64)


def arccot(n, one):
    """Compute ``one * arccot(n)`` in integers from its power series."""
    total, power, k = 0, one // n, 0
    while power:
        total += (-1) ** k * (power // (2 * k + 1))
        power //= n * n
        k += 1
    return total


ONE = 10**90
PI = Fraction(4 * (4 * arccot(5, ONE) - arccot(239, ONE)), ONE)  # Machin's formula, exact to more than 85 digits


def expected(points):
    """Compute the labels of `points` in exact arithmetic, without code or constants of the package."""
    half = Fraction(1, 2)
    return [(Fraction(x) - half) ** 2 + (Fraction(y) - half) ** 2 < 1 / (2 * PI) for x, y in points.tolist()]


def border(angles, dtype, ulps=0):
    """Return the points of `dtype` nearest to the border at `angles`, moved by `ulps` along the first axis."""
    points = (0.5 + RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=-1)).astype(dtype)
    for _ in range(abs(ulps)):
        points[:, 0] = np.nextafter(points[:, 0], dtype(np.inf if ulps > 0 else -np.inf))
    return points


def test_the_disk_covers_half_of_the_square():
    assert PI * Fraction(RADIUS) ** 2 == pytest.approx(0.5, rel=1e-15)
    assert CENTER == (0.5, 0.5)
    assert min(CENTER) > RADIUS


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ulps", [-3, -2, -1, 0, 1, 2, 3])
def test_exact_next_to_the_border(dtype, ulps):
    points = border(np.linspace(0, 2 * math.pi, 2000), dtype, ulps)
    labels = expected(points)
    assert 0 < sum(labels) < len(labels)
    np.testing.assert_array_equal(inside(points), labels)


@pytest.mark.parametrize("dtype", DTYPES)
@given(angle=st.floats(0, 2 * math.pi), ulps=st.integers(-4, 4))
def test_exact_next_to_the_border_at_any_angle(dtype, angle, ulps):
    points = border(np.array([angle]), dtype, ulps)
    assert inside(points).tolist() == expected(points)


@given(st.lists(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 2), max_size=20))
def test_exact_anywhere_in_the_plane(points):
    points = np.array(points, np.float64).reshape(-1, 2)
    assert inside(points).tolist() == expected(points)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_rounded_point_is_tested_at_its_rounded_coordinates(dtype):
    source = border(np.linspace(0.01, 6.28, 1000), np.float64)
    rounded = source.astype(dtype)
    assert np.count_nonzero(inside(rounded) != inside(source)) > 100
    assert inside(rounded).tolist() == expected(rounded)


@pytest.mark.parametrize("dtype", DTYPES)
def test_known_points(dtype):
    points = np.array(
        [[0.5, 0.5], [0.5, 0.1], [0.9, 0.5], [0.5, 0.11], [0.875, 0.5], [0, 0], [1, 1], [0.8, 0.8]], dtype
    )
    assert inside(points).tolist() == [True, False, False, True, True, False, False, False]


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_infinite_and_far_points_are_outside(dtype):
    nan, inf, most = math.nan, math.inf, np.finfo(dtype).max
    points = np.array([[nan, 0.5], [0.5, nan], [nan, nan], [inf, 0.5], [0.5, -inf], [inf, nan], [most, -most]], dtype)
    with np.errstate(all="raise"):
        assert not inside(points).any()


def test_any_leading_axes():
    points = np.random.default_rng(0).random((3, 4, 5, 2))
    assert inside(points).shape == (3, 4, 5)
    np.testing.assert_array_equal(inside(points)[1, 2], inside(points[1, 2]))
    assert inside(points[0, 0, 0]).shape == ()
    assert inside(np.empty((0, 2))).shape == (0,)
    assert inside(np.empty((0, 3, 2))).shape == (0, 3)


def test_any_memory_layout_and_byte_order():
    points = np.random.default_rng(1).random((20_000, 2))
    labels = inside(points)
    assert labels.dtype == np.bool_
    np.testing.assert_array_equal(inside(np.asfortranarray(points)), labels)
    np.testing.assert_array_equal(inside(points[::-1])[::-1], labels)
    np.testing.assert_array_equal(inside(points.astype(">f8")), labels)
    np.testing.assert_array_equal(inside(points.tolist()), labels)


def test_points_are_not_modified():
    points = np.random.default_rng(2).random((100, 2))
    points.flags.writeable = False
    before = points.copy()
    inside(points)
    np.testing.assert_array_equal(points, before)


@pytest.mark.parametrize("dtype", DTYPES)
def test_temporaries_are_bounded(dtype):
    points = np.zeros((2_000_000, 2), dtype)
    tracemalloc.start()
    labels = inside(points)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert labels.nbytes <= peak < labels.nbytes + 1_000_000
