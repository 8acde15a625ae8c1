"""Weights of samples: in losses, `fit`, `evaluate`, `train_step`, validation and accuracy, on both engines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl

quick = settings(max_examples=25, deadline=None, derandomize=True)
ENGINES = ["numpy", "auto"]
X = np.random.default_rng(0).standard_normal((12, 3))
LABELS = np.arange(12) % 2


def net(rng=0, out=2):
    rng = np.random.default_rng(rng)
    layers = [minidl.Linear(3, 5, rng=rng, dtype="float64"), minidl.Tanh()]
    return minidl.Sequential([*layers, minidl.Linear(5, out, rng=rng, dtype="float64")])


def trained(x, y, weight=None, *, reduction="sum", engine="numpy", model=None, **options):
    model = net() if model is None else model
    options = {"epochs": 3, "batch_size": 4, "rng": 0} | options
    loss = minidl.CrossEntropyLoss(reduction)
    sgd = minidl.SGD(model, 0.05, momentum=0.5)
    history = minidl.fit(model, loss, sgd, x, y, sample_weight=weight, engine=engine, **options)
    return model, history


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
def test_what_stands_in_a_sample_of_weight_zero_changes_no_bit(reduction, engine):
    weight = np.ones(12)
    weight[[2, 7]] = 0
    other, labels = X.copy(), LABELS.copy()
    other[[2, 7]], labels[[2, 7]] = 5.0, 1 - labels[[2, 7]]
    (first, one), (second, two) = (
        trained(x, y, weight, reduction=reduction, engine=engine) for x, y in ((X, LABELS), (other, labels))
    )
    np.testing.assert_array_equal(first.values, second.values)
    assert one.loss == two.loss
    assert one.accuracy == two.accuracy


@pytest.mark.parametrize("engine", ENGINES)
def test_weight_zero_is_left_out_and_weight_two_is_twice_in_a_batch(engine):
    weight = np.ones(12)
    weight[3], weight[5] = 0, 2
    rows = np.array([0, 1, 2, 4, 5, 5, *range(6, 12)])
    for reduction in ("sum", "mean", "batchmean"):
        a, one = trained(X, LABELS, weight, reduction=reduction, engine=engine, batch_size=12)
        b, two = trained(X[rows], LABELS[rows], reduction=reduction, engine=engine, batch_size=12)
        np.testing.assert_allclose(a.values, b.values, rtol=1e-12)
        np.testing.assert_allclose(one.loss, two.loss, rtol=1e-12)
        np.testing.assert_allclose(one.accuracy, two.accuracy, rtol=1e-12)
        found = [
            minidl.evaluate(net(), minidl.CrossEntropyLoss(reduction), *data, batch_size=5, engine=engine)
            if len(data) == 2
            else minidl.evaluate(
                net(), minidl.CrossEntropyLoss(reduction), *data[:2], sample_weight=data[2], batch_size=5, engine=engine
            )
            for data in ((X, LABELS, weight), (X[rows], LABELS[rows]))
        ]
        np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_of_one_change_nothing_but_rounding(engine):
    a, one = trained(X, LABELS, reduction="mean", engine=engine)
    b, two = trained(X, LABELS, np.ones(12, int), reduction="mean", engine=engine)
    np.testing.assert_allclose(a.values, b.values, rtol=1e-13)
    np.testing.assert_allclose(one.loss, two.loss, rtol=1e-13)


@pytest.mark.parametrize("engine", ENGINES)
def test_folds_of_a_cross_validation_are_replicates(engine):
    """Each replicate trains on its own folds, by weights of zero and one, as the network with that seed alone."""
    weight = np.ones((3, 12))
    for fold in range(3):
        weight[fold, fold::3] = 0
    model = minidl.replicate(net, range(3))
    together, history = trained(X, LABELS, weight, engine=engine, model=model, reduction="mean", rng=[0, 1, 2])
    for fold in range(3):
        alone, curve = trained(X, LABELS, weight[fold], engine=engine, model=net(fold), reduction="mean", rng=fold)
        np.testing.assert_allclose(together.values[fold], alone.values, rtol=1e-10)
        np.testing.assert_allclose(history.curve("loss")[:, fold], curve.loss, rtol=1e-12)
        np.testing.assert_allclose(history.curve("accuracy")[:, fold], curve.accuracy, rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_whose_weights_are_zero_makes_no_gradient_and_no_nan(engine):
    weight = np.zeros(12)
    weight[0] = 1
    model, history = trained(X, LABELS, weight, reduction="mean", engine=engine, batch_size=1, epochs=1)
    assert np.isfinite(model.values).all()
    assert np.isfinite(history.loss).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_validation_and_train_step_take_weights(engine):
    weight = np.linspace(0, 1, 12)
    model, history = trained(X, LABELS, engine=engine, validation=(X, LABELS, weight))
    measured = minidl.evaluate(model, minidl.CrossEntropyLoss(), X, LABELS, sample_weight=weight)
    assert history.val_loss[-1] == pytest.approx(measured.loss, rel=1e-12)
    assert history.val_accuracy[-1] == pytest.approx(measured.accuracy, rel=1e-12)
    one, two = net(), net()
    loss = minidl.CrossEntropyLoss("mean")
    value = minidl.train_step(one, loss, minidl.SGD(one, 0.1), X, LABELS, sample_weight=weight, engine=engine)
    expected = loss.forward(two.forward(X), LABELS, weight=weight)
    two.backward(loss.backward())
    two.update(0.1)
    assert value == pytest.approx(float(expected), rel=1e-12)
    np.testing.assert_allclose(one.values, two.values, rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("weight", "error", "words"),
    [
        (np.ones(11), ValueError, r"fit: expected a weight for each sample, shape \(12,\), got shape \(11,\)"),
        (np.ones((12, 1)), ValueError, r"fit: expected a weight for each sample"),
        (-np.ones(12), ValueError, "fit: expected weights to be finite and at least 0, got -1.0 to -1.0"),
        (np.full(12, np.nan), ValueError, "fit: expected weights to be finite"),
        (np.zeros(12), ValueError, "fit: expected weights with a sum above 0"),
        (np.ones(12, complex), TypeError, "fit: expected weights to be numbers, got complex128"),
        ([1] * 12, TypeError, "fit: expected weight to be a NumPy array"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weight, error, words, engine):
    model = net()
    before = model.values.copy()
    with pytest.raises(error, match=words):
        trained(X, LABELS, weight, model=model, engine=engine)
    np.testing.assert_array_equal(model.values, before)


def test_an_own_loss_without_weights_refuses_them():
    class Own(minidl.MSELoss):
        def forward(self, prediction, target, *, replicate_axes=0):
            return super().forward(prediction, target, replicate_axes=replicate_axes)

    model = net()
    with pytest.raises(TypeError, match=r"fit: expected a loss whose forward takes weight=, got Own"):
        minidl.fit(model, Own(), minidl.SGD(model, 0.1), X, X[:, :2], sample_weight=np.ones(12), epochs=1, batch_size=3)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_train_step_whose_weights_are_zero_learns_nothing(engine):
    model = net()
    before = model.values.copy()
    for reduction in ("sum", "mean", "batchmean"):
        loss, sgd = minidl.CrossEntropyLoss(reduction), minidl.SGD(model, 0.1)
        value = minidl.train_step(model, loss, sgd, X, LABELS, sample_weight=np.zeros(12), engine=engine)
        assert value == 0
    np.testing.assert_array_equal(model.values, before)
    many = minidl.replicate(net, range(2))
    before, weight = many.values.copy(), np.stack([np.ones(12), np.zeros(12)])
    loss, sgd = minidl.CrossEntropyLoss("mean"), minidl.SGD(many, 0.1)
    values = minidl.train_step(many, loss, sgd, X, LABELS, sample_weight=weight, engine=engine)
    assert (values == 0).tolist() == [False, True]
    assert (many.values == before).all(axis=-1).tolist() == [False, True]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("dtype", "rtol"), [("float16", 2e-3), ("float32", 1e-6)])
@pytest.mark.parametrize("scale", [1e-60, 1e-8, 1.0, 1e5, 1e60])
def test_a_mean_does_not_depend_on_the_scale_of_the_weights(scale, dtype, rtol, engine):
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((3000, 3)).astype(dtype), rng.random(3000)
    y = (x[:, :1] * 0.3).astype(dtype)

    def run(weight):
        model = minidl.Linear(3, 1, rng=0, dtype=dtype)
        loss, sgd = minidl.MSELoss("mean"), minidl.SGD(model, 0.1)
        options = {"epochs": 1, "batch_size": 1000, "sample_weight": weight, "rng": 0, "engine": engine}
        history = minidl.fit(model, loss, sgd, x, y, **options)
        measured = minidl.evaluate(model, loss, x, y, sample_weight=weight, engine=engine)
        return [*history.loss, measured.loss, *model.values.astype(float)]

    np.testing.assert_allclose(run(weight * scale), run(weight), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("engine", ENGINES)
def test_accuracy_with_weights_is_never_above_one(engine):
    model = minidl.Linear(3, 2, rng=0)
    x = np.ones((1000, 3), np.float32)
    labels = np.full(1000, int(minidl.predict(model, x[:1]).argmax()))
    loss, sgd, weight = minidl.CrossEntropyLoss(), minidl.SGD(model, 1e-6), np.full(1000, 0.1)
    options = {"sample_weight": weight, "epochs": 1, "batch_size": 50, "rng": 0, "engine": engine}
    (accuracy,) = minidl.fit(model, loss, sgd, x, labels, **options).accuracy
    assert accuracy == pytest.approx(1, abs=1e-12)


def test_a_loss_that_hands_its_options_on_takes_weights():
    class Around(minidl.Loss):
        def __init__(self, inner):
            super().__init__(inner.reduction)
            self.inner = inner

        def forward(self, prediction, target, **options):
            return self.inner.forward(prediction, target, **options)

        def backward(self):
            return self.inner.backward()

    weight, found = np.linspace(0, 1, 12), []
    for loss in (minidl.MSELoss("mean"), Around(minidl.MSELoss("mean"))):
        model = net()
        minidl.fit(
            model, loss, minidl.SGD(model, 0.1), X, X[:, :2], sample_weight=weight, epochs=2, batch_size=5, rng=0
        )
        found.append(model.values)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_split_and_an_order_as_the_samples_lie_keep_the_weights(engine):
    weight = np.linspace(0, 1, 12)
    model = net()
    loss, options = minidl.CrossEntropyLoss("mean"), {"epochs": 1, "batch_size": 12, "engine": engine}
    history = minidl.fit(
        model, loss, minidl.SGD(model, 0.0), X, LABELS, sample_weight=weight, validation_split=0.25, rng=0, **options
    )
    held = history.held_out
    rest = np.setdiff1d(np.arange(12), held)
    for rows, found in ((held, history.val_loss[0]), (rest, history.loss[0])):
        expected = minidl.evaluate(net(), loss, X[rows], LABELS[rows], sample_weight=weight[rows]).loss
        assert found == pytest.approx(expected, rel=1e-12)
    history = minidl.fit(model, loss, minidl.SGD(model, 0.0), X, LABELS, sample_weight=weight, shuffle=False, **options)
    assert history.loss[0] == pytest.approx(
        minidl.evaluate(net(), loss, X, LABELS, sample_weight=weight).loss, rel=1e-12
    )


def test_metrics_take_no_weights():
    with pytest.raises(ValueError, match=r"evaluate: expected no weights beside metrics, .* got mae"):
        minidl.evaluate(net(), minidl.MSELoss(), X, X[:, :2], sample_weight=np.ones(12), metrics=["mae"])


def test_torch_tensors_are_weighted_alike():
    torch = pytest.importorskip("torch")
    weight = np.linspace(0, 2, 12)
    model, _ = trained(X, LABELS, weight)
    twin = minidl.Sequential(
        [
            minidl.Linear(3, 5, dtype="float64", backend="torch"),
            minidl.Tanh(),
            minidl.Linear(5, 2, dtype="float64", backend="torch"),
        ]
    )
    twin.load_state_dict(net().state_dict())
    trained(torch.from_numpy(X), torch.from_numpy(LABELS), torch.from_numpy(weight), model=twin)
    np.testing.assert_allclose(twin.values.numpy(), model.values, rtol=1e-10)


class TestClassWeights:
    @quick
    @given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=30))
    def test_balanced_gives_each_class_the_same_weight_and_the_samples_a_mean_of_one(self, labels):
        y = np.array(labels)
        weight = minidl.class_weights(y)
        each = [weight[y == label].sum() for label in np.unique(y)]
        np.testing.assert_allclose(each, len(y) / len(each))

    def test_one_hot_rows_and_columns_are_classes_too(self):
        y = np.array([0, 1, 1, 1])
        expected = minidl.class_weights(y)
        np.testing.assert_array_equal(minidl.class_weights(np.eye(2)[y]), expected)
        np.testing.assert_array_equal(minidl.class_weights(y[:, None].astype(float)), expected)
        np.testing.assert_array_equal(minidl.class_weights(np.stack([y, y])), [expected, expected])

    def test_a_mapping_gives_the_weight_of_each_class(self):
        assert minidl.class_weights(np.array([0, 2, 1]), {2: 3.0, 1: 0.5}).tolist() == [1.0, 3.0, 0.5]

    def test_a_column_of_integers_is_one_of_classes(self):
        y = np.array([0, 0, 0, 1])
        np.testing.assert_array_equal(minidl.class_weights(y[:, None]), minidl.class_weights(y))
        with pytest.raises(ValueError, match=r"integers that may be either: try y\.argmax"):
            minidl.class_weights(np.eye(2, dtype=int)[y])

    @pytest.mark.parametrize("weights", [[1, 5], None, 2.0])
    def test_weights_that_are_neither_a_word_nor_a_mapping(self, weights):
        with pytest.raises(TypeError, match="class_weights: expected 'balanced' or a weight for each class"):
            minidl.class_weights(np.array([0, 1]), weights)

    @pytest.mark.parametrize(
        ("y", "weights", "words"),
        [
            (np.array([0.5]), "balanced", "expected class indices"),
            (np.array([0, 1]), "even", "expected 'balanced' or a weight for each class, got 'even'"),
            (np.array([0, 1]), {0: -1.0}, "finite and at least 0"),
            (np.array([[0.5, 0.5]]), "balanced", "one-hot rows or zeros and ones"),
            (np.array([0, 1]), {7: 2.0}, "expected classes that occur, got a weight for 7"),
            (np.zeros(0, int), "balanced", "expected at least one sample"),
        ],
    )
    def test_what_it_refuses(self, y, weights, words):
        with pytest.raises(ValueError, match=f"class_weights: .*{words}"):
            minidl.class_weights(y, weights)
