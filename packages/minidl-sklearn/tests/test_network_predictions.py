"""What several networks predict together, their copies, and what is refused of them."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import scale

import minidl
from minidl_sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
XD, YD = load_diabetes(return_X_y=True)
SMALL = {"hidden_layer_sizes": (7, 5), "max_iter": 20, "random_state": 3}


@pytest.mark.parametrize(
    "y", [Y, Y > 0, np.array(["a", "b", "c"])[Y], np.stack([Y > 0, Y > 1], axis=1).astype(int)], ids=str
)
def test_probabilities_are_the_mean_of_those_of_the_networks(y):
    estimator = MLPClassifier(**SMALL, n_networks=5).fit(X, y)
    each = [network.predict_proba(X) for network in estimator.networks_]
    mean = np.mean(each, axis=0)
    np.testing.assert_allclose(estimator.predict_proba(X), mean, rtol=1e-12)
    np.testing.assert_allclose(estimator.predict_log_proba(X), np.log(mean), atol=1e-12)
    expected = (mean > 0.5).astype(int) if mean.ndim == 2 and y.ndim == 2 else estimator.classes_[mean.argmax(axis=1)]
    np.testing.assert_array_equal(estimator.predict(X), expected)
    assert estimator.score(X, y) == np.mean((estimator.predict(X) == y).reshape(len(y), -1).all(axis=1))


def test_probabilities_of_zero_and_one_stay_finite():
    estimator = MLPClassifier(**SMALL, n_networks=2).fit(X, Y > 0)
    for network in estimator.networks_:
        network.intercepts_[-1][...] = 1e4
    np.testing.assert_array_equal(estimator.predict_proba(X), np.tile([0.0, 1.0], (len(X), 1)))
    assert estimator.predict(X).all()


@pytest.mark.parametrize("y", [Y, np.stack([Y, 2 * Y], axis=1)])
@pytest.mark.parametrize("loss", ["squared_error", "poisson", "huber"])
def test_a_prediction_is_the_mean_and_its_spread_that_of_the_networks(loss, y):
    estimator = MLPRegressor(loss, **SMALL, n_networks=5).fit(X, y)
    each = [network.predict(X) for network in estimator.networks_]
    mean, std = estimator.predict(X, return_std=True)
    np.testing.assert_allclose(mean, np.mean(each, axis=0), rtol=1e-12)
    np.testing.assert_allclose(estimator.predict(X), mean, rtol=1e-12)
    np.testing.assert_allclose(std, np.std(each, axis=0), rtol=1e-12)


def test_variances_add_up():
    estimator = MLPRegressor("gaussian", **SMALL, n_networks=5).fit(X, Y)
    means, stds = zip(*[network.predict(X, return_std=True) for network in estimator.networks_], strict=True)
    mean, std = estimator.predict(X, return_std=True)
    np.testing.assert_allclose(mean, np.mean(means, axis=0), rtol=1e-12)
    np.testing.assert_allclose(std**2, np.mean(np.square(stds), axis=0) + np.var(means, axis=0), rtol=1e-12)


# ---- copies


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))], ids=["copy", "pickle"])
def test_copies_predict_and_go_on(copied):
    estimator = MLPRegressor(**SMALL, n_networks=3, dropout=0.1).fit(XD, YD)
    twin = copied(estimator)
    np.testing.assert_array_equal(twin.predict(XD), estimator.predict(XD))
    for one in (estimator, twin):
        one.partial_fit(XD, YD)
    np.testing.assert_array_equal(twin.predict(XD), estimator.predict(XD))


def test_all_networks_become_one_of_minidl():
    estimator = MLPRegressor(**SMALL, n_networks=3, normalize="batch", dropout=0.1).fit(XD, YD)
    model = estimator.to_minidl()
    assert model.replicate_shape == (3,)
    each = [network.predict(XD) for network in estimator.networks_]
    np.testing.assert_allclose(minidl.predict(model, XD)[..., 0], each, rtol=1e-12)


# ---- what goes wrong


def test_lines_are_printed_for_all_together(capsys):
    MLPClassifier(**SMALL | {"max_iter": 3}, n_networks=2, verbose=True).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("Iteration 3, mean loss = ")
    assert lines[2].endswith("2 of 2 networks go on")


def test_a_warning_counts_the_networks_that_have_not_converged():
    with pytest.warns(UserWarning, match=r"iterations \(20\) reached .* yet in 3 of 3 networks"):
        MLPClassifier(**SMALL, n_networks=3).fit(X, Y)


@pytest.mark.filterwarnings("ignore:fit. replicate", "ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize("weight", [None, np.full(len(X), 2.0)], ids=["", "weighted"])
def test_networks_that_diverge_are_an_error(weight):
    estimator = MLPRegressor(**SMALL | {"solver": "sgd", "learning_rate_init": 1e10}, n_networks=3)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        estimator.fit(X, Y, weight)
    assert estimator.n_iter_ == 20
    assert np.isnan(estimator.loss_curve_[-1]).all()


@pytest.mark.filterwarnings("ignore:fit. replicate", "ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize("stopping", ["each", "mean"])
@pytest.mark.parametrize("weight", [None, np.full(len(X), 2.0)], ids=["", "weighted"])
def test_networks_that_diverge_keep_the_best_weights_of_early_stopping(stopping, weight):
    options = SMALL | {"solver": "sgd", "learning_rate_init": 1e10, "early_stopping": True}
    estimator = MLPRegressor(**options, n_networks=3, stopping=stopping).fit(X, Y, weight)
    assert np.isnan(estimator.loss_curve_[-1]).all()
    assert np.isfinite(estimator.predict(X)).all()
    single = MLPRegressor(**options).fit(X, Y, weight)
    assert (estimator.networks_[0].n_iter_ == single.n_iter_) or stopping == "mean"


def test_an_interruption_leaves_networks_that_predict(monkeypatch):
    estimator, orders = MLPClassifier(**SMALL, n_networks=2), []

    def next_order(own):
        orders.append(own)
        if len(orders) > 8:
            raise KeyboardInterrupt
        return own.last

    monkeypatch.setattr("minidl_sklearn.orders.Orders.__call__", next_order)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        estimator.fit(X, Y)
    assert estimator.n_iter_ == 4
    assert estimator.loss_curve_.shape == (4, 2)
    assert estimator.engine_
    assert estimator.predict(X).shape == Y.shape


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_networks": 0}, "The 'n_networks' parameter of MLPClassifier must be an int in the range"),
        ({"n_networks": 1, "bagging": True}, "bagging: expected n_networks above 1 beside it, got 1"),
        ({"bagging": True, "solver": "lbfgs"}, "bagging: expected a solver that trains by mini-batches"),
        ({"stopping": "mean", "solver": "lbfgs"}, "stopping: expected 'each' .* got 'mean' beside solver='lbfgs'"),
        ({"stopping": "mean", "class_weight": {0: 0}}, "got 'mean' beside weights of zero"),
        ({"stopping": "mean", "callbacks": [print]}, "got 'mean' beside callbacks"),
        ({"stopping": "both"}, "The 'stopping' parameter of MLPClassifier must be a str among"),
    ],
)
def test_what_does_not_go_together_is_refused(options, words):
    estimator = MLPClassifier(**SMALL | {"n_networks": 2} | options)
    with pytest.raises(ValueError, match=words):
        estimator.fit(X, Y)
    with pytest.raises(NotFittedError):
        estimator.predict(X)


def test_another_number_of_networks_cannot_go_on():
    estimator = MLPClassifier(**SMALL, n_networks=2, warm_start=True).fit(X, Y)
    for count in (1, 3):
        with pytest.raises(ValueError, match=f"expected n_networks=2, as in the training that goes on, got {count}"):
            estimator.set_params(n_networks=count).fit(X, Y)
    assert len(estimator.networks_) == 2


def test_a_network_of_minidl_is_a_single_one():
    with pytest.raises(ValueError, match="expected n_networks=1 for a single network, got 2"):
        MLPRegressor.from_minidl(minidl.Sequential([minidl.Linear(2, 1, rng=0)]), n_networks=2)
