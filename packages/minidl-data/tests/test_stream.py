"""`DiskStream`: sample i is a function of the seed and i alone, in every order of access."""

import dataclasses
import itertools
import math
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidl_data import DiskStream, inside

DTYPES = (np.float16, np.float32, np.float64)
PLACES = {np.float16: 11, np.float32: 24, np.float64: 53}
ODDS = 1e-6

positions = st.integers(0, 50_000) | st.integers(2**62 - 9, 2**62 + 9) | st.integers(0, 2**255)


def assert_same(a, b):
    for left, right in zip(a, b, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


def joined(pieces):
    xs, ys = zip(*pieces, strict=True)
    return np.concatenate(xs), np.concatenate(ys)


def by_philox(seed, start, n, places):
    """Compute points from the words of NumPy's Philox, with its own ``advance``."""
    words = np.random.Philox(seed).advance(start // 2).random_raw(2 * (n + start % 2))[2 * (start % 2) :]
    return np.array([int(word) >> (64 - places) for word in words]).reshape(n, 2) / 2.0**places


@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=st.integers(0, 2**128), start=positions, n=st.integers(0, 50))
def test_points_are_the_leading_bits_of_philox(dtype, seed, start, n):
    x, y = DiskStream(seed, dtype=dtype)[start : start + n]
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((n, 2), dtype, (n,), np.int64)
    np.testing.assert_array_equal(x, by_philox(seed, start, n, PLACES[dtype]))
    np.testing.assert_array_equal(y, inside(x))


def test_points_stay_the_same_across_versions():
    x, y = DiskStream(2018, dtype=np.float64)[2**62 + 1 : 2**62 + 4]
    assert x.tolist() == [
        [0.2981838360901864, 0.41257853001208844],
        [0.8241126675828157, 0.6192152536135623],
        [0.22030299470560555, 0.1757686529798903],
    ]
    assert y.tolist() == [1, 1, 0]


@settings(deadline=None)
@given(start=positions, lengths=st.lists(st.integers(0, 9000), min_size=1, max_size=6), order=st.randoms())
def test_slices_agree_in_every_order_of_access(start, lengths, order):
    stream = DiskStream(1)
    edges = [start, *(start + int(total) for total in np.cumsum(lengths))]
    slices = [slice(a, b) for a, b in itertools.pairwise(edges)]
    tasks = list(range(len(slices)))
    order.shuffle(tasks)
    made = {task: stream[slices[task]] for task in tasks}
    assert_same(joined([made[task] for task in range(len(slices))]), stream[edges[0] : edges[-1]])


@given(positions)
def test_an_integer_index_gives_one_sample(i):
    stream = DiskStream(2)
    x, y = stream[i]
    assert (x.shape, y.shape) == ((2,), ())
    assert_same((x[None], y[None]), stream[i : i + 1])


def test_slices_follow_python_s_rules():
    stream = DiskStream(3)
    assert_same(stream[:5], stream[0:5])
    assert_same(stream[0:5:1], stream[0:5])
    assert_same(stream[np.int64(1) : np.uint8(4)], stream[1:4])
    assert len(stream[7:7][0]) == len(stream[7:3][0]) == 0


@given(start=positions, n=st.integers(0, 100), size=st.integers(1, 120))
def test_batches_are_consecutive_slices(start, n, size):
    stream = DiskStream(4)
    made = list(stream.batches(start, start + n, size))
    assert [len(x) for x, _ in made] == [min(size, n - at) for at in range(0, n, size)]
    assert_same(joined([*made, stream[start:start]]), stream[start : start + n])


def test_batches_with_stop_before_start_are_empty():
    assert list(DiskStream(4).batches(5, 3, 2)) == []


def test_the_dtypes_of_a_seed_hold_the_same_points_truncated():
    exact, _ = DiskStream(5, dtype=np.float64)[1:20_000]
    for dtype in (np.float16, np.float32):
        x, y = DiskStream(5, dtype=dtype)[1:20_000]
        np.testing.assert_array_equal(x, np.floor(np.ldexp(exact, PLACES[dtype])) / 2.0 ** PLACES[dtype])
        np.testing.assert_array_equal(y, inside(x))


def test_a_seed_in_any_form_gives_the_same_stream():
    stream = DiskStream(6)
    assert_same(DiskStream(np.int64(6))[:9], stream[:9])
    assert_same(DiskStream(np.random.SeedSequence(6))[:9], stream[:9])
    assert DiskStream(np.random.SeedSequence(6)) == stream


def test_without_a_seed_the_stream_draws_one_and_stores_it():
    first, second = DiskStream(), DiskStream()
    assert first != second
    assert_same(first[:9], first[:9])
    assert_same(DiskStream(first.seed)[:9], first[:9])


def test_spawned_seeds_give_different_streams():
    parent = np.random.SeedSequence(7)
    streams = [DiskStream(seed) for seed in (parent, *parent.spawn(3))]
    assert len({stream[:9][0].tobytes() for stream in streams}) == 4
    assert_same(DiskStream(parent)[:9], streams[0][:9])


@pytest.mark.parametrize("other", [DiskStream(1, dtype=np.float64), DiskStream(0, dtype=np.float64)])
def test_neighbouring_seeds_and_samples_are_independent(other):
    n, cells = 100_000, 16
    a = DiskStream(0, dtype=np.float64)[0:n][0][:, 0]
    b = other[1 : n + 1][0][:, 0]
    counts = np.bincount((a * cells).astype(int) * cells + (b * cells).astype(int), minlength=cells**2)
    mean, degrees, t = n / cells**2, cells**2 - 1, -math.log(ODDS)
    # Laurent, Massart: a chi-square variable exceeds this bound with probability at most exp(-t).
    assert ((counts - mean) ** 2 / mean).sum() < degrees + 2 * math.sqrt(degrees * t) + 2 * t


@pytest.mark.parametrize("start", [0, 2**62 + 1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_classes_balance(dtype, start):
    n = 200_000
    _, y = DiskStream(8, dtype=dtype)[start : start + n]
    assert abs(y.mean() - 0.5) < math.sqrt(math.log(2 / ODDS) / (2 * n))  # Hoeffding


@pytest.mark.parametrize("seed", [None, 9, np.random.SeedSequence(9).spawn(1)[0]])
@pytest.mark.parametrize("dtype", DTYPES)
def test_pickles_are_small_and_restore_the_same_stream(seed, dtype):
    stream = DiskStream(seed, dtype=dtype)
    data = pickle.dumps(stream)
    assert len(data) < 1000
    again = pickle.loads(data)
    assert again == stream
    assert hash(again) == hash(stream)
    assert_same(again[3:9], stream[3:9])


def test_streams_with_the_same_samples_are_equal():
    assert DiskStream(0) == DiskStream(0, dtype="float32")
    assert len({DiskStream(0), DiskStream(0), DiskStream(1), DiskStream(0, dtype=np.float64)}) == 3


def test_streams_are_immutable():
    stream = DiskStream(0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        stream.seed = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        stream.dtype = np.float64


def test_repr_shows_seed_and_dtype():
    assert repr(DiskStream(7)) == "DiskStream(seed=7, dtype=dtype('float32'))"


def test_returned_arrays_belong_to_the_caller():
    stream = DiskStream(0)
    x, y = stream[:4]
    x[...], y[...] = 9, 9
    assert stream[:4][0].max() < 1


def test_ten_million_points_in_bounded_memory():
    tracemalloc.start()
    points = ones = 0
    for x, y in DiskStream(10).batches(2**40 + 1, 2**40 + 1 + 10_000_000, 65_536):
        points += len(x)
        ones += int(y.sum())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert points == 10_000_000
    assert abs(ones / points - 0.5) < math.sqrt(math.log(2 / ODDS) / (2 * points))  # Hoeffding
    # Two batches (the current one and the next one being built) and the temporaries of one block.
    assert peak < 2 * 65_536 * (8 + 8) + 1_000_000
