"""An evaluation like the last one is made without choosing an engine and checking anew."""

import numpy as np
import pytest

import minidl
from minidl.training import evaluate as evaluate_module

RNG = np.random.default_rng(0)
X = RNG.standard_normal((70, 4))
WEIGHT = RNG.integers(0, 3, 70) + 0.5


def classes(_dtype=None):
    return RNG.integers(0, 3, 70)


def one_hot(dtype):
    return np.eye(3, dtype=dtype)[classes()]


def numbers(dtype):
    return RNG.random((70, 3)).astype(dtype)


CASES = {
    "MSELoss": (minidl.MSELoss, one_hot),
    "HuberLoss": (lambda reduction: minidl.HuberLoss(reduction, delta=0.3), numbers),
    "BCELoss": (minidl.BCELoss, one_hot),
    "CrossEntropyLoss": (lambda reduction: minidl.CrossEntropyLoss(reduction, label_smoothing=0.1), classes),
}


@pytest.fixture
def chosen(monkeypatch):
    """Return a list that tells how often an engine is chosen from now on."""
    calls, choose = [], evaluate_module.choose_engine
    monkeypatch.setattr(evaluate_module, "choose_engine", lambda *args: calls.append(1) or choose(*args))
    return calls


def plain(dtype="float32", outputs=3):
    layers = [minidl.Linear(4, 9, rng=0, dtype=dtype), minidl.Tanh(), minidl.Linear(9, outputs, rng=1, dtype=dtype)]
    return minidl.Sequential([*layers, minidl.Sigmoid()])


@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_numbers_are_those_of_the_first_time(name, reduction, dtype, chosen):
    kind, targets = CASES[name]
    model, loss, x = plain(dtype), kind(reduction), X.astype(dtype)
    y = targets(dtype)
    first = minidl.evaluate(model, loss, x, y)
    assert minidl.evaluate(model, loss, x, y) == first
    assert chosen == [1]
    few = minidl.evaluate(model, loss, x[:3], y[:3])
    assert chosen == [1]
    assert few == minidl.evaluate(model, loss, x[:3], y[:3], batch_size=3, engine="native")
    assert few.loss == pytest.approx(minidl.evaluate(model, loss, x[:3], y[:3], engine="numpy").loss, rel=1e-5)


def test_accuracy_is_counted_as_ever(chosen):
    model, loss, y = plain(outputs=1), minidl.BCELoss(), (X[:, :1] > 0).astype(np.float32)
    x = X.astype(np.float32)
    results = [minidl.evaluate(model, loss, x, y) for _ in range(2)]
    assert results[0] == results[1]
    assert results[0].accuracy == np.mean((minidl.predict(model, x) > 0.5) == y)
    assert minidl.evaluate(model, loss, x, y, accuracy=False).accuracy is None
    assert minidl.evaluate(model, loss, x, y) == results[0]
    assert len(chosen) == 3  # the one without accuracy is no model for the next
    model.values[0] = np.nan
    assert np.isnan(minidl.evaluate(model, loss, x, y)).all()


def test_a_changed_loss_is_seen():
    model, x, y = plain(), X.astype(np.float32), numbers("float32")
    loss = minidl.HuberLoss(delta=0.3)
    before = minidl.evaluate(model, loss, x, y)
    for name, value in (("delta", 0.1), ("reduction", "mean")):
        setattr(loss, name, value)
        found = minidl.evaluate(model, loss, x, y)
        assert found != before
        assert found == minidl.evaluate(model, minidl.HuberLoss(loss.reduction, delta=0.1), x, y)
        before = found
    loss.forward = lambda *_, **__: np.float32(7)
    assert minidl.evaluate(model, loss, x, y).loss == 7


@pytest.mark.parametrize(
    ("targets", "words"),
    [(np.full(70, 3), "class"), (np.zeros((69,), int), "69"), (np.zeros((70, 3)), "dtype"), ([0] * 70, "list")],
    ids=["out of range", "too few", "float64", "a list"],
)
def test_wrong_targets_are_refused_as_ever(targets, words):
    model, loss, x = plain(), minidl.CrossEntropyLoss(), X.astype(np.float32)
    minidl.evaluate(model, loss, x, classes())
    with pytest.raises((ValueError, TypeError), match=words) as again:
        minidl.evaluate(model, loss, x, targets)
    with pytest.raises((ValueError, TypeError)) as alone:
        minidl.evaluate(plain(), minidl.CrossEntropyLoss(), x, targets)
    assert str(again.value) == str(alone.value)


@pytest.mark.parametrize(
    "options", [{"batch_size": 9}, {"sample_weight": WEIGHT}, {"threads": 1}], ids=["batches", "weights", "threads"]
)
def test_options_choose_anew(options, chosen):
    model, loss, x, y = plain(), minidl.CrossEntropyLoss(), X.astype(np.float32), classes()
    before = minidl.evaluate(model, loss, x, y)
    assert minidl.evaluate(model, loss, x, y, **options).loss == pytest.approx(before.loss, rel=0.5)
    assert chosen == [1, 1]
    assert minidl.evaluate(model, loss, x, y) == before
