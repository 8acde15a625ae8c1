"""Losses of the regressor beyond scikit-learn's, weights of classes, and smoothed labels."""

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_iris
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.neural_network import MLPRegressor as Original
from sklearn.preprocessing import scale
from sklearn.utils.class_weight import compute_sample_weight

import minidl
from minidl_sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
SMALL = {"hidden_layer_sizes": 7, "max_iter": 10, "learning_rate_init": 0.03, "random_state": 0}
RNG = np.random.default_rng(0)
LINE = RNG.uniform(-1, 1, (400, 1))
NOISE = RNG.normal(0, np.exp(LINE))  # whose spread grows with x
TARGET = 2 * LINE + NOISE
WELL = {"hidden_layer_sizes": 20, "activation": "tanh", "learning_rate_init": 0.01, "random_state": 0, "max_iter": 150}


def weights(estimator):
    return np.concatenate([array.ravel() for array in (*estimator.coefs_, *estimator.intercepts_)])


def by_hand(loss, y, outputs, **parameters):
    """Return a network that minidl trains from the same initial weights, on all samples at once."""
    start = MLPRegressor(**parameters, solver="sgd", learning_rate_init=1e-300).set_params(max_iter=1, momentum=0)
    model = start.set_params(loss="squared_error").fit(X, np.zeros((len(X), outputs))).to_minidl()
    optimizer = minidl.Adam(model, 0.03, eps_hat=True)
    minidl.fit(model, loss, optimizer, X, y, epochs=5, batch_size=len(X), shuffle=False, l2=1e-4)
    return model


@pytest.mark.parametrize(
    ("options", "loss", "outputs"),
    [
        ({"loss": "huber", "huber_delta": 0.3}, minidl.HuberLoss("batchmean", delta=0.3), 2),
        ({"loss": "absolute_error"}, minidl.L1Loss("batchmean"), 2),
        ({"loss": "quantile", "quantiles": [0.2, 0.9]}, minidl.QuantileLoss("batchmean", quantiles=[0.2, 0.9]), 4),
        ({"loss": "gaussian"}, minidl.GaussianNLLLoss("batchmean"), 4),
    ],
    ids=lambda value: str(value) if isinstance(value, minidl.Loss) else "",
)
def test_the_loss_is_minidl_s(options, loss, outputs):
    y = np.stack([Y, np.sin(3 * X[:, 0])], axis=1)
    parameters = {"hidden_layer_sizes": 7, "random_state": 0, "shuffle": False, "batch_size": len(X)}
    estimator = MLPRegressor(**parameters, **options, learning_rate_init=0.03, max_iter=5).fit(X, y)
    model = by_hand(loss, y, outputs, **parameters)
    np.testing.assert_allclose(minidl.predict(model, X), minidl.predict(estimator.to_minidl(), X), rtol=1e-9, atol=1e-9)
    penalty = 0.5e-4 * sum(float((coef**2).sum()) for coef in estimator.coefs_) / len(X)
    value = float(loss(minidl.predict(model, X), y)) + penalty
    assert MLPRegressor(**parameters, **options, max_iter=6, learning_rate_init=0.03).fit(X, y).loss_ == pytest.approx(
        value
    )


def test_outliers_pull_less_with_the_robust_losses():
    y = np.where(np.arange(400) % 10 == 0, 50.0, 2 * LINE[:, 0])
    errors = {}
    for loss in ("squared_error", "huber", "absolute_error"):
        estimator = MLPRegressor(loss, **WELL).fit(LINE, y)
        errors[loss] = np.abs(estimator.predict(LINE) - 2 * LINE[:, 0]).mean()
    assert max(errors["huber"], errors["absolute_error"]) < 0.3 * errors["squared_error"]


def test_quantiles():
    quantiles = [0.1, 0.5, 0.9]
    estimator = MLPRegressor("quantile", quantiles=quantiles, **WELL).fit(LINE, TARGET[:, 0])
    predicted = estimator.predict(LINE)
    assert predicted.shape == (400, 3)
    np.testing.assert_allclose((predicted > TARGET).mean(axis=0), quantiles, atol=0.05)
    expected = np.mean([d2_pinball_score(TARGET, p, alpha=q) for p, q in zip(predicted.T, quantiles, strict=True)])
    assert estimator.score(LINE, TARGET) == pytest.approx(expected)
    weight = RNG.uniform(size=400)
    weighted = [
        d2_pinball_score(TARGET, p, alpha=q, sample_weight=weight) for p, q in zip(predicted.T, quantiles, strict=True)
    ]
    assert estimator.score(LINE, TARGET, weight) == pytest.approx(np.mean(weighted))
    single = MLPRegressor("quantile", quantiles=0.5, **WELL).fit(LINE, TARGET[:, 0])
    assert single.predict(LINE).shape == (400,)


def test_quantiles_of_several_targets_stand_side_by_side():
    y = np.concatenate([TARGET, 100 + TARGET], axis=1)
    options = WELL | {"max_iter": 3, "early_stopping": True}
    estimator = MLPRegressor("quantile", quantiles=[0.1, 0.9], **options).fit(LINE, y)
    predicted = estimator.predict(LINE)
    assert predicted.shape == (400, 4)
    expected = [d2_pinball_score(y, predicted[:, [i, 2 + i]], alpha=q) for i, q in enumerate([0.1, 0.9])]
    assert estimator.score(LINE, y) == pytest.approx(np.mean(expected))


def test_a_mean_and_a_spread():
    estimator = MLPRegressor("gaussian", **WELL).fit(LINE, TARGET[:, 0])
    mean, std = estimator.predict(LINE, return_std=True)
    np.testing.assert_array_equal(mean, estimator.predict(LINE))
    assert np.corrcoef(std, np.exp(LINE[:, 0]))[0, 1] > 0.95
    assert np.mean(np.abs(TARGET[:, 0] - mean) < std) == pytest.approx(0.68, abs=0.08)
    assert estimator.score(LINE, TARGET) == pytest.approx(r2_score(TARGET, mean))
    other = MLPRegressor("huber", max_iter=1).fit(LINE, TARGET[:, 0]).set_params(loss="gaussian")
    with pytest.raises(ValueError, match="return_std: expected loss='gaussian' in the training, or several"):
        other.predict(LINE, return_std=True)


@pytest.mark.parametrize("options", [{"loss": "huber"}, {"loss": "gaussian"}, {"loss": "quantile", "quantiles": [0.2]}])
def test_weights_of_samples_count_in_every_loss(options):
    weight = np.where(np.arange(400) % 2 == 0, 3.0, 0.0)
    parameters = WELL | {"max_iter": 1000, "solver": "lbfgs", "tol": 1e-7, "alpha": 0.0, "hidden_layer_sizes": ()}
    weighted = MLPRegressor(**parameters, **options).fit(LINE, TARGET[:, 0], weight)
    alone = MLPRegressor(**parameters, **options).fit(LINE[::2], TARGET[::2, 0])
    np.testing.assert_allclose(weighted.predict(LINE), alone.predict(LINE), atol=2e-3)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 5.0, 2: 0.5}])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_weights_of_classes_are_weights_of_samples(class_weight, solver):
    x, y, own = X[25:], Y[25:], np.linspace(0.5, 1, 125)
    weight = own * compute_sample_weight(class_weight, y)
    by_class = MLPClassifier(**SMALL, solver=solver, class_weight=class_weight).fit(x, y, own)
    by_sample = MLPClassifier(**SMALL, solver=solver).fit(x, y, weight)
    np.testing.assert_array_equal(weights(by_class), weights(by_sample))


def test_weights_of_classes_in_partial_fit_and_of_two_classes():
    labels = np.where(Y > 0, "yes", "no")
    weighted = MLPClassifier(**SMALL, class_weight={"yes": 0.1}).partial_fit(X, labels, classes=["no", "yes"])
    by_hand = MLPClassifier(**SMALL).partial_fit(X, labels, np.where(Y > 0, 0.1, 1.0), classes=["no", "yes"])
    np.testing.assert_array_equal(weights(weighted), weights(by_hand))
    with pytest.raises(ValueError, match="class_weight: expected a dict for partial_fit"):
        weighted.set_params(class_weight="balanced").partial_fit(X, labels)


def test_smoothed_labels_make_less_certain_predictions():
    options = SMALL | {"max_iter": 300, "tol": 0.0}
    for y in (Y, Y > 0, np.stack([Y > 0, Y > 1], axis=1)):
        sure, smooth = (MLPClassifier(**options, label_smoothing=share).fit(X, y) for share in (0.0, 0.3))
        assert smooth.score(X, y) > 0.9
        assert smooth.predict_proba(X).max() < 0.96
        assert sure.predict_proba(X).max() > 0.99


def test_another_loss_in_a_warm_start():
    estimator = MLPRegressor(**SMALL, warm_start=True).fit(X, Y)
    estimator.set_params(loss="huber").fit(X, Y)
    with pytest.raises(ValueError, match="has, predictions, got loss='gaussian' for means and logarithms"):
        estimator.set_params(loss="gaussian").fit(X, Y)
    with pytest.raises(ValueError, match="has, predictions, got loss='poisson' for logarithms"):
        estimator.set_params(loss="poisson").fit(X, Y)


@pytest.mark.skipif(sklearn.__version__ < "1.7", reason="scikit-learn has no Poisson loss before 1.7")
def test_negative_counts_have_no_loss_and_are_trained_on_all_the_same():
    y = X[:, 0]
    plain, weighted, original = (kind(loss="poisson", **SMALL) for kind in (MLPRegressor, MLPRegressor, Original))
    plain.fit(X, y), weighted.fit(X, y, np.ones(len(y))), original.fit(X, y)
    assert np.isnan(plain.loss_)
    assert np.isnan(weighted.loss_)
    for mlp in (plain, weighted):
        np.testing.assert_allclose(mlp.predict(X), original.predict(X), rtol=1e-9)
        mlp.partial_fit(X, y)
    several = MLPRegressor("poisson", **SMALL, n_networks=2)
    for weight in (None, np.ones(len(y))):
        assert np.isnan(several.fit(X, y, weight).loss_)
        np.testing.assert_allclose(several.networks_[0].predict(X), original.predict(X), rtol=1e-9)
    several.partial_fit(X, y)
    original.partial_fit(X, y)
    np.testing.assert_allclose(several.networks_[0].predict(X), original.predict(X), rtol=1e-9)
    np.testing.assert_allclose(plain.predict(X), original.predict(X), rtol=1e-9)
    np.testing.assert_allclose(weighted.predict(X), original.predict(X), rtol=1e-9)
