"""Several networks in one estimator: each is the one that it would be alone."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

import minidl
from minidl_sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
HELD = X[::5], Y[::5]
SMALL = {"hidden_layer_sizes": (7, 5), "max_iter": 20, "random_state": 3}

STOPS = {"max_iter": 200, "tol": 0.02, "learning_rate_init": 0.03, "n_iter_no_change": 2}


def weights(estimator):
    return np.concatenate([array.ravel() for array in (*estimator.coefs_, *estimator.intercepts_)])


def alone(estimator, seed):
    """Return an estimator of a single network with a seed, and the same other parameters."""
    return clone(estimator).set_params(n_networks=1, bagging=False, stopping="each", random_state=seed)


def same(network, single):
    np.testing.assert_allclose(weights(network), weights(single), rtol=1e-9, atol=1e-12)
    for name in ("loss_curve_", "validation_scores_", "validation_loss_curve_", "best_loss_", "loss_"):
        mine, theirs = getattr(network, name, None), getattr(single, name, None)
        assert (mine is None) == (theirs is None)
        if mine is not None:
            np.testing.assert_allclose(mine, theirs, rtol=1e-9)
    assert (network.n_iter_, network.t_) == (single.n_iter_, single.t_)


def same_as_alone(estimator, x, y, **fitted):
    """Compare all networks of a fitted estimator."""
    assert estimator.networks_[0].random_state == estimator.random_state
    assert len({network.random_state for network in estimator.networks_}) == estimator.n_networks
    for network in estimator.networks_:
        same(network, alone(estimator, network.random_state).fit(x, y, **fitted))


CASES = {
    "adam": (MLPClassifier, Y, {}),
    "numpy": (MLPClassifier, Y, {"engine": "numpy", "dropout": 0.2}),
    "two classes": (MLPClassifier, Y > 0, {"early_stopping": True, "max_iter": 60, "learning_rate_init": 0.05}),
    "labels": (MLPClassifier, np.stack([Y > 0, Y > 1], axis=1).astype(int), {}),
    "early stopping": (MLPClassifier, Y, {"early_stopping": True, "max_iter": 60, "learning_rate_init": 0.05}),
    "class weights of a given set": (MLPClassifier, Y, {"class_weight": {0: 3.0}, "validation_data": HELD}),
    "one class": (MLPClassifier, np.full(len(Y), 7), {"early_stopping": True}),
    "dropout": (MLPClassifier, Y, {"dropout": [0.2, 0.1]}),
    "batch": (MLPClassifier, Y, {"normalize": "batch", "early_stopping": True}),
    "layer": (MLPClassifier, Y, {"normalize": "layer", "solver": "adamw", "init": "he"}),
    "adaptive": (
        MLPClassifier,
        Y,
        {"solver": "sgd", "learning_rate": "adaptive", "max_iter": 120, "tol": 1e-2, "learning_rate_init": 0.1},
    ),
    "invscaling": (MLPClassifier, Y, {"solver": "sgd", "learning_rate": "invscaling"}),
    "schedule": (MLPClassifier, Y, {"schedule": minidl.CosineSchedule(0.1, steps=30), "clip": 0.1}),
    "as they lie": (MLPClassifier, Y, {"solver": "rmsprop", "shuffle": False}),
    "float32": (MLPClassifier, Y, {"dtype": "float32", "max_iter": 3}),
    "given set": (MLPRegressor, Y, {"validation_data": HELD}),
    "loss": (MLPRegressor, Y, {"max_iter": 100, "tol": 0.01, "learning_rate_init": 0.1, "n_iter_no_change": 3}),
    "poisson": (MLPRegressor, Y, {"loss": "poisson"}),
    "gaussian": (MLPRegressor, Y, {"loss": "gaussian"}),
    "quantile": (MLPRegressor, Y, {"loss": "quantile", "quantiles": [0.2, 0.8]}),
    # batch by batch
    "targets": (MLPRegressor, np.stack([Y, 2 * Y], axis=1), {"alpha": 1.0, "normalize": "layer"}),
    "class weights": (
        MLPClassifier,
        Y,
        {"class_weight": "balanced", "early_stopping": True, "max_iter": 60, "learning_rate_init": 0.05},
    ),
    "weights, as they lie": (MLPClassifier, Y, {"class_weight": {0: 2.0}, "shuffle": False, "solver": "sgd"}),
    # one after another
    "no weight": (MLPClassifier, Y, {"class_weight": {0: 0.0}}),
    "callbacks": (MLPClassifier, Y, {"callbacks": [lambda epoch, _: epoch == 7]}),
    "lbfgs": (MLPClassifier, Y, {"solver": "lbfgs", "max_iter": 5}),
}


@pytest.mark.parametrize("case", CASES)
def test_each_network_is_the_one_that_it_is_alone(case):
    kind, y, options = CASES[case]
    estimator = kind(**SMALL | options, n_networks=3).fit(X, y)
    same_as_alone(estimator, X, y)


def test_networks_that_stop_by_themselves_stop_at_different_epochs():
    options = SMALL | {"early_stopping": True, "max_iter": 80, "learning_rate_init": 0.05}
    estimator = MLPClassifier(**options, n_networks=4).fit(X, Y)
    epochs = [network.n_iter_ for network in estimator.networks_]
    assert len(set(epochs)) > 1
    assert estimator.n_iter_ == max(epochs)
    assert estimator.loss_curve_.shape == estimator.validation_scores_.shape == (max(epochs), 4)
    assert np.isfinite(estimator.loss_curve_).sum(axis=0).tolist() == epochs
    assert estimator.best_validation_score_.tolist() == np.nanmax(estimator.validation_scores_, axis=0).tolist()
    assert estimator.best_loss_ is None


@pytest.mark.parametrize("low", [0.5, 0.0])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_weights_of_samples(loss, low):
    weight = np.where(Y == 0, 3.0, low)
    estimator = MLPRegressor(loss, **SMALL, n_networks=2, batch_size=40).fit(X, Y, weight)
    same_as_alone(estimator, X, Y, sample_weight=weight)


def test_a_network_that_has_ended_stays_as_it_is_while_others_are_trained_batch_by_batch():
    options = SMALL | STOPS | {"class_weight": {0: 2.0}, "dropout": 0.1}
    estimator = MLPClassifier(**options, n_networks=3).fit(X, Y)
    assert len({network.n_iter_ for network in estimator.networks_}) > 1
    for network in estimator.networks_:
        single = alone(estimator, network.random_state).fit(X, Y)
        same(network.partial_fit(X, Y), single.partial_fit(X, Y))  # also its solver and its masks


# ---- rows drawn with replacement


def test_bagging_trains_each_network_on_rows_of_its_own():
    estimator = MLPClassifier(**SMALL, n_networks=3, bagging=True).fit(X, Y)
    assert len({tuple(rows) for rows in estimator.networks_samples_}) == 3
    for network, rows in zip(estimator.networks_, estimator.networks_samples_, strict=True):
        assert len(rows) == len(X) > len(set(rows)) > 80
        same(network, alone(estimator, network.random_state).fit(X[rows], Y[rows]))
    again = clone(estimator).fit(X, Y)
    np.testing.assert_array_equal(again.networks_samples_, estimator.networks_samples_)


def test_bagging_leaves_the_validation_set_alone():
    options = SMALL | {"early_stopping": True, "validation_fraction": 0.4}
    estimator = MLPClassifier(**options, n_networks=3, bagging=True).fit(X, Y)
    plain = clone(estimator).set_params(bagging=False).fit(X, Y)
    for drawn, whole, rows in zip(estimator.networks_, plain.networks_, estimator.networks_samples_, strict=True):
        assert len(rows) == 90
        assert len(set(rows)) < 90
        assert drawn.t_ == whole.t_
    assert max(len(set(rows)) for rows in estimator.networks_samples_) < 75
    single = MLPClassifier(**options).fit(X, Y)
    same(plain.networks_[0], single)


# ---- stopping by the mean


def test_all_stop_by_the_score_of_their_mean_and_keep_its_best_weights():
    options = SMALL | {"early_stopping": True, "max_iter": 90, "learning_rate_init": 0.05, "n_iter_no_change": 4}
    estimator = MLPClassifier(**options, validation_data=HELD, n_networks=4, stopping="mean").fit(X, Y)
    epochs = [network.n_iter_ for network in estimator.networks_]
    assert len(set(epochs)) == 1
    assert len(estimator.mean_scores_) == epochs[0] < 90
    best = int(np.argmax(estimator.mean_scores_))
    assert epochs[0] - best - 1 == 5
    assert estimator.score(*HELD) == estimator.mean_scores_[best]
    until = clone(estimator).set_params(max_iter=best + 1).fit(X, Y)  # ends with the best epoch
    for network, twin in zip(estimator.networks_, until.networks_, strict=True):
        np.testing.assert_array_equal(weights(network), weights(twin))


def test_a_validation_set_that_is_split_off_is_shared():
    options = SMALL | {"early_stopping": True, "validation_fraction": 0.3, "max_iter": 3}
    estimator = MLPClassifier(**options, n_networks=3, stopping="mean").fit(X, Y)
    first = MLPClassifier(**options).fit(X, Y)
    np.testing.assert_allclose(estimator.validation_scores_[:, 0], first.validation_scores_)
    assert estimator.t_ == 3 * 105


def test_all_stop_by_the_mean_of_their_losses():
    options = SMALL | {"max_iter": 200, "tol": 0.02, "learning_rate_init": 0.05, "n_iter_no_change": 2}
    estimator = MLPClassifier(**options, n_networks=4, stopping="mean").fit(X, Y)
    assert len({network.n_iter_ for network in estimator.networks_}) == 1
    mean, best, waited = estimator.loss_curve_.mean(axis=1), np.inf, 0
    for loss in mean:
        waited = waited + 1 if loss > best - 0.02 else 0
        best = min(best, loss)
    assert waited == 3
    each = clone(estimator).set_params(stopping="each").fit(X, Y)
    assert len({network.n_iter_ for network in each.networks_}) > 1


# ---- going on


@pytest.mark.parametrize("options", [{}, {"solver": "sgd"}, {"dropout": 0.2}, {"early_stopping": True}], ids=str)
def test_a_warm_start_goes_on(options):
    estimator = MLPClassifier(**SMALL | {"warm_start": True} | options, n_networks=3).fit(X, Y).fit(X, Y)
    for network in estimator.networks_:
        same(network, alone(estimator, network.random_state).fit(X, Y).fit(X, Y))


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("options", [{}, {"solver": "sgd"}, {"solver": "rmsprop", "dropout": 0.2}], ids=str)
def test_partial_fit_goes_on_with_the_solver(options, fitted):
    estimator = MLPClassifier(**SMALL | STOPS | options, n_networks=3)
    networks = clone(estimator).fit(X, Y).networks_
    assert len({network.n_iter_ for network in networks}) > 1
    singles = [alone(estimator, network.random_state) for network in networks]
    for one in [estimator, *singles]:
        if fitted:
            one.fit(X, Y)  # after which the networks are not equally far
        for _ in range(4):
            one.partial_fit(X, Y, classes=[0, 1, 2])
    for network, single in zip(estimator.networks_, singles, strict=True):
        same(network, single)
    assert estimator.n_iter_ == 1


def test_a_training_that_starts_anew_forgets_the_one_before():
    estimator = MLPClassifier(**SMALL, n_networks=2, bagging=True).fit(X, Y)
    assert not hasattr(estimator, "coefs_")
    estimator.set_params(n_networks=1, bagging=False).fit(X, Y)
    assert not hasattr(estimator, "networks_")
    assert not hasattr(estimator, "networks_samples_")
    same(estimator, MLPClassifier(**SMALL).fit(X, Y))
    estimator.set_params(n_networks=2).fit(X, Y)
    assert not hasattr(estimator, "coefs_")
    same(estimator.networks_[0], MLPClassifier(**SMALL).fit(X, Y))


@pytest.mark.parametrize("state", [None, np.random.RandomState(5)], ids=["None", "RandomState"])
def test_without_a_number_all_seeds_are_drawn(state):
    estimator = MLPClassifier(**SMALL | {"random_state": state, "max_iter": 2}, n_networks=3)
    state = np.random.RandomState(5) if state else np.random
    before = state.get_state()
    seeds = [network.random_state for network in estimator.fit(X, Y).networks_]
    if state is np.random:
        state.set_state(before)
    assert seeds == state.randint(2**31 - 1, size=3).tolist()
