"""Losses that compute several rows at once, where a row has few columns: each row comes out as it would alone."""

import numpy as np
import pytest

import minidl
from minidl_native import EpochResult, LossRecord, Samples

ROWS = (1, 2, 7, 15, 16, 17, 33, 130)
COLUMNS = (2, 3, 4, 8, 10, 16, 17, 31, 32, 33, 40)
CEILINGS = (np.inf, 1.5)


def logits_of(rows, columns, dtype, seed=0):
    """Numbers of all sizes, and some rows of equal numbers, of which the first is the prediction."""
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((rows, columns)) * rng.choice([0.1, 3, 30], (rows, 1))
    logits[::5] = np.round(logits[::5] / 20)
    return logits.astype(dtype)


def identity(columns, dtype, bias=0):
    """A network that returns its input, plus a bias."""
    model = minidl.Linear(columns, columns, dtype=dtype, rng=0)
    model.weight, model.bias = np.eye(columns), np.zeros(columns) + bias
    return minidl.Sequential([model])


def measured(trained, isa, logits, y, loss, weight=None, bias=0):
    """Return loss and hits, as the engine adds them up over logits."""
    model, result = identity(logits.shape[1], logits.dtype, bias), EpochResult.empty(())
    record = LossRecord(type(loss).__name__, loss.reduction != "sum", loss.threshold, loss.numbers())
    samples = Samples(logits, y, None, len(logits), weight)
    trained.network_of(model, isa).evaluate(model.values, samples, record, result)
    return float(result.loss), float(result.hits)


def assert_as_numpy(trained, isa, logits, y, loss, weight=None):
    mass = len(logits) if weight is None else weight.sum()
    ours = measured(trained, isa, logits, y, loss, weight)
    theirs = minidl.evaluate(
        identity(logits.shape[1], logits.dtype), loss, logits, y, sample_weight=weight, accuracy=True, engine="numpy"
    )
    tolerance = 1e-6 if logits.dtype == np.float32 else 1e-13
    np.testing.assert_allclose(ours[0] / mass, theirs.loss, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(ours[1] / mass, theirs.accuracy, rtol=1e-12)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("columns", COLUMNS)
def test_cross_entropy_of_classes(trained, isa, dtype, rows, columns):
    rng = np.random.default_rng(rows + columns)
    logits, labels = logits_of(rows, columns, dtype), rng.integers(0, columns, rows)
    labels[::2] = logits[::2].argmax(axis=1)
    for ceiling in CEILINGS:
        for weight in (None, rng.integers(0, 3, rows) + 0.25):
            assert_as_numpy(trained, isa, logits, labels, minidl.CrossEntropyLoss("mean", ceiling=ceiling), weight)


@pytest.mark.parametrize("rows", ROWS)
def test_binary_cross_entropy_of_one_column(trained, isa, dtype, rows):
    rng = np.random.default_rng(rows)
    logits, y = logits_of(rows, 1, dtype), rng.integers(0, 2, (rows, 1)).astype(dtype)
    logits[1::3] = 0  # on the border
    for ceiling in CEILINGS:
        for weight in (None, rng.integers(0, 3, rows) + 0.25):
            assert_as_numpy(trained, isa, logits, y, minidl.BCEWithLogitsLoss("mean", ceiling=ceiling), weight)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("columns", [1, *COLUMNS])
def test_gradients_of_each_row(trained, isa, dtype, rows, columns):
    rng, logits = np.random.default_rng(columns), logits_of(rows, columns, dtype)
    if columns == 1:
        y, loss = rng.random((rows, 1)).astype(dtype), minidl.BCEWithLogitsLoss("mean")
    else:
        y, loss = rng.integers(0, columns, rows), minidl.CrossEntropyLoss("mean")
    sides = trained.both(
        lambda: identity(columns, dtype), loss, lambda model: minidl.SGD(model, 0.5), logits, y, epochs=1,
        batch_size=rows, weight=rng.integers(0, 3, rows) + 0.25, isa=isa,
    )  # fmt: skip
    trained.assert_alike(sides)


@pytest.mark.parametrize("columns", [2, 3, 10, 32])
@pytest.mark.parametrize("number", [-np.inf, np.nan, np.inf])
def test_logits_that_are_not_finite(trained, isa, dtype, columns, number):
    logits, labels = logits_of(40, columns, dtype), np.random.default_rng(columns).integers(1, columns, 40)
    bias = np.zeros(columns)
    bias[0] = number  # a column that is no label
    loss, hits = measured(trained, isa, logits, labels, minidl.CrossEntropyLoss("sum"), bias=bias)
    with np.errstate(invalid="ignore"):
        moved = logits + bias.astype(dtype)
        expected = minidl.CrossEntropyLoss("sum").forward(moved, labels)
        right = moved.argmax(axis=1) if columns > 2 else moved[:, 1] > moved[:, 0]
    np.testing.assert_allclose(loss, float(expected), rtol=1e-5)
    assert hits == np.count_nonzero(right == labels)


@pytest.mark.parametrize("columns", [2, 5, 16])
def test_the_same_bits_wherever_a_row_lies(trained, isa, dtype, columns):
    logits = logits_of(37, columns, dtype)
    labels = np.random.default_rng(3).integers(0, columns, 37)
    loss = minidl.CrossEntropyLoss("sum")
    alone = [measured(trained, isa, logits[i : i + 1], labels[i : i + 1], loss)[0] for i in range(37)]
    for start, stop in ((0, 37), (3, 20), (5, 6)):
        together = np.float64(0)
        for each in alone[start:stop]:
            together += each
        assert measured(trained, isa, logits[start:stop], labels[start:stop], loss)[0] == logits.dtype.type(together)
