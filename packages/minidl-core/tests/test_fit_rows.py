"""Rows to train on: all replicates' or their own, in one shared array."""

import numpy as np
import pytest

import minidl


def data(seed=0, n=23):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, (x[:, :1] * x[:, 1:]).astype(np.float32)


X, Y = data()


def build(rng):
    return minidl.Sequential(
        [minidl.Linear(2, 8, rng=rng), minidl.Tanh(), minidl.Dropout(0.2, rng=rng), minidl.Linear(8, 1, rng=rng)]
    )


def single(seed=0):
    return build(np.random.default_rng(seed))


def train(model, x=X, y=Y, *, optimizer=None, **options):
    options = {"epochs": 4, "batch_size": 5, "rng": 0, **options}
    optimizer = optimizer or minidl.Adam(model, 0.01)
    return minidl.fit(model, minidl.MSELoss("mean"), optimizer, x, y, **options)


ENGINES = pytest.mark.parametrize("engine", ["numpy", "auto"])


@ENGINES
@pytest.mark.parametrize(
    "rows", [np.arange(3, 17), [5, 5, 1, 22, 0, 1, 7], np.uint8([4])], ids=["fold", "drawn", "one"]
)
@pytest.mark.parametrize("shuffle", [True, False])
def test_rows_are_trained_on_as_if_they_were_all(rows, shuffle, engine):
    model, twin = single(), single()
    history = train(model, rows=rows, shuffle=shuffle, engine=engine)
    assert history == train(twin, X[rows], Y[rows], shuffle=shuffle, engine=engine)
    np.testing.assert_array_equal(model.values, twin.values)


@ENGINES
@pytest.mark.parametrize("own_rows", [True, False])
@pytest.mark.parametrize("orders", ["own", "shared", "given"])
def test_replicates_train_on_rows_of_their_own(own_rows, orders, engine):
    model = minidl.replicate(build, range(3))
    rows = np.random.default_rng(0).integers(23, size=(3, 11)) if own_rows else np.arange(4, 15)
    rngs = np.random.default_rng
    given = {"rng": 8} if orders == "shared" else {"rng": [6, 7, 8]}
    if orders == "given":
        draws = [rngs(seed) for seed in (6, 7, 8)]
        given = {"shuffle": lambda: np.stack([rng.permutation(11) for rng in draws])}
    train(model, rows=rows, engine=engine, **given)
    for r, one in enumerate(minidl.unstack(model)):
        twin, own = single(r), np.broadcast_to(rows, (3, 11))[r]
        train(twin, X[own], Y[own], rng=8 if orders == "shared" else 6 + r, engine=engine)
        np.testing.assert_allclose(one.values, twin.values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        (np.arange(4.0), TypeError, r"expected rows to be an array of integers, got float64 \(4,\)"),
        (np.ones(23, bool), TypeError, "expected rows to be an array of integers, got bool"),
        ([22, 23], ValueError, "expected rows from 0 to 22, got 23"),
        ([-1], ValueError, "expected rows from 0 to 22, got -1"),
        (3, ValueError, r"expected rows of shape \(M,\) or \(3, M\), M at least 1, got \(\)"),
        (np.zeros((2, 4), int), ValueError, r"expected rows of shape \(M,\) or \(3, M\), M at least 1, got \(2, 4\)"),
        (np.zeros((3, 0), int), ValueError, r"expected rows of shape \(M,\) or \(3, M\), M at least 1, got \(3, 0\)"),
    ],
)
def test_rows_that_are_none_are_refused(rows, error, words, unchanged):
    model = minidl.replicate(build, range(3))
    with unchanged(model.values), pytest.raises(error, match=f"^fit: {words}"):
        train(model, rows=rows)
