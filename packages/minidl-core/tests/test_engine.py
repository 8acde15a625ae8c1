"""The seam to a compiled engine, with a pretended one: what it is given, what its answers change, who falls back."""

import copy
import pickle
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

import minidl
from minidl import engine

X = np.random.default_rng(0).uniform(-1, 1, (10, 2)).astype(np.float32)
Y = (X[:, :1] > 0).astype(np.float32)


class Epoch(NamedTuple):
    loss: np.ndarray
    hits: np.ndarray
    diverged: np.ndarray


class UnsupportedError(ValueError):
    pass


class Pretended:
    """An engine that notes what it is asked, answers zeros, and makes the steps that it is told."""

    UnsupportedError = UnsupportedError

    def __init__(self):
        self.epochs, self.networks, self.diverged, self.interrupt, self.refuses = [], [], 0, None, ""

    def Network(self, spec, *, dtype, lead, generators):  # noqa: N802 - a class elsewhere
        if self.refuses == "network":
            raise UnsupportedError("layers[0]: it is round")
        network = SimpleNamespace(
            spec=spec, dtype=dtype, replicate_axes=lead, generators=generators, worthwhile=True, largest=5000
        )
        network.train_epoch, network.predict = self.train_epoch, self.predict
        self.networks.append(network)
        return network

    def check(self, spec, *, dtype, lead, loss, optimizer):  # noqa: ARG002 - it takes what the real one takes
        if self.refuses in (loss, optimizer):
            raise UnsupportedError(f"{self.refuses} is not one that it knows")

    def train_epoch(self, values, x, y, order, **options):
        self.epochs.append((values, x, y, order, options))
        if self.interrupt:
            raise self.interrupt
        values += 1
        lead = values.shape[:-1]
        diverged = np.broadcast_to(np.array(self.diverged), lead)
        return Epoch(np.full(lead, 5.0), np.full(lead, 4), diverged)

    def predict(self, values, x, *, threads):  # noqa: ARG002 - it takes what the real one takes
        return np.full((*values.shape[:-1], x.shape[-2], 1), 0.25, x.dtype)


@pytest.fixture
def pretended(monkeypatch):
    native = Pretended()
    monkeypatch.setattr(engine, "_load", lambda: (native, ""))
    return native


@pytest.fixture
def absent(monkeypatch):
    monkeypatch.setattr(engine, "_load", lambda: (None, "minidl-native is not installed"))


def build(rng=0, **options):
    return minidl.Sequential(
        [
            minidl.Linear(2, 3, rng=rng, **options),
            minidl.LeakyReLU(),
            minidl.Dropout(0.5, rng=1),
            minidl.Linear(3, 1, rng=2),
        ]
    )


def fit(model, loss=None, optimizer=None, x=X, y=Y, **options):
    optimizer = optimizer or minidl.SGD(model, 0.01, momentum=0.5)
    return minidl.fit(
        model, loss or minidl.MSELoss(), optimizer, x, y, **{"epochs": 2, "batch_size": 3, "rng": 0, **options}
    )


def test_the_engine_is_given_data_alone(pretended):
    model = build()
    before = model.values.copy()
    optimizer = minidl.SGD(model, kappa=0.5, eta=0.1, momentum=0.5, nesterov=True)
    history = fit(model, minidl.BCEWithLogitsLoss("mean"), optimizer)
    (network,) = pretended.networks
    assert (network.spec, network.dtype, network.replicate_shape) == (model.spec(), "float32", ())
    assert network.generators == [model[2].generators]
    (values, x, y, first, options), (_, _, _, second, later) = pretended.epochs
    assert values is model.values
    assert x is X
    assert y is Y
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(first, rng.permutation(10))
    np.testing.assert_array_equal(second, rng.permutation(10))
    assert (options["batch_size"], options["loss"], options["mean"]) == (3, "BCEWithLogitsLoss", True)
    assert (options["threshold"], options["t"], later["t"]) == (0.0, 0, 4)
    np.testing.assert_allclose(options["rates"], 0.1 * np.arange(1, 5) ** -0.5)
    np.testing.assert_allclose(later["rates"], 0.1 * np.arange(5, 9) ** -0.5)
    state = options["optimizer"]
    assert (state["kind"], state["momentum"], state["nesterov"], state["weight_decay"]) == ("SGD", 0.5, True, 0.0)
    assert state["velocity"] is optimizer.velocity
    assert (history.loss, history.accuracy, history.engine) == ([0.5, 0.5], [0.4, 0.4], "native")
    np.testing.assert_array_equal(model.values, before + 1 + 1)
    assert optimizer.t == 8
    assert history.to_dict()["engine"] == "native"


def test_a_momentum_that_is_set_later_begins_at_zero(pretended):
    model = build()
    optimizer = minidl.SGD(model, 0.01)
    fit(model, optimizer=optimizer)
    assert pretended.epochs[0][-1]["optimizer"]["velocity"] is None
    optimizer.momentum = 0.5
    fit(model, optimizer=optimizer)
    np.testing.assert_array_equal(pretended.epochs[-1][-1]["optimizer"]["velocity"], np.zeros_like(model.values))
    assert pretended.epochs[-1][-1]["optimizer"]["velocity"] is optimizer.velocity


def test_adam_hands_over_its_moments_and_a_fixed_rate(pretended):
    model = build()
    optimizer = minidl.Adam(model, 0.25)
    fit(model, optimizer=optimizer, y=Y + 0.5)
    options = pretended.epochs[0][-1]
    assert options["threshold"] is None
    np.testing.assert_array_equal(options["rates"], [0.25] * 4)
    assert options["optimizer"]["m"] is optimizer.m
    assert options["optimizer"]["v"] is optimizer.v
    assert options["optimizer"]["beta2"] == 0.999


def test_layers_with_rates_of_their_own_hand_over_none(pretended):
    model = build(lr=0.5)
    model[3].lr = 0.25
    fit(model, optimizer=minidl.SGD(model))
    assert pretended.epochs[0][-1]["rates"] is None
    assert dict(pretended.networks[0].spec[0].options)["lr"] == 0.5


def test_a_changed_setting_is_handed_over_anew(pretended):
    model = build()

    def change(epoch, _):
        model[1].alpha = 0.1 * epoch

    fit(model, callbacks=[change])
    assert [dict(network.spec[1].options)["alpha"] for network in pretended.networks] == [0.01, 0.1]
    minidl.predict(model, X)
    assert dict(pretended.networks[-1].spec[1].options)["alpha"] == 0.2


def test_replicates_with_data_of_their_own(pretended):
    model = minidl.replicate(build, range(3))
    x, labels = np.stack([X] * 3), np.ones((3, 10), np.int32) * 0
    loss, optimizer = minidl.CrossEntropyLoss(), minidl.Adam(model, np.array([0.1, 0.2, 0.3]))
    pretended.diverged = [0, 2, 0]
    with pytest.warns(RuntimeWarning, match="replicate 1 has diverged, the loss is nan in epoch 1, batch 2") as caught:
        history = fit(model, loss, optimizer, x, labels, rng=[1, 2, 3], epochs=1, threads=2)
    assert caught[0].filename == __file__
    _, given, y, order, options = pretended.epochs[0]
    assert given is x
    assert (y.dtype, order.shape, options["threads"]) == (np.int64, (3, 10), 2)
    np.testing.assert_array_equal(order[1], np.random.default_rng(2).permutation(10))
    np.testing.assert_array_equal(options["rates"], [[0.1, 0.2, 0.3]] * 4)
    assert options["active"].all()
    assert history.diverged == {1: (1, 2)}
    np.testing.assert_array_equal(history.loss[0], [0.5, np.nan, 0.5])
    assert optimizer.t == 4


def test_a_lost_replicate_stays_out_and_the_last_one_ends_the_training(pretended):
    model = minidl.replicate(build, range(2))
    optimizer = minidl.Adam(model)
    pretended.diverged = [3, 0]

    def last(*_):
        pretended.diverged = [0, 2]

    with pytest.warns(RuntimeWarning), pytest.raises(minidl.DivergenceError, match="epoch 2, batch 2") as caught:
        fit(model, optimizer=optimizer, callbacks=[last])
    np.testing.assert_array_equal(pretended.epochs[1][-1]["active"], [False, True])
    assert caught.value.history.diverged == {0: (1, 3), 1: (2, 2)}
    assert len(caught.value.history) == 1
    assert optimizer.t == 4 + 1


def test_a_single_network_that_diverges_ends_the_training(pretended):
    model = build()
    optimizer = minidl.Adam(model)
    pretended.diverged = 3
    with pytest.raises(minidl.DivergenceError, match="epoch 1, batch 3"):
        fit(model, optimizer=optimizer)
    assert optimizer.t == 2


def test_ctrl_c_keeps_the_history_and_counts_the_steps_made(pretended):
    model = build()
    optimizer = minidl.Adam(model)

    def interrupt(*_):
        pretended.interrupt = KeyboardInterrupt()
        pretended.interrupt.steps = 3

    with pytest.raises(KeyboardInterrupt) as caught:
        fit(model, optimizer=optimizer, callbacks=[interrupt])
    assert len(caught.value.history) == 1
    assert optimizer.t == 4 + 3


def test_predict_and_evaluate_ask_the_engine_too(pretended):  # noqa: ARG001 - a fixture for what it does
    model = build()
    np.testing.assert_array_equal(minidl.predict(model, X), np.full((10, 1), 0.25))
    assert minidl.predict(model, X, batch_size=3).shape == (10, 1)
    assert minidl.evaluate(model, minidl.MSELoss(), X, Y).loss == pytest.approx(((Y - 0.25) ** 2).mean())
    many = minidl.replicate(build, range(2))
    np.testing.assert_array_equal(minidl.predict(many, X), np.full((2, 10, 1), 0.25))
    own = np.stack([X] * 2)
    assert minidl.evaluate(many, minidl.MSELoss(), own, Y, batch_size=3).loss == pytest.approx(
        [((Y - 0.25) ** 2).mean()] * 2
    )
    np.testing.assert_array_equal(minidl.predict(model, X, engine="numpy"), model.infer(X))


@pytest.mark.parametrize(
    ("x", "error"),
    [(X.astype(np.float64), TypeError), (X[:, :1], ValueError), (X > 0, TypeError), ([[0.0, 1.0]], TypeError)],
)
def test_what_the_engine_does_not_take_is_refused_as_ever(pretended, x, error):  # noqa: ARG001 - a fixture for what it does
    with pytest.raises(error):
        minidl.predict(build(), x)


def test_other_axes_are_computed_by_the_layers_and_other_layouts_copied(pretended):  # noqa: ARG001 - a fixture for what it does
    model = build()
    for x in (X[:, None], X[0]):
        np.testing.assert_array_equal(minidl.predict(model, x), model.infer(x))
    np.testing.assert_array_equal(minidl.predict(model, np.asfortranarray(X)), np.full((10, 1), 0.25))


class Mine(minidl.MSELoss):
    pass


class MyAdam(minidl.Adam):
    pass


class TestFallingBack:
    """auto takes NumPy and says why; native says why and does nothing."""

    def check(self, why, model=None, loss=None, optimizer=None, x=X, y=Y):
        model = model or build()
        optimizer = (optimizer or minidl.SGD)(model, 0.01)
        before = model.values.copy()
        with pytest.raises(ValueError, match=f"fit: expected something that the native engine can run, got .*{why}"):
            fit(model, loss, optimizer, x, y, engine="native")
        np.testing.assert_array_equal(model.values, before)
        assert optimizer.t == 0
        assert why in fit(model, loss, optimizer, x, y, engine="auto").engine
        assert fit(model, loss, optimizer, x, y, engine="numpy").engine == "numpy"

    def test_without_the_package(self, absent):  # noqa: ARG002 - a fixture for what it does
        self.check("minidl-native is not installed")
        assert minidl.summary(build()).endswith("engine: numpy (minidl-native is not installed)")

    def test_a_network_that_it_does_not_know(self, pretended):
        pretended.refuses = "network"
        self.check("it is round")

    @pytest.mark.parametrize("refused", ["MSELoss", "SGD"])
    def test_a_loss_or_optimizer_that_it_does_not_know(self, pretended, refused):
        pretended.refuses = refused
        self.check(f"{refused} is not one that it knows")

    def test_a_loss_or_optimizer_of_ones_own(self, pretended):  # noqa: ARG002 - a fixture for what it does
        self.check("Mine is not one", loss=Mine())
        self.check("MyAdam is not one", optimizer=MyAdam)

    def test_samples_of_several_axes(self, pretended):  # noqa: ARG002 - a fixture for what it does
        self.check("samples of one axis", x=X[:, None], y=Y[:, None])

    def test_a_part_of_replicates(self, pretended):  # noqa: ARG002 - a fixture for what it does
        many = minidl.replicate(build, range(2))
        self.check("a part of larger replicates", model=many[3], x=np.ones((4, 3), np.float32), y=Y[:4])


def test_a_class_out_of_range_is_named_by_the_readable_path(pretended):  # noqa: ARG001 - a fixture for what it does
    with pytest.raises(ValueError, match="class indices from 0 to 0, got 2"):
        fit(build(), minidl.CrossEntropyLoss(), y=np.array([0] * 9 + [2]))


def test_auto_leaves_wide_layers_to_numpy(pretended):
    model = build()
    minidl.predict(model, X)
    pretended.networks[0].worthwhile = False
    assert fit(model).engine == "numpy (NumPy is faster for a layer of 5,000 weights)"
    assert fit(model, engine="native").engine == "native"


@pytest.mark.parametrize("call", ["fit", "predict", "evaluate"])
def test_another_name_is_refused(call):
    model = build()
    with pytest.raises(ValueError, match=f"{call}: expected engine 'auto', 'numpy' or 'native', got 'fast'"):
        {
            "fit": lambda: fit(model, engine="fast"),
            "predict": lambda: minidl.predict(model, X, engine="fast"),
            "evaluate": lambda: minidl.evaluate(model, minidl.MSELoss(), X, Y, engine="fast"),
        }[call]()


@pytest.mark.parametrize(("threads", "error"), [(0, ValueError), (1.5, TypeError)])
def test_threads_are_counted(threads, error):
    with pytest.raises(error, match="fit: expected threads"):
        fit(build(), threads=threads)


def test_copies_compile_anew(pretended):
    model = build()
    minidl.predict(model, X)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        minidl.predict(twin, X)
        assert pretended.networks[-1].generators[0][0] is twin[2].generators[0]
    assert len(pretended.networks) == 3


def test_the_spec_tells_where_a_class_comes_from():
    class Tanh(minidl.Tanh):
        pass

    assert [record.origin for record in minidl.Sequential([minidl.Tanh(), Tanh()]).spec()] == [
        "minidl",
        __name__.partition(".")[0],
    ]
