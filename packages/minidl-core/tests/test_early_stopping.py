"""Early stopping: of one network, and of replicates one by one."""

import copy
import pickle

import numpy as np
import pytest

import minidl

EPOCHS = 30


def data(seed=0, n=24):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, (x[:, :1] * x[:, 1:] + rng.normal(0, 0.3, (n, 1))).astype(np.float32)


TRAIN, VALIDATION = data(0), data(1)


def build(rng):
    return minidl.Sequential(
        [minidl.Linear(2, 8, rng=rng), minidl.Tanh(), minidl.Dropout(0.2, rng=rng), minidl.Linear(8, 1, rng=rng)]
    )


def single(seed=0):
    return build(np.random.default_rng(seed))


def train(model, *callbacks, rng=0, lr=0.05, **options):
    options = {"epochs": EPOCHS, "batch_size": 5, "validation": VALIDATION, **options}
    x, y = options.pop("train", TRAIN)
    optimizer = options.pop("optimizer", None) or minidl.Adam(model, lr)
    return minidl.fit(model, minidl.MSELoss("mean"), optimizer, x, y, rng=rng, callbacks=callbacks, **options)


def by_hand(model, patience, min_delta=0.0, rng=0, epochs=EPOCHS, **options):
    """Train without the callback; return the epochs made, the best of them and the parameters then."""
    states, best, best_epoch = [], np.inf, 0

    def watch(epoch, history):
        nonlocal best, best_epoch
        states.append(model.values.copy())
        if history.val_loss[-1] < best - min_delta:
            best, best_epoch = history.val_loss[-1], epoch
        return epoch - best_epoch >= patience

    history = train(model, watch, rng=rng, epochs=epochs, **options)
    return len(history), best_epoch, states


@pytest.mark.parametrize("engine", ["numpy", "auto"])
@pytest.mark.parametrize(("patience", "min_delta"), [(1, 0.0), (4, 0.0), (3, 0.02), (100, 0.0)])
def test_a_network_stops_and_gets_its_best_parameters_bit_for_bit(patience, min_delta, engine):
    length, best, states = by_hand(single(), patience, min_delta, engine=engine)
    model, stopping = single(), minidl.EarlyStopping(patience=patience, min_delta=min_delta)
    history = train(model, stopping, engine=engine)
    assert (len(history), stopping.best_epoch) == (length, best)
    assert stopping.best == history.val_loss[best - 1]
    np.testing.assert_array_equal(model.values, states[best - 1])
    left = single()
    train(left, minidl.EarlyStopping(patience=patience, min_delta=min_delta, restore_best=False), engine=engine)
    np.testing.assert_array_equal(left.values, states[length - 1])


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_replicates_stop_and_are_restored_as_they_would_be_alone(engine):
    seeds = list(range(5))
    model, stopping = minidl.replicate(build, seeds), minidl.EarlyStopping(patience=2)
    optimizer = minidl.Adam(model, 0.05)
    history = train(model, stopping, rng=seeds, optimizer=optimizer, engine=engine)
    assert len(set(history.stopped.values())) > 1, "the seeds should differ"
    for seed in seeds:
        alone, own = single(seed), minidl.EarlyStopping(patience=2)
        length = len(train(alone, own, rng=seed, engine=engine))
        assert (history.stopped[seed], stopping.best_epoch[seed]) == (length, own.best_epoch)
        np.testing.assert_allclose(model.values[seed], alone.values, rtol=1e-4, atol=1e-6)
    rows = stopping.best_epoch - 1
    np.testing.assert_array_equal(stopping.best, history.curve("val_loss")[rows, seeds])


@pytest.mark.parametrize("kind", ["replicates", "single"])
def test_tensors_are_restored_too(kind):
    torch = pytest.importorskip("torch")
    make = {"backend": "torch", "dtype": "float64"}

    def linear(rng):
        return minidl.Linear(2, 1, rng=rng, **make)

    model = minidl.replicate(linear, range(3)) if kind == "replicates" else linear(np.random.default_rng(0))
    states, stopping = [], minidl.EarlyStopping(patience=2)
    sets = [tuple(torch.from_numpy(a).double() for a in pair) for pair in (TRAIN, VALIDATION)]
    train(
        *(model, stopping, lambda *_: states.append(model.values.clone().numpy())),
        train=sets[0], validation=sets[1], lr=0.3,
    )  # fmt: skip
    best = np.atleast_1d(stopping.best_epoch) - 1
    expected = np.array(states).reshape(len(states), -1, 3)[best, np.arange(best.size)]
    np.testing.assert_array_equal(model.values.numpy().reshape(-1, 3), expected)


class Counting(minidl.Module):
    """A layer with a state that is no parameter, as running statistics are."""

    def __init__(self):
        super().__init__({"scale": np.ones(2)})
        self.seen = np.zeros(2, np.float32)

    def state_dict(self):
        return {**super().state_dict(), "seen": self.seen.copy()}

    def load_state_dict(self, state):
        super().load_state_dict({"scale": state["scale"]})
        self.seen[...] = state["seen"]

    def infer(self, x):
        return x * self.broadcast_param("scale", x)

    def forward(self, x):
        self.seen += 1
        return self.save_for_backward(self.infer(x), x)

    def backward(self, dy, *, need_dx=True):  # noqa: ARG002 - it costs nothing
        (x,) = self.saved(dy)
        self.accumulate_grad("scale", self.sum_samples, dy * x)
        return dy * self.broadcast_param("scale", dy)


def test_a_state_beside_the_parameters_is_restored_with_them():
    layer, stopping = Counting(), minidl.EarlyStopping(patience=3)
    x = TRAIN[0]
    train(layer, stopping, train=(x, 2 * x), validation=(x, 1.2 * x), lr=0.1)
    assert stopping.best_epoch > 0
    assert layer.seen.tolist() == [5 * stopping.best_epoch] * 2


def test_nan_is_no_improvement():
    curve = iter([3.0, 2.0, np.nan, np.nan, 1.0])

    def metric(_prediction, _target):
        return next(curve)

    metric.higher_is_better = False
    stopping = minidl.EarlyStopping(monitor="val_metric", patience=2)
    history = train(single(), stopping, metrics=[metric])
    assert (len(history), stopping.best_epoch, stopping.best) == (4, 2, 2.0)


def test_a_training_without_a_best_value_is_left_as_it_is():
    def metric(_prediction, _target):
        return np.nan

    metric.higher_is_better = True
    model, twin, stopping = single(), single(), minidl.EarlyStopping(monitor="val_metric", patience=2)
    train(model, stopping, metrics=[metric])
    train(twin, epochs=2)
    assert (stopping.best_epoch, np.isnan(stopping.best)) == (0, True)
    np.testing.assert_array_equal(model.values, twin.values)


@pytest.mark.parametrize(("monitor", "best"), [("val_r2", np.nanargmax), ("val_mae", np.nanargmin)])
def test_metrics_know_their_direction(monitor, best):
    stopping = minidl.EarlyStopping(monitor=monitor, patience=100)
    history = train(single(), stopping, metrics=["r2", "mae"])
    assert stopping.best_epoch == best(history.curve(monitor)) + 1
    assert stopping.best == history.metrics[monitor][stopping.best_epoch - 1]


def nameless(_prediction, _target):
    return 1.0


@pytest.mark.parametrize("kind", [minidl.EarlyStopping, minidl.ReduceOnPlateau])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"validation": None}, "monitor to be a curve of this training, loss, got 'val_loss'; give fit a validation"),
        ({"monitor": "accuracy"}, "monitor to be a curve of this training, loss, val_loss, got 'accuracy'"),
        ({"monitor": "val_nameless", "metrics": [nameless]}, "give the metric the attribute higher_is_better"),
    ],
)
def test_a_monitor_that_is_not_there_is_an_error_before_the_first_step(kind, options, words, unchanged):
    model = single()
    options = dict(options)
    callback = kind(monitor=options.pop("monitor", "val_loss"))
    with unchanged(model), pytest.raises(ValueError, match=f"^{kind.__name__}: expected .*{words}"):
        train(model, callback, **options)


@pytest.mark.parametrize("kind", [minidl.EarlyStopping, minidl.ReduceOnPlateau])
@pytest.mark.parametrize(
    ("name", "value", "error"),
    [("patience", 0, ValueError), ("patience", 1.5, TypeError), ("min_delta", -1, ValueError),
     ("min_delta", "small", TypeError)],
)  # fmt: skip
def test_settings_are_checked_also_on_assignment(kind, name, value, error):
    with pytest.raises(error, match=f"{kind.__name__}: expected {name}"):
        kind(**{name: value})
    with pytest.raises(error, match=f"{kind.__name__}: expected {name}"):
        setattr(kind(), name, value)


def test_only_fit_starts_them():
    for callback in (minidl.EarlyStopping(), minidl.ReduceOnPlateau()):
        with pytest.raises(ValueError, match="expected to be started by fit"):
            callback(1, minidl.History())
    assert minidl.EarlyStopping().best_epoch == 0
    assert np.isnan(minidl.EarlyStopping().best)
    with pytest.raises(TypeError, match="restore_best"):
        minidl.EarlyStopping(restore_best=1)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_copies_start_anew(copied):
    stopping = minidl.EarlyStopping(patience=2)
    model = single()
    train(model, stopping, epochs=3)
    twin = copied(stopping)
    assert (twin.patience, twin.best_epoch, twin.best) == (2, stopping.best_epoch, stopping.best)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_after_divergence_the_best_state_is_given_back():
    x, y = TRAIN[0], TRAIN[1].copy()
    model, stopping, states = single(), minidl.EarlyStopping(), []

    def poison(epoch, _history):
        states.append(model.values.copy())
        y[...] = np.nan if epoch == 3 else y

    with pytest.raises(minidl.DivergenceError):
        train(model, stopping, poison, train=(x, y))
    np.testing.assert_array_equal(model.values, states[stopping.best_epoch - 1])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_replicate_that_was_never_better_keeps_what_it_has():
    model, stopping, states = minidl.replicate(build, [0, 1]), minidl.EarlyStopping(patience=2), []
    x, y = (np.stack([array, array]) for array in TRAIN)
    y[1] = np.nan

    def record(_epoch, _history):
        states.append(model.values.copy())

    history = train(model, stopping, record, train=(x, y), rng=[0, 1])
    assert list(history.diverged) == [1]
    assert stopping.best_epoch[0] > 0 == stopping.best_epoch[1]
    np.testing.assert_array_equal(model.values[0], states[stopping.best_epoch[0] - 1][0])
    np.testing.assert_array_equal(model.values[1], states[-1][1])


def test_an_interrupted_training_goes_on_with_the_same_callback():
    def interrupt(epoch, _history):
        if epoch == 2:
            raise KeyboardInterrupt

    whole, expected = single(), minidl.EarlyStopping(patience=3)
    length = len(train(whole, expected))
    model, stopping, rng = single(), minidl.EarlyStopping(patience=3), np.random.default_rng(0)
    optimizer = minidl.Adam(model, 0.05)
    with pytest.raises(KeyboardInterrupt) as caught:
        train(model, stopping, interrupt, rng=rng, optimizer=optimizer)
    history = caught.value.history
    again = train(model, stopping, rng=rng, optimizer=optimizer, epochs=EPOCHS - 2, history=history)
    assert again is history
    assert (len(history), stopping.best_epoch) == (length, expected.best_epoch)
    np.testing.assert_array_equal(model.values, whole.values)
