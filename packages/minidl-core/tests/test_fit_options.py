"""Options of fit: a validation split, samples as they lie, and a history that goes on."""

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


# ---- validation_split


@ENGINES
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.01])
def test_a_split_is_drawn_before_the_first_order(fraction, shuffle, engine):
    model, twin = single(), single()
    generators = np.random.default_rng(3), np.random.default_rng(3)
    history = train(model, rng=generators[0], validation_split=fraction, shuffle=shuffle, engine=engine)
    order, held = generators[1].permutation(23), max(1, round(fraction * 23))
    rest, kept = np.sort(order[held:]), np.sort(order[:held])
    expected = train(
        *(twin, X[rest], Y[rest]),
        rng=generators[1], validation=(X[kept], Y[kept]), shuffle=shuffle, engine=engine,
    )  # fmt: skip
    assert history == expected
    np.testing.assert_array_equal(model.values, twin.values)
    assert generators[0].random() == generators[1].random()


@ENGINES
@pytest.mark.parametrize("own_data", [False, True])
def test_each_replicate_has_the_split_that_it_has_alone(own_data, engine):
    seeds = list(range(3))
    x, y = (np.stack([array, -array, array[::-1]]) if own_data else array for array in (X, Y))
    model = minidl.replicate(build, seeds)
    history = train(model, x, y, rng=seeds, validation_split=0.3, engine=engine)
    for seed in seeds:
        alone = single(seed)
        own = (x[seed], y[seed]) if own_data else (x, y)
        expected = train(alone, *own, rng=seed, validation_split=0.3, engine=engine)
        for name in ("loss", "val_loss"):
            np.testing.assert_allclose(history.curve(name)[:, seed], expected.curve(name), rtol=1e-4)


def test_classes_and_tensors_are_split_too():
    torch = pytest.importorskip("torch")
    curves = []
    for library, backend in ((np.asarray, "numpy"), (torch.from_numpy, "torch")):
        model = minidl.Linear(2, 2, dtype="float32", backend=backend, rng=0)
        loss, classes = minidl.CrossEntropyLoss(), (X[:, 0] > 0).astype(np.int64)
        history = minidl.fit(
            *(model, loss, minidl.SGD(model, 0.01), library(X), library(classes)),
            epochs=2, batch_size=5, rng=0, validation_split=0.4, engine="numpy",
        )  # fmt: skip
        assert len(history.val_accuracy) == 2
        curves.append(history.curve("val_loss"))
    np.testing.assert_allclose(*curves, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"validation_split": 0}, ValueError, "validation_split to be between 0 and 1, got 0"),
        ({"validation_split": 1.5}, ValueError, "validation_split to be between 0 and 1"),
        ({"validation_split": np.nan}, ValueError, "validation_split to be between 0 and 1"),
        ({"validation_split": "some"}, TypeError, "validation_split to be a number"),
        ({"validation_split": 0.99}, ValueError, "more than 23 samples for validation_split=0.99"),
        ({"validation_split": 0.5, "validation": (X, Y)}, ValueError, "validation or validation_split, got both"),
        ({"validation_split": 0.5, "metrics": ["auc"]}, ValueError, "auc expects class indices"),
        ({"shuffle": 1}, TypeError, "shuffle to be True, False or a callable, got 1"),
        ({"batch_size": None}, TypeError, "x, y and batch_size, or batches, got no batch_size"),
        ({"history": {}}, TypeError, "history to be a History"),
        ({"history": minidl.History(loss=[np.ones(3)])}, ValueError, r"replicates \(\), got one with \(3,\)"),
    ],
)
def test_errors_come_before_anything_has_changed(options, error, words, unchanged):
    model, rng = single(), np.random.default_rng(0)
    with unchanged(model, rng), pytest.raises(error, match=f"^fit: .*{words}"):
        train(model, rng=rng, **options)


# ---- shuffle


@ENGINES
def test_without_shuffling_the_samples_come_as_they_lie(engine):
    model, twin = single(), single()
    rng = np.random.default_rng(0)
    history = train(model, rng=rng, shuffle=False, engine=engine)
    orders = iter([np.arange(23)] * 4)
    rows = [order[i : i + 5] for order in orders for i in range(0, 23, 5)]
    loss, optimizer = minidl.MSELoss("mean"), minidl.Adam(twin, 0.01)
    for row in rows:
        loss(twin(X[row]), Y[row])
        twin.backward(loss.backward())
        optimizer.step()
    np.testing.assert_allclose(model.values, twin.values, rtol=1e-4, atol=1e-6)
    assert rng.random() == np.random.default_rng(0).random(), "no order is drawn"
    assert len(history) == 4


def orders_of(seeds, epochs=4, kind=np.int64):
    """Return a function that gives the orders of one network, or of as many as there are seeds, in one array."""
    rngs = [np.random.default_rng(seed) for seed in np.atleast_1d(seeds)]
    orders = [np.stack([rng.permutation(23) for rng in rngs]).astype(kind) for _ in range(epochs)]
    memory, left = orders[0].copy(), iter(orders)

    def next_order():
        memory[...] = next(left)  # the same array in each epoch
        return memory if np.ndim(seeds) else memory[0]

    return next_order


@ENGINES
@pytest.mark.parametrize("kind", [np.int64, np.int16, np.uint64])
def test_orders_that_a_function_gives_are_gone_through(engine, kind):
    model, twin, rng = single(), single(), np.random.default_rng(1)
    history = train(model, rng=rng, shuffle=orders_of(0, kind=kind), engine=engine)
    assert history == train(twin, rng=0, engine=engine)
    np.testing.assert_array_equal(model.values, twin.values)
    assert rng.random() == np.random.default_rng(1).random(), "no order is drawn"


@ENGINES
@pytest.mark.parametrize("each", [False, True])
def test_replicates_take_an_order_each_or_share_one(engine, each):
    seeds = [3, 4, 5] if each else 3
    found = []
    for options in ({"shuffle": orders_of(seeds)}, {"rng": seeds}):
        model = minidl.replicate(build, range(3))
        found.append((train(model, engine=engine, **options), model.values))
    np.testing.assert_equal(found[0][0].to_frame(), found[1][0].to_frame())
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_orders_of_tensors():
    torch = pytest.importorskip("torch")
    x, y, orders = torch.from_numpy(X), torch.from_numpy(Y), orders_of(0)
    found = []
    for options in ({"shuffle": lambda: torch.from_numpy(orders())}, {"rng": 0}):
        model = minidl.Linear(2, 1, rng=0, backend="torch")
        train(model, x, y, **options)
        found.append(model.values)
    assert torch.equal(*found)


@ENGINES
@pytest.mark.parametrize(
    ("order", "error", "words"),
    [
        (np.arange(23.0), TypeError, r"an array of integers, got float64 \(23,\)"),
        (np.ones(23, bool), TypeError, "an array of integers, got bool"),
        (None, TypeError, "an array of integers, got object"),
        (np.arange(22), ValueError, r"an order of shape \(23,\), got \(22,\)"),
        (np.arange(23)[None], ValueError, r"an order of shape \(23,\), got \(1, 23\)"),
        (np.arange(1, 24), ValueError, "samples from 0 to 22, got 23"),
        (np.arange(-1, 22), ValueError, "samples from 0 to 22, got -1"),
        (np.r_[:7, 6, 8:23], ValueError, "each sample once, got an order without sample 7"),
    ],
)
def test_an_order_that_is_none_is_refused(order, error, words, engine, unchanged):
    model = single()
    with unchanged(model.values), pytest.raises(error, match=f"^fit: expected shuffle to return {words}"):
        train(model, shuffle=lambda: order, engine=engine)


def test_an_order_for_other_replicates_is_refused(unchanged):
    model = minidl.replicate(build, range(3))
    with unchanged(model.values), pytest.raises(ValueError, match=r"of shape \(23,\) or \(3, 23\), got \(2, 23\)"):
        train(model, shuffle=orders_of([0, 1]))
    wrong = np.stack([np.arange(23), np.arange(23), np.r_[:22, 21]])
    with unchanged(model.values), pytest.raises(ValueError, match="without sample 22"):
        train(model, shuffle=lambda: wrong)


@pytest.mark.parametrize("beside", ["batches", "validation_split"])
@pytest.mark.parametrize(
    ("option", "words"),
    [({"shuffle": lambda: np.arange(23)}, "shuffle to be True or False beside"), ({"rows": [0, 1]}, "no rows beside")],
    ids=["orders of a function", "rows"],
)
def test_orders_and_rows_go_with_all_samples_in_arrays(option, words, beside, unchanged):
    model, arrays = single(), {"x": X, "y": Y, "batch_size": 5, "validation_split": 0.5}
    arrays = {"batches": [(X, Y)]} if beside == "batches" else arrays
    loss, sgd = minidl.MSELoss(), minidl.SGD(model, 0.1)
    with unchanged(model), pytest.raises(ValueError, match=f"expected {words} {beside}"):
        minidl.fit(model, loss, sgd, epochs=1, **option, **arrays)


# ---- history


@ENGINES
@pytest.mark.parametrize("replicates", [0, 3])
def test_a_training_goes_on_where_it_ended(replicates, engine):
    def make():
        return minidl.replicate(build, range(replicates)) if replicates else single()

    whole, model, rng = make(), make(), np.random.default_rng(0)
    expected = train(whole, epochs=5, validation=data(1), engine=engine)
    optimizer, seen = minidl.Adam(model, 0.01), []
    options = {"optimizer": optimizer, "rng": rng, "validation": data(1), "engine": engine}
    history = train(model, epochs=2, **options)
    again = train(
        model, epochs=3, history=history, callbacks=[lambda epoch, h: seen.append((epoch, len(h)))], **options
    )
    assert again is history
    assert seen == [(3, 3), (4, 4), (5, 5)]
    np.testing.assert_array_equal(history.curve("loss"), expected.curve("loss"))
    np.testing.assert_array_equal(history.curve("val_loss"), expected.curve("val_loss"))
    np.testing.assert_array_equal(model.values, whole.values)


@ENGINES
def test_errors_name_the_continued_epoch(engine):
    model = single()
    history = train(model, epochs=2, engine=engine)
    y = Y.copy()
    y[:] = np.nan
    with pytest.raises(minidl.DivergenceError, match="in epoch 3, batch 1") as caught:
        train(model, X, y, history=history, engine=engine)
    assert caught.value.history is history
    assert len(history) == 2


@ENGINES
def test_replicates_that_were_lost_or_stopped_stay_so(engine):
    model = minidl.replicate(build, range(4))
    history = train(model, epochs=2, callbacks=[lambda e, _: np.array([e == 1, False, False, False])], engine=engine)
    history.diverged[2] = (2, 1)
    before = model.values.copy()
    train(model, epochs=2, history=history, engine=engine)
    assert (model.values == before).all(axis=1).tolist() == [True, False, True, False]
    assert np.isnan(history.curve("loss")).tolist() == [
        [False] * 4, [True, False, False, False], *[[True, False, True, False]] * 2
    ]  # fmt: skip
    history.stopped = {0: 1, 1: 4, 3: 4}
    assert train(model, epochs=2, history=history, engine=engine) is history
    assert len(history) == 4


@pytest.mark.parametrize("replicates", [0, 2])
def test_a_curve_that_is_not_always_measured_is_nan_in_between(replicates):
    model = minidl.replicate(build, range(replicates)) if replicates else single()
    history = train(model, epochs=1)
    train(model, epochs=2, history=history, validation=(X, Y), metrics=["mae"])
    train(model, epochs=1, history=history)
    for name in ("val_loss", "val_mae"):
        missing = np.isnan(history.curve(name))
        assert missing.shape == history.curve("loss").shape
        assert missing.reshape(4, -1)[:, 0].tolist() == [True, False, False, True]
        assert np.isnan(history.mean(name)).tolist() == [True, False, False, True]
        assert np.isnan(history.quantile(name, 0.5)).tolist() == [True, False, False, True]
    assert history.to_dict()["val_mae"][0] == ([None] * replicates or None)


@pytest.mark.parametrize("replicates", [0, 2])
def test_a_frame_has_columns_of_one_length(replicates):
    model = minidl.replicate(build, range(replicates)) if replicates else single()
    history = train(model, epochs=3, validation=(X, Y), metrics=["r2"])
    frame = history.to_frame()
    assert list(frame) == ["epoch", "replicate", "loss", "val_loss", "val_r2"]
    assert {column.shape for column in frame.values()} == {(3 * (replicates or 1),)}
    last = (frame["epoch"] == 3) & (frame["replicate"] == (1 if replicates else 0))
    assert frame["val_r2"][last].item() == np.ravel(history.metrics["val_r2"][-1])[-1]
    assert minidl.History().to_frame().keys() == {"epoch", "replicate"}
