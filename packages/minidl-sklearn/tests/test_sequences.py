"""Sequences of calls beside scikit-learn's: warm starts, partial fits, printed lines, warnings, one random state."""

import math
import warnings

import numpy as np
import pytest
import sklearn
import sklearn.neural_network
from sklearn.datasets import load_iris, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

import minidl_sklearn

NAMES = ["MLPClassifier", "MLPRegressor"]
BOTH = [sklearn.neural_network, minidl_sklearn]
X, Y = scale(load_iris().data), load_iris().target
CURVES = "loss_curve_", "validation_scores_", "loss_", "best_loss_", "best_validation_score_"
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def both(name, **parameters):
    parameters = {"hidden_layer_sizes": (7, 5), "random_state": 0, "max_iter": 20} | parameters
    return [getattr(package, name)(**parameters) for package in BOTH]


def same(theirs, ours):
    for a, b in zip(theirs.coefs_ + theirs.intercepts_, ours.coefs_ + ours.intercepts_, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-12)
    for name in ("n_iter_", "t_", "_no_improvement_count"):
        assert getattr(theirs, name) == getattr(ours, name), name
    for name in CURVES:
        assert (getattr(theirs, name) is None) == (getattr(ours, name) is None)
        np.testing.assert_allclose(
            np.array(getattr(ours, name), float), np.array(getattr(theirs, name), float), rtol=1e-10
        )


@quiet
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"solver": "sgd"},
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
        {"early_stopping": True},
    ],
    ids=str,
)
def test_a_warm_start_goes_on(name, parameters):
    pair = both(name, warm_start=True, **parameters)
    for _ in range(3):
        for estimator in pair:
            estimator.fit(X, Y)
        same(*pair)
    for estimator in pair:
        estimator.set_params(max_iter=50, tol=1e-2).fit(X, Y)
    same(*pair)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("learning_rate", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("batch_size", [32, 1000])
@pytest.mark.filterwarnings("ignore:Got `batch_size`")
def test_partial_fits(name, learning_rate, batch_size):
    parameters = {"solver": "sgd", "learning_rate": learning_rate, "learning_rate_init": 0.05, "batch_size": batch_size}
    pair = both(name, **parameters)
    first = {"classes": [0, 1, 2]} if name == "MLPClassifier" else {}
    for i in range(6):
        for estimator in pair:
            estimator.partial_fit(X[i::6], Y[i::6], **(first if i == 0 else {}))
        same(*pair)


@quiet
@pytest.mark.parametrize("name", NAMES)
def test_a_partial_fit_after_a_fit_and_a_fit_after_it(name):
    pair = both(name)
    for method in ("fit", "partial_fit", "partial_fit", "fit"):
        for estimator in pair:
            getattr(estimator, method)(X, Y)
        same(*pair)


@quiet
@pytest.mark.parametrize(
    "parameters",
    [
        {"max_iter": 3},
        {"tol": 0.1, "max_iter": 100},
        {"early_stopping": True, "max_iter": 100},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.5, "max_iter": 200, "n_iter_no_change": 2},
    ],
    ids=str,
)
def test_the_printed_lines(parameters, capsys):
    printed = []
    for estimator in both("MLPClassifier", verbose=True, **parameters):
        estimator.fit(X, Y)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "Iteration 1, loss = " in printed[0]


def messages(function, *args):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*args)
    # scikit-learn 1.6 gives SciPy an option that is deprecated
    return [(w.category, str(w.message)) for w in caught if w.category is not DeprecationWarning]


@pytest.mark.parametrize("parameters", [{}, {"batch_size": 1000}, {"solver": "lbfgs", "max_iter": 2}], ids=str)
def test_the_warnings(parameters):
    theirs, ours = (messages(estimator.fit, X, Y[:, None]) for estimator in both("MLPClassifier", **parameters))
    assert theirs == ours
    assert ConvergenceWarning in dict(ours)


@quiet
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_random_state_is_left_as_scikit_learn_leaves_it(early_stopping):
    states = [np.random.RandomState(5), np.random.RandomState(5)]
    for package, state in zip(BOTH, states, strict=True):
        estimator = package.MLPClassifier(5, random_state=state, early_stopping=early_stopping, max_iter=7)
        estimator.fit(X, Y).fit(X, Y)
    assert states[0].randint(2**31) == states[1].randint(2**31)


@quiet
@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("MLPClassifier", X[:20], np.zeros(20)),
        ("MLPClassifier", X[:1], ["a"]),
        ("MLPClassifier", X, np.array(["ant", "bee", "cat"])[Y]),
        ("MLPClassifier", X, Y > 0),
        ("MLPClassifier", X, np.stack([Y > 0, Y > 1], axis=1).astype(int)),
        ("MLPRegressor", X[:1], [3.0]),
        ("MLPRegressor", X, np.full(len(X), 2.5)),
        ("MLPRegressor", X, Y),
        ("MLPRegressor", *make_regression(50, 3, n_targets=3, random_state=0)),
    ],
    ids=["one class", "one sample", "strings", "bool", "labels", "one sample", "constant", "integers", "three targets"],
)
def test_targets_of_every_kind(name, x, y):
    pair = [estimator.fit(x, y) for estimator in both(name)]
    same(*pair)
    predicted = [estimator.predict(x) for estimator in pair]
    assert predicted[0].dtype == predicted[1].dtype
    if name == "MLPClassifier":
        np.testing.assert_array_equal(*predicted)
        np.testing.assert_allclose(*(estimator.predict_proba(x) for estimator in pair), atol=1e-12)
        np.testing.assert_allclose(*(estimator.predict_log_proba(x) for estimator in pair), rtol=1e-9)
    else:
        np.testing.assert_allclose(*predicted, rtol=1e-9, atol=1e-12)
    if len(x) > 1:
        assert pair[0].score(x, y) == pytest.approx(pair[1].score(x, y))


@quiet
def test_a_training_goes_on_after_an_early_stopping():  # where scikit-learn compares None
    for name in NAMES:
        estimator = getattr(minidl_sklearn, name)(
            hidden_layer_sizes=5, early_stopping=True, random_state=0, max_iter=5
        ).fit(X, Y)
        estimator.set_params(early_stopping=False).partial_fit(X, Y)
        assert estimator.validation_scores_ is None
        assert estimator.best_loss_ == estimator.loss_ < math.inf
        estimator.set_params(early_stopping=True, warm_start=True).fit(X, Y)
        assert len(estimator.validation_scores_) == 5
        assert estimator.best_loss_ is None
        estimator.set_params(solver="lbfgs", max_iter=2).fit(X, Y)
        estimator.set_params(solver="adam").fit(X, Y)
        assert len(estimator.loss_curve_) == 5 + 1 + 5 + 2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:Stochastic Optimizer")
def test_a_divergence_ends_as_in_scikit_learn(name, early_stopping):
    pair = both(
        name, solver="sgd", activation="identity", learning_rate_init=1e160, early_stopping=early_stopping, max_iter=30
    )
    outcomes = []
    for estimator in pair:
        try:
            estimator.fit(X, Y)
            outcomes.append("fitted")
        except ValueError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    assert pair[0].n_iter_ == pair[1].n_iter_
    np.testing.assert_array_equal(np.isnan(pair[0].loss_curve_), np.isnan(pair[1].loss_curve_))


@quiet
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_samples_without_weight_do_not_count(name, solver):
    weight = np.where(np.arange(len(Y)) < 60, 0.0, 1.0)
    options = {"hidden_layer_sizes": 5, "random_state": 0, "max_iter": 5, "shuffle": False, "solver": solver}
    some = getattr(minidl_sklearn, name)(**options, batch_size=30).fit(X, Y, weight)
    if solver == "adam":  # two batches make no step
        assert some._optimizer.optimizer.t == 5 * 3
    other = getattr(minidl_sklearn, name)(**options, batch_size=30).fit(X, np.where(weight, Y, (Y + 1) % 2), weight)
    np.testing.assert_array_equal(some.coefs_[0], other.coefs_[0])


@quiet
@pytest.mark.parametrize("weighted", [False, True])
def test_ctrl_c_ends_the_training_with_a_warning(weighted, monkeypatch):
    scores = iter([0.5, 0.6])

    def score(*_args):
        try:
            return next(scores)
        except StopIteration:
            raise KeyboardInterrupt from None

    estimator = minidl_sklearn.MLPClassifier(5, early_stopping=True, random_state=0)
    monkeypatch.setattr(estimator, "_score_outputs", score)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        estimator.fit(X, Y, np.ones(len(Y)) if weighted else None)
    assert (estimator.n_iter_, estimator.validation_scores_) == (3, [0.5, 0.6])
    assert estimator.predict(X).shape == Y.shape
