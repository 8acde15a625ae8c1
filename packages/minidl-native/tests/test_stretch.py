"""Several epochs in one call: every number is that of a call for each epoch, wherever the call ends."""

import functools
import os

import numpy as np
import pytest

import minidl
import minidl_native
from minidl.training import native_engine

N, BATCH, EPOCHS = 30, 7, 9
STEPS = 5  # of an epoch; the last batch is short
X = np.random.default_rng(0).uniform(-1, 1, (N, 3)).astype(np.float32)
Y = (X[:, :1] > X[:, 1:2]).astype(np.float32)


def build(layer=None, **options):
    inside = [] if layer is None else [layer()]
    return minidl.Sequential(
        [minidl.Linear(3, 8, rng=1, **options), *inside, minidl.ReLU(), minidl.Linear(8, 1, rng=2, **options)]
    )


class Fit:
    """A training whose arguments are always the same."""

    def __init__(self, model=build, optimizer=lambda model: minidl.Adam(model, 0.01), loss=None, **options):
        self.rng, self.model = np.random.default_rng(3), model()
        self.optimizer, self.loss = optimizer(self.model), loss or minidl.BCEWithLogitsLoss("mean")
        self.options = {"batch_size": BATCH, "rng": self.rng, "engine": "native", "accuracy": True, **options}
        self.history, self.calls = minidl.History(), []

    def run(self, epochs=EPOCHS, *, alone=False, **options):
        """Train; `alone` has a callback, which looks at each epoch."""
        options = self.options | options | ({"callbacks": [lambda *_: None]} if alone else {})
        x, y = options.pop("x", X), options.pop("y", Y)
        minidl.fit(self.model, self.loss, self.optimizer, x, y, epochs=epochs, history=self.history, **options)
        return self

    def all(self):
        """Return everything that a training changes, as bytes and texts."""
        memory = [one for one in self.optimizer.state().vectors.values() if one is not None]
        statistics = [array for module in self.model.modules() for array in module.statistics.values()]
        curves = [self.history.curve(name) for name in ("loss", "accuracy")]
        drawing = [self.rng, *(one for module in self.model.modules() for one in module.generators)]
        arrays = [self.model.values, *memory, *statistics, *curves]
        return (
            [array.tobytes() for array in arrays],
            [str(one.bit_generator.state) for one in drawing],
            self.optimizer.t,
        )


@pytest.fixture
def calls(epochs_of_calls):
    return epochs_of_calls(N)


TOGETHER = {
    "Adam": {},
    "a decaying rate": {"optimizer": lambda model: minidl.SGD(model, kappa=0.5, eta=0.1, momentum=0.5)},
    "a schedule": {"optimizer": lambda model: minidl.Adam(model, minidl.OneCycleSchedule(0.05, EPOCHS * STEPS))},
    "rates of layers": {"model": lambda: build(lr=0.1), "optimizer": minidl.SGD},
    "weights": {"sample_weight": np.linspace(0, 2, N)},
    "a penalty": {"l2": 0.1, "loss": minidl.BCEWithLogitsLoss("sum")},
    "rows": {"rows": np.arange(3, 20)},
    "all in one batch": {"batch_size": 100},
    "norm": {"model": lambda: build(lambda: minidl.BatchNorm1d(8))},
    "dropout": {"model": lambda: build(lambda: minidl.Dropout(0.2, rng=4))},
    "MT19937": {"rng": lambda: np.random.Generator(np.random.MT19937(5))},
}


@pytest.mark.parametrize("what", TOGETHER)
def test_epochs_together_have_the_numbers_of_epochs_alone(what, calls):
    together, alone = (Fit(**TOGETHER[what]) for _ in range(2))
    for one in (together, alone):
        if what == "MT19937":
            one.options["rng"] = one.rng = TOGETHER[what]["rng"]()
    together.run()
    assert calls == [EPOCHS]
    alone.run(alone=True)
    assert calls == [EPOCHS] + [1] * EPOCHS
    assert together.all() == alone.all()


def test_long_epochs_come_in_several_calls(calls, monkeypatch):
    monkeypatch.setattr(native_engine, "_STRETCH", 4 * N * build().values.size)
    together = Fit().run()
    assert calls == [4, 4, 1]
    assert together.all() == Fit().run(alone=True).all()
    calls.clear()
    monkeypatch.setattr(native_engine, "_ORDERS", 3 * N)
    Fit().run()
    assert calls == [3, 3, 3]


class OwnGenerator(np.random.Generator):
    """One that may draw in its own way."""


def shared_dropout(rng):
    return lambda: build(lambda: minidl.Dropout(0.2, rng=rng))


ALONE = {
    "a function for the order": {"shuffle": lambda: np.arange(N)},
    "no shuffling": {"shuffle": False},
    "a function for the rate": {"optimizer": lambda model: minidl.SGD(model, lambda t: 0.1 / t)},
    "a generator of one's own": {"rng": OwnGenerator(np.random.PCG64(0))},
    "replicates": {"model": lambda: minidl.replicate(lambda _: build(), range(2))},
    "dropout that draws from the generator of the orders": {},
}


@pytest.mark.parametrize("what", ALONE)
def test_where_something_runs_between_two_epochs_each_is_alone(what, calls):
    options = dict(ALONE[what])
    if what.startswith("dropout"):
        options["rng"] = rng = np.random.default_rng(0)
        options["model"] = shared_dropout(rng)
    Fit(**options).run(4)
    assert calls == [1] * 4


def test_checkpoints_see_each_epoch(calls, tmp_path):
    Fit().run(4, callbacks=[minidl.Checkpoint(tmp_path / "training")])
    assert calls == [1] * 4


def growing():
    """A training that diverges after some epochs: each step makes the error about 27 times larger."""
    one = np.ones((N, 1), np.float32)
    model = lambda: minidl.Linear(1, 1, bias=False, rng=0)  # noqa: E731 - as short as its formula
    return Fit(model, lambda model: minidl.SGD(model, 2.0), minidl.MSELoss("sum"), accuracy=None, x=one, y=one)


def test_a_loss_of_nan_leaves_everything_as_it_was_before_that_batch(calls):
    errors, ends = [], []
    for alone in (False, True):
        training = growing()
        with pytest.raises(minidl.DivergenceError) as caught, np.errstate(over="ignore"):
            training.run(50, alone=alone)
        error = caught.value
        assert error.history is training.history
        errors.append((error.epoch, error.batch, str(error), len(error.history)))
        ends.append(training.all())
    assert 3 < errors[0][0] == errors[0][3] + 1
    assert calls[0] == 50
    assert errors[0] == errors[1]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("steps", [0, 1, STEPS - 1, STEPS, STEPS + 1, 4 * STEPS, 4 * STEPS + 2, EPOCHS * STEPS])
@pytest.mark.parametrize("options", [{}, {"sample_weight": np.linspace(0, 2, N)}], ids=["plain", "weights"])
def test_after_ctrl_c_the_training_goes_on_with_the_next_step(steps, options, monkeypatch, stopped_after):
    whole, training = Fit(**options).run(alone=True), Fit(**options)
    with monkeypatch.context() as patch:
        patch.setattr(minidl_native.Network, "train", stopped_after(steps))
        with pytest.raises(KeyboardInterrupt) as caught:
            training.run()
    assert caught.value.history is training.history
    position = training.history.interrupted.position
    epoch = max(0, steps - 1) // STEPS + 1
    assert (position.epoch, position.done, position.t) == (epoch, steps - (epoch - 1) * STEPS, (epoch - 1) * STEPS)
    assert (len(training.history), training.optimizer.t) == (epoch - 1, steps)
    orders = np.random.default_rng(3)
    expected = [orders.permutation(N) for _ in range(epoch)]
    np.testing.assert_array_equal(position.order, expected[-1])
    assert training.rng.bit_generator.state == orders.bit_generator.state
    training.run(EPOCHS - len(training.history))
    assert training.all() == whole.all()


def test_another_error_of_a_signals_handler_leaves_what_was_done(monkeypatch, stopped_after):
    training, orders = Fit(), np.random.default_rng(3)
    with monkeypatch.context() as patch:
        patch.setattr(minidl_native.Network, "train", stopped_after(2 * STEPS + 1, TimeoutError))
        with pytest.raises(TimeoutError):
            training.run()
    assert (len(training.history), training.optimizer.t) == (2, 2 * STEPS + 1)
    for _ in range(3):
        orders.permutation(N)
    assert training.rng.bit_generator.state == orders.bit_generator.state


def test_a_method_that_is_replaced_before_the_call_is_used(calls, monkeypatch):
    current, step = native_engine.NativeEngine.current, minidl.Adam.step

    def replaced_meanwhile(engine, training=None):
        monkeypatch.setattr(minidl.Adam, "step", functools.partialmethod(step))
        return current(engine, training)

    expected = Fit(engine="numpy").run()
    monkeypatch.setattr(native_engine.NativeEngine, "current", replaced_meanwhile)
    training = Fit(engine="auto").run()
    assert training.history.engine == "native, then numpy (Adam.step is not minidl's own)"
    assert training.all() == expected.all()
    assert calls == []


SIGNALS = """
import os, signal, threading, time
import numpy as np
import minidl
from minidl.training import native_engine

native_engine._STRETCH = native_engine._ORDERS = 2**62  # so long that the engine looks for signals in a call
EPOCHS, N = 400, 1000
rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (N, 2)).astype(np.float32)
y = (x[:, :1] > x[:, 1:]).astype(np.float32)

class Training:
    def __init__(self):
        self.rng, inside = np.random.default_rng(1), [minidl.BatchNorm1d(16), minidl.ReLU(), minidl.Dropout(0.1, rng=2)]
        self.model = minidl.Sequential([minidl.Linear(2, 16, rng=3), *inside, minidl.Linear(16, 1, rng=4)])
        self.optimizer, self.history = minidl.Adam(self.model, 1e-3), minidl.History()

    def run(self, **options):
        epochs = EPOCHS - len(self.history)
        options |= {"epochs": epochs, "batch_size": 4, "rng": self.rng, "engine": "native", "history": self.history}
        minidl.fit(self.model, minidl.BCEWithLogitsLoss("mean"), self.optimizer, x, y, **options)

    def all(self):
        arrays = [self.model.values, self.optimizer.m, self.history.curve("loss"), self.history.curve("accuracy")]
        arrays += self.model[1].statistics.values()
        states = [one.bit_generator.state for one in (self.rng, *self.model[3].generators)]
        return [array.tobytes() for array in arrays], states, self.optimizer.t

whole, training = Training(), Training()
began = time.monotonic()
whole.run(callbacks=[lambda *_: None])
pause = (time.monotonic() - began) / 4
middle = 0
while len(training.history) < EPOCHS:
    timer = threading.Timer(pause, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        training.run()
        timer.cancel()
    except KeyboardInterrupt:
        position = training.history.interrupted.position
        middle += position is not None and 0 < position.done < N // 4 and position.epoch < EPOCHS
    timer.join()
assert middle, "was not interrupted in the middle of a call"
assert training.all() == whole.all()
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_in_the_middle_of_a_call(run_script):
    run_script(SIGNALS, timeout=120)
