"""Metrics of weighted samples: scikit-learn's numbers, per replicate, and metrics of one's own."""

import numpy as np
import pytest

import minidl

RNG = np.random.default_rng(0)
X = RNG.standard_normal((500, 3)).astype(np.float32)
CLASSES = (X[:, 0] + RNG.standard_normal(500) > 0.7).astype(np.int64)
COLUMN = CLASSES[:, None].astype(np.float32)
NUMBERS = (X[:, :2] ** 2 + 0.3 * RNG.standard_normal((500, 2))).astype(np.float32)
W = RNG.uniform(0, 3, 500) * (RNG.random(500) > 0.2)  # some are zero
ENGINES = pytest.mark.parametrize("engine", ["numpy", "auto"])


def linear(outputs, rng=0, **options):
    return minidl.Linear(3, outputs, rng=rng, std_b=1, **options)


def measured(model, x, y, weight, *metrics, loss=None, **options):
    loss = loss or minidl.MSELoss()
    return minidl.evaluate(model, loss, x, y, sample_weight=weight, metrics=metrics, **options).metrics


def sklearn():
    return pytest.importorskip("sklearn.metrics", reason="scikit-learn is the oracle")


@ENGINES
@pytest.mark.parametrize("constant", [False, True])
def test_r2_and_mae_are_those_of_scikit_learn(constant, engine):
    model, y = linear(2), NUMBERS.copy()
    y[W > 0, 1] = 3.0 if constant else y[W > 0, 1]
    prediction = model.infer(X).astype(float)
    found = measured(model, X, y, W, "r2", "mae", engine=engine)
    assert found["r2"] == pytest.approx(sklearn().r2_score(y.astype(float), prediction, sample_weight=W), rel=1e-5)
    assert found["mae"] == pytest.approx(sklearn().mean_absolute_error(y, prediction, sample_weight=W), rel=1e-5)
    assert found != measured(model, X, y, None, "r2", "mae")


@ENGINES
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("outputs", [1, 2])
def test_auc_and_accuracy_are_those_of_scikit_learn(outputs, ties, engine):
    model, x, y = linear(outputs), X.round() if ties else X, COLUMN if outputs == 1 else CLASSES
    loss = minidl.BCEWithLogitsLoss() if outputs == 1 else minidl.CrossEntropyLoss()
    prediction = model.infer(x).astype(float)
    score = prediction[:, 0] if outputs == 1 else prediction[:, 1] - prediction[:, 0]
    result = minidl.evaluate(model, loss, x, y, sample_weight=W, metrics=["auc", "accuracy"], engine=engine)
    assert result.metrics["auc"] == pytest.approx(sklearn().roc_auc_score(CLASSES, score, sample_weight=W), rel=1e-6)
    assert result.accuracy == pytest.approx(sklearn().accuracy_score(CLASSES, score > 0, sample_weight=W), rel=1e-6)


def test_a_weight_of_two_is_a_sample_that_stands_there_twice():
    model, weight = linear(1), RNG.integers(0, 3, 500)
    repeated = np.repeat(np.arange(500), weight)
    found = measured(model, X, COLUMN, weight, "r2", "mae", "auc")
    twice = measured(model, X[repeated], COLUMN[repeated], None, "r2", "mae", "auc")
    assert found == pytest.approx(twice, rel=1e-9)


def test_auc_where_one_class_has_no_weight_is_nan():
    assert np.isnan(measured(linear(1), X, COLUMN, CLASSES.astype(float), "auc")["auc"])


@ENGINES
@pytest.mark.parametrize("own", [False, True])
def test_each_replicate_has_its_own(own, engine):
    model = minidl.replicate(lambda rng: linear(1, rng), range(3))
    weight = np.stack([W, W[::-1], 3 - W]) if own else W
    found = measured(model, X, COLUMN, weight, "r2", "mae", "auc", engine=engine)
    for seed in range(3):
        alone = linear(1, np.random.default_rng(seed))
        expected = measured(alone, X, COLUMN, weight[seed] if own else W, "r2", "mae", "auc")
        for name, value in found.items():
            assert value[seed] == pytest.approx(expected[name], rel=1e-5)


def test_samples_of_several_axes_give_each_row_their_weight():
    x, y, weight = X[:498].reshape(166, 3, 3), NUMBERS[:498].reshape(166, 3, 2), W[:166]
    deep = measured(linear(2), x, y, weight, "r2", "mae")
    flat = measured(linear(2), X[:498], NUMBERS[:498], np.repeat(weight, 3), "r2", "mae")
    assert deep == pytest.approx(flat, rel=1e-5)


def test_tensors():
    torch = pytest.importorskip("torch")
    model, weight = linear(1, backend="torch"), torch.from_numpy(W)
    found = measured(model, torch.from_numpy(X), torch.from_numpy(COLUMN), weight, "r2", "mae", "auc")
    assert found == pytest.approx(measured(linear(1), X, COLUMN, W, "r2", "mae", "auc"), rel=1e-5)


@ENGINES
@pytest.mark.parametrize("split", [False, True])
def test_fit_measures_them_on_a_weighted_validation_set(split, engine):
    model, loss = minidl.replicate(lambda rng: linear(1, rng), range(2)), minidl.BCEWithLogitsLoss("mean")
    weight = np.stack([W, 3 - W])
    options = {"sample_weight": weight, "validation_split": 0.3} if split else {"validation": (X, COLUMN, weight)}
    history = minidl.fit(
        *(model, loss, minidl.SGD(model, 0.1), X, COLUMN),
        epochs=2, batch_size=50, rng=0, metrics=["auc", "mae"], engine=engine, **options,
    )  # fmt: skip
    held = history.held_out if split else np.arange(500)
    last = measured(model, X[held], COLUMN[held], weight[:, held], "auc", "mae", loss=loss)
    for name, value in last.items():
        np.testing.assert_allclose(history.curve(f"val_{name}")[-1], value, rtol=1e-6)


def worst(prediction, target, sample_weight=None):
    errors = np.abs(prediction - target).max(axis=-1)
    return (errors if sample_weight is None else errors * sample_weight).max(axis=-1)


def test_a_metric_of_ones_own_may_take_them():
    model = minidl.replicate(lambda rng: linear(2, rng), range(2))
    error = np.abs(model.infer(X) - NUMBERS).max(axis=-1)
    for weight in (None, W, np.stack([W, 3 - W])):
        found = measured(model, X, NUMBERS, weight, worst)
        np.testing.assert_allclose(found["worst"], (error * (1 if weight is None else weight)).max(axis=-1), rtol=1e-6)


def plain(prediction, target):
    return np.abs(prediction - target).max()


@pytest.mark.parametrize("split", [False, True])
def test_a_metric_that_does_not_take_them_is_refused_before_the_first_step(split, unchanged):
    model, rng = linear(2), np.random.default_rng(0)
    with pytest.raises(
        ValueError, match="evaluate: expected metrics that take sample_weight= beside weights, got plain"
    ):
        measured(model, X, NUMBERS, W, "r2", plain)
    options = {"sample_weight": W, "validation_split": 0.3} if split else {"validation": (X, NUMBERS, W)}
    state = rng.bit_generator.state
    with unchanged(model), pytest.raises(ValueError, match=r"^fit: .*take sample_weight= beside weights, got plain"):
        minidl.fit(
            *(model, minidl.MSELoss(), minidl.SGD(model, 0.1), X, NUMBERS),
            epochs=2, batch_size=50, rng=rng, metrics=[plain], **options,
        )  # fmt: skip
    assert rng.bit_generator.state == state
