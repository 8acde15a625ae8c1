"""Whole trainings come out as those of minidl on NumPy."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl

WIDTHS = (1, 7, 8, 9, 25, 31, 33, 127)
LAYERS = {
    "relu": lambda _: minidl.ReLU(),
    "leaky": lambda _: minidl.LeakyReLU(0.1),
    "steep": lambda _: minidl.LeakyReLU(-0.5),
    "tanh": lambda _: minidl.Tanh(),
    "sigmoid": lambda _: minidl.Sigmoid(),
    "dropout": lambda rng: minidl.Dropout(0.3, rng=rng.spawn(1)[0]),
    "no dropout": lambda rng: minidl.Dropout(0.0, rng=rng.spawn(1)[0]),
    "all dropped": lambda rng: minidl.Dropout(1.0, rng=rng.spawn(1)[0]),
}
LOSSES = (minidl.MSELoss, minidl.BCELoss, minidl.BCEWithLogitsLoss, minidl.CrossEntropyLoss)
OPTIMIZERS = {
    "sgd": lambda m: minidl.SGD(m, 0.01),
    "decaying": lambda m: minidl.SGD(m, kappa=0.6, eta=0.05),
    "momentum": lambda m: minidl.SGD(m, 0.01, momentum=0.8),
    "nesterov": lambda m: minidl.SGD(m, 0.01, momentum=0.8, nesterov=True, weight_decay=0.01),
    "decay": lambda m: minidl.SGD(m, 0.01, weight_decay=0.1),
    "adam": lambda m: minidl.Adam(m, 0.01),
    "adam with eps hat": lambda m: minidl.Adam(m, 0.02, beta2=0.9, eps=1e-3, eps_hat=True),
    "odd adam": lambda m: minidl.Adam(m, 0.02, beta1=0.7, beta2=0.9, eps=1e-3, weight_decay=0.05),
}


def chain(widths, activation="relu", last=(), *, dtype="float64", bias=True, lr=None, seed=0):
    """Build a network with an activation behind every Linear but the last, and `last` behind that."""
    rng, layers = np.random.default_rng(seed), []
    for below, above in pairwise(widths):
        layers += [minidl.Linear(below, above, std_b=0.1 if bias else None, bias=bias, lr=lr, dtype=dtype, rng=rng)]
        layers += [LAYERS[activation](rng)]
    return minidl.Sequential([*layers[:-1], *last])


def samples(n, width, classes, dtype="float64", kind="one-hot", replicates=(), seed=1):
    rng = np.random.default_rng(seed)
    x, labels = rng.standard_normal((*replicates, n, width)).astype(dtype), rng.integers(0, classes, (*replicates, n))
    if kind == "labels":
        return x, labels
    if kind == "one-hot":
        return x, (labels[..., None] == np.arange(classes)).astype(dtype)
    y = rng.random((*replicates, n, classes))
    return x, (y / y.sum(-1, keepdims=True)).astype(dtype)


TARGETS = [*((loss, kind) for loss in LOSSES for kind in ("one-hot", "probabilities")), (LOSSES[-1], "labels")]


@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
@pytest.mark.parametrize("classes", [1, 2, 5])
@pytest.mark.parametrize(("loss", "kind"), TARGETS)
def test_losses(trained, isa, dtype, loss, classes, kind, reduction):
    last = [minidl.Sigmoid()] if loss is minidl.BCELoss else []
    x, y = samples(23, 3, classes, dtype, kind)
    build = lambda: chain((3, 9, classes), last=last and [minidl.Sigmoid()], dtype=dtype)  # noqa: E731 - as short as its formula
    sides = trained.both(build, loss(reduction), lambda m: minidl.SGD(m, 0.02), x, y, isa=isa)
    trained.assert_alike(sides)


@pytest.mark.parametrize("classes", [3, 8, 17])
def test_classes_in_several_vectors_and_equal_predictions_of_which_the_first_counts(trained, isa, dtype, classes):
    x, y = samples(60, 3, classes, dtype, "labels")
    x[::3] = 0  # whose logits are all 0, since there is no bias
    y[::6] = 0
    build = lambda: chain((3, classes), dtype=dtype, bias=False)  # noqa: E731 - as short as its formula
    sides = trained.both(build, minidl.CrossEntropyLoss(), lambda m: minidl.SGD(m, 0.02), x, y, isa=isa)
    trained.assert_alike(sides)
    assert sides[1].accuracies[0] >= 1 / 6


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers_over_some_hundred_steps(trained, isa, dtype, optimizer):
    x, y = samples(50, 4, 3, dtype)
    build = lambda: chain((4, 11, 3), "tanh", dtype=dtype)  # noqa: E731 - as short as its formula
    epochs = 60 if dtype == "float64" else 6
    sides = trained.both(
        build, minidl.MSELoss("mean"), OPTIMIZERS[optimizer], x, y, isa=isa, epochs=epochs, batch_size=10
    )
    trained.assert_alike(sides)


@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
@pytest.mark.parametrize("weighted", [False, True])
def test_penalties_of_replicates(trained, isa, dtype, reduction, weighted):
    x, y = samples(23, 4, 3, dtype)
    build = lambda: minidl.replicate(lambda _: chain((4, 11, 3), "tanh", dtype=dtype), range(3))  # noqa: E731 - as short as its formula
    weight = np.random.default_rng(0).integers(0, 3, (3, 23)) / 2 if weighted else None
    options = {"isa": isa, "threads": 2, "weight": weight, "l2": np.array([0.0, 0.3, 2.0])}
    trained.assert_alike(trained.both(build, minidl.MSELoss(reduction), OPTIMIZERS["sgd"], x, y, **options))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("batch_size", [1, 6, 100])
def test_widths_and_batch_sizes(trained, isa, dtype, width, batch_size):
    x, y = samples(13, width, 2, dtype)
    build = lambda: chain((width, width, 2), "relu", dtype=dtype)  # noqa: E731 - as short as its formula
    sides = trained.both(
        build, minidl.CrossEntropyLoss("mean"), OPTIMIZERS["momentum"], x, y, isa=isa, epochs=2, batch_size=batch_size
    )
    trained.assert_alike(sides)


@pytest.mark.parametrize("width", [784, 2048])
def test_wide_layers_and_long_batches(trained, isa, width):
    x, y = samples(300, width, 10, kind="labels")
    build = lambda: chain((width, 260, 10), "relu")  # noqa: E731 - as short as its formula
    sides = trained.both(
        build, minidl.CrossEntropyLoss("mean"), OPTIMIZERS["sgd"], x, y, isa=isa, epochs=1, batch_size=290
    )
    trained.assert_alike(sides)


@pytest.mark.parametrize("activation", LAYERS)
def test_layers(trained, isa, dtype, activation):
    x, y = samples(20, 5, 2, dtype)
    build = lambda: chain((5, 10, 6, 2), activation, dtype=dtype)  # noqa: E731 - as short as its formula
    trained.assert_alike(trained.both(build, minidl.MSELoss("mean"), OPTIMIZERS["sgd"], x, y, isa=isa))


def test_a_bottom_without_parameters_and_layers_upon_each_other(trained, isa):
    x, y = samples(20, 5, 2)

    def build():
        rng = np.random.default_rng(0)
        return minidl.Sequential(
            [
                *(LAYERS[name](rng) for name in ("tanh", "dropout", "steep", "relu")),
                minidl.Linear(5, 7, rng=rng, dtype="float64"),
                *(
                    LAYERS[name](rng)
                    for name in ("dropout", "leaky", "dropout", "tanh", "sigmoid", "tanh", "steep", "relu")
                ),
                minidl.Linear(7, 6, rng=rng, dtype="float64"),
                minidl.Linear(6, 2, rng=rng, dtype="float64"),
                *(LAYERS[name](rng) for name in ("steep", "steep", "dropout")),
            ]
        )

    trained.assert_alike(trained.both(build, minidl.MSELoss("mean"), OPTIMIZERS["sgd"], x, y, isa=isa, epochs=10))


def test_layers_with_rates_of_their_own_and_without_bias(trained, isa, dtype):
    x, y = samples(20, 5, 2, dtype)
    build = lambda: minidl.Sequential(  # noqa: E731 - as short as its formula
        [
            minidl.Linear(5, 7, lr=0.01, rng=1, dtype=dtype, bias=False),
            minidl.ReLU(),
            minidl.Linear(7, 2, lr=0.02, rng=2, dtype=dtype),
        ]
    )
    for optimizer in (minidl.SGD, lambda m: minidl.SGD(m, momentum=0.5, weight_decay=0.1)):
        trained.assert_alike(trained.both(build, minidl.MSELoss("mean"), optimizer, x, y, isa=isa))


def replicates(build, r=3):
    return lambda: minidl.replicate(build, range(r))


def mixed(rng, dtype="float64", *, own_rates=False):
    """Build a network whose numbers depend on the generator, among them a p_drop of 0 now and then."""
    p_drop = rng.choice([0.0, 0.2, 0.6])
    first, second = rng.uniform(0.001, 0.02, 2).tolist() if own_rates else (None, None)
    return minidl.Sequential(
        [
            minidl.Linear(4, 9, std_b=0.1, rng=rng, lr=first, dtype=dtype),
            minidl.LeakyReLU(rng.uniform(-0.1, 0.3)),
            minidl.Dropout(p_drop, rng=rng),
            minidl.Linear(9, 2, rng=rng, lr=second, dtype=dtype),
        ]
    )


@pytest.mark.parametrize("own_data", [False, True])
@pytest.mark.parametrize("own_orders", [False, True])
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, "own rates", "numbers", "decays"])
def test_replicates(trained, dtype, own_data, own_orders, optimizer):
    x, y = samples(20, 4, 2, dtype, replicates=(3,) if own_data else ())
    rngs = lambda: [np.random.default_rng(i) for i in range(3)] if own_orders else np.random.default_rng(5)  # noqa: E731 - as short as its formula
    each = np.array([0.3, 0.0, 0.7])
    optimizers = OPTIMIZERS | {
        "own rates": lambda m: minidl.SGD(m, momentum=each, weight_decay=each / 10),
        "eps hat": lambda m: minidl.Adam(m, 0.01, beta2=1 - each / 9 - 0.01, eps=each + 1e-8, eps_hat=True),
        "numbers": lambda m: minidl.Adam(m, each / 100, beta1=each, beta2=1 - each / 9 - 0.01, eps=each + 1e-8),
        "decays": lambda m: minidl.SGD(m, kappa=each, eta=each / 100),
    }
    build = replicates(lambda rng: mixed(rng, dtype, own_rates=optimizer == "own rates"))
    sides = trained.both(build, minidl.MSELoss("mean"), optimizers[optimizer], x, y, rngs=rngs)
    trained.assert_alike(sides)


@pytest.mark.parametrize("classes", ["shared", "own"])
def test_replicates_with_labels(trained, isa, classes):
    x, y = samples(20, 4, 2, kind="labels", replicates=(3,) if classes == "own" else ())
    sides = trained.both(
        replicates(mixed), minidl.CrossEntropyLoss("mean"), OPTIMIZERS["adam"], x[..., :20, :], y, isa=isa
    )
    trained.assert_alike(sides)


def test_shared_samples_with_targets_of_their_own(trained):
    x, _ = samples(20, 4, 2)
    _, y = samples(20, 4, 2, replicates=(3,))
    trained.assert_alike(trained.both(replicates(mixed), minidl.MSELoss(), OPTIMIZERS["sgd"], x, y))


def test_the_result_does_not_depend_on_the_number_of_threads(trained, isa, dtype):
    x, y = samples(40, 4, 2, dtype, replicates=(7,))
    models = []
    for threads in (1, 2, 5, 100):
        model = replicates(lambda rng: mixed(rng, dtype), 7)()
        optimizer, rng = minidl.Adam(model, 0.01), np.random.default_rng(2)
        options = {"epochs": 3, "batch_size": 7, "rng": rng, "isa": isa, "threads": threads}
        results = trained.train(model, minidl.MSELoss(), optimizer, x, y, **options)
        models.append((model.values, optimizer.m, *(result.loss for result in results)))
    for other in models[1:]:
        for ours, theirs in zip(models[0], other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_replicates_that_are_not_active_stay_as_they_are_and_draw_nothing(trained, core):
    x, y = samples(20, 4, 2)
    model = minidl.replicate(lambda _: chain((4, 5, 2), "dropout"), range(3))
    drawn = [np.random.default_rng(i) for i in range(3)]
    core.set_generators(model[1], drawn)
    before, states = model.values.copy(), [rng.bit_generator.state for rng in drawn]
    optimizer = minidl.SGD(model, 0.01)
    options = {"epochs": 1, "batch_size": 7, "rng": np.random.default_rng(0)}
    active = np.array([True, False, True])
    (result,) = trained.train(model, minidl.MSELoss(), optimizer, x, y, active=active, **options)
    np.testing.assert_array_equal(np.isnan(result.loss), ~active)
    np.testing.assert_array_equal((model.values == before).all(-1), ~active)
    assert [rng.bit_generator.state == state for rng, state in zip(drawn, states, strict=True)] == [0, 1, 0]
    assert (result.hits[1], result.steps.tolist(), result.diverged.tolist()) == (0, [3, 0, 3], [0, 0, 0])


@pytest.mark.parametrize("nan", ["input", "target", "weight"])
def test_a_nan_stops_before_the_step_and_names_the_batch(trained, isa, dtype, nan):
    x, y = samples(20, 4, 2, dtype, kind="probabilities")
    model, alone = (chain((4, 6, 2), "relu", dtype=dtype) for _ in range(2))
    order = np.random.default_rng(0).permutation(20)
    some = order[:10]
    options = {"epochs": 1, "batch_size": 5, "isa": isa}
    sgd = minidl.SGD(alone, 0.01)
    trained.train(alone, minidl.MSELoss(), sgd, x[some], y[some], rng=_Same(np.arange(10)), **options)
    if nan == "weight":
        model.values[3] = alone.values[...] = np.nan
        expected, at = model.values.copy(), 1
    else:
        (x if nan == "input" else y)[order[13], 1] = np.nan
        expected, at = alone.values, 3
    (result,) = trained.train(model, minidl.MSELoss(), minidl.SGD(model, 0.01), x, y, rng=_Same(order), **options)
    assert (result.diverged, result.steps) == (at, at - 1)
    assert np.isnan(result.loss)
    np.testing.assert_array_equal(model.values, expected)


class _Same:
    """Stands for a generator that always gives the same order."""

    def __init__(self, order):
        self.order = order

    def permutation(self, _):
        return self.order


def test_a_replicate_that_diverges_stops_and_the_others_go_on(trained):
    x, y = samples(20, 4, 2, kind="probabilities", replicates=(3,))
    x[1, np.random.default_rng(0).permutation(20)[13], 2] = np.nan
    build = lambda: minidl.replicate(lambda rng: chain((4, 6, 2), seed=rng), range(3))  # noqa: E731 - as short as its formula
    model, alike = build(), build()
    options = {"epochs": 1, "batch_size": 5}
    sgd, rng = minidl.SGD(model, 0.01), np.random.default_rng(0)
    (result,) = trained.train(model, minidl.MSELoss(), sgd, x, y, rng=rng, **options)
    sgd, rng = minidl.SGD(alike, 0.01), np.random.default_rng(0)
    with np.errstate(invalid="ignore"), pytest.warns(RuntimeWarning, match="replicate 1 has diverged"):
        history = minidl.fit(alike, minidl.MSELoss(), sgd, x, y, rng=rng, engine="numpy", **options)
    assert (result.diverged.tolist(), result.steps.tolist()) == ([0, 3, 0], [4, 2, 4])
    assert history.diverged == {1: (1, 3)}
    np.testing.assert_allclose(result.loss / 20, history.loss[0], rtol=1e-12)
    np.testing.assert_allclose(model.values, alike.values, rtol=1e-12)


def test_an_infinite_loss_is_not_nan_and_goes_on(trained):
    x, y = np.ones((4, 1), np.float32), np.full((4, 1), 3e19, np.float32)
    build = lambda: minidl.Linear(1, 1, rng=0)  # noqa: E731 - as short as its formula
    with np.errstate(over="ignore"):
        numpy, native = trained.both(
            build, minidl.MSELoss(), lambda m: minidl.SGD(m, 1e-3), x, y, epochs=1, batch_size=4
        )
    assert native.losses == numpy.losses == [np.inf]
    np.testing.assert_allclose(native.model.values, numpy.model.values, rtol=1e-6)


def test_large_logits_and_certain_predictions(trained, isa, dtype):
    x = np.array([[-1e3], [-90.0], [-20.0], [-1.0], [0.0], [1.0], [20.0], [90.0], [1e3]], dtype)
    y = np.array([[0.0], [1.0], [1.0], [0.0], [1.0], [0.0], [0.0], [0.0], [1.0]], dtype)

    def build():
        layer = minidl.Linear(1, 1, dtype=dtype, rng=0)
        layer.weight = np.ones((1, 1), dtype)
        return minidl.Sequential([layer, minidl.Sigmoid()])

    optimizer = lambda m: minidl.SGD(m, 1e-3)  # noqa: E731 - as short as its formula
    for loss in (minidl.BCELoss(), minidl.BCEWithLogitsLoss("mean")):
        for batch_size in (1, 9):
            sides = trained.both(build, loss, optimizer, x, y, epochs=1, batch_size=batch_size, isa=isa)
            trained.assert_alike(sides)


networks = st.builds(
    dict,
    widths=st.lists(st.integers(1, 40), min_size=2, max_size=5),
    activation=st.sampled_from(sorted(LAYERS)),
    bias=st.booleans(),
    seed=st.integers(0, 2**32),
)


@settings(deadline=None, max_examples=120)
@given(
    network=networks,
    n=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    loss=st.sampled_from([minidl.MSELoss, minidl.BCEWithLogitsLoss, minidl.CrossEntropyLoss]),
    reduction=st.sampled_from(["sum", "mean", "batchmean"]),
    nesterov=st.booleans(),
    data=st.data(),
)
def test_any_network_and_any_data(trained, network, n, batch_size, loss, reduction, nesterov, data):
    x, y = samples(n, network["widths"][0], network["widths"][-1], kind="probabilities", seed=network["seed"])
    scale = data.draw(st.sampled_from([1e-3, 1.0, 3.0]))
    isa = data.draw(st.sampled_from(["", "baseline"]))
    slow = lambda m: minidl.SGD(m, 1e-6, momentum=0.5, nesterov=nesterov)  # noqa: E731 - as short as its formula
    build = lambda: chain(**network)  # noqa: E731 - as short as its formula
    sides = trained.both(build, loss(reduction), slow, x * scale, y, epochs=2, batch_size=batch_size, isa=isa)
    trained.assert_alike(sides)
