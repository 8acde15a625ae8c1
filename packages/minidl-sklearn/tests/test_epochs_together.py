"""Several epochs in one call of the compiled engine: every number is that of a call for each epoch."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from minidl_sklearn import MLPClassifier, MLPRegressor
from minidl_sklearn.stopping import EpochEnd

minidl_native = pytest.importorskip("minidl_native")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
CLASSES, NUMBERS = RNG.integers(0, 3, 60), X @ RNG.normal(size=4)


@pytest.fixture
def calls(monkeypatch):
    """The numbers of epochs in the calls of the engine with these samples."""
    found, train = [], minidl_native.Network.train

    def counting(self, values, samples, *rest, **options):
        if len(samples.x) in (len(X), 54):
            found.append(len(samples.order) if np.ndim(samples.order) == 2 else 1)
        return train(self, values, samples, *rest, **options)

    monkeypatch.setattr(minidl_native.Network, "train", counting)
    return found


def fitted(kind, options, *, alone, monkeypatch):
    """Return everything that a training leaves behind, among it the generator."""
    rng, y = np.random.RandomState(1), CLASSES if kind is MLPClassifier else NUMBERS
    if "validation_data" in options:
        options = {**options, "validation_data": (X[:10], y[:10])}
    estimator = kind(
        hidden_layer_sizes=(8,), random_state=rng, batch_size=20, engine="native", **{"max_iter": 40, **options}
    )
    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if alone:
            patch.setattr(EpochEnd, "epochs_ahead", lambda _: 1)
        estimator.fit(X, y)
    arrays = *estimator.coefs_, *estimator.intercepts_, np.array(estimator.loss_curve_)
    counts = estimator.n_iter_, estimator.t_, estimator.best_loss_, estimator._no_improvement_count
    counts += estimator.best_validation_score_, estimator.validation_scores_, estimator.validation_loss_curve_
    return [array.tobytes() for array in arrays], counts, rng.randint(2**31), rng.permutation(9).tolist()


MOST = {"adaptive": 4, "never stops": 40, "in order": 1}  # epochs in a call; the others may end after 11
SETTINGS = {
    "as they are": {},
    "stops": {"tol": 0.01, "learning_rate_init": 0.02, "max_iter": 300},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 3, "max_iter": 200},
    "never stops": {"n_iter_no_change": np.inf},
    "in order": {"shuffle": False},
    "dropout": {"dropout": 0.2},
    "penalty": {"alpha": 0.3},
    "early stopping": {"early_stopping": True, "learning_rate_init": 0.05, "max_iter": 200},
    "a validation set": {"validation_data": 10},
}


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("settings", SETTINGS)
def test_the_numbers_are_those_of_epochs_one_by_one(kind, settings, calls, monkeypatch):
    together = fitted(kind, SETTINGS[settings], alone=False, monkeypatch=monkeypatch)
    assert max(calls) == MOST.get(settings, 11)
    assert sum(calls) == together[1][0]
    calls.clear()
    assert fitted(kind, SETTINGS[settings], alone=True, monkeypatch=monkeypatch) == together
    assert set(calls) == {1}


CHANGING = {
    "a rate that changes": {"solver": "sgd", "learning_rate": "invscaling"},
    "running statistics": {"early_stopping": True, "normalize": "batch"},
    "callbacks": {"callbacks": [lambda *_: None]},
}


@pytest.mark.parametrize("settings", CHANGING)
def test_where_each_epoch_may_change_something_each_is_alone(settings, calls, monkeypatch):
    fitted(MLPClassifier, CHANGING[settings], alone=False, monkeypatch=monkeypatch)
    assert set(calls) == {1}


def test_a_number_of_a_small_type_counts_as_any_other():
    curves = []
    for patience in (10, np.uint8(10)):
        options = {"max_iter": 20, "tol": 1.0, "n_iter_no_change": patience, "warm_start": True, "random_state": 0}
        estimator = MLPClassifier((8,), **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _ in range(3):  # the count of the one before is left over
                estimator.fit(X, CLASSES)
        curves.append(estimator.loss_curve_)
    assert curves[0] == curves[1]
