"""Loss and accuracy of a data set, computed by the engine in one call."""

import threading

import numpy as np
import pytest

import minidl
import minidl_native
from minidl.training.native_engine import NativeEngine

ROWS = (1, 2, 70, 128, 129, 1100, 2500)  # few, a block, more than a block, and more than a thread takes at once
RNG = np.random.default_rng(0)
X = RNG.standard_normal((max(ROWS), 4))
WEIGHT = RNG.integers(0, 3, len(X)) + 0.5


def classes(count, _dtype=None):
    return RNG.integers(0, 3, count)


def one_hot(count, dtype):
    return np.eye(3, dtype=dtype)[RNG.integers(0, 3, count)]


def numbers(count, dtype, width=3):
    return RNG.random((count, width)).astype(dtype)


CASES = {
    "MSELoss": (minidl.MSELoss, one_hot, True),
    "HuberLoss": (lambda reduction: minidl.HuberLoss(reduction, delta=0.3), numbers, None),
    "BCELoss": (minidl.BCELoss, one_hot, True),
    "CrossEntropyLoss": (lambda reduction: minidl.CrossEntropyLoss(reduction, label_smoothing=0.1), classes, None),
    "QuantileLoss": (
        lambda reduction: minidl.QuantileLoss(reduction, quantiles=(0.1, 0.5, 0.9)),
        lambda count, dtype: numbers(count, dtype, 1),
        None,
    ),
}


def network(dtype, replicates=0):
    def build(rng):
        layers = [
            minidl.Linear(4, 9, rng=rng, dtype=dtype), minidl.BatchNorm1d(9, dtype=dtype), minidl.Tanh(),
            minidl.Dropout(0.5, rng=rng), minidl.Linear(9, 3, rng=rng, dtype=dtype, bias=False), minidl.Sigmoid(),
        ]  # fmt: skip
        return minidl.Sequential(layers)

    model = minidl.replicate(build, range(replicates)) if replicates else build(np.random.default_rng(0))
    for module in model.modules():
        if module.statistics:
            shape = module.statistics["running_mean"].shape
            moved = {"running_mean": np.linspace(-1, 1, shape[-1], dtype=dtype) + np.zeros(shape, dtype)}
            module.statistics = {**module.statistics, **moved}
    return model


def assert_same(ours, theirs, dtype):
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(ours.loss, theirs.loss, rtol=tolerance)
    if theirs.accuracy is None:
        assert ours.accuracy is None
    else:
        np.testing.assert_allclose(ours.accuracy, theirs.accuracy, rtol=0, atol=1e-12)


@pytest.fixture
def taken(monkeypatch):
    """What the engine has answered: whether it computed an evaluation."""
    answers, original = [], NativeEngine.measure
    monkeypatch.setattr(NativeEngine, "measure", lambda *arguments: answers.append(original(*arguments)) or answers[-1])
    return answers


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
@pytest.mark.parametrize("case", CASES)
def test_it_is_that_of_numpy(case, reduction, rows, weighted, dtype, taken):
    make, draw, accuracy = CASES[case]
    loss, y, x = make(reduction), draw(rows, dtype), X[:rows].astype(dtype)
    model, options = network(dtype), {"accuracy": accuracy, "sample_weight": WEIGHT[:rows] if weighted else None}
    ours = minidl.evaluate(model, loss, x, y, engine="native", **options)
    assert taken == [True]
    assert_same(ours, minidl.evaluate(model, loss, x, y, engine="numpy", **options), dtype)


@pytest.mark.parametrize("shared", [True, False])
def test_replicates_are_measured_each(shared, dtype, taken):
    model, rows = network(dtype, 3), 1500
    x = X[:rows].astype(dtype)
    x = x if shared else np.stack([x, -x, x + 1])
    y, loss = classes(rows), minidl.CrossEntropyLoss("mean")
    y = y if shared else np.stack([y, y[::-1], y])
    ours = minidl.evaluate(model, loss, x, y, engine="native")
    assert taken == [True]
    assert ours.loss.shape == ours.accuracy.shape == (3,)
    assert_same(ours, minidl.evaluate(model, loss, x, y, engine="numpy"), dtype)


def test_the_bits_do_not_depend_on_the_threads(dtype):
    model, x, y = network(dtype), X.astype(dtype), classes(len(X))
    loss = minidl.CrossEntropyLoss("mean")
    results = [minidl.evaluate(model, loss, x, y, engine="native", threads=threads) for threads in (None, 1, 2, 3)]
    assert len(set(results)) == 1


def test_neither_model_nor_loss_changes(dtype):
    model, loss = network(dtype), minidl.MSELoss()
    x, y = X[:9].astype(dtype), one_hot(9, dtype)
    loss.forward(model.forward(x), y)
    before = model.state_dict(), loss.backward().copy(), {**vars(loss)}
    model.values.flags.writeable = False
    minidl.evaluate(model, loss, x, y, engine="native")
    model.values.flags.writeable = True
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[0][name])
    np.testing.assert_array_equal(loss.backward(), before[1])
    assert vars(loss) == before[2]
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_shows(bad, dtype):
    x = X[:200].astype(dtype)
    x[150] = bad
    y, loss = one_hot(200, dtype), minidl.MSELoss("mean")
    with np.errstate(invalid="ignore"):
        ours, theirs = (minidl.evaluate(network(dtype), loss, x, y, engine=one) for one in ("native", "numpy"))
    assert_same(ours, theirs, dtype)


class Own(minidl.MSELoss):
    def forward(self, prediction, target, *, replicate_axes=0, weight=None):
        return 2 * super().forward(prediction, target, replicate_axes=replicate_axes, weight=weight)


def test_a_loss_with_another_method_is_computed_by_it(monkeypatch, taken):
    model, x, y = network("float32"), X[:9].astype(np.float32), one_hot(9, np.float32)
    plain, own, patched = minidl.MSELoss(), Own(), minidl.MSELoss()
    once = minidl.evaluate(model, plain, x, y).loss
    assert minidl.evaluate(model, own, x, y).loss == pytest.approx(2 * once)
    patched.forward = lambda *arguments, **options: 3 * plain.forward(*arguments, **options)
    assert minidl.evaluate(model, patched, x, y).loss == pytest.approx(3 * once)
    assert minidl.evaluate(model, minidl.MSELoss(), x, y).loss == once
    original = minidl.MSELoss.forward
    monkeypatch.setattr(minidl.MSELoss, "forward", lambda *a, **options: 4 * original(*a, **options))
    assert minidl.evaluate(model, plain, x, y).loss == pytest.approx(4 * once)
    assert taken == [True, False, False, True, False]


def test_a_method_of_the_model_that_is_replaced_meanwhile_is_noticed_by_a_training(monkeypatch):
    model, x, y = minidl.Linear(4, 3, rng=0), X[:9].astype(np.float32), one_hot(9, np.float32)
    infer = minidl.Linear.infer

    def replace(*_):
        monkeypatch.setattr(minidl.Linear, "infer", lambda self, x: 0 * infer(self, x))

    options = {"validation": (x, y), "epochs": 2, "batch_size": 3, "callbacks": [replace], "rng": 0}
    history = minidl.fit(model, minidl.MSELoss("mean"), minidl.SGD(model, 0.01), x, y, **options)
    assert history.val_loss[1] == pytest.approx(1 / 3)  # of zeros against one-hot rows
    assert history.val_loss[0] != pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("y", "error"),
    [
        (np.zeros((9, 2), np.float32), ValueError),
        (np.zeros((9, 3), np.float64), TypeError),
        (np.zeros((8, 3), np.float32), ValueError),
        (np.full((9, 3), "a"), (TypeError, AttributeError)),
    ],
)
@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_targets_that_do_not_fit_are_refused_as_by_numpy(y, error, engine):
    words = []
    for one in ("numpy", engine):
        with pytest.raises(error) as raised:
            minidl.evaluate(network("float32"), minidl.MSELoss(), X[:9].astype(np.float32), y, engine=one)
        words.append(str(raised.value))
    assert words[0] == words[1]


def test_classes_out_of_range_are_refused():
    y = np.full(9, 3)
    with pytest.raises(ValueError, match="class"):
        minidl.evaluate(network("float32"), minidl.CrossEntropyLoss(), X[:9].astype(np.float32), y, engine="native")


def test_a_loss_that_wants_probabilities_gets_numpys_answer(taken):
    model, x, y = minidl.Linear(4, 3, rng=0), np.zeros((5, 4), np.float32), one_hot(5, np.float32)
    model.bias = np.full(3, 0.5)
    assert minidl.evaluate(model, minidl.BCELoss("mean"), x, y).loss == pytest.approx(np.log(2), rel=1e-5)
    assert taken == [False]


def test_many_threads_evaluate_one_network():
    model, x, y = network("float32"), X.astype(np.float32), classes(len(X))
    expected, found = minidl.evaluate(model, minidl.CrossEntropyLoss(), x, y, engine="native"), []

    def look():
        found.extend(minidl.evaluate(model, minidl.CrossEntropyLoss(), x, y, engine="native") for _ in range(20))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 80


def test_arrays_that_do_not_fit_the_network_are_an_error():
    model = minidl.Linear(4, 3, rng=0)
    made = minidl_native.Network(model.spec(), dtype="float32", replicate_shape=())
    x, y, result = np.zeros((5, 4), np.float32), np.zeros((5, 3), np.float32), minidl_native.EpochResult.empty(())
    loss = minidl_native.LossRecord("MSELoss", mean=True, threshold=None)
    with pytest.raises(ValueError, match=r"x of shape \(5, 4\)"):
        made.evaluate(model.values, minidl_native.Samples(x[:, :3].copy(), y, None, 5), loss, result)
    with pytest.raises(minidl_native.UnsupportedError, match="Nothing"):
        made.evaluate(model.values, minidl_native.Samples(x, y, None, 5), loss._replace(kind="Nothing"), result)
