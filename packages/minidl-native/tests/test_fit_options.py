"""The options of `fit` run in the engine, with the numbers of NumPy; an order may leave samples out or repeat them."""

import numpy as np
import pytest

import minidl
from minidl_native import EpochResult, LossRecord, Network, OptimizerRecord, Samples

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (40, 3))
Y = np.sin(2 * X[:, :1]) + 0.2 * RNG.standard_normal((40, 1))


def build(rng):
    layers = [minidl.Linear(3, 8, rng=rng, dtype="float64"), minidl.Tanh(), minidl.Dropout(0.1, rng=rng)]
    return minidl.Sequential([*layers, minidl.Linear(8, 1, rng=rng, dtype="float64")])


def slices():
    return [(X[start : start + 7], Y[start : start + 7]) for start in range(0, 40, 7)]


ARRAYS = {"x": X, "y": Y, "batch_size": 7}
OPTIONS = {
    "split": {**ARRAYS, "validation_split": 0.3},
    "as they lie": {**ARRAYS, "shuffle": False},
    "split as they lie": {**ARRAYS, "validation_split": 0.3, "shuffle": False},
    "stream": {"batches": slices, "validation": (X, Y)},
    "penalty": {**ARRAYS, "validation": (X, Y), "l2": 0.5},
    "metrics": {**ARRAYS, "validation": (X, Y), "metrics": ["r2", "mae"]},
}


@pytest.mark.parametrize("replicates", [0, 3])
@pytest.mark.parametrize("name", OPTIONS)
def test_both_engines_train_alike(name, replicates):
    found = []
    for engine in ("numpy", "native"):
        model = minidl.replicate(build, range(replicates)) if replicates else build(np.random.default_rng(0))
        rng = list(range(replicates)) if replicates and "batches" not in OPTIONS[name] else 0
        stopping = minidl.EarlyStopping(patience=4, monitor="val_loss" if name != "as they lie" else "loss")
        plateau = minidl.ReduceOnPlateau(factor=0.5, patience=2, monitor=stopping.monitor)
        seen = []
        history = minidl.fit(
            *(model, minidl.MSELoss("mean"), minidl.Adam(model, 0.1)),
            epochs=25, rng=rng, engine=engine, **OPTIONS[name],
            callbacks=[stopping, plateau, lambda epoch, _, seen=seen: seen.append(epoch)],
        )  # fmt: skip
        assert history.engine == engine
        assert len(seen) == len(history)
        found.append((model, history, stopping))
    (ours, first, one), (theirs, second, other) = found
    np.testing.assert_array_equal(one.best_epoch, other.best_epoch)
    assert first.stopped == second.stopped
    np.testing.assert_allclose(theirs.values, ours.values, rtol=1e-7)
    for curve in first.to_frame():
        np.testing.assert_allclose(second.to_frame()[curve], first.to_frame()[curve], rtol=1e-7)


def test_the_accuracy_of_replicates_that_have_stopped_is_nan_without_a_warning():
    found = []
    for engine in ("numpy", "native"):
        model = minidl.replicate(lambda rng: minidl.Linear(3, 2, rng=rng, dtype="float64"), range(3))
        history = minidl.fit(
            *(model, minidl.CrossEntropyLoss(), minidl.Adam(model, 0.3), X, (Y[:, 0] > 0.3).astype(int)),
            epochs=60, batch_size=10, validation_split=0.3, rng=[0, 1, 2], engine=engine,
            callbacks=[minidl.EarlyStopping(patience=1)],
        )  # fmt: skip
        assert len(set(history.stopped.values())) > 1
        found.append(history.curve("accuracy"))
    np.testing.assert_array_equal(*found)
    assert np.isnan(found[0]).any()


@pytest.mark.parametrize("replicates", [0, 2])
@pytest.mark.parametrize("length", [1, 13, 40, 90])
@pytest.mark.parametrize("each", [False, True])
def test_an_order_says_which_samples_come(length, replicates, each):
    def one(_):
        return minidl.Linear(3, 1, rng=0, dtype="float64")

    shape = (replicates,) if replicates else ()
    order = np.random.default_rng(1).integers(0, 40, (*shape, length) if each and replicates else length)
    rates = np.full(-(-length // 7), 0.01)
    values = []
    for x, y, own, rate in ((X, Y, order, rates), (X[order], Y[order], None, 0.01)):
        model = minidl.replicate(one, range(replicates)) if replicates else one(0)
        network, result = Network(model.spec(), dtype="float64", replicate_shape=shape), EpochResult.empty(shape)
        settings = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0, "clip": np.inf, "decay_biases": True}
        optimizer = OptimizerRecord("SGD", settings, {"velocity": None}, rate, 0)
        loss = LossRecord("MSELoss", mean=False, threshold=None)
        network.train(model.values, Samples(x, y, own, 7), loss, optimizer, result)
        assert (result.steps == len(rates)).all()
        values.append(model.values)
    np.testing.assert_array_equal(*values)
