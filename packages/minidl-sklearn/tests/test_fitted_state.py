"""What a fitted estimator keeps: after a training that was refused, and after parameters or weights have changed."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier as Original
from sklearn.preprocessing import scale

from minidl_sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
TWO = np.array(["no", "yes"])[(Y > 0).astype(int)]
SMALL = {"hidden_layer_sizes": (7, 5), "max_iter": 10, "learning_rate_init": 0.03, "random_state": 0}

REFUSED = {
    "weights": ({}, (X, Y, -np.ones(len(Y)))),
    "validation_data": ({"validation_data": (X,)}, (X[:, :3], Y)),
    "validation targets": ({"validation_data": (X[:, :3], np.stack([Y, Y + 5], axis=1))}, (X[:, :3], Y)),
    "dropout": ({"dropout": [0.1]}, (X[:, :3], Y)),
    "split": ({"early_stopping": True, "validation_fraction": 0.01}, (X[:9], Y[45:54])),
    "batches": ({"normalize": "batch", "batch_size": 1}, (X[:, :3], Y)),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("count", [1, 3])
def test_a_training_that_is_refused_leaves_the_estimator_as_it_was(count, case, kind, method):
    parameters, arguments = REFUSED[case]
    y, options = TWO if kind is MLPClassifier else Y, SMALL | {"n_networks": count}
    estimator = kind(**options).fit(X, y)
    before, values = estimator.predict(X), dict(vars(estimator))
    with pytest.raises(ValueError):
        getattr(estimator.set_params(**parameters), method)(*arguments)
    estimator.set_params(**{name: kind().get_params()[name] for name in parameters})
    np.testing.assert_array_equal(estimator.predict(X), before)
    assert {name: value for name, value in vars(estimator).items() if name.endswith("_")} == {
        name: value for name, value in values.items() if name.endswith("_")
    }
    getattr(estimator, method)(X, y)  # is trained as if nothing had happened
    expected = getattr(kind(**options).fit(X, y), method)(X, y)
    np.testing.assert_array_equal(estimator.predict(X), expected.predict(X))


@pytest.mark.parametrize("count", [1, 3])
def test_a_warm_start_that_is_refused_keeps_the_memory_of_the_optimizers(count):
    estimator, expected = (MLPClassifier(**SMALL, n_networks=count).fit(X, TWO) for _ in range(2))
    estimator.set_params(warm_start=True, early_stopping=True, validation_fraction=0.01)
    with pytest.raises(ValueError, match="should be greater or equal to the number of classes"):
        estimator.fit(X[45:54], TWO[45:54])
    estimator.set_params(warm_start=False, early_stopping=False, validation_fraction=0.1)
    for mlp in (estimator, expected):
        mlp.partial_fit(X, TWO)
    np.testing.assert_array_equal(estimator.predict_proba(X), expected.predict_proba(X))


def test_a_first_call_that_is_refused_fixes_no_classes():
    estimator = MLPClassifier(**SMALL)
    with pytest.raises(ValueError, match="Found input variables with inconsistent numbers of samples"):
        estimator.partial_fit(X, Y[1:], classes=[0, 1, 2])
    assert estimator.partial_fit(X, TWO, classes=["no", "yes"]).classes_.tolist() == ["no", "yes"]


# ---- another loss than that of the training

LOSSES = {
    "squared_error": {},
    "poisson": {},
    "gaussian": {},
    "quantile": {"quantiles": [0.1, 0.9]},
    "other quantiles": {"quantiles": [0.2, 0.8]},
}
TWO_TARGETS = np.stack([Y, X[:, 0] ** 2], axis=1)


def parameters_of(name):
    return {"quantiles": None, "loss": "quantile" if "quantile" in name else name} | LOSSES[name]


@pytest.mark.parametrize("trained", LOSSES)
@pytest.mark.parametrize("later", LOSSES)
@pytest.mark.parametrize("count", [1, 2])
def test_predictions_go_by_the_loss_of_the_training(count, trained, later):
    options = SMALL | {"n_networks": count, "warm_start": True}
    estimator = MLPRegressor(**options, **parameters_of(trained)).fit(X, TWO_TARGETS)
    expected, score = estimator.predict(X), estimator.score(X, TWO_TARGETS)
    estimator.set_params(**parameters_of(later))
    np.testing.assert_array_equal(estimator.predict(X), expected)
    assert estimator.score(X, TWO_TARGETS) == score
    if later == trained:
        return
    # the number of outputs is the same for four of one loss and two of another
    for y in (TWO_TARGETS, np.hstack([TWO_TARGETS, TWO_TARGETS]), Y):
        for train in (estimator.fit, estimator.partial_fit):
            with pytest.raises(ValueError, match="MLPRegressor: expected a loss for outputs as the training that goes"):
                train(X, y)
    np.testing.assert_array_equal(estimator.predict(X), expected)


def test_a_training_goes_on_with_another_loss_of_the_same_outputs():
    estimator = MLPRegressor(**SMALL, warm_start=True).fit(X, Y)
    before = estimator.predict(X)
    estimator.set_params(loss="huber").fit(X, Y)
    assert not np.array_equal(estimator.predict(X), before)
    assert MLPRegressor("gaussian", (7,), max_iter=2).fit(X, Y).set_params(loss="squared_error").predict(
        X, return_std=True
    )[1].shape == (150,)


# ---- weights that somebody has set


@pytest.mark.parametrize(
    ("coefs", "intercepts"),
    [
        (lambda own: own[:1], lambda own: own),
        (lambda _: [], lambda _: []),
        (lambda own: own[::-1], lambda own: own),
        (lambda own: [own[0], own[1].ravel(), own[2]], lambda own: own),
        (lambda own: own, lambda own: [own[0], own[1][:2], own[2]]),
    ],
)
def test_weights_that_do_not_follow_each_other_are_refused(coefs, intercepts):
    estimator = MLPClassifier(**SMALL).fit(X, Y)
    estimator.coefs_, estimator.intercepts_ = coefs(estimator.coefs_), intercepts(estimator.intercepts_)
    with pytest.raises(ValueError, match=r"MLPClassifier: expected coefs_ of shapes \(n_in, n_out\) that follow each"):
        estimator.predict(X)


def test_a_bias_may_be_a_single_number():
    estimator = MLPClassifier(**SMALL).fit(X, Y)
    estimator.intercepts_[1][...] = 0.5
    expected = estimator.predict_proba(X)
    estimator.intercepts_[1] = 0.5
    np.testing.assert_array_equal(estimator.predict_proba(X), expected)


@pytest.mark.parametrize("names", [["coefs_"], ["intercepts_"], ["coefs_", "intercepts_"]])
def test_an_estimator_without_weights_is_pickled_without_them(names):
    estimator = MLPClassifier(**SMALL).fit(X, Y)
    for name in names:
        delattr(estimator, name)
    other = pickle.loads(pickle.dumps(estimator))
    assert not any(hasattr(other, name) for name in names)
    if "coefs_" in names:
        with pytest.raises(NotFittedError):
            other.predict(X)


# ---- partial_fit after a change of what stands between the layers


@pytest.mark.parametrize("solver", ["adam", "sgd", "adamw", "rmsprop"])
@pytest.mark.parametrize("normalize", [None, "layer"])
def test_another_activation_keeps_the_memory_of_the_optimizer(solver, normalize):
    estimator = MLPClassifier(**SMALL, solver=solver, normalize=normalize).fit(X, Y)
    optimizer = estimator._optimizer.optimizer
    estimator.set_params(activation="tanh", dropout=0.25).partial_fit(X, Y)
    assert estimator._optimizer.optimizer is optimizer
    assert optimizer.model is estimator._held.model
    assert optimizer.t == 11
    estimator.set_params(normalize="batch").partial_fit(X, Y)  # whose parameters are others
    assert estimator._optimizer.optimizer.t == 1


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_each_of_several_networks_keeps_the_memory_of_its_optimizer(solver):
    several, single = (MLPClassifier(**SMALL, solver=solver, n_networks=count).fit(X, Y) for count in (2, 1))
    for mlp in (several, single):
        mlp.set_params(activation="tanh").partial_fit(X, Y)
    np.testing.assert_allclose(several.networks_[0].predict_proba(X), single.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_with_another_activation_goes_on_as_scikit_learn_s(solver):
    theirs, ours = (kind(**SMALL, solver=solver).fit(X, Y) for kind in (Original, MLPClassifier))
    for mlp in (theirs, ours):
        mlp.set_params(activation="tanh").partial_fit(X, Y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9)
