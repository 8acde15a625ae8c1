"""Options beyond scikit-learn's that are refused, each by a message that names it."""

import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from minidl_sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
LAYERS = {
    "activations": ({"activation": ["relu"]}, "activation: expected one per hidden layer, 2, got 1"),
    "activation": ({"activation": ["relu", "relu6"]}, "activation: expected one of identity, .*, got 'relu6'"),
    "dropout": ({"dropout": 1.0}, "The 'dropout' parameter of MLPClassifier must be a float in the range \\[0"),
    "dropout, words": ({"dropout": ["a", 0.1]}, "dropout: expected numbers in \\[0, 1\\), got \\['a', 0.1\\]"),
    "dropouts": ({"dropout": [0.1, -0.1]}, "dropout: expected numbers in \\[0, 1\\), got -0.1"),
    "normalize": ({"normalize": "group"}, "The 'normalize' parameter of MLPClassifier must be a str among"),
    "init": ({"init": "xavier"}, "The 'init' parameter of MLPClassifier must be a str among"),
    "dtype": ({"dtype": "float16"}, "The 'dtype' parameter of MLPClassifier must be a str among"),
    "engine": ({"engine": "gpu"}, "The 'engine' parameter of MLPClassifier must be a str among"),
    "lbfgs, dropout": ({"solver": "lbfgs", "dropout": 0.1}, "dropout: expected a solver that trains by mini-batches"),
    "lbfgs, batch": ({"solver": "lbfgs", "normalize": "batch"}, "normalize: expected a solver that trains by mini-b"),
}
SOLVERS = {
    "schedule": ({"schedule": 0.1}, "The 'schedule' parameter of MLPClassifier must be a callable or None"),
    "two rules": (
        {"schedule": lambda t: 0.1 / t, "learning_rate": "adaptive"},
        "schedule: expected learning_rate='constant' beside it, got learning_rate='adaptive'",
    ),
    "clip": ({"clip": 0.0}, "The 'clip' parameter of MLPClassifier must be"),
    "callbacks": ({"callbacks": print}, "The 'callbacks' parameter of MLPClassifier must be"),
    "lbfgs, schedule": (
        {"solver": "lbfgs", "schedule": lambda t: 1 / t},
        "schedule: expected a solver that trains by mini-batches, adam, sgd, adamw, rmsprop, got solver='lbfgs'",
    ),
    "lbfgs, clip": ({"solver": "lbfgs", "clip": 1.0}, "clip: expected a solver that trains by mini-batches"),
    "lbfgs, callbacks": ({"solver": "lbfgs", "callbacks": [print]}, "callbacks: expected a solver that trains by mini"),
    "lbfgs, engine": ({"solver": "lbfgs", "engine": "native"}, "engine: expected a solver that trains by mini-batches"),
    "lbfgs, data": ({"solver": "lbfgs", "validation_data": (X, Y)}, "validation_data: expected a solver that trains"),
}
LOSSES = {
    "loss": ({"loss": "hinge"}, "The 'loss' parameter of MLPRegressor must be a str among"),
    "no quantiles": (
        {"loss": "quantile"},
        "quantiles: expected numbers beside loss='quantile' and else None",
    ),
    "no quantile loss": ({"quantiles": [0.5]}, "quantiles: expected numbers beside loss='quantile' and else None"),
    "quantile": ({"loss": "quantile", "quantiles": 1.5}, "The 'quantiles' parameter of MLPRegressor must be a float"),
    "quantiles": ({"loss": "quantile", "quantiles": [0.5, 1.0]}, "expected quantiles above 0 and below 1"),
    "huber_delta": (
        {"loss": "huber", "huber_delta": 0.0},
        "The 'huber_delta' parameter of MLPRegressor must be",
    ),
}
CASES = [
    *((MLPClassifier, *case) for case in (LAYERS | SOLVERS).values()),
    *((MLPRegressor, *case) for case in LOSSES.values()),
]


@pytest.mark.parametrize(("kind", "options", "words"), CASES, ids=[*LAYERS, *SOLVERS, *LOSSES])
def test_bad_options_are_refused(kind, options, words):
    estimator = kind(**{"hidden_layer_sizes": (7, 5), "max_iter": 10, "random_state": 0} | options)
    with pytest.raises(ValueError, match=words):
        estimator.fit(X, Y)
    assert not hasattr(estimator, "coefs_")
