"""fit is the loop anyone would write: the same batches, the same steps, and a history that can be checked."""

import numpy as np
import pytest

import minidl
from minidl.arrays.samples import Samples
from minidl.training.metrics import Tally


def disk(rng, n=23):
    """Return points and two one-hot classes, in float32."""
    x = rng.standard_normal((n, 3)).astype(np.float32)
    return x, np.eye(2, dtype=np.float32)[(x[:, 0] > 0).astype(int)]


def by_hand(model, loss, optimizer, x, y, epochs, batch_size, rng, validation=None):
    """Train without `fit`; return its history as one dictionary of lists."""
    history = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        order, cost, hits = rng.permutation(len(x)), 0.0, 0
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            prediction = model.train().forward(x[rows])
            value = float(loss.forward(prediction, y[rows]))
            cost += value * (1 if loss.reduction == "sum" else len(rows))
            hits += (prediction.argmax(axis=-1) == y[rows].argmax(axis=-1)).sum()
            model.backward(loss.backward())
            optimizer.step()
        history["loss"].append(cost / len(x))
        history["accuracy"].append(hits / len(x))
        if validation is not None:
            prediction = model.infer(validation[0])
            value = float(loss.forward(prediction, validation[1]))
            history["val_loss"].append(value / len(prediction) if loss.reduction == "sum" else value)
            history["val_accuracy"].append((prediction.argmax(-1) == validation[1].argmax(-1)).mean())
    return history


@pytest.mark.parametrize("batch_size", [1, 5, 23, 100])
@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
@pytest.mark.parametrize("make", [lambda m: minidl.SGD(m, kappa=0.6, eta=0.03), minidl.Adam], ids=["sgd", "adam"])
def test_fit_is_the_loop_written_out_bit_for_bit(network, rng, batch_size, reduction, make):
    x, y = disk(rng)
    options, validation = {"epochs": 3, "batch_size": batch_size}, disk(rng, 9)
    model, twin, loss = network(), network(), minidl.MSELoss(reduction)
    generators = np.random.default_rng(5), np.random.default_rng(5)
    options |= {"validation": validation}
    history = minidl.fit(model, loss, make(model), x, y, rng=generators[0], engine="numpy", accuracy=True, **options)
    expected = by_hand(twin, loss, make(twin), x, y, rng=generators[1], **options)
    np.testing.assert_array_equal(model.values, twin.values)
    for name, curve in expected.items():
        assert getattr(history, name) == pytest.approx(
            curve, rel=1e-6
        )  # of float32 numbers, summed in one order or two
    assert len(history) == 3
    assert generators[0].random() == generators[1].random()


def test_every_kind_of_seed_gives_its_order(network, rng):
    data = disk(rng)
    courses = []
    for seed in (3, np.random.SeedSequence(3), np.random.default_rng(3), 4):
        model = network()
        courses.append(
            minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.1), *data, epochs=1, batch_size=4, rng=seed)
        )
    assert courses[0] == courses[1] == courses[2] != courses[3]


def test_data_is_not_written_to_nor_copied_whole(network, rng, unchanged):
    x, y = disk(rng)
    x.flags.writeable = y.flags.writeable = False
    model = network()
    with unchanged(x, y):
        minidl.fit(model, minidl.MSELoss(), minidl.Adam(model), x, y, epochs=2, batch_size=5, validation=(x, y))


def one_epoch(model, loss, x, y, **options):
    options = {"epochs": 1, "batch_size": 2, **options}
    return minidl.fit(model, loss, minidl.SGD(model, 0.0), x, y, **options)


@pytest.mark.parametrize(
    ("loss", "scores", "targets", "expected"),
    [
        (minidl.CrossEntropyLoss(), [[1, 0], [0, 1], [3, 2], [0, 1], [9, 0]], np.array([0, 0, 0, 1, 1]), 0.6),
        (minidl.CrossEntropyLoss(), [[1, 0], [0, 1], [3, 2], [0, 1], [9, 0]], np.eye(2)[[0, 0, 0, 1, 1]], 0.6),
        (minidl.BCELoss(), [[0.9], [0.1], [0.4], [0.6]], np.array([[1.0], [0], [1], [1]]), 0.75),
        (minidl.MSELoss(), [[0.9], [0.1], [0.4], [0.6]], np.array([[1.0], [0], [0], [1]]), None),
        (minidl.BCEWithLogitsLoss(), [[0.1], [-0.1], [0.4], [3]], np.array([[1.0], [0], [1], [0]]), 0.75),
        (minidl.BCEWithLogitsLoss(), [[0.1, -1], [-0.1, 1]], np.array([[1.0, 0], [0, 1]]), None),
        (minidl.BCELoss(), [[0.9], [0.1], [0.4], [0.6]], np.array([[0.7], [0.2], [0.6], [0.9]]), 0.75),
        (minidl.CrossEntropyLoss(), [[-1], [1], [0]], np.array([0, 0, 0]), 1.0),
        (minidl.CrossEntropyLoss(), [[-1], [1], [0]], np.ones((3, 1)), 1.0),
        (minidl.CrossEntropyLoss(), [[1, 0], [0, 1]], np.array([[0.6, 0.4], [0.9, 0.1]]), 0.5),
        (minidl.MSELoss(), [[0.9, 0.3], [0.1, 0.3]], np.array([[1.0, 0.0], [0, 1]]), None),
    ],
    ids=[
        "indices",
        "one-hot",
        "probability",
        "numbers",
        "logit",
        "labels",
        "soft",
        "one class",
        "one column",
        "shares",
        "rows",
    ],
)
@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_the_loss_decides_whether_accuracy_is_reported(loss, scores, targets, expected, engine):
    model, x = minidl.Linear(len(scores[0]), len(scores[0]), dtype="float64"), np.array(scores, float)
    model.weight, model.bias = np.eye(len(scores[0])), np.zeros(len(scores[0]))
    history = one_epoch(model, loss, x, targets, validation=(x, targets), engine=engine)
    assert history.accuracy == history.val_accuracy == ([] if expected is None else [pytest.approx(expected)])
    assert len(history.loss) == len(history.val_loss) == 1


@pytest.mark.parametrize("loss", [minidl.MSELoss(), minidl.BCEWithLogitsLoss()])
def test_accuracy_may_be_asked_for_and_switched_off(loss):
    model, x = minidl.Linear(2, 2, dtype="float64"), np.array([[0.9, 0.1], [0.3, 0.7]])
    model.weight = np.eye(2)
    y = np.eye(2)[[0, 0]]
    assert one_epoch(model, loss, x, y, accuracy=True).accuracy == [0.5]
    assert minidl.evaluate(model, loss, x, y, accuracy=True).accuracy == 0.5
    assert one_epoch(model, minidl.CrossEntropyLoss(), x, np.array([0, 0]), accuracy=False).accuracy == []
    for call in (one_epoch, minidl.evaluate):
        with pytest.raises(
            ValueError, match=r"^(fit|evaluate): expected class indices, one-hot rows or zeros and ones"
        ):
            call(model, loss, x, y * 0.5, accuracy=True)
    soft = np.array([[0.8, 0.2], [0.9, 0.1]])
    assert minidl.evaluate(model, minidl.CrossEntropyLoss(), x, soft, accuracy=True).accuracy == 0.5


@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
def test_the_loss_is_per_sample(reduction, rng):
    x, y = rng.standard_normal((7, 2)), rng.standard_normal((7, 2))
    model = minidl.Linear(2, 2, dtype="float64", rng=0)
    squares = (model.infer(x) - y) ** 2
    history = one_epoch(model, minidl.MSELoss(reduction), x, y, validation=(x, y))
    expected = squares.mean() if reduction == "mean" else squares.sum() / 7
    assert [*history.loss, *history.val_loss] == pytest.approx([expected] * 2, rel=1e-12)


def test_a_tally_says_which_losses_are_nan():
    x, y = np.zeros((2, 4, 3)), np.zeros((4, 3))
    several = Tally(minidl.MSELoss(), Samples("test", x, y, (2,)))
    assert several.add(np.array([1.0, np.inf]), x, y) is None
    assert several.add(np.array([1.0, np.nan]), x, y).tolist() == [False, True]
    single = Tally(minidl.MSELoss(), Samples("test", x[0], y, ()))
    assert single.add(np.array(1.0), x[0], y) is None
    assert single.add(np.array(np.nan), x[0], y).tolist() is True


def test_training_is_measured_with_dropout_and_validation_without():
    model, x = minidl.Sequential([minidl.Linear(1, 1, dtype="float64"), minidl.Dropout(0.5, rng=0)]), np.ones((100, 1))
    model.values[...] = [1, 0]
    history = one_epoch(model, minidl.MSELoss(), x, x, validation=(x, x))
    assert history.loss == [1]  # units are 0 or 2 where 1 is wanted
    assert history.val_loss == [0]


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_set_for_training_and_put_back(network, rng, training):
    model = network().train(training)
    modes = []
    minidl.fit(
        *(model, minidl.MSELoss(), minidl.SGD(model, 0.1), *disk(rng)),
        epochs=2,
        batch_size=10,
        callbacks=[lambda *_: modes.append((model.training, model[2][2].training)), lambda *_: model.eval() is None],
    )
    assert modes == [(True, True)] * 2
    assert {module.training for module in model.modules()} == {training}


def test_the_losss_own_last_forward_is_left_alone_by_evaluate(network, rng):
    (x, y), loss, model = disk(rng), minidl.MSELoss(), network()
    loss(x, 2 * x)
    gradient = loss.backward()
    minidl.evaluate(model, loss, x, y)
    np.testing.assert_array_equal(loss.backward(), gradient)


def test_no_epochs_change_nothing(network, rng, unchanged):
    model, generator = network(), np.random.default_rng(0)
    with unchanged(model, generator):
        history = minidl.fit(
            model, minidl.MSELoss(), minidl.Adam(model), *disk(rng), epochs=0, batch_size=5, rng=generator
        )
    assert history == minidl.History()
    assert len(history) == 0


@pytest.mark.parametrize("shape", [(6, 4, 3), (6, 2, 4, 3)], ids=str)
def test_leading_axes_of_a_sample_share_the_weights(rng, shape):
    x, classes = rng.standard_normal(shape), rng.integers(0, 2, shape[:-1])
    models = [minidl.Linear(3, 2, dtype="float64", rng=0) for _ in range(2)]
    histories = [
        minidl.fit(model, minidl.CrossEntropyLoss(), minidl.SGD(model, 0.01), *data, epochs=2, batch_size=6)
        for model, data in zip(models, [(x, classes), (x, np.eye(2)[classes])], strict=True)
    ]
    flat = minidl.Linear(3, 2, dtype="float64", rng=0)
    data = x.reshape(-1, 3), classes.reshape(-1)
    history = minidl.fit(flat, minidl.CrossEntropyLoss(), minidl.SGD(flat, 0.01), *data, epochs=2, batch_size=99)
    for model, own in zip(models, histories, strict=True):
        np.testing.assert_allclose(model.values, flat.values, rtol=1e-12)
        assert own.accuracy == pytest.approx(history.accuracy)
        assert own.loss == pytest.approx([loss * len(data[0]) / 6 for loss in history.loss])
