"""Scores beside those of scikit-learn, and beside predictions whose scores are known."""

import numpy as np
import pytest

from minidl_experiments.tabular.scores import Outcome, baseline_for, measures, score_outcomes
from minidl_experiments.tabular.target import ClassTarget, NumberTarget

TWO, THREE = ClassTarget("y", ("a", "b")), ClassTarget("y", ("a", "b", "c"))
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("target", [TWO, THREE], ids=["two", "three"])
def test_scores_of_classes_are_those_of_scikit_learn(target):
    metrics = pytest.importorskip("sklearn.metrics")
    y = RNG.integers(0, target.outputs, 200)
    p = np.round(RNG.dirichlet(np.ones(target.outputs), 200), 1) + 1e-3  # with ties
    p /= p.sum(axis=1, keepdims=True)
    found = {name: measure(y, p) for name, (_, measure) in measures(target).items()}
    assert found["accuracy"] == metrics.accuracy_score(y, p.argmax(axis=1))
    assert found["balanced accuracy"] == pytest.approx(metrics.balanced_accuracy_score(y, p.argmax(axis=1)))
    assert found["log loss"] == pytest.approx(metrics.log_loss(y, p))
    if target is TWO:
        assert found["AUC"] == pytest.approx(metrics.roc_auc_score(y, p[:, 1]))


def test_scores_of_numbers_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    target = NumberTarget(("u", "v"), (0.0, 0.0), (1.0, 1.0), (0.1, 0.5, 0.9))
    y, f = RNG.normal(size=(200, 2)), RNG.normal(size=(200, 6))
    found = {name: measure(y, f) for name, (_, measure) in measures(target).items()}
    for i, name in enumerate("uv"):
        middle = f[:, 3 * i + 1]
        assert found[f"R² of {name}"] == pytest.approx(metrics.r2_score(y[:, i], middle))
        assert found[f"mean absolute error of {name}"] == pytest.approx(metrics.mean_absolute_error(y[:, i], middle))
        expected = metrics.root_mean_squared_error(y[:, i], middle)
        assert found[f"root mean squared error of {name}"] == pytest.approx(expected)
        inside = (f[:, 3 * i] <= y[:, i]) & (y[:, i] <= f[:, 3 * i + 2])
        assert found[f"rows between the quantiles 0.1 and 0.9 of {name}"] == inside.mean()


def test_a_baseline_knows_the_training_targets_alone():
    np.testing.assert_allclose(baseline_for(THREE, np.array([0, 2, 2, 2]), 2), [[0.25, 0, 0.75]] * 2)
    y = np.array([[1.0, 10], [2, 20], [6, 60]])
    numbers = NumberTarget(("u", "v"), (0.0, 0.0), (1.0, 1.0))
    np.testing.assert_allclose(baseline_for(numbers, y, 1), [[3, 30]])
    quantiles = NumberTarget(("u", "v"), (0.0, 0.0), (1.0, 1.0), (0.0, 0.5))
    np.testing.assert_allclose(baseline_for(quantiles, y, 1), [[1, 2, 10, 20]])


def outcome_of(y, rows, accuracy):
    """Return predictions of one network of which a share is right."""
    right = np.arange(len(rows)) < accuracy * len(rows)
    p = np.eye(2)[np.where(right, y[rows], 1 - y[rows])]
    return Outcome(rows, p[None], np.full((len(rows), 2), 0.5))


def test_intervals_of_one_test_set_cover_the_binomial_one():
    y = RNG.integers(0, 2, 400)
    score = score_outcomes(TWO, y, [outcome_of(y, np.arange(400), 0.9)], 0)[0]
    assert (score.value, score.unit, score.single) == (90, "%", None)
    # the normal interval of a share is 90 ± 1.96 sqrt(0.9 * 0.1 / 400) = 90 ± 2.94 %
    assert (score.low, score.high) == (pytest.approx(87.06, abs=0.6), pytest.approx(92.94, abs=0.6))


def test_intervals_of_folds_are_the_lowest_and_the_highest():
    y = RNG.integers(0, 2, 300)
    parts = [outcome_of(y, np.arange(100 * i, 100 * (i + 1)), share) for i, share in enumerate((0.7, 0.9, 0.8))]
    score = score_outcomes(TWO, y, parts, 0)[0]
    assert (score.value, score.low, score.high) == (pytest.approx(80), pytest.approx(70), pytest.approx(90))


def test_folds_without_one_of_two_classes_have_no_auc():
    y = np.array([0, 1, 0, 1, 0, 0])
    p = np.array([0.1, 0.9, 0.6, 0.4, 0.2, 0.3])
    each = np.stack([1 - p, p], axis=1)[None]
    outcomes = [Outcome(rows, each[:, rows], np.full((2, 2), 0.5)) for rows in np.arange(6).reshape(3, 2)]
    auc = {score.name: score for score in score_outcomes(TWO, y, outcomes, 0)}["AUC"]
    assert (auc.value, auc.low, auc.high, auc.baseline) == (0.5, 0, 1, 0.5)
    auc = {score.name: score for score in score_outcomes(TWO, y, outcomes[2:] * 2, 0)}["AUC"]
    assert np.isnan([auc.value, auc.low, auc.high]).all()


def test_single_networks_are_scored_beside_their_mean():
    y = np.array([0, 1, 1, 0])
    each = np.stack([np.eye(2)[y], np.eye(2)[1 - y], np.eye(2)[y] * 0.98 + 0.01])
    score = score_outcomes(TWO, y, [Outcome(np.arange(4), each, np.full((4, 2), 0.5))], 0)[0]
    assert score.value == 100
    assert score.single == (pytest.approx(200 / 3), 0, 100)
