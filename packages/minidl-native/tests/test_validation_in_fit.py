"""`fit` with a validation set: the engine measures it in the call that trains, with the numbers of two calls."""

import numpy as np
import pytest

import minidl
import minidl_native
from minidl.training.notes import Notes

N, BATCH, EPOCHS = 30, 7, 9
STEPS = 5  # of an epoch; the last batch is short
RNG = np.random.default_rng(0)
X, HELD_X = (RNG.uniform(-1, 1, (count, 3)).astype(np.float32) for count in (N, 40))
Y, HELD_Y = ((x[:, :1] > x[:, 1:2]).astype(np.float32) for x in (X, HELD_X))
HELD_OUT = HELD_X, HELD_Y


def build(*inside, outputs=1):
    layers = [minidl.Linear(3, 8, rng=1), *(layer() for layer in inside), minidl.ReLU()]
    return minidl.Sequential([*layers, minidl.Linear(8, outputs, rng=2)])


class Told(minidl.Callback):
    """Notes what it is told; it lets some epochs be trained before it is called."""

    def __init__(self, ahead=np.inf):
        self.ahead, self.told = ahead, []

    def __call__(self, epoch, history):
        assert len(history.val_loss) == epoch
        self.told.append((epoch, *(np.asarray(history.last(name)).tobytes() for name in ("loss", "val_loss"))))

    def epochs_ahead(self):
        return self.ahead


class Fit:
    """A training whose arguments are always the same."""

    def __init__(self, model=build, loss=None, optimizer=None, **options):
        self.rng, self.model, self.history = np.random.default_rng(3), model(), minidl.History()
        make = optimizer or (lambda model: minidl.Adam(model, 0.01))
        self.optimizer, self.loss = make(self.model), loss or minidl.BCEWithLogitsLoss("mean")
        self.options = {"batch_size": BATCH, "rng": self.rng, "engine": "native", "validation": HELD_OUT, **options}

    def run(self, epochs=EPOCHS, **options):
        options = self.options | options
        x, y = options.pop("x", X), options.pop("y", Y)
        minidl.fit(self.model, self.loss, self.optimizer, x, y, epochs=epochs, history=self.history, **options)
        return self

    def all(self):
        """Return everything that a training changes, as bytes and texts."""
        memory = [one for one in self.optimizer.state().vectors.values() if one is not None]
        statistics = [array for module in self.model.modules() for array in module.statistics.values()]
        curves = [self.history.curve(name) for name in ("loss", "accuracy", "val_loss", "val_accuracy")]
        drawing = [self.rng, *(one for module in self.model.modules() for one in module.generators)]
        return (
            [array.tobytes() for array in (self.model.values, *memory, *statistics, *curves)],
            [str(one.bit_generator.state) for one in drawing],
            (self.optimizer.t, self.history.diverged, self.history.stopped),
        )


@pytest.fixture
def apart(monkeypatch):
    """Run a function with a validation set that is measured by itself after each epoch."""

    def run(function):
        with monkeypatch.context() as patch:
            patch.setattr(Notes, "validation_for", lambda *_: None)
            return function()

    return run


@pytest.fixture
def calls(epochs_of_calls):
    return epochs_of_calls(N)


@pytest.fixture
def evaluations(monkeypatch):
    """The numbers of samples that have been evaluated in a call of their own."""
    found, evaluate = [], minidl_native.Network.evaluate

    def counting(self, values, samples, *rest, **options):
        found.append(samples.x.shape[-2])
        return evaluate(self, values, samples, *rest, **options)

    monkeypatch.setattr(minidl_native.Network, "evaluate", counting)
    return found


CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
SINGLE = {
    "Adam": {},
    "a penalty": {"l2": 0.1, "loss": minidl.BCEWithLogitsLoss("sum")},
    "norm": {"model": lambda: build(lambda: minidl.BatchNorm1d(8))},
    "dropout": {"model": lambda: build(lambda: minidl.Dropout(0.2, rng=4))},
    "weights": {"validation": (*HELD_OUT, np.linspace(0, 2, len(HELD_X)))},
    "a split": {"validation": None, "validation_split": 0.3, "sample_weight": np.linspace(0, 2, N)},
    "no accuracy": {"accuracy": False},
    "numbers": {"loss": minidl.MSELoss(), "accuracy": None},
    "classes": {
        "model": lambda: build(outputs=3), "loss": minidl.CrossEntropyLoss("mean"), "y": CLASSES,
        "validation": (X[5:], CLASSES[5:]),
    },
    "strided": {"validation": (HELD_X[::2], HELD_Y[::2])},
    "two threads": {"threads": 2},
    "quantiles": {
        "model": lambda: build(outputs=2), "loss": minidl.QuantileLoss("mean", quantiles=(0.1, 0.9)), "accuracy": None
    },
}  # fmt: skip


@pytest.mark.parametrize("what", SINGLE)
def test_epochs_together_have_the_numbers_of_two_calls_each(what, calls, evaluations, apart):
    options = {"accuracy": True} | SINGLE[what]
    together, one_by_one, alone = (Fit(**options) for _ in range(3))
    together.run()
    assert (calls, evaluations) == ([EPOCHS], [])
    one_by_one.run(callbacks=[lambda *_: None])
    assert (calls, evaluations) == ([EPOCHS] + [1] * EPOCHS, [])
    apart(alone.run)
    assert len(evaluations) == EPOCHS
    assert together.all() == one_by_one.all() == alone.all()


def replicates():
    return minidl.replicate(lambda _: build(), range(3))


ALONE = {
    "no shuffling": {"shuffle": False},
    "a function for the order": {"shuffle": lambda: np.arange(N)},
    "replicates": {"model": replicates},
    "replicates with orders of their own": {"model": replicates, "rng": [0, 1, 2], "validation_split": 0.2},
    "a function for the rate": {"optimizer": lambda model: minidl.SGD(model, lambda t: 0.1 / t)},
}


@pytest.mark.parametrize("what", ALONE)
def test_an_epoch_that_is_trained_alone_is_measured_in_its_call(what, evaluations, apart):
    options = {"accuracy": True} | ALONE[what]
    if "validation_split" in options:
        options["validation"] = None
    ours, theirs = (Fit(**options) for _ in range(2))
    ours.run()
    assert not evaluations
    apart(theirs.run)
    assert ours.all() == theirs.all()


def test_replicates_that_stop_one_by_one(apart):
    ends = []
    for run in (lambda training: training.run, lambda training: lambda: apart(training.run)):
        options = {"callbacks": [minidl.EarlyStopping(patience=1, min_delta=0.01)], "validation": (X[:9], 1 - Y[:9])}
        training = Fit(replicates, **options)
        run(training)()
        ends.append(training.all())
    assert ends[0] == ends[1]
    assert training.history.stopped


def test_what_needs_predictions_is_measured_alone(calls, evaluations):
    Fit(metrics=["mae"]).run(4)
    assert (calls, evaluations) == ([1] * 4, [])


def test_checkpoints_and_streams_measure_it_alone(tmp_path, evaluations):
    Fit().run(3, callbacks=[minidl.Checkpoint(tmp_path / "training")])
    assert evaluations == [len(HELD_X)] * 3
    evaluations.clear()
    options = {"x": None, "y": None, "batch_size": None, "rng": None, "batches": [(X, Y), (X[:5], Y[:5])]}
    Fit(**options).run(3)
    assert evaluations == [len(HELD_X)] * 3


def test_a_long_validation_is_in_shorter_calls(calls, monkeypatch):
    monkeypatch.setattr("minidl.training.native_engine._STRETCH", 4 * (N + len(HELD_X)) * build().values.size)
    Fit().run()
    assert calls == [4, 4, 1]


def test_targets_that_a_callback_spoils_are_named(apart):
    errors = []
    for run in (lambda function: function(), apart):
        y = CLASSES[5:].copy()
        training = Fit(lambda: build(outputs=3), minidl.CrossEntropyLoss("mean"), y=CLASSES, validation=(X[5:], y))

        def spoil(epoch, _, y=y):
            y[3] = epoch + 1  # the third class is the last

        with pytest.raises(ValueError, match="from 0 to 2, got 3") as caught:
            run(lambda: training.run(callbacks=[spoil]))  # noqa: B023 - called here
        errors.append((str(caught.value), training.all()))
    assert errors[0] == errors[1]


def diverging(ahead):
    """A validation sample so large that its logits become infinite, and the loss nan, when the weights have grown."""
    x = np.array([[1, 1, 1], [3e38, 0, 0]], np.float32)
    return Fit(
        lambda: minidl.Linear(3, 2, std_w=1e-3, rng=0), minidl.CrossEntropyLoss("mean"),
        lambda model: minidl.SGD(model, 0.1), y=(X[:, 0] > 0).astype(int), validation=(x, np.array([0, 1])),
        callbacks=[Told(ahead)],
    )  # fmt: skip


def test_a_validation_loss_of_nan_ends_the_training_after_its_epoch(calls, apart):
    ends = []
    for ahead, run in ((np.inf, lambda function: function()), (1, apart)):
        training = diverging(ahead)
        with pytest.raises(minidl.DivergenceError, match="the validation loss is nan in epoch") as caught:
            run(lambda: training.run(200))  # noqa: B023 - called here
        told = training.options["callbacks"][0].told
        assert len(told) == len(training.history) - 1 == caught.value.epoch - 1
        ends.append((str(caught.value), caught.value.batch, told, training.all()))
    assert 2 < caught.value.epoch < 100
    assert calls[0] == 200
    assert ends[0] == ends[1]


def test_a_loss_of_nan_leaves_everything_as_it_was_before_that_batch(apart):
    ends = []
    for ahead, run in ((np.inf, lambda function: function()), (1, apart)):
        one = np.ones((N, 1), np.float32)
        training = Fit(
            lambda: minidl.Linear(1, 1, bias=False, rng=0), minidl.MSELoss("sum"), lambda model: minidl.SGD(model, 2.0),
            x=one, y=one, validation=(one[:5], one[:5]), callbacks=[Told(ahead)], accuracy=False,
        )  # fmt: skip
        with pytest.raises(minidl.DivergenceError) as caught, np.errstate(over="ignore"):
            run(lambda: training.run(50))  # noqa: B023 - called here
        ends.append((str(caught.value), training.options["callbacks"][0].told, training.all()))
    assert caught.value.epoch > 3
    assert ends[0] == ends[1]


def test_samples_that_are_not_finite_are_refused():
    bad = HELD_X.copy()
    bad[2, 1] = np.nan
    with pytest.raises(ValueError, match="fit: validation: expected finite samples, got others: x is not finite"):
        Fit(validation=(bad, HELD_Y)).run()


def test_replicates_whose_samples_are_not_finite_have_no_curve(apart):
    x = np.stack([HELD_X] * 3)
    x[1, 2] = np.inf
    ours, theirs = (Fit(replicates, validation=(x, HELD_Y)) for _ in range(2))
    ours.run(), apart(theirs.run)
    assert ours.all() == theirs.all()
    assert np.isnan(ours.history.curve("val_loss")).tolist() == [[False, True, False]] * EPOCHS


@pytest.mark.parametrize("steps", [0, 1, STEPS - 1, STEPS, STEPS + 1, 4 * STEPS, 4 * STEPS + 2, EPOCHS * STEPS])
def test_after_ctrl_c_the_training_goes_on_with_the_next_step(steps, monkeypatch, stopped_after):
    whole, training, told = Fit().run(), Fit(), Told()
    with monkeypatch.context() as patch:
        patch.setattr(minidl_native.Network, "train", stopped_after(steps))
        with pytest.raises(KeyboardInterrupt):
            training.run(callbacks=[told])
    finished = max(0, steps - 1) // STEPS
    assert (len(training.history), len(training.history.val_loss), training.optimizer.t) == (finished, finished, steps)
    assert [epoch for epoch, *_ in told.told] == list(range(1, finished + 1))
    training.run(EPOCHS - finished)
    assert training.all() == whole.all()
