"""A validation set that `Network.train` measures after each epoch: the bits are those of `Network.evaluate`."""

import numpy as np
import pytest

import minidl
from minidl_native import EpochResult, LossRecord, Samples, UnsupportedError, Validation

N, BATCH, EPOCHS = 60, 8, 4
ROWS = 2400  # which three threads may share
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((N, 5)), RNG.integers(0, 3, N)
HELD_X, HELD_Y, WEIGHTS = RNG.standard_normal((ROWS, 5)), RNG.integers(0, 3, ROWS), RNG.uniform(0, 2, ROWS)
ORDERS = np.stack([RNG.permutation(N) for _ in range(EPOCHS)])
LOSS = LossRecord("CrossEntropyLoss", mean=True, threshold=0.5, settings={"label_smoothing": 0.0, "ceiling": np.inf})


def build(rng=0, dtype="float64", width=700):
    rng = np.random.default_rng(rng)
    layers = [
        minidl.Linear(5, width, rng=rng, dtype=dtype, bias=False), minidl.BatchNorm1d(width, dtype=dtype),
        minidl.ReLU(), minidl.Dropout(0.2, rng=rng), minidl.Linear(width, 3, rng=rng, dtype=dtype),
    ]  # fmt: skip
    return minidl.Sequential(layers)


class Engine:
    """A network, with what a training of it changes."""

    def __init__(self, trained, core, model, isa=""):
        self.network, self.model = trained.network_of(model, isa), model
        self.statistics = [
            {name: array.copy() for name, array in module.statistics.items()}
            for module in model.modules()
            if module.statistics
        ]
        self.record = core.optimizer_record(minidl.Adam(model, 0.01), 1)._replace(rates=0.01)

    def train(self, order, result, *, t=0, **options):
        x = X.astype(self.model.dtype)
        samples, record = Samples(x, Y, order, BATCH), self.record._replace(t=t)
        self.network.train(self.model.values, samples, LOSS, record, result, statistics=self.statistics, **options)

    def evaluate(self, held_out, shape=()):
        result = EpochResult.empty(shape)
        self.network.evaluate(self.model.values, held_out, LOSS, result, statistics=self.statistics)
        return result


def held_out(dtype="float64", weights=None):
    return Samples(HELD_X.astype(dtype), HELD_Y, None, 1, weights)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_each_epoch_has_the_numbers_of_an_evaluation_behind_it(trained, core, isa, dtype, threads, weights):
    together, alone = (Engine(trained, core, build(dtype=dtype), isa) for _ in range(2))
    samples, found = held_out(dtype, weights), EpochResult.empty((EPOCHS,))
    result = EpochResult.empty((EPOCHS,))
    together.train(ORDERS, result, validation=Validation(samples, LOSS, found), threads=threads)
    for epoch, order in enumerate(ORDERS):
        own = EpochResult.empty(())
        alone.train(order, own, t=epoch * int(result.steps[0]))
        expected = alone.evaluate(samples)
        assert (found.loss[epoch], found.hits[epoch]) == (expected.loss, expected.hits)
        assert result.loss[epoch] == own.loss
    np.testing.assert_array_equal(together.model.values, alone.model.values)
    assert not found.steps.any()


@pytest.mark.parametrize("threads", [1, 2])
def test_replicates_are_measured_each_and_only_those_that_are_trained(trained, core, threads):
    engine = Engine(trained, core, minidl.replicate(lambda rng: build(rng, width=9), range(3)))
    found, active = EpochResult.empty((3,)), np.array([True, False, True])
    validation = Validation(held_out(), LOSS._replace(l2=7.0), found)
    engine.train(ORDERS[0], EpochResult.empty((3,)), validation=validation, active=active, threads=threads)
    expected = engine.evaluate(held_out(), (3,))
    np.testing.assert_array_equal(found.loss, np.where(active, expected.loss, np.nan))
    np.testing.assert_array_equal(found.hits, np.where(active, expected.hits, 0))


def test_a_loss_of_nan_ends_the_training(trained, core):
    engine = Engine(trained, core, build(width=9))
    samples, found, result = held_out(), EpochResult.empty((EPOCHS,)), EpochResult.empty((EPOCHS,))
    samples.x[7] = np.nan
    engine.train(ORDERS, result, validation=Validation(samples, LOSS, found))
    assert np.isnan(found.loss).all()
    assert result.steps.tolist() == [-(-N // BATCH), 0, 0, 0]
    assert not result.diverged.any()


def test_an_epoch_that_diverged_is_not_measured(trained, core):
    engine = Engine(trained, core, build(width=9))
    found, result = EpochResult.empty((EPOCHS,)), EpochResult.empty((EPOCHS,))
    engine.record = engine.record._replace(rates=np.repeat([0.01, np.inf], [10, 22]))
    engine.train(ORDERS, result, validation=Validation(held_out(), LOSS, found))
    assert np.isfinite(found.loss).tolist() == [True, False, False, False]
    assert result.diverged.tolist() == [0, 4, 0, 0]


SIZE = build(width=9).values.size


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"result": EpochResult.empty(())}, ValueError, "loss of shape"),
        (
            {"result": EpochResult.empty((EPOCHS,))._replace(states=np.zeros((EPOCHS, SIZE)))},
            ValueError,
            "states of None",
        ),
        ({"result": EpochResult.empty((EPOCHS + 1,))}, ValueError, "loss of shape"),
        ({"samples": Samples(HELD_X[:, :4].copy(), HELD_Y, None, 1)}, ValueError, "x of shape"),
        ({"samples": Samples(HELD_X, HELD_Y[1:], None, 1)}, ValueError, "y of shape"),
        ({"samples": Samples(HELD_X, HELD_Y + 1, None, 1)}, ValueError, "class indices"),
        ({"samples": Samples(HELD_X.astype(np.float32), HELD_Y, None, 1)}, TypeError, "x to be float64"),
        ({"samples": Samples(HELD_X, HELD_Y, np.zeros((EPOCHS, 2), int), 1)}, ValueError, "order of shape"),
        ({"loss": LOSS._replace(settings={})}, ValueError, ""),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_before_anything_changes(trained, core, changes, error, words):
    assert_refused(trained, core, good()._replace(**changes), error, f"minidl_native: validation: expected {words}")


@pytest.mark.parametrize(
    ("validation", "error", "words"),
    [
        (5, TypeError, "expected validation to be a Validation, got int"),
        (
            (held_out(), LOSS, EpochResult.empty((EPOCHS,))),
            TypeError,
            "expected validation to be a Validation, got tuple",
        ),
        (Validation((1, 2), LOSS, EpochResult.empty((EPOCHS,))), ValueError, "values to unpack"),
        (
            Validation(held_out(), LOSS._replace(kind="Nothing"), EpochResult.empty((EPOCHS,))),
            UnsupportedError,
            "Nothing",
        ),
    ],
    ids=str,
)
def test_what_is_no_validation_is_refused(trained, core, validation, error, words):
    assert_refused(trained, core, validation, error, words)


def good():
    return Validation(held_out(), LOSS, EpochResult.empty((EPOCHS,)))


def assert_refused(trained, core, validation, error, words):
    engine, result = Engine(trained, core, build(width=9)), EpochResult.empty((EPOCHS,))
    result.loss[...] = 5.0
    before = engine.model.values.copy()
    with pytest.raises(error, match=words):
        engine.train(ORDERS, result, validation=validation)
    np.testing.assert_array_equal(engine.model.values, before)
    assert (result.loss == 5.0).all()
