"""Validation sets that are given, the curves of their loss, and trainings that go on after early stopping."""

import numpy as np
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as Original
from sklearn.preprocessing import scale

from minidl_sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = scale(load_iris().data), load_iris().target
TRAIN, HELD, Y_TRAIN, Y_HELD = train_test_split(X, Y, random_state=0, test_size=0.3)
SMALL = {"hidden_layer_sizes": 7, "max_iter": 10, "learning_rate_init": 0.03, "random_state": 0}


def weights(estimator):
    return np.concatenate([array.ravel() for array in (*estimator.coefs_, *estimator.intercepts_)])


@pytest.mark.parametrize("labels", [Y, Y > 0, np.array(["a", "b", "c"])[Y]], ids=["several", "two", "strings"])
def test_the_loss_of_a_split_is_noted_beside_its_score(labels):
    if labels.dtype.kind == "U" and sklearn.__version__ < "1.7":
        pytest.skip("scikit-learn before 1.7 asks whether predicted words are nan")
    parameters = SMALL | {"early_stopping": True, "alpha": 10.0}
    estimator, original = (kind(**parameters).fit(X, labels) for kind in (MLPClassifier, Original))
    np.testing.assert_allclose(weights(estimator), weights(original), rtol=1e-9, atol=1e-12)
    assert len(estimator.validation_loss_curve_) == len(estimator.validation_scores_) == 10
    _, held, _, y = train_test_split(X, labels, **split_like(estimator, labels))
    best = int(np.argmax(estimator.validation_scores_))
    expected = log_loss(y, estimator.predict_proba(held))  # without the penalty
    assert estimator.validation_loss_curve_[best] == pytest.approx(expected)


def test_a_single_class_is_always_right():
    theirs, ours = (kind(**SMALL, early_stopping=True).fit(X, np.full(len(X), 7)) for kind in (Original, MLPClassifier))
    assert ours.validation_scores_ == theirs.validation_scores_ == [1.0] * 10
    np.testing.assert_allclose(weights(ours), weights(theirs), rtol=1e-9, atol=1e-12)
    options = SMALL | {"early_stopping": True, "n_networks": 2, "stopping": "mean"}
    assert MLPClassifier(**options).fit(X, np.full(len(X), 7)).mean_scores_ == [1.0] * 10


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 5.0, 2: 0.25}])
def test_weights_of_classes_count_in_a_validation_set_as_in_the_training_set(class_weight):
    x, y = X[:120], Y[:120]  # 50, 50 and 20 of the classes
    each = dict(enumerate([0.8, 0.8, 2.0])) if class_weight == "balanced" else class_weight
    estimator = MLPClassifier(**SMALL, class_weight=class_weight, validation_data=(HELD, Y_HELD)).fit(x, y)
    weight = np.array([each[label] for label in Y_HELD])
    assert estimator.validation_scores_[-1] == pytest.approx(estimator.score(HELD, Y_HELD, weight))
    expected = log_loss(Y_HELD, estimator.predict_proba(HELD), sample_weight=weight)
    assert estimator.validation_loss_curve_[-1] == pytest.approx(expected)
    by_hand = MLPClassifier(**SMALL, validation_data=(HELD, Y_HELD, weight))
    by_hand.fit(x, y, np.array([each[label] for label in y]))
    assert estimator.validation_loss_curve_ == pytest.approx(by_hand.validation_loss_curve_)


def test_weights_of_labels_count_in_a_validation_set():
    labels = np.stack([Y > 0, Y > 1], axis=1).astype(int)
    for y in (labels, csr_matrix(labels)):
        weighted = MLPClassifier(**SMALL, class_weight="balanced", validation_data=(X, y), alpha=0.0, batch_size=150)
        weighted.fit(X, y)
        np.testing.assert_allclose(weighted.validation_loss_curve_[:-1], weighted.loss_curve_[1:], rtol=1e-9)


def split_like(estimator, labels):
    """Return how scikit-learn splits: after the initial weights have been drawn."""
    rng = np.random.RandomState(0)
    for coef, intercept in zip(estimator.coefs_, estimator.intercepts_, strict=True):
        rng.uniform(size=coef.size), rng.uniform(size=intercept.size)
    return {"random_state": rng, "test_size": 0.1, "stratify": labels if len(np.unique(labels)) == 2 else None}


@pytest.mark.parametrize(
    ("options", "y"),
    [({}, Y), ({"loss": "poisson"}, Y), ({"loss": "gaussian"}, Y), ({}, np.stack([Y, 3 * Y], axis=1))],
)
def test_the_loss_of_the_validation_set_is_counted_as_that_of_the_training_set(options, y):
    options = SMALL | {"alpha": 0.0, "batch_size": 150, "validation_data": (X, y)} | options
    estimator = MLPRegressor(**options).fit(X, y)
    np.testing.assert_allclose(estimator.validation_loss_curve_[:-1], estimator.loss_curve_[1:], rtol=1e-9)
    assert estimator.validation_scores_[-1] == pytest.approx(estimator.score(X, y))
    assert estimator.best_validation_score_ == max(estimator.validation_scores_)


def test_a_validation_set_alone_changes_no_weight():
    plain = MLPClassifier(**SMALL).fit(TRAIN, Y_TRAIN)
    measured = MLPClassifier(**SMALL, validation_data=(HELD, Y_HELD)).fit(TRAIN, Y_TRAIN)
    np.testing.assert_array_equal(weights(plain), weights(measured))
    assert measured.loss_curve_ == plain.loss_curve_
    assert measured.best_loss_ == plain.best_loss_
    assert plain.validation_loss_curve_ is None
    assert measured.validation_scores_[-1] == measured.score(HELD, Y_HELD)


def test_early_stopping_by_a_given_set_trains_on_all_samples():
    parameters = SMALL | {"max_iter": 60, "early_stopping": True, "n_iter_no_change": 5, "learning_rate_init": 0.1}
    estimator = MLPClassifier(**parameters, validation_data=(HELD, Y_HELD)).fit(TRAIN, Y_TRAIN)
    assert estimator.t_ == len(TRAIN) * estimator.n_iter_
    assert estimator.n_iter_ < 60
    assert estimator.score(HELD, Y_HELD) == estimator.best_validation_score_ == max(estimator.validation_scores_)


def test_weights_of_the_validation_set_count():
    weight = np.where(Y_HELD == 0, 1.0, 0.0)
    estimator = MLPClassifier(**SMALL, validation_data=(HELD, Y_HELD, weight)).fit(TRAIN, Y_TRAIN)
    assert estimator.validation_scores_[-1] == estimator.score(HELD[Y_HELD == 0], Y_HELD[Y_HELD == 0])
    of_class = log_loss(Y_HELD, estimator.predict_proba(HELD), sample_weight=weight)
    assert estimator.validation_loss_curve_[-1] == pytest.approx(of_class)


@pytest.mark.parametrize("restart", [False, True])
def test_a_warm_start_after_the_end_of_early_stopping(restart):
    x, y = load_diabetes(return_X_y=True)
    parameters = {"hidden_layer_sizes": 20, "learning_rate_init": 0.1, "max_iter": 200, "n_iter_no_change": 4}
    estimator = MLPRegressor(
        **parameters, early_stopping=True, warm_start=True, restart_stopping=restart, random_state=0
    ).fit(scale(x), y)
    assert estimator.n_iter_ < 200
    score = estimator.best_validation_score_
    kept = estimator.predict(scale(x))
    estimator.set_params(learning_rate_init=1e-7, tol=1e-3).fit(scale(x), y)
    if restart:  # counted from 0, and the first weights are as good as those with so small a rate
        assert estimator.n_iter_ == 5
        assert estimator.best_validation_score_ == pytest.approx(score, abs=1e-4)
        np.testing.assert_allclose(estimator.predict(scale(x)), kept, rtol=1e-3)
    else:  # scikit-learn's: the count goes on
        assert estimator.n_iter_ == 1


def test_a_warm_start_that_finds_nothing_better_keeps_what_it_started_from():
    parameters = SMALL | {"early_stopping": True, "warm_start": True, "max_iter": 30}
    estimator = MLPClassifier(**parameters, restart_stopping=True).fit(X, Y)
    kept = weights(estimator)
    estimator.set_params(learning_rate_init=10.0, max_iter=3).fit(X, Y)
    np.testing.assert_array_equal(weights(estimator), kept)
    original = MLPClassifier(**parameters).fit(X, Y).set_params(learning_rate_init=10.0, max_iter=3).fit(X, Y)
    assert not np.allclose(weights(original), kept)


def test_a_warm_start_holds_out_the_same_samples():
    parameters = SMALL | {"early_stopping": True, "warm_start": True, "random_state": None}
    for restart in (False, True):
        estimator = MLPClassifier(**parameters, restart_stopping=restart).fit(X, Y)
        scores = set()
        for _ in range(6):  # with weights that stay what they are, the score is that of the samples
            estimator.set_params(learning_rate_init=1e-300, max_iter=1).fit(X, Y)
            scores.add(estimator.validation_loss_curve_[-1])
        assert (np.ptp(list(scores)) < 1e-12) == restart


def test_without_early_stopping_a_restart_forgets_the_best_loss():
    parameters = SMALL | {"warm_start": True, "max_iter": 100, "tol": 1e9, "n_iter_no_change": 3}
    for restart, epochs in ((False, 1), (True, 5)):
        estimator = MLPClassifier(**parameters, restart_stopping=restart).fit(X, Y)
        assert estimator.n_iter_ == 5  # the first epoch is an improvement on nothing
        assert estimator.fit(X, Y).n_iter_ == epochs


def test_partial_fit_with_early_stopping_notes_the_scores():
    parameters = SMALL | {"early_stopping": True}
    estimator = MLPClassifier(**parameters, validation_data=(HELD, Y_HELD))
    plain = MLPClassifier(**SMALL)
    for _ in range(5):
        estimator.partial_fit(TRAIN, Y_TRAIN, classes=[0, 1, 2])
        plain.partial_fit(TRAIN, Y_TRAIN, classes=[0, 1, 2])
    np.testing.assert_array_equal(weights(estimator), weights(plain))
    assert len(estimator.validation_scores_) == 5
    assert estimator.best_validation_score_ == max(estimator.validation_scores_)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        estimator.set_params(validation_data=None).partial_fit(TRAIN, Y_TRAIN)
    fitted = MLPClassifier(**parameters, validation_data=(HELD, Y_HELD)).fit(TRAIN, Y_TRAIN)
    assert len(fitted.partial_fit(TRAIN, Y_TRAIN).validation_scores_) == 11


BAD = {
    "length": ((HELD,), "validation_data: expected \\(X, y\\) or \\(X, y, sample_weight\\), got 1 of them"),
    "width": ((HELD[:, :3], Y_HELD), "X has 3 features, but MLPClassifier is expecting 4 features"),
    "samples": ((HELD, Y_HELD[1:]), "inconsistent numbers of samples"),
    "classes": ((HELD, Y_HELD + 1), "validation_data: expected classes of the training set, got \\[3\\] beside them"),
    "nan": ((HELD * np.nan, Y_HELD), "Input X contains NaN"),
    "no tuple": (0.1, "The 'validation_data' parameter of MLPClassifier must be an instance of 'tuple'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_sets_are_refused(case):
    data, words = BAD[case]
    estimator = MLPClassifier(**SMALL, validation_data=data)
    with pytest.raises(ValueError, match=words):
        estimator.fit(TRAIN, Y_TRAIN)
    assert not hasattr(estimator, "coefs_")


def test_targets_of_another_width_are_refused():
    estimator = MLPRegressor(**SMALL, validation_data=(HELD, np.stack([Y_HELD, Y_HELD], axis=1)))
    with pytest.raises(ValueError, match="validation_data: expected y of 1 outputs, got 2"):
        estimator.fit(TRAIN, Y_TRAIN)
