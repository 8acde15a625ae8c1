"""`make_disk` and `load_disk`: uniform points, exact labels, balanced classes, bounded temporaries."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl_data import RADIUS, inside, load_disk, make_disk

DTYPES = (np.float16, np.float32, np.float64)
PLACES = {np.float16: 11, np.float32: 24, np.float64: 53}

# Each statistical test fails for at most one seed in a million. The seeds are fixed.
ODDS = 1e-6


class BorderGenerator(np.random.Generator):
    """Generator of points on the border, where rounding to float32 decides the label."""

    def random(self, size=None, dtype=np.float64, out=None):
        out = np.empty(size, dtype) if out is None else out
        angle = super().random(len(out)) * 2 * math.pi
        out[...] = 0.5 + RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return out


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 2, 8191, 8192, 8193, 20_001])
def test_shapes_and_dtypes(n, dtype):
    x, y = make_disk(n, rng=0, dtype=dtype)
    assert (x.shape, x.dtype) == ((n, 2), dtype)
    assert (y.shape, y.dtype) == ((n,), np.int64)


def test_float32_is_the_default():
    assert make_disk(1)[0].dtype == np.float32
    assert load_disk()[0][0].dtype == np.float32


@pytest.mark.parametrize("dtype", DTYPES)
def test_labels_match_the_returned_points(dtype):
    x, y = make_disk(200_000, rng=1, dtype=dtype)
    np.testing.assert_array_equal(y, inside(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_labels_match_the_returned_points_on_the_border(dtype):
    x, y = make_disk(20_000, rng=BorderGenerator(np.random.PCG64(0)), dtype=dtype)
    assert 1000 < y.sum() < 19_000
    np.testing.assert_array_equal(y, inside(x))


@pytest.mark.parametrize("dtype", DTYPES)
def test_points_lie_below_one_on_the_grid_of_their_dtype(dtype):
    x, _ = make_disk(100_000, rng=2, dtype=dtype)
    assert x.min() >= 0
    assert x.max() < 1
    steps = np.ldexp(x.astype(np.float64), PLACES[dtype])
    np.testing.assert_array_equal(steps, np.floor(steps))
    assert (steps % 2).any(), "the last binary place is never used"


def test_float16_points_are_truncated_float32_points():
    x16, _ = make_disk(10_000, rng=3, dtype=np.float16)
    x32, _ = make_disk(10_000, rng=3, dtype=np.float32)
    np.testing.assert_array_equal(x16, np.floor(x32 * 2048) / 2048)


@pytest.mark.parametrize("dtype", DTYPES)
def test_classes_balance(dtype):
    n = 1_000_000
    _, y = make_disk(n, rng=4, dtype=dtype)
    assert set(np.unique(y)) == {0, 1}
    # Hoeffding: the mean of n values in [0, 1] deviates by more than t with probability at most 2 exp(-2 n t**2).
    assert abs(y.mean() - 0.5) < math.sqrt(math.log(2 / ODDS) / (2 * n))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_each_coordinate_is_uniform(dtype, axis):
    n = 100_000
    x = np.sort(make_disk(n, rng=5, dtype=dtype)[0][:, axis].astype(np.float64))
    # Dvoretzky, Kiefer, Wolfowitz: the same bound holds for the empirical distribution. The grid adds one step.
    distance = np.abs(x - np.arange(n) / n).max()
    assert distance < math.sqrt(math.log(2 / ODDS) / (2 * n)) + 2.0 ** -PLACES[dtype] + 1 / n


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_square_is_filled_evenly(dtype):
    cells, n = 16, 100_000
    x, _ = make_disk(n, rng=6, dtype=dtype)
    i, j = np.floor(x * dtype(cells)).astype(int).T
    counts = np.bincount(i * cells + j, minlength=cells**2)
    mean, degrees, t = n / cells**2, cells**2 - 1, -math.log(ODDS)
    # Laurent, Massart: a chi-square variable exceeds this bound with probability at most exp(-t).
    assert ((counts - mean) ** 2 / mean).sum() < degrees + 2 * math.sqrt(degrees * t) + 2 * t


@given(seed=st.integers(0, 2**128), n=st.integers(0, 300), dtype=st.sampled_from(DTYPES))
def test_a_seed_in_any_form_gives_the_same_points(seed, n, dtype):
    x, y = make_disk(n, rng=seed, dtype=dtype)
    for rng in (seed, np.random.SeedSequence(seed), np.random.default_rng(seed)):
        again = make_disk(n, rng=rng, dtype=dtype)
        np.testing.assert_array_equal(again[0], x)
        np.testing.assert_array_equal(again[1], y)


def test_different_seeds_and_a_generator_s_next_draws_differ():
    generator = np.random.default_rng(0)
    draws = [make_disk(50, rng=rng)[0] for rng in (0, 1, None, None, generator, generator)]
    np.testing.assert_array_equal(draws.pop(4), draws[0])
    assert len({x.tobytes() for x in draws}) == len(draws)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_points_do_not_depend_on_the_blocks(dtype):
    x, _ = make_disk(20_001, rng=7, dtype=dtype)
    np.testing.assert_array_equal(x, np.random.default_rng(7).random((20_001, 2), dtype))


def test_global_random_state_is_unchanged():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the test reads the global state
    make_disk(100)
    load_disk()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002 - the test reads the global state


@pytest.mark.parametrize("dtype", DTYPES)
def test_temporaries_are_bounded(dtype):
    make_disk(10, dtype=dtype)
    tracemalloc.start()
    x, y = make_disk(1_000_000, rng=0, dtype=dtype)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert x.nbytes + y.nbytes <= peak < x.nbytes + y.nbytes + 1_000_000


@pytest.mark.parametrize("dtype", DTYPES)
def test_load_disk_is_the_report_s_two_sets(dtype):
    (x_train, y_train), (x_test, y_test) = load_disk(0, dtype=dtype)
    x, y = make_disk(2000, rng=0, dtype=dtype)
    assert len(x_train) == len(x_test) == 1000
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), x)
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), y)
