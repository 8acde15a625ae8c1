"""Orders that the engine draws for replicates: NumPy's, to the number and to the state of each generator."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.random import MT19937, PCG64, PCG64DXSM, SFC64, Generator, Philox

import minidl
import minidl_native
from minidl_native import UnsupportedError, _engine, orders


def generators(source=PCG64, count=3):
    return [Generator(source(seed)) for seed in range(count)]


def states(rngs):
    return [str(rng.bit_generator.state) for rng in rngs]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 255, 256, 257, 70_000])
@pytest.mark.parametrize("source", [PCG64, PCG64DXSM, MT19937, Philox, SFC64])
def test_orders_and_states_are_numpys(source, count, threads):
    ours, theirs = generators(source), generators(source)
    for rng in (ours[0], theirs[0]):
        rng.integers(0, 9, dtype=np.uint32)  # half of a word is left over
    for _ in range(2):
        drawn = minidl_native.permutations(ours, count, threads=threads)
        assert drawn.dtype == np.int32
        np.testing.assert_array_equal(drawn, [rng.permutation(count) for rng in theirs])
        assert states(ours) == states(theirs)


class Backwards(Generator):
    def permutation(self, count):
        return np.arange(count)[::-1]


class Elsewhere(PCG64):
    capsule = property(lambda _: PCG64(7).capsule)


@pytest.mark.parametrize(
    ("rngs", "count", "words"),
    [
        ([Generator(PCG64(0)), Backwards(PCG64(1))], 5, "a Backwards that may draw"),
        ([Generator(Elsewhere(1))], 5, "an? Elsewhere that may draw"),
        ([np.random.default_rng(0)] * 2, 5, "draw from one generator"),
        ([Generator(one) for one in [PCG64(3)] * 2], 5, "draw from one generator"),
        (generators(count=1), 2**31, "more than 2147483647 samples"),
    ],
)
def test_what_numpy_must_draw_is_refused_before_anything_is_drawn(rngs, count, words):
    before = states(rngs)
    with pytest.raises(UnsupportedError, match=words):
        minidl_native.permutations(rngs, count)
    assert states(rngs) == before


def test_another_way_to_shuffle_in_numpy_is_noticed(monkeypatch):
    class Later(Generator):
        def permutation(self, count):
            return super().permutation(count)[::-1]

    orders._draws_alike.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(orders, "_new", lambda: Later(PCG64(0)))
        with pytest.raises(UnsupportedError, match="shuffles in another way"):
            minidl_native.permutations(generators(), 5)
    orders._draws_alike.cache_clear()
    assert minidl_native.permutations(generators(), 5).shape == (3, 5)


def test_each_generator_is_locked_meanwhile(monkeypatch):
    rngs, free = generators(), []

    def look(sources, *_):
        free.extend(is_free(source.lock) for source in sources)

    monkeypatch.setattr(orders._engine, "orders", look)
    minidl_native.permutations(rngs, 5)
    assert free == [False] * 3
    assert all(is_free(rng.bit_generator.lock) for rng in rngs)


def is_free(lock):
    """Whether another thread could take a lock."""
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(lambda: lock.acquire(blocking=False) and (lock.release() or True)).result()
    return bool(taken)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([], np.empty((0, 1), np.int32), 1, None), TypeError, "generators to be a tuple"),
        (((PCG64(0),), np.empty((2, 5), np.int32), 1, None), ValueError, r"orders of shape \(1, 5\)"),
        (((PCG64(0),), np.empty(5, np.int32), 1, None), ValueError, r"orders of shape \(1, 0\)"),
        (((PCG64(0),), np.empty((1, 5), np.int64), 1, None), TypeError, "orders to be int32"),
        (((PCG64(0),), np.empty((1, 5), np.int32), 0, None), ValueError, "threads from 1"),
        (((5,), np.empty((1, 5), np.int32), 1, None), TypeError, "BitGenerator"),
        (((PCG64(0),), np.empty((1, 5), np.int32), 1, 5), ValueError, "PyCapsule"),
    ],
)
def test_what_does_not_fit_is_an_error(arguments, error, words):
    with pytest.raises(error, match=words):
        _engine.orders(*arguments)


def trained(rngs, **options):
    """Train three networks, each in orders of its generator; return parameters, losses and states."""
    model = minidl.replicate(lambda rng: minidl.Linear(2, 1, rng=rng), range(3))
    x = np.random.default_rng(0).random((30, 2), np.float32)
    adam = minidl.Adam(model, 0.1)
    history = minidl.fit(model, minidl.MSELoss(), adam, x, x[:, :1], epochs=3, batch_size=4, rng=rngs, **options)
    return [model.values.tobytes(), np.array(history.loss).tobytes(), states(rngs)]


@pytest.mark.parametrize("make", [generators, lambda: [np.random.default_rng(0)] * 3], ids=["own", "one for all"])
def test_a_training_is_that_of_orders_that_numpy_draws(make, monkeypatch):
    results = [trained(make(), engine="native", threads=threads) for threads in (1, 2)]
    monkeypatch.setattr(minidl_native, "permutations", refuse)
    assert results == [trained(make(), engine="native")] * 2


def refuse(*_, **__):
    raise UnsupportedError("anything")


@pytest.mark.parametrize(("engine", "calls"), [("native", 3), ("numpy", 0)])
def test_the_engine_draws_once_in_each_epoch(engine, calls, monkeypatch):
    drawn, original = [], minidl_native.permutations
    monkeypatch.setattr(
        minidl_native,
        "permutations",
        lambda rngs, count, **options: drawn.append(options["threads"]) or original(rngs, count, **options),
    )
    trained(generators(), engine=engine, threads=2)
    assert drawn == [2] * calls
