"""Networks of minidl as estimators, and back."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

import minidl
from minidl_sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
SMALL = {"hidden_layer_sizes": (7, 5), "max_iter": 10, "learning_rate_init": 0.03, "random_state": 0}


def new_model(outputs, *, normalization=minidl.BatchNorm1d, seed=0, dtype="float64"):
    rng = np.random.default_rng(seed)
    model = minidl.Sequential([
        minidl.Linear(4, 7, dtype=dtype, rng=rng), normalization(7, dtype=dtype), minidl.SiLU(),
        minidl.Dropout(0.25, rng=rng),
        minidl.Linear(7, 5, dtype=dtype, rng=rng), normalization(5, dtype=dtype), minidl.Dropout(0.5, rng=rng),
        minidl.Linear(5, outputs, dtype=dtype, rng=rng),
    ])  # fmt: skip
    model.forward(X.astype(dtype))  # moves the statistics
    return model


@pytest.mark.parametrize("normalize", [None, "batch", "layer"])
def test_a_network_goes_out_and_comes_back(normalize):
    there = MLPClassifier(**SMALL, normalize=normalize, dropout=[0.1, 0.0], activation=["elu", "identity"]).fit(X, Y)
    model = there.to_minidl()
    np.testing.assert_array_equal(minidl.softmax(minidl.predict(model, X)), there.predict_proba(X))
    model.values[...] *= 2  # a copy
    assert not np.array_equal(minidl.softmax(minidl.predict(model, X)), there.predict_proba(X))
    back = MLPClassifier.from_minidl(there.to_minidl())
    np.testing.assert_array_equal(back.predict_proba(X), there.predict_proba(X))
    names = "hidden_layer_sizes", "activation", "dropout", "normalize"
    assert [getattr(back, name) for name in names] == [(7, 5), ["elu", "identity"], [0.1, 0.0], normalize]


def test_a_network_of_one_s_own_predicts_and_is_trained_further():
    model = new_model(3)
    estimator = MLPClassifier.from_minidl(model, classes=["a", "b", "c"], learning_rate_init=0.02, random_state=0)
    np.testing.assert_array_equal(estimator.predict_proba(X), minidl.softmax(minidl.predict(model, X)))
    assert (estimator.activation, estimator.dropout) == (["silu", "identity"], [0.25, 0.5])
    labels, before = np.array(["a", "b", "c"])[Y], model.values.copy()
    untrained = estimator.score(X, labels)
    for _ in range(40):
        estimator.partial_fit(X, labels)
    assert estimator.score(X, labels) > max(untrained, 0.8)
    np.testing.assert_array_equal(model.values, before)
    copied = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(copied.predict_proba(X), estimator.predict_proba(X))


def test_two_classes_have_one_logit_or_two():
    one, two = new_model(1), new_model(2)
    z = minidl.predict(one, X)[:, 0]
    np.testing.assert_allclose(MLPClassifier.from_minidl(one).predict_proba(X)[:, 1], 1 / (1 + np.exp(-z)))
    estimator = MLPClassifier.from_minidl(two)
    np.testing.assert_allclose(estimator.predict_proba(X), minidl.softmax(minidl.predict(two, X)), atol=1e-15)
    assert estimator.n_outputs_ == 1


def test_labels():
    model = new_model(3)
    labels = MLPClassifier.from_minidl(model, multilabel=True).predict(X)
    np.testing.assert_array_equal(labels, minidl.predict(model, X) > 0)
    with pytest.raises(ValueError, match="expected no classes beside multilabel=True, got \\[1, 2\\]"):
        MLPClassifier.from_minidl(model, multilabel=True, classes=[1, 2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_regressor(dtype):
    model = new_model(2, normalization=minidl.LayerNorm, dtype=dtype)
    x, z = X.astype(dtype), minidl.predict(model, X.astype(dtype))
    np.testing.assert_array_equal(MLPRegressor.from_minidl(model).predict(x), z)
    assert MLPRegressor.from_minidl(model).predict(x).dtype == dtype
    np.testing.assert_allclose(MLPRegressor.from_minidl(model, loss="poisson").predict(x), np.exp(z), rtol=1e-6)
    mean, std = MLPRegressor.from_minidl(model, loss="gaussian").predict(x, return_std=True)
    np.testing.assert_array_equal(mean, z[:, 0])
    np.testing.assert_allclose(std, np.exp(z[:, 1] / 2), rtol=1e-6)
    with pytest.raises(ValueError, match="MLPRegressor: expected 3 outputs for each target, got a network of 2"):
        MLPRegressor.from_minidl(model, loss="quantile", quantiles=[0.1, 0.5, 0.9])


LINEAR = minidl.Linear(4, 3, rng=0)
BAD = {
    "a layer": (lambda: LINEAR, TypeError, "expected model to be a minidl.Sequential"),
    "no layers": (lambda: minidl.Sequential([minidl.Tanh()]), ValueError, "expected a single network of Linear layers"),
    "no bias": (
        lambda: minidl.Sequential([minidl.Linear(4, 3, bias=False, rng=0)]),
        ValueError,
        "expected a single network of Linear layers with biases",
    ),
    "replicates": (
        lambda: minidl.replicate(lambda rng: minidl.Sequential([minidl.Linear(4, 3, rng=rng)]), [0, 1]),
        ValueError,
        "expected a single network",
    ),
    "a setting": (
        lambda: minidl.Sequential([
            minidl.Linear(4, 5, rng=0), minidl.LeakyReLU(0.3), minidl.Linear(5, 3, rng=1)
        ]),
        ValueError,
        "expected layers that its parameters describe",
    ),
    "behind the last": (
        lambda: minidl.Sequential([minidl.Linear(4, 3, rng=0), minidl.Sigmoid()]),
        ValueError,
        "expected layers that its parameters describe",
    ),
    "another order": (
        lambda: minidl.Sequential([
            minidl.Linear(4, 5, rng=0), minidl.Tanh(), minidl.LayerNorm(5), minidl.Linear(5, 3, rng=1)
        ]),
        ValueError,
        "expected layers that its parameters describe",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_other_networks_are_refused(case):
    build, error, words = BAD[case]
    with pytest.raises(error, match=f"MLPClassifier: {words}"):
        MLPClassifier.from_minidl(build())


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_frozen_layers_are_refused(kind):
    model = new_model(3)
    model.layers[1].freeze()
    with pytest.raises(ValueError, match=f"{kind.__name__}: expected a network whose layers are all trained"):
        kind.from_minidl(model)


def test_classes_that_do_not_fit_are_refused():
    for classes in (["a", "b"], ["b", "a", "c"]):
        with pytest.raises(ValueError, match="expected 3 sorted classes for a network of 3 outputs"):
            MLPClassifier.from_minidl(new_model(3), classes=classes)
