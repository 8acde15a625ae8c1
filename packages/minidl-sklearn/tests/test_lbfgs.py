"""The function that L-BFGS minimises: its gradient and the order of its vector."""

from types import SimpleNamespace

import numpy as np
import pytest

from minidl_sklearn.criterion import Criterion
from minidl_sklearn.form import form_of
from minidl_sklearn.lbfgs import Objective
from minidl_sklearn.network import Network

ALPHA = 0.7


def objective(loss, outputs, *, weighted, activation="tanh", normalize=None):
    rng = np.random.default_rng(0)
    coefs = [rng.standard_normal(shape) for shape in ((4, 5), (5, outputs))]
    network = Network(
        coefs, [rng.standard_normal(5), rng.standard_normal(outputs)], form_of(1, activation, 0.0, normalize)
    )
    y = rng.integers(0, 2, (9, outputs)).astype(float)
    if loss == "softmax":
        y = rng.integers(0, outputs, 9)
    weight = rng.uniform(0.1, 2, 9) if weighted else None
    x = rng.standard_normal((9, 4))
    estimator = SimpleNamespace(_loss_kind=lambda: loss, label_smoothing=0.2, huber_delta=0.5)
    return Objective(network, Criterion(estimator, np.float64, y), x, y, weight, ALPHA)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "logistic", "identity"])
@pytest.mark.parametrize(
    ("loss", "outputs"),
    [("logistic", 1), ("logistic", 3), ("softmax", 3), ("squared_error", 1), ("poisson", 2), ("huber", 2)],
)
@pytest.mark.parametrize("normalize", [None, "layer"])
def test_the_gradient_is_that_of_the_value(loss, outputs, activation, weighted, normalize):
    function = objective(loss, outputs, weighted=weighted, activation=activation, normalize=normalize)
    start = function.start()
    _, gradient = function(start)
    steps = 1e-6 * np.eye(start.size)
    numeric = [(function(start + step)[0] - function(start - step)[0]) / 2e-6 for step in steps]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)


def test_with_several_outputs_the_gradient_is_that_of_their_sum():  # and the value a mean, as in scikit-learn
    function = objective("squared_error", 3, weighted=False)
    start = function.start()
    value, gradient = function(start)
    weights = start[: 4 * 5 + 5 * 3]
    penalty = ALPHA / 2 * (weights @ weights) / 9
    steps = 1e-6 * np.eye(start.size)
    numeric = [(function(start + step)[0] - function(start - step)[0]) / 2e-6 for step in steps]
    decay = np.concatenate([ALPHA / 9 * weights, np.zeros(start.size - weights.size)])
    np.testing.assert_allclose(gradient - decay, 3 * (numeric - decay), rtol=1e-5, atol=1e-7)
    assert value > penalty


def test_the_vector_has_all_weights_and_then_all_biases():
    function = objective("squared_error", 1, weighted=False)
    vector = np.arange(31.0)
    function.set(vector)
    np.testing.assert_array_equal(function.start(), vector)
    np.testing.assert_array_equal(function.network.coefs[0], np.arange(20.0).reshape(4, 5))
    np.testing.assert_array_equal(function.network.intercepts[1], [30])
