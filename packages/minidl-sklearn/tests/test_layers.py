"""Options of the network beyond scikit-learn's: activations, dropout, normalization, initial weights, dtype, engine."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier as Original
from sklearn.preprocessing import scale

import minidl
from minidl_sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
SMALL = {"hidden_layer_sizes": (7, 5), "max_iter": 10, "learning_rate_init": 0.03, "random_state": 0}


def weights(estimator):
    return np.concatenate([array.ravel() for array in (*estimator.coefs_, *estimator.intercepts_)])


def kinds(estimator):
    return [type(layer).__name__ for layer in estimator.to_minidl().layers]


def test_one_activation_per_layer():
    same = MLPClassifier(**SMALL, activation=["logistic", "logistic"]).fit(X, Y)
    np.testing.assert_allclose(weights(same), weights(Original(**SMALL, activation="logistic").fit(X, Y)), rtol=1e-9)
    mixed = MLPClassifier(**SMALL, activation=("tanh", "gelu")).fit(X, Y)
    assert kinds(mixed) == ["Linear", "Tanh", "Linear", "GELU", "Linear"]
    assert mixed.score(X, Y) > 0.8


@pytest.mark.parametrize(
    ("name", "kind"),
    [("leaky_relu", "LeakyReLU"), ("elu", "ELU"), ("gelu", "GELU"), ("silu", "SiLU"), ("softplus", "Softplus")],
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_activations_of_minidl(name, kind, solver):
    estimator = MLPClassifier(**SMALL | {"max_iter": 30}, activation=name, solver=solver).fit(X, Y)
    assert kinds(estimator) == ["Linear", kind, "Linear", kind, "Linear"]
    assert estimator.score(X, Y) > 0.8


def test_dropout_comes_from_the_random_state():
    first, again = (MLPClassifier(**SMALL, dropout=0.3).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(weights(first), weights(again))
    assert kinds(first) == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    other = MLPClassifier(**SMALL, dropout=[0.0, 0.3]).fit(X, Y)
    assert kinds(other) == ["Linear", "ReLU", "Linear", "ReLU", "Dropout", "Linear"]
    np.testing.assert_array_equal(first.predict_proba(X), first.predict_proba(X))  # nothing is dropped in predictions


def test_without_dropout_nothing_is_drawn_for_it():
    rng, with_dropout = np.random.RandomState(3), np.random.RandomState(3)
    parameters = SMALL | {"shuffle": False, "max_iter": 1}
    MLPClassifier(**parameters | {"random_state": rng}).fit(X, Y)
    MLPClassifier(**parameters | {"random_state": with_dropout}, dropout=0.5).fit(X, Y)
    with_dropout_before = np.random.RandomState(3)
    Original(**parameters | {"random_state": with_dropout_before}).fit(X, Y)
    expected = with_dropout_before.randint(1000, size=3)
    np.testing.assert_array_equal(rng.randint(1000, size=3), expected)
    assert not np.array_equal(with_dropout.randint(1000, size=3), expected)


def test_the_masks_go_on_in_partial_fit_also_in_a_copy():
    estimator = MLPClassifier(**SMALL, dropout=0.5).partial_fit(X, Y, classes=[0, 1, 2])
    generator = estimator._held.model.layers[2].generators[0]
    state = generator.bit_generator.state
    copied = pickle.loads(pickle.dumps(estimator))
    for one in (estimator, copied):
        one.partial_fit(X, Y)
    assert generator.bit_generator.state != state
    np.testing.assert_array_equal(weights(estimator), weights(copied))


@pytest.mark.parametrize("normalize", ["batch", "layer"])
def test_normalization(normalize):
    estimator = MLPClassifier(**SMALL, normalize=normalize, batch_size=50).fit(X, Y)
    kind = {"batch": "BatchNorm1d", "layer": "LayerNorm"}[normalize]
    assert kinds(estimator) == ["Linear", kind, "ReLU", "Linear", kind, "ReLU", "Linear"]
    assert estimator.score(X, Y) > 0.9
    for layer in estimator.to_minidl().layers:
        if type(layer).__name__ == kind:
            assert not np.array_equal(layer.weight, np.ones(len(layer.weight)))  # it has been trained
    for other in (copy.deepcopy(estimator), pickle.loads(pickle.dumps(estimator))):
        np.testing.assert_array_equal(other.predict_proba(X), estimator.predict_proba(X))


def test_a_last_batch_of_one_sample_is_avoided_where_it_cannot_be_normalized():
    x, y = X[:101], Y[:101]
    split, larger = (MLPClassifier(**SMALL, normalize="batch", batch_size=size).fit(x, y) for size in (50, 51))
    np.testing.assert_array_equal(weights(split), weights(larger))
    for size, samples in ((1, 101), ("auto", 1)):
        with pytest.raises(ValueError, match=f"normalize: .* got batch_size = 1 of n_samples = {samples}"):
            MLPClassifier(**SMALL, normalize="batch", batch_size=size).fit(x[:samples], y[:samples])


def test_early_stopping_keeps_the_statistics_of_the_best_epoch():
    parameters = SMALL | {"early_stopping": True, "max_iter": 40, "n_iter_no_change": 100, "learning_rate_init": 0.5}
    estimator = MLPClassifier(**parameters, normalize="batch").fit(X, Y)
    best = int(np.argmax(estimator.validation_scores_)) + 1
    assert best < 40
    short = MLPClassifier(**parameters | {"max_iter": best}, normalize="batch").fit(X, Y)
    np.testing.assert_array_equal(estimator.predict_proba(X), short.predict_proba(X))


def test_lbfgs_trains_the_scales_of_layer_normalization():
    estimator = MLPClassifier(**SMALL, normalize="layer", solver="lbfgs").fit(X, Y)
    assert estimator.score(X, Y) > 0.95
    assert not np.array_equal(estimator.to_minidl().layers[1].weight, np.ones(7))


@pytest.mark.parametrize("init", ["he", "glorot", "lecun", "torch", lambda rng, shape: rng.uniform(2, 3, shape)])
def test_initial_weights_by_a_rule(init):
    parameters = SMALL | {"hidden_layer_sizes": 400, "solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1}
    estimator = MLPClassifier(**parameters, init=init).fit(X, Y)
    variance = {"he": 2 / 400, "glorot": 2 / 403, "lecun": 1 / 400, "torch": 1 / 1200}.get(init, 1 / 12)
    assert np.var(estimator.coefs_[1]) == pytest.approx(variance, rel=0.2)
    assert np.any(np.abs(estimator.intercepts_[0]) > 1e-9) == (init == "torch")
    again = MLPClassifier(**parameters, init=init).fit(X, Y)
    np.testing.assert_array_equal(weights(estimator), weights(again))
    other = MLPClassifier(**parameters | {"random_state": 1}, init=init).fit(X, Y)
    assert not np.array_equal(weights(estimator), weights(other))


@pytest.mark.parametrize(("dtype", "given"), [("float32", np.float64), ("float64", np.float32)])
def test_a_dtype_of_one_s_own(dtype, given):
    estimator = MLPRegressor(**SMALL, dtype=dtype).fit(X.astype(given), Y)
    assert {array.dtype for array in (*estimator.coefs_, *estimator.intercepts_)} == {np.dtype(dtype)}
    assert estimator.predict(X.astype(given)).dtype == dtype
    plain = MLPRegressor(**SMALL).fit(X.astype(given).astype(dtype), Y)
    np.testing.assert_array_equal(weights(estimator), weights(plain))


def test_the_engine_is_chosen(monkeypatch):
    chosen = []
    for name in ("fit", "train_step", "predict"):
        original = getattr(minidl, name)

        def spy(*arguments, name=name, original=original, engine=None, **options):
            chosen.append((name, engine))
            return original(*arguments, engine=engine, **options)

        monkeypatch.setattr(minidl, name, spy)
    numpy = MLPClassifier(**SMALL, engine="numpy").fit(X, Y)
    numpy.partial_fit(X, Y).predict(X)
    assert set(chosen) == {("fit", "numpy"), ("train_step", "numpy"), ("predict", "numpy")}
    plain = MLPClassifier(**SMALL).fit(X, Y).partial_fit(X, Y)
    np.testing.assert_allclose(weights(numpy), weights(plain), rtol=1e-9, atol=1e-12)
    assert chosen[-1][1] is None


def test_a_changed_option_acts_on_the_weights_there_are():
    estimator = MLPClassifier(**SMALL).fit(X, Y)
    before, trained = estimator.predict_proba(X), weights(estimator)
    estimator.set_params(activation="tanh")
    assert not np.array_equal(estimator.predict_proba(X), before)
    estimator.set_params(activation=["relu", "relu"], dropout=0.9)
    np.testing.assert_array_equal(estimator.predict_proba(X), before)
    np.testing.assert_array_equal(weights(estimator), trained)


def test_a_clone_has_the_options():
    options = {
        "activation": ["elu", "silu"],
        "dropout": [0.1, 0.2],
        "normalize": "layer",
        "init": "he",
        "dtype": "float32",
    }
    cloned = clone(MLPClassifier(**SMALL, **options))
    assert {name: getattr(cloned, name) for name in options} == options
    assert "normalize='layer'" in repr(cloned)
