"""`batches`: each sample once, with its own label, shuffled on request only, in bounded memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl_data import batches


def numbered(n):
    """Return n samples and labels that hold their row number."""
    x = np.stack([np.arange(n), -np.arange(n)], axis=-1).astype(np.float32)
    return x, np.arange(n)


@given(n=st.integers(0, 60), size=st.integers(1, 70), seed=st.none() | st.integers(0, 9))
def test_every_sample_comes_once_with_its_label(n, size, seed):
    x, y = numbered(n)
    pairs = list(batches(x, y, size, rng=seed))
    assert [len(a) for a, _ in pairs] == [min(size, n - start) for start in range(0, n, size)]
    for a, b in pairs:
        assert (a.dtype, b.dtype) == (x.dtype, y.dtype)
        np.testing.assert_array_equal(a, x[b])
    rows = [row for _, b in pairs for row in b.tolist()]
    assert (rows if seed is None else sorted(rows)) == list(range(n))


def rows_of(n, rng):
    return [row for _, y in batches(*numbered(n), 7, rng=rng) for row in y.tolist()]


def test_a_generator_changes_the_order_on_every_pass_and_a_seed_does_not():
    generator = np.random.default_rng(0)
    passes = [rows_of(100, generator) for _ in range(3)]
    assert len({tuple(rows) for rows in [*passes, range(100)]}) == 4
    assert rows_of(100, np.random.default_rng(0)) == rows_of(100, 0) == rows_of(100, 0) == passes[0]
    assert rows_of(100, np.random.SeedSequence(0)) == passes[0]


def test_every_order_occurs():
    generator = np.random.default_rng(1)
    # One of the six orders is missing from 200 passes with probability 6 (5/6)**200 < 1e-15.
    assert len({tuple(rows_of(3, generator)) for _ in range(200)}) == 6


def test_views_in_order_and_new_arrays_when_shuffled():
    x, y = numbered(10)
    assert all(np.shares_memory(a, x) and np.shares_memory(b, y) for a, b in batches(x, y, 3))
    for a, b in batches(x, y, 3, rng=0):
        assert not np.shares_memory(a, x)
        assert not np.shares_memory(b, y)
        a[...] = b[...] = 99
    np.testing.assert_array_equal(x, numbered(10)[0])
    np.testing.assert_array_equal(y, numbered(10)[1])


def test_the_order_is_drawn_by_the_call():
    generator = np.random.default_rng(2)
    later = batches(*numbered(50), 50, rng=generator)
    generator.random(10)
    np.testing.assert_array_equal(next(later)[1], next(batches(*numbered(50), 50, rng=2))[1])


def test_samples_and_targets_of_any_shape_and_dtype():
    x, y = np.zeros((5, 3, 4), np.uint8), np.array(list("abcde"))
    assert [(a.shape, b.tolist()) for a, b in batches(x, y, 4)] == [((4, 3, 4), list("abcd")), ((1, 3, 4), ["e"])]


def test_a_memory_map_is_read_a_batch_at_a_time(tmp_path):
    n = 1_000_000
    x = np.memmap(tmp_path / "x", np.float32, "w+", shape=(n, 2))
    y = np.memmap(tmp_path / "y", np.int64, "w+", shape=(n,))
    tracemalloc.start()
    assert sum(len(a) for a, _ in batches(x, y, 1000, rng=0)) == n
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    order = 8 * n
    assert order <= peak < order + 500_000


@pytest.mark.parametrize("size", [0, "two"])
def test_errors_are_raised_by_the_call(size):
    with pytest.raises((TypeError, ValueError)):
        batches(*numbered(4), size)
