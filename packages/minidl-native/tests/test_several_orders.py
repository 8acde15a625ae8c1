"""Several epochs of a single network in one call of `Network.train`: one order, and one result, for each."""

import numpy as np
import pytest

import minidl
import minidl_native

N, BATCH = 30, 7
SIZE = 41
STEPS = 5  # of an epoch; the last batch is short
X = np.random.default_rng(0).uniform(-1, 1, (N, 3)).astype(np.float32)
Y = (X[:, :1] > X[:, 1:2]).astype(np.float32)


def build():
    return minidl.Sequential([minidl.Linear(3, 8, rng=1), minidl.ReLU(), minidl.Linear(8, 1, rng=2)])


def call(core, orders, rates, *, epochs=None, t=0, model=None, states=None):
    """Train in one call, without `fit`; return the parameters and the result."""
    model = model or build()
    sgd = minidl.SGD(model, 0.1, momentum=0.5)
    record = core.optimizer_record(sgd, 1)._replace(rates=rates, t=t)
    result = minidl_native.EpochResult.empty((len(orders) if epochs is None else epochs,))._replace(states=states)
    network = minidl_native.Network(model.spec(), dtype="float32", replicate_shape=())
    network.train(
        model.values, minidl_native.Samples(X, Y, orders, BATCH), core.loss_record(minidl.MSELoss(), Y), record, result
    )
    return model.values, result


def test_each_epoch_has_rates_and_a_result_of_its_own(core):
    rng = np.random.default_rng(0)
    orders, rates = np.stack([rng.permutation(N) for _ in range(3)]), rng.uniform(0, 0.1, 3 * STEPS)
    for kind in (np.int64, np.int32):
        values, result = call(core, orders.astype(kind), rates)
        assert (result.steps.tolist(), result.diverged.tolist()) == ([STEPS] * 3, [0] * 3)
        model = build()
        velocity = np.zeros_like(model.values)
        network = minidl_native.Network(model.spec(), dtype="float32", replicate_shape=())
        record = core.optimizer_record(minidl.SGD(model, 0.1, momentum=0.5), 1)
        for epoch, order in enumerate(orders):
            own = minidl_native.EpochResult.empty(())
            part = rates[epoch * STEPS : (epoch + 1) * STEPS]
            network.train(
                model.values, minidl_native.Samples(X, Y, order, BATCH), core.loss_record(minidl.MSELoss(), Y),
                record._replace(rates=part, vectors={"velocity": velocity}), own,
            )  # fmt: skip
            assert (own.loss, own.hits) == (result.loss[epoch], result.hits[epoch])
        np.testing.assert_array_equal(values, model.values)


def test_the_parameters_at_the_end_of_each_epoch_are_kept(core):
    rng = np.random.default_rng(1)
    orders, states = np.stack([rng.permutation(N) for _ in range(4)]), np.zeros((4, SIZE), np.float32)
    values, _ = call(core, orders, 0.1, states=states)
    for epoch in range(4):
        np.testing.assert_array_equal(call(core, orders[: epoch + 1], 0.1)[0], states[epoch])
    np.testing.assert_array_equal(values, states[-1])


def test_no_parameters_are_kept_of_an_epoch_that_diverges(core):
    states = np.zeros((3, SIZE), np.float32)
    with np.errstate(all="ignore"):
        _, result = call(core, np.tile(np.arange(N), (3, 1)), np.repeat([0.1, np.nan, 0.1], STEPS), states=states)
    assert (result.diverged > 0).tolist() == [False, True, False]
    assert states.any(axis=1).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 2},
        {"epochs": 4},
        {"rates": np.full(3 * STEPS - 1, 0.1)},
        {"rates": np.full(STEPS, 0.1)},
        {"orders": np.zeros((0, N), np.int64), "rates": 0.1},
        {"orders": np.zeros((3, 1, N), np.int64)},
        {"orders": np.full((3, N), N)},
        {"orders": np.repeat([[0], [0], [-1]], N, axis=1)},
        {"states": np.zeros((2, 41), np.float32)},
        {"states": np.zeros((3, 40), np.float32)},
    ],
    ids=str,
)
def test_what_does_not_fit_the_epochs_is_refused(core, wrong):
    model = build()
    before = model.values.copy()
    good = {"orders": np.zeros((3, N), np.int64), "rates": np.full(3 * STEPS, 0.1)}
    with pytest.raises(ValueError, match="minidl_native: expected"):
        call(core, model=model, **good | wrong)
    np.testing.assert_array_equal(model.values, before)


def test_an_evaluation_has_one_order(core):
    network = minidl_native.Network(build().spec(), dtype="float32", replicate_shape=())
    samples, loss = (
        minidl_native.Samples(X, Y, np.zeros((3, N), np.int64), BATCH),
        core.loss_record(minidl.MSELoss(), Y),
    )
    with pytest.raises(ValueError, match="minidl_native: expected order of shape"):
        network.evaluate(build().values, samples, loss, minidl_native.EpochResult.empty(()))


def test_an_evaluation_keeps_no_parameters(core):
    network = minidl_native.Network(build().spec(), dtype="float32", replicate_shape=())
    samples, loss = minidl_native.Samples(X, Y, None, BATCH), core.loss_record(minidl.MSELoss(), Y)
    result = minidl_native.EpochResult.empty(())._replace(states=np.zeros((1, SIZE), np.float32))
    with pytest.raises(ValueError, match="minidl_native: expected states of None"):
        network.evaluate(build().values, samples, loss, result)
