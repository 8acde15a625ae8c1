"""predict, evaluate and accuracy: evaluation mode, any batch size, nothing saved, any number of threads."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minidl


@pytest.mark.parametrize("batch_size", [None, 1, 4, 6, 100])
def test_batches_do_not_show_in_the_prediction(network, rng, unchanged, batch_size):
    model, x = network(dtype="float64"), rng.standard_normal((6, 3))
    model(x)
    with unchanged(model, x):
        y = minidl.predict(model, x, batch_size=batch_size)
    # products of 1 or 6 rows may be summed in another order
    np.testing.assert_allclose(y, model.eval().forward(x), rtol=1e-13)


def test_more_samples_than_one_batch_by_default(network, rng):
    model, x = network(dtype="float64"), rng.standard_normal((10_001, 3))
    np.testing.assert_allclose(minidl.predict(model, x), model.infer(x), rtol=1e-13)


@pytest.mark.parametrize("shape", [(3,), (0, 3), (7, 3), (7, 2, 3), (7, 2, 2, 3)], ids=str)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_shape_and_dtype(network, shape, dtype):
    model = network(dtype=dtype)
    y = minidl.predict(model, np.ones(shape, dtype), batch_size=3)
    assert (y.shape, y.dtype) == ((*shape[:-1], 2), dtype)


@pytest.mark.parametrize(
    ("replicates", "shape"),
    [(0, (200_000, 1)), (20, (10_000, 1)), (20, (20, 10_000, 1)), (0, (200, 1000, 1)), (20, (20, 100, 100, 1))],
    ids=str,
)
def test_memory_is_that_of_the_output_and_one_batch(replicates, shape):
    def build(rng):
        return minidl.Sequential([minidl.Linear(1, 100, rng=rng), minidl.ReLU(), minidl.Linear(100, 1, rng=rng)])

    model = minidl.replicate(build, range(replicates)) if replicates else build(0)
    x = np.zeros(shape, np.float32)
    tracemalloc.start()
    minidl.predict(model, x, engine="numpy")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    hidden = 4 * 100 * 200_000  # bytes of one hidden layer of all samples
    assert peak < hidden / 8


def test_many_threads_may_predict_between_forward_and_backward(network, rng):
    model, dy = network(dtype="float64"), rng.standard_normal((50, 2))
    inputs = [rng.standard_normal((50, 3)) for _ in range(20)]
    expected = [model.infer(x) for x in inputs]
    model.forward(inputs[0])
    model.zero_grad()
    with ThreadPoolExecutor(4) as pool:
        outputs = list(pool.map(lambda x: minidl.predict(model, x, batch_size=7), inputs * 5))
    for y, e in zip(outputs, expected * 5, strict=True):
        np.testing.assert_allclose(y, e, rtol=1e-13)
    model.backward(dy)
    grads = model.grads.copy()
    twin = network(dtype="float64")
    twin.forward(inputs[0])
    twin.backward(dy)
    np.testing.assert_array_equal(grads, twin.grads)


@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
@pytest.mark.parametrize("batch_size", [None, 1, 4, 9])
def test_evaluate_measures_all_samples_alike(network, rng, unchanged, reduction, batch_size):
    x, classes = rng.standard_normal((9, 3)), rng.integers(0, 2, 9)
    model, loss = network(dtype="float64"), minidl.CrossEntropyLoss(reduction)
    loss(np.zeros((1, 2)), np.zeros(1, int))
    with unchanged(model, loss, x, classes):
        measured = minidl.evaluate(model, loss, x, classes, batch_size=batch_size)
    scores = model.infer(x)
    costs = np.log(np.exp(scores).sum(axis=-1)) - scores[np.arange(9), classes]
    assert measured == (pytest.approx(costs.mean(), rel=1e-12), (scores.argmax(-1) == classes).mean())
    assert all(type(number) is float for number in measured)


def test_evaluate_without_classes_has_no_accuracy(rng):
    model, x = minidl.Linear(3, 2, dtype="float64", rng=0), rng.standard_normal((5, 3))
    measured = minidl.evaluate(model, minidl.MSELoss(), x, x[:, :2])
    assert measured.accuracy is None
    assert measured.loss == pytest.approx(((model.infer(x) - x[:, :2]) ** 2).sum() / 5)


def test_evaluate_measures_each_replicate(rng):
    model = minidl.replicate(lambda rng: minidl.Linear(3, 2, dtype="float64", rng=rng), range(3))
    x, y = rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    measured = minidl.evaluate(model, minidl.MSELoss(), x, y, batch_size=2)
    expected = [minidl.evaluate(single, minidl.MSELoss(), x, y).loss for single in minidl.unstack(model)]
    np.testing.assert_allclose(measured.loss, expected, rtol=1e-12)
    assert measured.accuracy is None


ROWS = np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.0, 0.0, 1.0], [0.4, 0.5, 0.1]])


def test_accuracy_of_class_indices_and_one_hot_rows():
    classes = np.array([1, 0, 0, 1])
    assert minidl.accuracy(ROWS, classes) == 0.75
    assert minidl.accuracy(ROWS, np.eye(3)[classes]) == 0.75
    assert minidl.accuracy(ROWS.reshape(2, 2, 3), classes.reshape(2, 2)) == 0.75


def test_accuracy_of_one_column_needs_a_threshold():
    scores, labels = np.array([[0.6], [0.4], [-1.0], [2.0]]), np.array([[1.0], [1.0], [0.0], [1.0]])
    assert minidl.accuracy(scores, labels) == 0.75
    assert minidl.accuracy(scores, labels, threshold=0) == 1
    assert minidl.accuracy(scores, labels[:, 0].astype(int), threshold=0.5) == 0.75
    assert minidl.accuracy(np.array([[0.5]]), np.zeros((1, 1))) == 1  # what is not above the threshold is class 0


def test_of_two_equal_scores_the_first_counts():
    for classes in (2, 3):
        assert minidl.accuracy(np.full((4, classes), 0.5), np.array([0, 1, 0, 0])) == 0.75


def test_accuracy_of_one_column_of_replicates_and_leading_axes():
    scores = np.array([0.6, 0.4, 0.1, 0.9, 0.8, 0.2, 0.3, 0.7]).reshape(2, 4, 1)
    labels = np.array([1.0, 0, 0, 0]).reshape(4, 1)
    assert minidl.accuracy(scores, labels, replicate_axes=1).tolist() == [0.75, 0.75]
    assert minidl.accuracy(scores, np.stack([labels, 1 - labels])) == 0.5


def test_accuracy_of_replicates():
    both = np.stack([ROWS, ROWS[::-1]])
    classes = np.array([1, 0, 2, 0])
    assert minidl.accuracy(both, classes, replicate_axes=1).tolist() == [0.75, 0.25]
    assert minidl.accuracy(both, np.stack([classes, classes[::-1]]), replicate_axes=1).tolist() == [0.75, 0.75]
    assert minidl.accuracy(both, np.eye(3)[classes], replicate_axes=1).tolist() == [0.75, 0.25]


@pytest.mark.parametrize(
    ("prediction", "target", "words"),
    [
        (ROWS, np.array([0.5, 1, 0, 1]), "expected class indices or one-hot rows"),
        (ROWS, ROWS, "expected class indices or one-hot rows"),
        (ROWS, np.array([0, 1, 2]), r"targets of shape \(4,\), got \(3,\)"),
        (ROWS, np.eye(3), r"targets of shape \(4, 3\), got \(3, 3\)"),
        (ROWS[:, :1], np.array([0, 1, 0]), r"targets of shape \(4,\), got \(3,\)"),
        (ROWS[:0], np.zeros(0, int), "at least one sample"),
    ],
)
def test_accuracy_of_what_is_no_class_is_refused(prediction, target, words):
    with pytest.raises(ValueError, match=f"accuracy: .*{words}"):
        minidl.accuracy(prediction, target)
