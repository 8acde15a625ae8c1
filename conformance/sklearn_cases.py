"""The trainings that are compared with scikit-learn's: parameters x data sets."""

import inspect
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import sklearn.neural_network
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine, make_multilabel_classification
from sklearn.preprocessing import scale

from minidl_data import make_disk

# Of a regression in float32 fewer: in more of them its ReLUs turn the rounding of large targets into other signs.
EPOCHS, FEWER = 200, 30
# Distances in ulp of the largest element of an array: 1e-11 and 1e-4 relative, and 1e-8 for lbfgs, whose line searches
# turn rounding into other steps after a while.
TOLERANCE = {"float64": 45_000.0, "float32": 840.0}
LBFGS_TOLERANCE = 4.5e7


@cache
def data(name):
    """Return samples, targets, and weights of the samples."""
    rng = np.random.default_rng(0)
    x, y = DATA[name](rng)
    return x, y, rng.uniform(0.1, 2, len(x))


def some(load, count=250):
    """Return a function that loads at most so many samples, standardised."""

    def loaded(rng):
        x, y = load(return_X_y=True)
        rows = rng.permutation(len(x))[:count]
        return scale(x)[rows], y[rows]

    return loaded


def two_targets(rng):
    x, y = some(load_diabetes)(rng)
    return x, np.stack([y, y[::-1] ** 2 / 100], axis=1)


DATA = {
    "disk": lambda rng: make_disk(400, rng=rng, dtype=np.float64),
    "breast_cancer": some(load_breast_cancer),
    "digits": some(load_digits),
    "wine": some(load_wine),
    "raw wine": lambda _rng: load_wine(return_X_y=True),
    "labels": lambda _rng: make_multilabel_classification(200, n_features=10, random_state=0),
    "diabetes": some(load_diabetes),
    "two targets": two_targets,
}
CLASSES, NUMBERS = ("disk", "breast_cancer", "digits", "wine", "raw wine", "labels"), ("diabetes", "two targets")
ALL = {"n_iter_no_change": EPOCHS}  # no early end


@dataclass(frozen=True)
class SklearnCase:
    """One choice of parameters, and the data sets that it is trained on."""

    name: str
    parameters: dict = field(hash=False)
    classes: tuple = ("breast_cancer", "wine")
    numbers: tuple = ("diabetes",)
    weighted: bool = False

    def __str__(self):
        return self.name


SKLEARN_CASES = (
    SklearnCase("adam", ALL, classes=CLASSES, numbers=NUMBERS),
    SklearnCase("adam until it stops", {"max_iter": 400, "tol": 1e-2}, classes=CLASSES, numbers=NUMBERS),
    SklearnCase("adam, tanh", {"activation": "tanh"} | ALL, classes=("disk", "digits")),
    SklearnCase("adam, logistic", {"activation": "logistic"} | ALL, classes=("disk", "wine")),
    SklearnCase("adam, identity", {"activation": "identity"} | ALL),
    SklearnCase(
        "adam, other numbers", {"beta_1": 0.7, "beta_2": 0.99, "epsilon": 1e-3, "alpha": 0.3, "batch_size": 32}
    ),
    SklearnCase("adam, early stopping", {"early_stopping": True}, classes=CLASSES, numbers=NUMBERS),
    SklearnCase("adam, weights", {}, classes=CLASSES, numbers=NUMBERS, weighted=True),
    SklearnCase("adam, early stopping, weights", {"early_stopping": True, "validation_fraction": 0.25}, weighted=True),
    SklearnCase("adam, no shuffle", {"shuffle": False}),
    SklearnCase("adam, one layer", {"hidden_layer_sizes": ()}),
    SklearnCase("sgd", {"solver": "sgd", "learning_rate_init": 1e-2} | ALL, classes=CLASSES, numbers=()),
    SklearnCase("sgd, small steps", {"solver": "sgd", "learning_rate_init": 1e-5}, classes=(), numbers=NUMBERS),
    SklearnCase("sgd, no momentum", {"solver": "sgd", "momentum": 0, "learning_rate_init": 1e-4}),
    SklearnCase("sgd, plain momentum", {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 1e-4}),
    SklearnCase("sgd, invscaling", {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 1e-3}),
    SklearnCase(
        "sgd, adaptive",
        {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 1e-3, "tol": 1e-1, "n_iter_no_change": 2},
    ),
    SklearnCase("poisson", {"loss": "poisson", "activation": "tanh"}, classes=(), numbers=NUMBERS),
    SklearnCase("poisson, weights", {"loss": "poisson", "activation": "tanh"}, (), NUMBERS, weighted=True),
)
# Few iterations, and in float64 alone, in which ours always computes.
LBFGS_CASES = (
    SklearnCase("lbfgs", {"solver": "lbfgs", "max_iter": 15}, classes=CLASSES, numbers=NUMBERS),
    SklearnCase("lbfgs, logistic", {"solver": "lbfgs", "max_iter": 15, "activation": "logistic"}),
    SklearnCase("lbfgs, weights", {"solver": "lbfgs", "max_iter": 15}, weighted=True),
    SklearnCase("lbfgs, poisson", {"solver": "lbfgs", "max_iter": 15, "loss": "poisson"}, classes=(), numbers=NUMBERS),
)


def trainings():
    """Yield case, estimator, data set, dtype and tolerance of every training that the installed scikit-learn can do."""
    for case in (*SKLEARN_CASES, *LBFGS_CASES):
        for name, sets in (("MLPClassifier", case.classes), ("MLPRegressor", case.numbers)):
            original = getattr(sklearn.neural_network, name)
            known = "loss" not in case.parameters or "loss" in inspect.signature(original).parameters
            weights = not case.weighted or "sample_weight" in inspect.signature(original.fit).parameters
            if known and weights:
                for dtype, tolerance in (
                    {"float64": LBFGS_TOLERANCE}.items() if case in LBFGS_CASES else TOLERANCE.items()
                ):
                    yield from ((case, name, data_set, dtype, tolerance) for data_set in sets)
