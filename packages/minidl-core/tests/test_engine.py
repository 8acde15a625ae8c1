"""The door to an engine, with a pretended one: what it is given, what its answers change, who falls back."""

import copy
import functools
import os
import pickle
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import minidl
from minidl.training import compiled, engines, native_engine, originals
from minidl.training import predict as predict_module

X = np.random.default_rng(0).uniform(-1, 1, (10, 2)).astype(np.float32)
Y = (X[:, :1] > 0).astype(np.float32)


class Samples(NamedTuple):
    x: Any
    y: Any
    order: Any
    batch_size: int
    weights: Any = None


class LossRecord(NamedTuple):
    kind: str
    mean: bool
    threshold: float | None
    settings: dict
    per_sample: bool
    l2: Any


class OptimizerRecord(NamedTuple):
    kind: str
    settings: dict
    vectors: dict
    rates: Any
    t: int


class EpochResult(SimpleNamespace):
    @classmethod
    def empty(cls, replicate_shape):
        return cls(loss=np.zeros(replicate_shape), **{n: np.zeros(replicate_shape, int) for n in cls.counts})

    counts = ("hits", "steps", "diverged")


class UnsupportedError(ValueError):
    pass


class Pretended:
    """An engine that notes what it is asked, answers zeros, and makes the steps that it is told."""

    UnsupportedError, Samples, LossRecord = UnsupportedError, Samples, LossRecord
    OptimizerRecord, EpochResult = OptimizerRecord, EpochResult
    KINDS, Pool = SimpleNamespace(losses={}), staticmethod(lambda: nullcontext("open"))

    def __init__(self):
        self.epochs, self.networks, self.diverged, self.interrupt, self.refuses = [], [], 0, None, ""
        self.steps, self.one_pass = [], False

    def Network(self, spec, *, dtype, replicate_shape, generators):  # noqa: N802 - a class elsewhere
        if self.refuses == "network":
            raise UnsupportedError("layers[0]: it is round")
        network = SimpleNamespace(
            spec=spec, dtype=dtype, replicate_shape=replicate_shape, generators=generators, worthwhile=True,
            largest=5000, least_batch=1, train=self.train, predict=self.predict, step=self.step,
            steps_worthwhile=lambda _: self.one_pass,
        )  # fmt: skip
        self.networks.append(network)
        return network

    def check(self, spec, *, dtype, replicate_shape, loss, optimizer):  # noqa: ARG002 - it takes what the real one takes
        if self.refuses in (loss, optimizer):
            raise UnsupportedError(f"{self.refuses} is not one that it knows")

    def permutations(self, rngs, count, *, threads, pool):  # noqa: ARG002 - it takes what the real one takes
        raise UnsupportedError("NumPy's to draw")

    def train(self, values, samples, loss, optimizer, result, *, statistics, active, threads, adds, pool):
        assert not list(statistics)
        assert pool in (None, "open")  # None for `train_step`
        assert adds or not result.loss.any()
        self.epochs.append(SimpleNamespace(
            values=values, samples=samples, loss=loss, optimizer=optimizer, active=active, threads=threads
        ))  # fmt: skip
        steps = -(-samples.x.shape[-2] // samples.batch_size)
        if self.interrupt:
            result.steps[...] = 0 if isinstance(self.interrupt, ValueError) else 3  # which comes before any step
            raise self.interrupt
        values += 1
        result.loss[...], result.hits[...], result.diverged[...] = 5.0, 4, self.diverged
        result.steps[...] = np.where(result.diverged, result.diverged - 1, steps)
        if active is not None:
            result.steps[~active] = 0

    def step(self, values, gradients, optimizer):
        self.steps.append((gradients.copy(), optimizer))
        values -= optimizer.rates * gradients

    def predict(self, values, x, *, statistics=(), threads=1):  # noqa: ARG002 - it takes what the real one takes
        return np.full((*values.shape[:-1], x.shape[-2], 1), 0.25, x.dtype)


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.setattr(engines, "DEFAULT", "auto")


@pytest.fixture
def pretended(monkeypatch):
    native = Pretended()
    monkeypatch.setattr(compiled, "load_native", lambda: (native, ""))
    monkeypatch.setattr(engines, "disagreement", lambda _: "")  # zeros are no training
    monkeypatch.setattr(native_engine, "_STRETCH", 0)  # a call for each epoch
    return native


@pytest.fixture
def absent(monkeypatch):
    monkeypatch.setattr(compiled, "load_native", lambda: (None, "minidl-native is not installed"))


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
    first, second = pretended.epochs
    assert first.values is model.values
    assert (first.samples.x is X, first.samples.y is Y) == (True, True)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(first.samples.order, rng.permutation(10))
    np.testing.assert_array_equal(second.samples.order, rng.permutation(10))
    assert first.samples.batch_size == 3
    assert first.loss == ("BCEWithLogitsLoss", True, 0.0, {"pos_weight": 1.0, "ceiling": np.inf}, False, 0.0)
    assert (first.optimizer.t, second.optimizer.t) == (0, 4)
    np.testing.assert_allclose(first.optimizer.rates, 0.1 * np.arange(1, 5) ** -0.5)
    np.testing.assert_allclose(second.optimizer.rates, 0.1 * np.arange(5, 9) ** -0.5)
    assert first.optimizer.kind == "SGD"
    assert first.optimizer.settings == optimizer.state().settings
    assert first.optimizer.vectors["velocity"] is optimizer.velocity
    assert (history.loss, history.accuracy, history.engine) == ([0.5, 0.5], [0.4, 0.4], "native")
    np.testing.assert_array_equal(model.values, before + 1 + 1)
    assert optimizer.t == 8
    assert history.to_dict()["engine"] == "native"


def test_short_epochs_come_in_one_call(pretended, monkeypatch):
    monkeypatch.setattr(native_engine, "_STRETCH", 2**20)
    model, rng = build(), np.random.default_rng(0)
    optimizer, expected = minidl.SGD(model, 0.01), np.random.default_rng(0)
    history = fit(model, optimizer=optimizer, epochs=3, rng=rng, y=Y + 0.5)
    (call,) = pretended.epochs
    np.testing.assert_array_equal(call.samples.order, [expected.permutation(10) for _ in range(3)])
    assert (history.loss, history.accuracy, optimizer.t) == ([0.5] * 3, [], 3 * 4)
    assert rng.bit_generator.state == expected.bit_generator.state
    pretended.diverged = 2
    with pytest.raises(minidl.DivergenceError, match="epoch 4, batch 2"):
        fit(model, optimizer=optimizer, epochs=3, rng=rng, history=history)
    expected.permutation(10)
    assert rng.bit_generator.state == expected.bit_generator.state
    assert len(history) == 3


def test_a_momentum_that_is_set_later_begins_at_zero(pretended):
    model = build()
    optimizer = minidl.SGD(model, 0.01)
    fit(model, optimizer=optimizer)
    assert pretended.epochs[0].optimizer.vectors["velocity"] is None
    optimizer.momentum = 0.5
    fit(model, optimizer=optimizer)
    velocity = pretended.epochs[-1].optimizer.vectors["velocity"]
    np.testing.assert_array_equal(velocity, np.zeros_like(model.values))
    assert velocity is optimizer.velocity


def test_adam_hands_over_its_moments_and_a_fixed_rate(pretended):
    model = build()
    optimizer = minidl.Adam(model, 0.25)
    fit(model, optimizer=optimizer, y=Y + 0.5)
    given = pretended.epochs[0]
    assert given.loss.threshold is None
    assert given.optimizer.rates == 0.25
    assert given.optimizer.vectors["m"] is optimizer.m
    assert given.optimizer.vectors["v"] is optimizer.v
    assert given.optimizer.settings["beta2"] == 0.999


def test_layers_with_rates_of_their_own_hand_over_none(pretended):
    model = build(lr=0.5)
    model[3].lr = 0.25
    fit(model, optimizer=minidl.SGD(model))
    assert pretended.epochs[0].optimizer.rates is None
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
    given = pretended.epochs[0]
    assert given.samples.x is x
    order = given.samples.order
    assert (given.samples.y.dtype, order.shape, given.threads) == (np.int64, (3, 10), 2)
    np.testing.assert_array_equal(order[1], np.random.default_rng(2).permutation(10))
    np.testing.assert_array_equal(given.optimizer.rates, [[0.1, 0.2, 0.3]] * 4)
    assert given.active.all()
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
    np.testing.assert_array_equal(pretended.epochs[1].active, [False, True])
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


@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeoutError])
def test_an_error_out_of_a_signal_handler_leaves_the_steps_counted(pretended, error):
    model = build()
    optimizer = minidl.Adam(model)

    def interrupt(*_):
        pretended.interrupt = error()

    with pytest.raises(error) as caught:
        fit(model, optimizer=optimizer, callbacks=[interrupt])
    assert error is not KeyboardInterrupt or len(caught.value.history) == 1
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


class TestPredictedAgain:
    """A prediction like the last one is made without choosing an engine anew."""

    @pytest.fixture
    def chosen(self, pretended, monkeypatch):  # noqa: ARG002 - a fixture for what it does
        """Return a model that has predicted, and a list that tells how often an engine is chosen from now on."""
        model, calls = build(), []
        minidl.predict(model, X)
        choose = predict_module.choose_engine
        monkeypatch.setattr(predict_module, "choose_engine", lambda *args: calls.append(1) or choose(*args))
        return model, calls

    def test_nothing_is_chosen_anew(self, chosen):
        model, calls = chosen
        for count in (10, 1, 0):
            np.testing.assert_array_equal(minidl.predict(model, X[:count]), np.full((count, 1), 0.25))
        assert not calls

    @pytest.mark.parametrize(
        "options", [{"batch_size": 3}, {"threads": 1}, {"engine": "native"}, {"engine": "numpy"}], ids=str
    )
    def test_options_are_minded(self, chosen, options):
        model, calls = chosen
        assert (minidl.predict(model, X, **options)[0, 0] == 0.25) == (options != {"engine": "numpy"})
        assert calls == [1]

    def test_the_engine_by_its_name_is_chosen_once(self, chosen):
        model, calls = chosen
        for _ in range(3):
            minidl.predict(model, X, engine="native")
        assert calls == [1]

    @pytest.mark.parametrize("x", [X[:, None], X[0]], ids=["more axes", "one axis"])
    def test_what_the_layers_compute_is_left_to_them(self, chosen, x):
        model, calls = chosen
        np.testing.assert_array_equal(minidl.predict(model, x), model.infer(x))
        assert calls == [1]

    @pytest.mark.parametrize(("x", "error"), [(X[:, :1], ValueError), (X.astype(np.float64), TypeError)])
    def test_what_fits_no_layer_is_refused(self, chosen, x, error):
        model, _ = chosen
        with pytest.raises(error, match="Linear"):
            minidl.predict(model, x)

    def test_another_setting_compiles_the_network_anew(self, chosen, pretended):
        model, calls = chosen
        model[1].alpha = 0.5
        minidl.predict(model, X)
        assert (len(calls), len(pretended.networks)) == (1, 2)

    def test_a_replaced_method_is_obeyed(self, chosen, monkeypatch):
        model, _ = chosen
        with monkeypatch.context() as patch:
            patch.setattr(minidl.LeakyReLU, "infer", lambda _, x: 0 * x)
            np.testing.assert_array_equal(minidl.predict(model, X), np.zeros((10, 1)) + model[3].bias)
        np.testing.assert_array_equal(minidl.predict(model, X), np.full((10, 1), 0.25))

    @pytest.mark.parametrize("engine", ["", "fast"])
    def test_another_name_is_refused_after_a_training_too(self, pretended, engine):  # noqa: ARG002 - a fixture for what it does
        model = build()
        fit(model)
        with pytest.raises(ValueError, match="predict: expected engine 'auto', 'numpy' or 'native'"):
            minidl.predict(model, X, engine=engine)

    def test_replicates_choose_each_time(self, pretended):  # noqa: ARG002 - a fixture for what it does
        many = minidl.replicate(build, range(2))
        for _ in range(3):
            np.testing.assert_array_equal(minidl.predict(many, X), np.full((2, 10, 1), 0.25))


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


class TestNothingIsHidden:
    """Where a method of a known kind is not minidl's own, NumPy runs it and the history says so."""

    METHODS = (
        (minidl.LeakyReLU, "backward"),
        (minidl.Linear, "infer"),
        (minidl.Module, "__call__"),
        (minidl.Dropout, "_draw_uniform"),
        (minidl.Sequential, "forward"),
        (minidl.MSELoss, "backward"),
        (minidl.Loss, "reduce"),
        (minidl.SGD, "step"),
        (minidl.Optimizer, "gradient"),
    )

    @pytest.mark.parametrize(("kind", "name"), METHODS, ids=lambda value: getattr(value, "__name__", value))
    def test_a_replaced_method_of_a_class(self, pretended, monkeypatch, kind, name):  # noqa: ARG002 - a fixture for what it does
        model, calls = build(), []
        assert fit(model).engine == "native"
        original = getattr(kind, name)

        def mine(self, *args, **options):
            calls.append(name)
            return original(self, *args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(kind, name, mine)
            history = fit(model)
            assert history.engine == f"numpy ({kind.__name__}.{name} is not minidl's own)"
            assert calls or name == "__call__"
            with pytest.raises(ValueError, match=rf"{kind.__name__}\.{name} is not minidl's own"):
                fit(model, engine="native")
        assert fit(model).engine == "native"

    def test_a_method_that_is_added_to_a_class(self, pretended, monkeypatch):  # noqa: ARG002 - a fixture for what it does
        model = build()
        minidl.predict(model, X)
        monkeypatch.setattr(minidl.LeakyReLU, "update", lambda *_: None, raising=False)
        assert fit(model).engine == "numpy (LeakyReLU.update is not minidl's own)"

    @pytest.mark.parametrize("call", ["fit", "predict"])
    def test_a_replaced_method_of_one_layer(self, pretended, call):  # noqa: ARG002 - a fixture for what it does
        model = build()
        fit(model)
        model[1].infer = lambda x: x
        if call == "fit":
            assert fit(model).engine == "numpy (LeakyReLU.infer is not minidl's own)"
        else:
            assert minidl.predict(model, X).ravel()[0] != 0.25

    @pytest.mark.parametrize("thing", ["loss", "optimizer"])
    def test_a_replaced_method_of_one_loss_or_optimizer(self, pretended, thing):  # noqa: ARG002 - a fixture for what it does
        model = build()
        things = {"loss": minidl.MSELoss(), "optimizer": minidl.SGD(model, 0.1)}
        name = "backward" if thing == "loss" else "step"
        setattr(things[thing], name, getattr(things[thing], name))
        kind = type(things[thing]).__name__
        assert fit(model, **things).engine == f"numpy ({kind}.{name} is not minidl's own)"

    def test_a_callback_that_replaces_a_method_is_obeyed_from_the_next_epoch_on(self, pretended, monkeypatch):
        model, calls = build(), []

        def replace(*_):
            original = minidl.LeakyReLU.backward
            monkeypatch.setattr(
                minidl.LeakyReLU, "backward", lambda *args, **options: calls.append(1) or original(*args, **options)
            )

        history = fit(model, callbacks=[replace])
        assert len(pretended.epochs) == 1
        assert calls
        assert history.engine == "native, then numpy (LeakyReLU.backward is not minidl's own)"

    @pytest.mark.parametrize("where", ["loss class", "loss", "optimizer class"])
    def test_a_callback_that_replaces_a_method_of_loss_or_optimizer_is_obeyed(self, pretended, monkeypatch, where):
        model, calls, loss = build(), [], minidl.MSELoss()
        optimizer = minidl.SGD(model, 0.01)
        thing, name = {
            "loss class": (minidl.MSELoss, "backward"),
            "loss": (loss, "backward"),
            "optimizer class": (minidl.SGD, "step"),
        }[where]
        original = getattr(thing, name)

        def replace(*_):
            monkeypatch.setattr(thing, name, lambda *args, **options: calls.append(1) or original(*args, **options))

        history = fit(model, loss, optimizer, callbacks=[replace])
        assert len(pretended.epochs) == 1
        assert calls
        assert history.engine.startswith("native, then numpy (")

    def test_native_steps_give_way_to_a_replaced_step(self, pretended, monkeypatch):
        model, calls = build(), []
        minidl.predict(model, X)
        pretended.networks[0].worthwhile, pretended.one_pass = False, True
        original = minidl.Adam.step

        def replace(*_):
            monkeypatch.setattr(minidl.Adam, "step", lambda self: calls.append(1) or original(self))

        fit(model, optimizer=minidl.Adam(model), callbacks=[replace])
        assert (len(pretended.steps), len(calls)) == (4, 4)

    def test_a_second_import_does_not_make_a_patch_original(self, pretended, monkeypatch):  # noqa: ARG002 - a fixture for what it does
        monkeypatch.setattr(minidl.LeakyReLU, "backward", lambda *_, **__: None)
        originals.remember_originals()
        assert originals.replaced_in(minidl.LeakyReLU) == "LeakyReLU.backward"

    def test_an_object_of_another_class_and_an_added_descriptor(self, pretended, monkeypatch):  # noqa: ARG002 - a fixture for what it does
        model = build()
        minidl.predict(model, X)
        model[1].__class__ = type("Mine", (minidl.LeakyReLU,), {})
        assert not model.compiled.is_current()
        monkeypatch.setattr(minidl.SGD, "gradient", functools.partialmethod(minidl.Optimizer.gradient), raising=False)
        assert fit(build()).engine == "numpy (SGD.gradient is not minidl's own)"

    def test_the_layers_of_a_chain_cannot_be_replaced(self):
        with pytest.raises(AttributeError):
            build().layers = ()

    def test_a_subclass_of_the_same_name(self, pretended):  # noqa: ARG002 - a fixture for what it does
        own = type("MSELoss", (minidl.MSELoss,), {})
        assert fit(build(), own()).engine == "numpy (MSELoss is not one that it knows)"


class TestTheVariable:
    """MINIDL_ENGINE is the engine where none is given."""

    def test_it_sets_the_default(self, pretended, monkeypatch):  # noqa: ARG002 - a fixture for what it does
        model = build()
        for name, words in (("numpy", "numpy"), ("native", "native"), ("auto", "native")):
            monkeypatch.setattr(engines, "DEFAULT", name)
            assert fit(model).engine == (words if words == "native" else "numpy (MINIDL_ENGINE=numpy)")
            assert (minidl.predict(model, X)[0, 0] == 0.25) == (words == "native")
            assert f"engine: {words}" in minidl.summary(model)

    @pytest.mark.parametrize("name", ["numpy", "native"])
    def test_it_is_read_from_the_environment(self, name):
        code = "from minidl.training import engines; print(engines.DEFAULT)"
        environment = {**os.environ, "MINIDL_ENGINE": name}
        done = subprocess.run(  # noqa: S603 - a program of our own
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == name

    def test_a_summary_of_a_network_that_the_engine_cannot_run_says_why(self, pretended, monkeypatch):
        monkeypatch.setattr(engines, "DEFAULT", "native")
        pretended.refuses = "network"
        assert minidl.summary(build()).endswith("engine: numpy (layers[0]: it is round)")

    def test_an_argument_wins(self, pretended, monkeypatch):  # noqa: ARG002 - a fixture for what it does
        monkeypatch.setattr(engines, "DEFAULT", "numpy")
        assert fit(build(), engine="native").engine == "native"
        assert fit(build(), engine="auto").engine == "native"

    def test_another_name_is_refused(self, monkeypatch):
        monkeypatch.setattr(engines, "DEFAULT", "fast")
        with pytest.raises(
            ValueError, match="predict: expected MINIDL_ENGINE to be 'auto', 'numpy' or 'native', got 'f"
        ):
            minidl.predict(build(), X)


@pytest.mark.parametrize("call", ["predict", "evaluate"])
def test_a_wrong_batch_size_is_refused_in_the_name_of_who_was_called(call):
    call_with = {"predict": lambda **o: minidl.predict(build(), X, **o)}
    call_with["evaluate"] = lambda **o: minidl.evaluate(build(), minidl.MSELoss(), X, Y, **o)
    for engine in ("numpy", "auto"):
        with pytest.raises(ValueError, match=f"^{call}: expected batch_size to be at least 1, got 0"):
            call_with[call](batch_size=0, engine=engine)


class TestTrainStep:
    """One step through the door is one step by hand."""

    def test_on_numpy(self):
        model, twin = build(), build()
        one, other = minidl.Adam(model, 0.1), minidl.Adam(twin, 0.1)
        model.grads[...] = 1  # is forgotten
        for start in range(3):
            x, y, loss = X[start : start + 3], Y[start : start + 3], minidl.MSELoss("mean")
            value = minidl.train_step(model, loss, one, x, y, engine="numpy")
            assert value == float(loss.forward(twin.forward(x), y))
            twin.backward(loss.backward(), need_dx=False)
            other.step()
        np.testing.assert_array_equal(model.values, twin.values)
        assert one.t == 3

    def test_layers_are_in_training_mode_meanwhile(self):
        model = build().eval()
        state = model[2].generators[0].bit_generator.state
        minidl.train_step(model, minidl.MSELoss(), minidl.SGD(model, 0.1), X, Y, engine="numpy")
        assert model[2].generators[0].bit_generator.state != state
        assert not model.training
        assert not model[2].training

    def test_backward_runs_in_training_mode_too(self):
        class Halves(minidl.ReLU):
            def backward(self, dy, *, need_dx=True):
                return super().backward(dy, need_dx=need_dx) * (0.5 if self.training else 1)

        trained = []
        for step in (False, True):
            model = minidl.Sequential([minidl.Linear(2, 3, rng=0), Halves(), minidl.Linear(3, 1, rng=1)]).eval()
            arguments = (model, minidl.MSELoss(), minidl.SGD(model, 0.1), X, Y)
            minidl.train_step(*arguments) if step else minidl.fit(*arguments, epochs=1, batch_size=10)
            trained.append(model.values)
        np.testing.assert_allclose(*trained, rtol=1e-5)

    @pytest.mark.parametrize("bad", [0, 1, 2, 3])
    def test_arguments_of_another_kind_are_named(self, bad):
        model = build()
        arguments = [model, minidl.MSELoss(), minidl.SGD(model, 0.1), X, Y]
        arguments[bad] = [3, "mse", None, X.tolist()][bad]
        with pytest.raises(TypeError, match="train_step: expected"):
            minidl.train_step(*arguments)

    def test_a_nan_makes_no_step(self):
        model = build()
        optimizer, before = minidl.Adam(model), model.values.copy()
        assert np.isnan(minidl.train_step(model, minidl.MSELoss(), optimizer, X * np.nan, Y, engine="numpy"))
        np.testing.assert_array_equal(model.values, before)
        assert optimizer.t == 0

    def test_a_replicate_with_nan_makes_no_step_and_the_others_do(self):
        model = minidl.replicate(build, range(3))
        optimizer, before = minidl.Adam(model), model.values.copy()
        x = np.stack([X, X * np.nan, X])
        with np.errstate(invalid="ignore"):
            values = minidl.train_step(model, minidl.MSELoss(), optimizer, x, Y, engine="numpy")
        assert np.isnan(values).tolist() == [False, True, False]
        assert (model.values != before).any(axis=1).tolist() == [True, False, True]
        assert optimizer.m.any(axis=1).tolist() == [True, False, True]
        assert optimizer.t == 1

    def test_the_engine_is_given_one_batch(self, pretended):
        model = build()
        optimizer = minidl.Adam(model, 0.25)
        assert minidl.train_step(model, minidl.MSELoss("mean"), optimizer, X, Y) == 0.5
        (given,) = pretended.epochs
        assert given.samples.x is X
        assert (given.samples.order, given.samples.batch_size, given.optimizer.t) == (None, 10, 0)
        assert optimizer.t == 1

    def test_another_model_s_optimizer_is_refused(self):
        with pytest.raises(ValueError, match="train_step: expected an optimizer of this model"):
            minidl.train_step(build(), minidl.MSELoss(), minidl.SGD(build(), 0.1), X, Y)

    @pytest.mark.parametrize(
        ("x", "y"), [(X[:, :1], Y), (X, Y[:, 0]), (X, Y[:5]), (X.astype(float), Y), (X[:0], Y[:0])]
    )
    @pytest.mark.parametrize("engine", ["numpy", "auto"])
    def test_what_does_not_fit_is_named_and_nothing_changes(self, pretended, x, y, engine, unchanged):
        model, loss = build(), minidl.MSELoss()
        optimizer = minidl.Adam(model)
        model.grads[...] = 1
        minidl.predict(model, X)
        pretended.interrupt = ValueError("minidl_native: expected something else")
        words = r"Linear|MSELoss|as many targets as samples|at least one sample"
        state = (model.values, model.grads_to_read, optimizer.m, optimizer.v, model[2].generators, loss)
        with unchanged(*state), pytest.raises((ValueError, TypeError), match=words):
            minidl.train_step(model, loss, optimizer, x, y, engine=engine)
        assert optimizer.t == 0


def test_optimizers_with_many_operations_make_their_steps_natively_where_numpy_runs_the_network(pretended):
    model = build()
    minidl.predict(model, X)
    pretended.networks[0].worthwhile = False
    pretended.one_pass = True
    optimizer = minidl.Adam(model, 0.25)
    assert fit(model, optimizer=optimizer).engine.endswith("5,000 weights), steps native")
    assert len(pretended.steps) == optimizer.t == 8
    assert pretended.steps[0][1].rates == 0.25


def test_layers_with_rates_of_their_own_are_stepped_by_the_optimizer_itself(pretended):
    model = build(lr=0.5)
    model[3].lr = 0.25
    minidl.predict(model, X)
    pretended.networks[0].worthwhile = False
    pretended.one_pass = True
    fit(model, optimizer=minidl.Adam(model, None))
    assert not pretended.steps
