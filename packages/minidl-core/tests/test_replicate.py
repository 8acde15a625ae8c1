"""Law 2: replicate r is the single network of the same seed, from its first draw to the end of its training."""

import numpy as np
import pytest

import minidl

SEEDS = (3, 1, 4)
# In float64 a replicate may differ from the single network by the order in which products are summed, nothing else.
CLOSE = {"rtol": 1e-9, "atol": 1e-12}
OPTIMIZERS = {
    "sgd": (minidl.SGD, {"lr": [0.1, 0.02, 0.05]}),
    "decay": (minidl.SGD, {"kappa": [0.6, 0.5, 0], "eta": [0.1, 0.05, 0.02]}),
    "momentum": (
        minidl.SGD,
        {"lr": 0.02, "momentum": [0.9, 0.1, 0.5], "nesterov": True, "weight_decay": [0, 0.1, 0.01]},
    ),
    "adam": (
        minidl.Adam,
        {"lr": [0.01, 0.001, 0.1], "beta1": [0.9, 0.5, 0], "beta2": [0.999, 0.9, 0], "eps": [1e-8, 1, 0.1]},
    ),
    "adam with eps hat": (minidl.Adam, {"lr": 0.01, "beta2": [0.999, 0.9, 0], "eps": [1e-8, 1, 0.1], "eps_hat": True}),
}


def one(setting, r):
    """Return the setting of one replicate: its number in a list, or the one that all share."""
    return setting[r] if isinstance(setting, list) else setting


def arrays(settings):
    return {name: np.array(value) if isinstance(value, list) else value for name, value in settings.items()}


@pytest.fixture
def build(network):
    return lambda rng: network(rng, "float64", p_drop=0.3)


@pytest.mark.parametrize("shared", [True, False], ids=["shared data", "own data"])
@pytest.mark.parametrize(("kind", "settings"), OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("orders", ["one order", "own orders"])
def test_a_whole_training_is_that_of_each_alone(build, rng, shared, kind, settings, orders):
    x, y = rng.standard_normal((3, 22, 3)), np.eye(2)[rng.integers(0, 2, (3, 22))]
    options = {"epochs": 3, "batch_size": 5, "accuracy": True}
    model, loss = minidl.replicate(build, SEEDS), minidl.BCELoss("mean")
    optimizer = kind(model, **arrays(settings))
    seeds = 7 if orders == "one order" else [7, 8, 9]
    data = (x[0], y[0]) if shared else (x, y)
    history = minidl.fit(model, loss, optimizer, *data, rng=seeds, validation=data, **options)
    for r, seed in enumerate(SEEDS):
        single, own = build(np.random.default_rng(seed)), (x[0], y[0]) if shared else (x[r], y[r])
        optimizer = kind(single, **{name: one(value, r) for name, value in settings.items()})
        alone = minidl.fit(single, loss, optimizer, *own, rng=one(seeds, r), validation=own, **options)
        np.testing.assert_allclose(model.values[r], single.values, **CLOSE)
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            np.testing.assert_allclose(np.array(getattr(history, name))[:, r], getattr(alone, name), **CLOSE)
            assert len(getattr(alone, name)) == 3


@pytest.mark.parametrize("x_shared", [True, False])
@pytest.mark.parametrize("y_shared", [True, False])
@pytest.mark.parametrize("seeds", [0, [5, 6, 7]], ids=["one order", "own orders"])
def test_inputs_and_class_indices_may_be_shared_apart(rng, x_shared, y_shared, seeds):
    def build(rng):
        return minidl.Sequential([minidl.Linear(3, 4, dtype="float64", rng=rng), minidl.Tanh()])

    x, y = rng.standard_normal((3, 11, 3)), rng.integers(0, 4, (3, 11))
    model = minidl.replicate(build, SEEDS)
    data = x[0] if x_shared else x, y[0] if y_shared else y
    optimizer, loss = minidl.SGD(model, 0.1), minidl.CrossEntropyLoss()
    history = minidl.fit(model, loss, optimizer, *data, epochs=2, batch_size=4, rng=seeds)
    measured = minidl.evaluate(model, loss, *data, batch_size=4)
    for r, seed in enumerate(SEEDS):
        single = build(np.random.default_rng(seed))
        own = x[0 if x_shared else r], y[0 if y_shared else r]
        alone = minidl.fit(single, loss, minidl.SGD(single, 0.1), *own, epochs=2, batch_size=4, rng=one(seeds, r))
        np.testing.assert_allclose(model.values[r], single.values, **CLOSE)
        np.testing.assert_allclose(np.array(history.accuracy)[:, r], alone.accuracy)
        expected = minidl.evaluate(single, loss, *own)
        np.testing.assert_allclose([measured.loss[r], measured.accuracy[r]], expected, **CLOSE)


def test_values_and_gradients_are_stacked(build):
    model = minidl.replicate(build, SEEDS)
    assert (model.replicate_shape, model.values.shape, model[0].weight.shape, model[0].bias.shape) == (
        (3,),
        (3, 50),
        (3, 5, 3),
        (3, 5),
    )
    for r, seed in enumerate(SEEDS):
        np.testing.assert_array_equal(model.values[r], build(seed).values)
    assert model.spec() == build(0).spec()
    assert not model.grads.any()


def test_the_networks_that_were_built_are_left_alone(build):
    built = []
    model = minidl.replicate(lambda rng: built.append(build(rng)) or built[-1], SEEDS)
    model.values[...] = 0
    for network, seed in zip(built, SEEDS, strict=True):
        np.testing.assert_array_equal(network.values, build(seed).values)


def test_any_seed_may_stand_for_a_replicate():
    rngs = [5, np.random.SeedSequence(5), np.random.default_rng(5)]
    model = minidl.replicate(lambda rng: minidl.Linear(2, 3, rng=rng), iter(rngs))
    assert (model.values == minidl.Linear(2, 3, rng=5).values).all()


@pytest.mark.parametrize("steps", [0, 3])
def test_apart_they_go_on_as_they_would_together(build, rng, steps):
    x, y, loss = rng.standard_normal((6, 3)), rng.random((6, 2)), minidl.MSELoss()

    def train(model, steps):
        for _ in range(steps):
            loss(model(x), y, replicate_axes=len(model.replicate_shape))
            model.backward(loss.backward())
            model.update(0.1)

    model = minidl.replicate(build, SEEDS)
    train(model, steps)
    model.grads[...] = rng.standard_normal(model.grads.shape)
    singles = minidl.unstack(model)
    assert [single.replicate_shape for single in singles] == [()] * 3
    for r, single in enumerate(singles):
        np.testing.assert_array_equal(single.values, model.values[r])
        np.testing.assert_array_equal(single.grads, model.grads[r])
    model.zero_grad()
    train(model, 3)
    for r, single in enumerate(singles):
        single.zero_grad()
        train(single, 3)
        np.testing.assert_allclose(single.values, model.values[r], **CLOSE)
        np.testing.assert_array_equal(single[0].weight.ravel(), single.values[:15])


def test_unstack_gives_copies(build, unchanged):
    model = minidl.replicate(build, SEEDS)
    with unchanged(model):
        for single in minidl.unstack(model):
            single.values[...] = 0
            single(np.ones((4, 3)))
    layers = minidl.unstack(model[4])  # a layer of a replicated network too
    np.testing.assert_array_equal(layers[2].weight, model[4].weight[2])
    assert layers[2].values.shape == (10,)


def test_together_again(build):
    model = minidl.replicate(build, SEEDS)
    singles = iter(minidl.unstack(model))
    again = minidl.replicate(lambda _: next(singles), SEEDS)
    np.testing.assert_array_equal(again.values, model.values)
    x = np.ones((4, 3))
    for _ in range(2):
        np.testing.assert_array_equal(again(x), model(x))


def test_predictions_are_those_of_each_alone(build, rng):
    model, x = minidl.replicate(build, SEEDS), rng.standard_normal((3, 23, 3))
    for batch_size in (None, 1, 5, 23, 100):
        shared, own = (minidl.predict(model, data, batch_size=batch_size) for data in (x[0], x))
        for r, single in enumerate(minidl.unstack(model)):
            np.testing.assert_allclose(shared[r], single.infer(x[0]), **CLOSE)
            np.testing.assert_allclose(own[r], single.infer(x[r]), **CLOSE)


def test_one_replicate_has_its_axis_too(build, rng):
    model, x = minidl.replicate(build, [3]), rng.standard_normal((6, 3))
    single = build(3)
    for _ in range(2):
        np.testing.assert_allclose(model(x), single(x)[None], **CLOSE)
    dy = rng.standard_normal((1, 6, 2))
    model.backward(dy)
    single.backward(dy[0])
    np.testing.assert_allclose(model.grads, single.grads[None], **CLOSE)
    assert "\n1 replicates, float64, numpy, 400 bytes\n" in minidl.summary(model)


@pytest.mark.parametrize("first", [minidl.Tanh, minidl.ReLU, minidl.LeakyReLU, lambda: minidl.Dropout(0.5).eval()])
def test_a_layer_without_parameters_may_stand_below_the_first_that_has_some(first, rng):
    def build(rng):
        return minidl.Sequential([first(), minidl.Linear(2, 3, dtype="float64", rng=rng)]).eval()

    x, model = rng.standard_normal((5, 2)), minidl.replicate(build, SEEDS)
    dy = rng.standard_normal(model(x).shape)
    dx = model.backward(dy)
    assert dx.shape == (len(SEEDS), 5, 2)
    for r, seed in enumerate(SEEDS):
        single = build(np.random.default_rng(seed))
        single(x)
        np.testing.assert_allclose(dx[r], single.backward(dy[r]), **CLOSE)


def test_replicates_refuse_an_input_without_a_sample_axis(unchanged):
    model = minidl.replicate(lambda rng: minidl.Linear(2, 3, rng=rng), SEEDS)
    with unchanged(model), pytest.raises(ValueError, match=r"Linear\(2 -> 3\): expected x of shape \(sample, 2\)"):
        model(np.ones(2, np.float32))


def test_an_array_of_seeds_is_one_for_each_replicate(build, rng):
    x, y = rng.standard_normal((22, 3)), np.eye(2)[rng.integers(0, 2, 22)]
    trained = []
    for seeds in (range(3), np.arange(3), [0, 1, 2]):
        model = minidl.replicate(build, seeds)
        minidl.fit(model, minidl.BCELoss(), minidl.SGD(model, 0.01), x, y, epochs=1, batch_size=5, rng=seeds)
        trained.append(model.values)
    np.testing.assert_array_equal(trained[0], trained[1])
    np.testing.assert_array_equal(trained[0], trained[2])


def test_gradients_come_along_and_come_back(build, rng):
    """What was added before two networks were joined is there after they are taken apart."""
    singles = [build(seed) for seed in SEEDS]
    for single in singles:
        single.backward(single(rng.standard_normal((4, 3))))
    given = iter(singles)
    model = minidl.replicate(lambda _: next(given), SEEDS)
    np.testing.assert_array_equal(model.grads, [single.grads for single in singles])
    assert np.abs(model.grads).sum(axis=-1).all()
    for single, again in zip(singles, minidl.unstack(model), strict=True):
        np.testing.assert_array_equal(again.grads, single.grads)


def test_many_settings_are_shown_by_their_range():
    alphas = iter(np.linspace(0.1, 0.9, 100))
    model = minidl.replicate(lambda _: minidl.LeakyReLU(next(alphas)), range(100))
    assert repr(model) == "LeakyReLU(alpha=0.1 to 0.9)"
