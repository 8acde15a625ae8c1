"""Bad input, refused with scikit-learn's own messages where it refuses it."""

import re

import numpy as np
import pytest
import sklearn
import sklearn.neural_network
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import scale

import minidl_sklearn

X, Y = scale(load_iris().data), load_iris().target


def both(name, **parameters):
    parameters = {"hidden_layer_sizes": (7, 5), "random_state": 0, "max_iter": 20} | parameters
    return [getattr(package, name)(**parameters) for package in (sklearn.neural_network, minidl_sklearn)]


BAD_INPUT = {
    "nan": ({}, [[0.0, np.nan]] * 2, [0, 1]),
    "infinity": ({}, [[0.0, np.inf]] * 2, [0, 1]),
    "one axis": ({}, X[:, 0], Y),
    "no samples": ({}, X[:0], Y[:0]),
    "other lengths": ({}, X, Y[:-1]),
    "no number": ({}, [["a", "b"]], [1]),
    "alpha": ({"alpha": -1}, X, Y),
    "batch_size": ({"batch_size": 0}, X, Y),
    "momentum": ({"momentum": 2}, X, Y),
    "beta_1": ({"beta_1": 1.0}, X, Y),
    "hidden": ({"hidden_layer_sizes": (3, 0)}, X, Y),
    "hidden number": ({"hidden_layer_sizes": -1}, X, Y),
    "learning_rate": ({"learning_rate": "cosine"}, X, Y),
    "validation set": ({"early_stopping": True, "validation_fraction": 0.01}, X[:9], Y[50:59]),
    "one of a class": ({"early_stopping": True}, X[:4], [0, 0, 0, 1]),
    "numbers as classes": ({}, X, Y + 0.5),
}

NAMES = ["MLPClassifier", "MLPRegressor"]


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_has_scikit_learn_s_message(case):
    parameters, x, y = BAD_INPUT[case]
    theirs, ours = both("MLPClassifier", **parameters)
    with pytest.raises(ValueError) as error:
        ours.fit(x, y)
    assert not hasattr(ours, "coefs_") or parameters.get("early_stopping")
    if case == "validation set" and sklearn.__version__ < "1.7":
        return  # which scikit-learn 1.6 trains without a word
    with pytest.raises(ValueError) as expected:
        theirs.fit(x, y)
    assert (error.type, str(error.value)) == (expected.type, str(expected.value))


@pytest.mark.parametrize(("parameter", "value"), [("activation", "relu6"), ("solver", "newton")])
def test_a_parameter_with_more_values_has_scikit_learn_s_message_with_these(parameter, value):
    messages = []
    for estimator in both("MLPClassifier", **{parameter: value}):
        with pytest.raises(ValueError) as caught:
            estimator.fit(X, Y)
        assert str(caught.value).startswith(f"The '{parameter}' parameter of MLPClassifier must be a str among")
        messages.append(set(re.findall(r"'\w+'", str(caught.value))))
    assert messages[0] < messages[1]


def test_bad_calls_have_scikit_learn_s_message():
    errors = []
    for estimator in both("MLPClassifier", max_iter=3, warm_start=True):
        with pytest.raises(NotFittedError) as unfitted:
            estimator.predict(X)
        with pytest.raises(ValueError) as first:
            estimator.partial_fit(X, Y)
        with pytest.warns(ConvergenceWarning):
            estimator.fit(X, Y)
        with pytest.raises(ValueError) as other_classes:
            estimator.fit(X, Y + 1)
        with pytest.raises(ValueError) as new_classes:
            estimator.set_params(warm_start=False).partial_fit(X, Y + 1)
        with pytest.raises(ValueError) as classes:
            estimator.partial_fit(X, Y, classes=[0, 1])
        with pytest.raises(ValueError) as width:
            estimator.predict(X[:, :2])
        with pytest.raises(ValueError) as nan:
            estimator.predict(np.full((2, 4), np.nan))
        with pytest.raises(ValueError) as stopping:
            estimator.set_params(early_stopping=True).partial_fit(X, Y)
        with pytest.raises(AttributeError) as solver:
            estimator.set_params(solver="lbfgs").partial_fit  # noqa: B018 - the access is what fails
        caught = unfitted, first, other_classes, new_classes, classes, width, nan, stopping, solver
        errors.append([(error.type, str(error.value)) for error in caught])
    assert errors[0] == errors[1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_other_outputs_in_a_warm_start_are_refused():
    estimator = minidl_sklearn.MLPRegressor(hidden_layer_sizes=5, warm_start=True, max_iter=2).fit(X, Y)
    with pytest.raises(ValueError, match="MLPRegressor: expected y of 1 outputs, got 2"):
        estimator.fit(X, np.stack([Y, Y], axis=1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weight", [np.where(Y == 0, -1.0, 1.0), np.zeros(len(Y))], ids=["negative", "zero"])
def test_weights_that_make_no_sense_are_refused(name, weight):
    estimator = getattr(minidl_sklearn, name)(max_iter=2)
    with pytest.raises(ValueError, match=r"at least 0, and not 0 for all|at least one non-zero"):
        estimator.fit(X, Y, weight)
    assert not hasattr(estimator, "coefs_")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_large_samples_whose_squares_overflow_are_accepted_and_infinite_ones_are_not():
    estimator = both("MLPClassifier")[1].fit(X.astype(np.float32), Y)
    large = np.full((1, 4), 1e25, np.float32)
    np.testing.assert_array_equal(estimator.predict(large), estimator.predict(large.tolist()))
    large[0, 2] = np.inf
    with pytest.raises(ValueError, match="Input X contains infinity"):
        estimator.predict(large)
