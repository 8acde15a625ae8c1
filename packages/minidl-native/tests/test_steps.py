"""`train_step` again and again: a step is prepared once, and whatever changes between two steps counts."""

import copy
import gc
import importlib
import weakref
from types import FunctionType

import numpy as np
import pytest

import minidl

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (6, 3))
Y = RNG.uniform(0.1, 0.9, (6, 2))


def build():
    rng = np.random.default_rng(0)
    wide, narrow = (minidl.Linear(*widths, std_b=0.1, dtype="float64", rng=rng) for widths in ((3, 8), (8, 2)))
    return minidl.Sequential([wide, minidl.LeakyReLU(0.1), minidl.Dropout(0.2, rng=rng), narrow, minidl.Sigmoid()])


class Training:
    """A model that is trained step by step, and what may change between two steps."""

    def __init__(self, engine, make=minidl.Adam, loss=None):
        self.model, self.loss, self.engine = build(), loss or minidl.HuberLoss("mean", delta=0.2), engine
        self.optimizer, self.x, self.y, self.options = make(self.model, 0.01), X[:1], Y[:1], {}

    def step(self):
        return minidl.train_step(
            self.model, self.loss, self.optimizer, self.x, self.y, engine=self.engine, **self.options
        )


@pytest.fixture
def long_ways(monkeypatch):
    """Count the steps that are not prepared."""
    module = importlib.import_module("minidl.training.train_step")
    choose, calls = module.choose_engine_to_train, []
    monkeypatch.setattr(module, "choose_engine_to_train", lambda *a, **o: calls.append(1) or choose(*a, **o))
    return calls


def doubled(function):
    def twice(*args, **options):
        value = function(*args, **options)
        return value if value is None else 2 * value

    return twice


def change(name, value):
    """Return a change that assigns to a setting, such as ``optimizer.lr``."""
    *path, last = name.split(".")

    def apply(training, _):
        owner = training
        for part in path:
            owner = owner[int(part)] if part.isdecimal() else getattr(owner, part)
        setattr(owner, last, value(training) if isinstance(value, FunctionType) else value)

    return apply


def patch(kind, method):
    return lambda _, monkeypatch: monkeypatch.setattr(kind, method, doubled(vars(kind)[method]))


def patch_one(name, method):
    def apply(training, _):
        one = getattr(training, name)
        one = one[1] if name == "model" else one
        setattr(one, method, doubled(getattr(one, method)))

    return apply


def take_two_samples(training, _):
    training.x, training.y = X[1:3], Y[1:3]


CHANGES = {
    "lr": change("optimizer.lr", 0.5),
    "weight_decay": change("optimizer.weight_decay", 0.3),
    "clip": change("optimizer.clip", 1e-3),
    "beta1": change("optimizer.beta1", 0.1),
    "t": change("optimizer.t", 100),
    "m": change("optimizer.m", lambda training: np.ones_like(training.model.values)),
    "memory": change("optimizer._v", lambda training: np.ones_like(training.model.values)),
    "restart": lambda training, _: training.optimizer.restart(),
    "another optimizer": change("optimizer", lambda training: minidl.SGD(training.model, 0.1)),
    "reduction": change("loss.reduction", "sum"),
    "delta": change("loss.delta", 0.05),
    "another loss": change("loss", minidl.MSELoss()),
    "alpha": change("model.1.alpha", 0.5),
    "p_drop": change("model.2.p_drop", 0.5),
    "parameters": lambda training, _: training.model.values.__imul__(0.5),
    "a parameter": change("model.0.weight", lambda _: np.ones((8, 3))),
    "frozen": lambda training, _: training.model[0].freeze(),
    "a class": change("model.1.__class__", minidl.ReLU),
    "samples": take_two_samples,
    "threads": change("options", {"threads": 2}),
    "weights": change("options", {"sample_weight": np.array([0.3])}),
    "forward": patch(minidl.LeakyReLU, "forward"),
    "backward of a layer": patch(minidl.Linear, "backward"),
    "loss": patch(minidl.HuberLoss, "backward"),
    "optimizer": patch(minidl.optim.moments.Moments, "value_of"),
    "one forward": patch_one("model", "forward"),
    "one loss": patch_one("loss", "backward"),
    "one optimizer": patch_one("optimizer", "value_of"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_between_two_steps_counts(name, long_ways, monkeypatch):
    ours, theirs = Training("numpy"), Training(None)
    for training in (ours, theirs):
        losses = [training.step() for _ in range(3)]
        with monkeypatch.context() as patches:
            CHANGES[name](training, patches)
            training.losses = [*losses, *(training.step() for _ in range(3))]
    np.testing.assert_allclose(theirs.losses, ours.losses, rtol=1e-9)
    np.testing.assert_allclose(theirs.model.values, ours.model.values, rtol=1e-9)
    assert theirs.optimizer.t == ours.optimizer.t
    assert len(long_ways) < 6 + 6


@pytest.mark.parametrize("make", [minidl.SGD, minidl.Adam, minidl.AdamW, minidl.RMSprop])
def test_the_second_step_is_prepared(make, long_ways):
    ours, theirs = Training("numpy", make), Training(None, make)
    for _ in range(5):
        assert theirs.step() == pytest.approx(ours.step(), rel=1e-9)
    np.testing.assert_allclose(theirs.model.values, ours.model.values, rtol=1e-9)
    assert len(long_ways) == 5 + 1
    assert type(theirs.step()) is float


def test_rates_of_layers_and_of_schedules(long_ways):
    for rate in (None, lambda t: 0.1 / t):
        found = []
        for engine in ("numpy", None):
            training = Training(engine, minidl.SGD)
            training.model[0].lr, training.model[3].lr = (0.1, 0.2) if rate is None else (None, None)
            training.optimizer.lr = rate
            found.append([*(training.step() for _ in range(4)), *training.model.values])
        np.testing.assert_allclose(*found, rtol=1e-9)
    assert len(long_ways) == 2 * (4 + 1)


def test_a_momentum_that_is_set_later_gets_its_velocity():
    found = []
    for engine in ("numpy", None):
        training = Training(engine, minidl.SGD)
        training.step()
        training.optimizer.momentum = 0.9
        training.step()
        training.optimizer.velocity = None
        found.append([training.step(), training.step(), *training.optimizer.velocity])
    np.testing.assert_allclose(*found, rtol=1e-9)


@pytest.mark.parametrize(
    ("x", "y"),
    [(X[:1, :2], Y[:1]), (X[:1], Y[:2]), (X[:0], Y[:0]), (X[:1].astype("f4"), Y[:1]), (X[0], Y[0]), (X[:1], Y[0])],
)
def test_samples_that_do_not_fit_get_their_message_and_change_nothing(x, y):
    messages = []
    for steps in (0, 2):
        training = Training(None)
        for _ in range(steps):
            training.step()
        training.x, training.y = x, y
        before = copy.deepcopy((training.model.values, training.optimizer.m, training.optimizer.t))
        state = training.model[2].generators[0].bit_generator.state
        with pytest.raises((ValueError, TypeError)) as error:
            training.step()
        np.testing.assert_array_equal(training.model.values, before[0])
        np.testing.assert_array_equal(training.optimizer.m, before[1])
        assert (training.optimizer.t, training.model[2].generators[0].bit_generator.state) == (before[2], state)
        messages.append((str(error.value), error.value.__notes__ if hasattr(error.value, "__notes__") else []))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", ">i8"])
def test_classes_of_any_integer(dtype, long_ways):
    training = Training(None, loss=minidl.CrossEntropyLoss())
    training.y = np.array([1], dtype)
    losses = [training.step() for _ in range(4)]
    assert losses[-1] < losses[0]
    assert len(long_ways) < 4


def test_arrays_in_any_layout(long_ways):
    training, twin = Training(None), Training("numpy")
    for each in (training, twin):
        each.step()
        each.x, each.y = np.asfortranarray(X), Y[::-1]
        each.step()
        each.x = X[::2]
        each.y = Y[::2]
        each.step()
    np.testing.assert_allclose(training.model.values, twin.model.values, rtol=1e-9)
    assert len(long_ways) == 1 + 3


REFUSED = {
    "BCELoss": change("y", Y[:1] + 1),
    "delta": change("loss.delta", np.array([0.1, 0.2])),
    "expected parameters to train": lambda training, _: training.model.freeze(),
    "expected layers without learning rates of their own": change("model.3.lr", 0.1),
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_change_that_is_wrong_is_refused(words):
    training = Training(None, loss=minidl.BCELoss() if words == "BCELoss" else None)
    training.step()
    REFUSED[words](training, None)
    with pytest.raises(ValueError, match=words):
        training.step()
    assert training.optimizer.t == 1


def test_another_engine_and_arguments_of_another_kind(long_ways):
    training = Training(None)
    training.step()
    training.engine = "numpy"
    training.step()
    training.engine = "fast"
    with pytest.raises(ValueError, match="train_step: expected engine 'auto', 'numpy' or 'native', got 'fast'"):
        training.step()
    assert len(long_ways) == 3
    training.engine = None
    for name, value in (("model", None), ("loss", "mse"), ("optimizer", 3)):
        with pytest.raises(TypeError, match=f"train_step: expected {name} to be a"):
            minidl.train_step(
                **{"model": training.model, "loss": training.loss, "optimizer": training.optimizer, name: value},
                x=X,
                y=Y,
            )


def test_a_loss_of_nan_makes_no_step():
    training = Training(None)
    training.step()
    before = training.model.values.copy()
    training.x = X[:1] * np.nan
    assert np.isnan(training.step())
    np.testing.assert_array_equal(training.model.values, before)
    assert training.optimizer.t == 1


def test_gradients_of_before_are_forgotten():
    training = Training(None)
    training.step()
    training.model.grads[...] = 1
    training.step()
    assert not training.model.grads.any()


def test_an_exception_of_a_signal_handler_is_raised_and_the_step_counts(monkeypatch):
    training = Training(None)
    training.step()
    network = training.model.compiled.network
    train = network.train

    def interrupted(*args, **options):
        train(*args, **options)
        raise stop

    for stop in (KeyboardInterrupt("stop"), ValueError("stop")):
        with monkeypatch.context() as patches:
            patches.setattr(network, "train", interrupted)
            with pytest.raises(type(stop), match="stop"):
                training.step()
    assert training.optimizer.t == 3


def test_a_copy_prepares_its_own():
    training = Training(None)
    training.step()
    twin = copy.deepcopy(training)
    for each in (training, twin):
        each.step()
    np.testing.assert_array_equal(twin.model.values, training.model.values)
    assert twin.model.values is not training.model.values


def test_a_model_that_is_gone_leaves_nothing_behind():
    training = Training(None)
    training.step()
    training.step()
    model = weakref.ref(training.model)
    del training
    gc.collect()
    assert model() is None
