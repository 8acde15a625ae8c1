"""Metrics over a whole data set: scikit-learn's numbers, per replicate, and what does not suit them."""

import pickle

import numpy as np
import pytest

import minidl

RNG = np.random.default_rng(0)
X = RNG.standard_normal((9000, 3)).astype(np.float32)  # predicted in several batches
CLASSES = (X[:, 0] + RNG.standard_normal(9000) > 0.7).astype(np.int64)
NUMBERS = (X[:, :2] ** 2 + 0.3 * RNG.standard_normal((9000, 2))).astype(np.float32)
ENGINES = pytest.mark.parametrize("engine", ["numpy", "auto"])


def linear(outputs, **options):
    return minidl.Linear(3, outputs, rng=options.pop("rng", 0), std_b=1, **options)


def measured(model, x, y, *metrics, loss=None, **options):
    return minidl.evaluate(model, loss or minidl.MSELoss(), x, y, metrics=metrics, **options).metrics


def sklearn():
    return pytest.importorskip("sklearn.metrics", reason="scikit-learn is the oracle")


@ENGINES
@pytest.mark.parametrize("outputs", [1, 2])
def test_r2_and_mae_are_those_of_scikit_learn(outputs, engine):
    model, y = linear(outputs), NUMBERS[:, :outputs].copy()
    y[:, -1] = 3.0 if outputs == 2 else y[:, -1]  # a constant
    prediction = model.infer(X)
    found = measured(model, X, y, "r2", "mae", engine=engine)
    assert list(found) == ["r2", "mae"]
    assert all(type(value) is float for value in found.values())
    assert found["r2"] == pytest.approx(sklearn().r2_score(y, prediction.astype(float)), rel=1e-5)
    assert found["mae"] == pytest.approx(sklearn().mean_absolute_error(y, prediction), rel=1e-5)


def test_r2_of_an_exact_constant_is_one_and_of_one_sample_nan():
    model = minidl.Linear(3, 1)
    model.values[...] = 0
    assert measured(model, X, np.zeros((9000, 1), np.float32), "r2") == {"r2": 1.0}
    assert np.isnan(measured(model, X[:1], np.zeros((1, 1), np.float32), "r2")["r2"])


@ENGINES
@pytest.mark.parametrize("kind", ["logit", "indices", "one-hot", "ties"])
def test_auc_is_that_of_scikit_learn(kind, engine):
    two = kind in ("indices", "one-hot")
    model = linear(2 if two else 1)
    loss = minidl.CrossEntropyLoss() if two else minidl.BCEWithLogitsLoss()
    y = {"indices": CLASSES, "one-hot": np.eye(2, dtype=np.float32)[CLASSES]}.get(kind)
    y = CLASSES[:, None].astype(np.float32) if y is None else y
    x = X.round() if kind == "ties" else X
    prediction = model.infer(x).astype(float)
    score = prediction[:, 1] - prediction[:, 0] if two else prediction[:, 0]
    found = measured(model, x, y, "auc", loss=loss, engine=engine)
    assert found["auc"] == pytest.approx(sklearn().roc_auc_score(CLASSES, score), rel=1e-6)


def test_auc_of_one_class_is_nan():
    assert np.isnan(measured(linear(1), X, np.ones((9000, 1), np.float32), "auc")["auc"])


@ENGINES
def test_each_replicate_has_its_own(engine):
    def build(rng):
        return linear(1, rng=rng)

    seeds = range(3)
    model, y = minidl.replicate(build, seeds), CLASSES[:, None].astype(np.float32)
    own = np.stack([y, 1 - y, y[::-1]])
    for target in (y, own):
        found = measured(model, X, target, "r2", "mae", "auc", engine=engine)
        for seed in seeds:
            alone = measured(build(np.random.default_rng(seed)), X, target if target is y else own[seed], *found)
            for name, value in found.items():
                assert value.shape == (3,)
                assert value[seed] == pytest.approx(alone[name], rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_both_libraries_and_all_dtypes(dtype):
    torch = pytest.importorskip("torch")
    x, y = X[:500].astype(dtype), CLASSES[:500, None].astype(dtype)
    results = []
    for library, backend in ((np.asarray, "numpy"), (torch.from_numpy, "torch")):
        model = linear(1, dtype=dtype, backend=backend)
        results.append(measured(model, library(x), library(y), "r2", "mae", "auc"))
    for name, value in results[0].items():
        assert results[1][name] == pytest.approx(value, rel=1e-2 if dtype == "float16" else 1e-5)


def test_samples_of_several_axes_count_one_by_one():
    x, y = X.reshape(3000, 3, 3), NUMBERS.reshape(3000, 3, 2)
    model = linear(2)
    deep, flat = measured(model, x, y, "r2", "mae"), measured(model, X, NUMBERS, "r2", "mae")
    assert deep == pytest.approx(flat, rel=1e-5)


def test_a_metric_of_ones_own_sees_all_predictions_at_once():
    calls = []

    def largest(prediction, target):
        calls.append((prediction.shape, target.shape))
        return np.abs(prediction - target).max(axis=(-2, -1))

    model = minidl.replicate(lambda rng: linear(2, rng=rng), range(2))
    found = measured(model, X, NUMBERS, largest)
    assert calls == [((2, 9000, 2), (2, 9000, 2))]
    assert found["largest"].shape == (2,)
    classes = minidl.replicate(lambda rng: linear(2, rng=rng), range(2))

    def share(prediction, target):
        return (prediction.argmax(-1) == target).mean(-1)

    result = minidl.evaluate(classes, minidl.CrossEntropyLoss(), X, CLASSES, metrics=[share])
    np.testing.assert_allclose(result.metrics["share"], result.accuracy)


def test_a_metric_of_tensors_may_return_one():
    torch = pytest.importorskip("torch")

    def bias(prediction, target):
        return (prediction - target).mean()

    model = linear(2, backend="torch")
    found = measured(model, torch.from_numpy(X), torch.from_numpy(NUMBERS), bias)
    assert type(found["bias"]) is float


@ENGINES
def test_fit_measures_them_on_the_validation_set_after_each_epoch(engine):
    model, seen = linear(1), []
    y, val = CLASSES[:, None].astype(np.float32), (X[:500], CLASSES[:500, None].astype(np.float32))
    loss = minidl.BCEWithLogitsLoss("mean")

    def note(*_):
        # By the same engine: a rounding can exchange two outputs that are nearly equal, which changes the AUC.
        seen.append(minidl.evaluate(model, loss, *val, metrics=["auc", "r2"], engine=engine))

    history = minidl.fit(
        *(model, loss, minidl.SGD(model, 0.1), X, y),
        epochs=3, batch_size=500, validation=val, metrics=["accuracy", "auc", "r2"], callbacks=[note], engine=engine,
        rng=0,
    )  # fmt: skip
    assert list(history.metrics) == ["val_auc", "val_r2"]
    for name in ("auc", "r2"):
        np.testing.assert_allclose(history.curve(f"val_{name}"), [each.metrics[name] for each in seen], rtol=1e-6)
    assert len(history.accuracy) == len(history.val_accuracy) == 3
    assert history.mean("val_auc").shape == history.quantile("val_auc", 0.5).shape == (3,)
    assert history.to_dict()["val_auc"] == history.metrics["val_auc"]
    assert f"val_auc {history.metrics['val_auc'][-1]:.4g}" in repr(history)
    with pytest.raises(ValueError, match=r"curves loss, .*, val_auc, val_r2, got 'auc'"):
        history.curve("auc")


def test_accuracy_by_name_is_accuracy(rng):
    x, y = rng.standard_normal((7, 3)).astype(np.float32), np.eye(2, dtype=np.float32)[[0, 1, 1, 0, 1, 0, 0]]
    model = linear(2)
    asked = minidl.evaluate(model, minidl.MSELoss(), x, y, metrics=["accuracy"])
    assert asked == minidl.evaluate(model, minidl.MSELoss(), x, y, accuracy=True)
    assert asked.metrics == {}


def test_an_evaluation_is_a_pair_that_carries_metrics():
    result = minidl.evaluate(linear(1), minidl.MSELoss(), X, NUMBERS[:, :1], metrics=["mae"])
    loss, accuracy = result
    assert (loss, accuracy) == (result.loss, None)
    assert pickle.loads(pickle.dumps(result)).metrics == result.metrics
    assert repr(result) == f"Evaluation(loss={loss!r}, accuracy=None, metrics={result.metrics})"
    assert repr(minidl.Evaluation(1.0, 0.5)) == "Evaluation(loss=1.0, accuracy=0.5)"


def loss(_prediction, _target):
    return 0.0


def constant(_prediction, _target):
    return 0.0


def words(_prediction, _target):
    return "good"


def each(prediction, _target):
    return prediction[:, 0]


@pytest.mark.parametrize(
    ("metrics", "error", "match"),
    [
        ("r2", TypeError, "metrics to be a list"),
        (5, TypeError, "metrics to be a list"),
        ([5], TypeError, "metrics to be names or callables"),
        (["R2"], ValueError, "some of 'accuracy', 'r2', 'mae', 'auc', got 'R2'"),
        (["r2", "r2"], ValueError, "metrics of different names, got r2, r2"),
        ([loss], ValueError, "a name of its own, got a callable named loss"),
        (["auc"], ValueError, "auc expects one output, or those of two classes, got 3"),
        ([words], TypeError, "metric words to return numbers"),
        ([each], ValueError, r"metric each to return one number, got float32 \(9000,\)"),
    ],
)
def test_what_does_not_suit_is_refused(metrics, error, match):
    for function in (minidl.evaluate, validated):
        with pytest.raises(error, match=f"^(evaluate|fit|fit: validation): .*{match}"):
            function(linear(3), minidl.MSELoss(), X, np.zeros((9000, 3), np.float32), metrics=metrics)


def validated(model, loss, x, y, **options):
    optimizer = minidl.SGD(model, 0.0)
    return minidl.fit(model, loss, optimizer, x, y, epochs=1, batch_size=9000, validation=(x, y), **options)


def test_metrics_of_other_targets_are_refused():
    with pytest.raises(ValueError, match=r"r2 expects targets of numbers, \(9000, 2\), got int64 \(9000,\)"):
        measured(linear(2), X, CLASSES, "r2", loss=minidl.CrossEntropyLoss())
    with pytest.raises(ValueError, match="auc expects class indices, one-hot rows or zeros and ones"):
        measured(linear(2), X, NUMBERS, "auc")
    with pytest.raises(ValueError, match="evaluate: expected accuracy=True, or metrics without it"):
        minidl.evaluate(linear(2), minidl.MSELoss(), X, NUMBERS, metrics=["accuracy"], accuracy=False)
    model = linear(2)
    with pytest.raises(ValueError, match="fit: expected a validation set for metrics mae, got none"):
        minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.1), X, NUMBERS, epochs=1, batch_size=5, metrics=["mae"])
    replicates = minidl.replicate(lambda rng: linear(2, rng=rng), range(2))
    with pytest.raises(ValueError, match=r"one number per replicate, shape \(2,\), got float64 \(\)"):
        measured(replicates, X, NUMBERS, constant)


def test_named_metrics_are_checked_before_the_first_step(unchanged):
    model = linear(2)
    with unchanged(model), pytest.raises(ValueError, match="fit: validation: auc expects"):
        validated(model, minidl.MSELoss(), X, NUMBERS, metrics=["auc"])
