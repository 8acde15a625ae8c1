"""Each statement is held for curves in which it is true and not held for curves in which it is false."""

from types import SimpleNamespace

import numpy as np
import pytest

import minidl
from minidl_experiments import Curves, Settings, claims, statements
from minidl_experiments.experiments import OPTIMIZERS

SEEDS = 8


def curves(accuracy, loss=None):
    """Return curves that differ between seeds by a little noise."""
    noise = 0.001 * np.linspace(-1, 1, SEEDS)
    accuracy = np.asarray(accuracy)
    loss = 1 - accuracy if loss is None else np.asarray(loss)
    return Curves(loss[:, None] + noise, accuracy[:, None] - noise)


def rising(start, end, epochs=50):
    return np.linspace(start, end, epochs)


def noisy(mean, spread=0.02):
    """Return one value per seed with a given mean and a spread that hides small leads."""
    return mean + spread * np.array([-1, 1] * (SEEDS // 2))


@pytest.mark.parametrize(("train", "test", "held"), [(0.98, 0.97, True), (0.98, 0.94, False), (0.94, 0.97, False)])
def test_accuracy_is_judged_on_both_sets(train, test, held):
    assert statements.judge_accuracy(curves([train]), curves([test])).held is held


@pytest.mark.parametrize(
    ("train", "test", "test_loss", "held"),
    [
        ([0.90, 0.98], [0.90, 0.975], [0.2, 0.1], True),
        ([0.90, 0.98], [0.90, 0.96], [0.2, 0.1], False),  # the accuracies differ
        ([0.90, 0.98], [0.90, 0.975], [0.1, 0.2], False),  # the test loss rises at the end
        ([0.90, 0.90], [0.90, 0.98], [0.2, 0.1], True),  # better on the test set
    ],
)
def test_overfitting_is_a_gap_or_a_test_loss_that_rises(train, test, test_loss, held):
    verdict = statements.judge_overfitting(curves(train), curves(test, test_loss))
    assert verdict.held is held
    assert verdict.numbers["gap"] == pytest.approx(train[-1] - test[-1])
    assert verdict.numbers["final_test_loss"] == pytest.approx(test_loss[-1])


def test_errors_near_the_border_are_distinguished_from_errors_everywhere():
    everywhere = np.linspace(0, 0.4, 100)
    near = statements.judge_border(everywhere, np.array([0.01, 0.02]))
    assert near.held is True
    assert near.numbers == pytest.approx(
        {"mean_misclassified": 0.015, "mean_all": 0.2, "quantile_95": 0.0195, "largest": 0.02}
    )
    assert statements.judge_border(everywhere, everywhere[::3]).held is False


def test_without_errors_the_border_is_undecided():
    assert statements.judge_border(np.ones(3), np.ones(0)).held is None


FAST_THEN_SLOW = curves(np.concatenate([rising(0.7, 0.9, 25), rising(0.9, 0.95, 25)]))
SLOW_THEN_FAST = curves(np.concatenate([rising(0.6, 0.85, 25), rising(0.9, 0.98, 25)]))


def test_an_early_lead_is_held_for_the_early_leader_alone():
    verdict = statements.judge_early_lead(FAST_THEN_SLOW, SLOW_THEN_FAST)
    assert verdict.held is True
    assert verdict.numbers["overtaken"] == 27  # both have accuracy 0.9 in epoch 26
    assert verdict.numbers["share_at_10"] == 1
    assert statements.judge_early_lead(SLOW_THEN_FAST, FAST_THEN_SLOW).held is False


def test_an_early_lead_that_is_lost_by_epoch_10_is_not_held():
    early, late = np.full(50, 0.8), np.full(50, 0.7)
    early[9] = 0.6
    assert statements.judge_early_lead(curves(early), curves(late)).held is False


def test_a_leader_that_is_never_overtaken():
    verdict = statements.judge_early_lead(curves(rising(0.8, 0.9)), curves(rising(0.7, 0.8)))
    assert verdict.numbers["overtaken"] == 0
    assert "never overtaken" in verdict.evidence


def test_a_final_lead_needs_accuracy_and_loss():
    assert statements.judge_final_lead(SLOW_THEN_FAST, FAST_THEN_SLOW).held is True
    assert statements.judge_final_lead(FAST_THEN_SLOW, SLOW_THEN_FAST).held is False
    better, worse_loss = curves([0.98], [0.3]), curves([0.97], [0.2])
    assert statements.judge_final_lead(better, worse_loss).held is False


def test_a_lead_within_the_error_is_undecided():
    lead = statements.Difference.of(noisy(0.001), np.zeros(SEEDS))
    assert (lead.mean, lead.share) == pytest.approx((0.001, 0.5))
    assert lead.error == pytest.approx(noisy(0).std(ddof=1) / np.sqrt(SEEDS))
    assert lead.is_above() is None
    assert statements.Difference.of(noisy(0.1), np.zeros(SEEDS)).is_above() is True
    assert statements.Difference.of(np.zeros(SEEDS), noisy(0.1)).is_above() is False
    assert statements.Difference.of(noisy(0.1), 0).is_above(0.1) is None
    assert statements.Difference.of(noisy(0.1), 0).is_below(0.2) is True


def test_seeds_are_compared_in_pairs():
    easy_and_hard = noisy(0.9, spread=0.1)
    assert statements.Difference.of(easy_and_hard + 0.001, easy_and_hard).is_above() is True


def test_one_seed_decides_nothing():
    assert statements.Difference.of(np.array([0.2]), np.array([0.1])).is_above() is None
    one = Curves(np.linspace(0.5, 0.1, 50)[:, None], np.linspace(0.6, 0.98, 50)[:, None])
    assert statements.judge_accuracy(one, one).held is None
    assert statements.judge_overfitting(one, one).held is None
    assert statements.judge_final_lead(one, one).held is None
    assert statements.judge_alike({"ReLU": one.accuracy, "Tanh": one.accuracy}).held is None
    verdict = statements.judge_dropout({0.0: np.array([0.97]), 0.1: np.array([0.9])})
    assert verdict.held is None
    assert verdict.evidence.endswith("p_drop 0.1 -7.00 points")


def accuracies(**means):
    return {name: curves(rising(mean, 0.98)).accuracy for name, mean in means.items()}


def test_fastest_and_slowest_are_judged_over_the_first_epochs():
    runs = accuracies(Tanh=0.8, ReLU=0.7, Leaky=0.6)
    fastest = {name: statements.judge_fastest(name, runs).held for name in runs}
    slowest = {name: statements.judge_slowest(name, runs).held for name in runs}
    assert fastest == {"Tanh": True, "ReLU": False, "Leaky": False}
    assert slowest == {"Tanh": False, "ReLU": False, "Leaky": True}


def test_a_tie_decides_nothing():
    runs = accuracies(Tanh=0.7, ReLU=0.7)
    assert statements.judge_fastest("Tanh", runs).held is None
    assert statements.judge_slowest("Tanh", runs).held is None


def test_one_faster_rival_refutes_the_statement():
    assert statements.judge_fastest("Tanh", accuracies(Tanh=0.7, ReLU=0.7, Leaky=0.8)).held is False


def lose(curves, seed, since):
    """Return curves in which one seed diverged."""
    lost = Curves(curves.loss.copy(), curves.accuracy.copy())
    lost.loss[since:, seed] = lost.accuracy[since:, seed] = np.nan
    return lost


def test_a_diverged_seed_does_not_affect_the_verdict():
    lead = statements.Difference.of(np.array([0.5, np.nan, 0.7]), np.array([0.4, 0.1, np.nan]))
    assert (lead.mean, lead.share, lead.seeds, lead.lost) == (pytest.approx(0.1), 1, 3, 2)
    whole, broken = SLOW_THEN_FAST, lose(FAST_THEN_SLOW, 2, since=1)
    verdicts = [
        statements.judge_accuracy(broken, whole),
        statements.judge_overfitting(broken, broken),
        statements.judge_early_lead(broken, whole),
        statements.judge_final_lead(whole, broken),
        statements.judge_alike({"a": whole.accuracy, "b": broken.accuracy}),
        statements.judge_fastest("a", {"a": broken.accuracy, "b": whole.accuracy}),
    ]
    for verdict in verdicts[2:4]:
        assert verdict.held is True
    for verdict in verdicts:
        assert "nan" not in verdict.evidence
        assert verdict.evidence.endswith(f"1 of {SEEDS} diverged") or verdict is verdicts[0]
        assert np.isfinite(list(verdict.numbers.values())).all()


def test_a_difference_is_undecided_if_all_seeds_diverged():
    lead = statements.Difference.of(np.full(3, np.nan), 0)
    assert (lead.is_above(), lead.is_below(1), lead.lost) == (None, None, 3)


def test_the_margin_is_measured_to_the_closest_rival():
    verdict = statements.judge_slowest("Leaky", accuracies(Tanh=0.9, ReLU=0.7, Leaky=0.6))
    assert "against ReLU -" in verdict.evidence
    assert verdict.numbers["margin"] == pytest.approx(0.1 * (1 - 9.5 / 49))  # both curves meet at epoch 50


@pytest.mark.parametrize(("other", "held"), [(0.975, True), (0.96, False)])
def test_accuracies_within_a_point_are_alike(other, held):
    runs = {"ReLU": curves([0.98]).accuracy, "Tanh": curves([other]).accuracy}
    verdict = statements.judge_alike(runs)
    assert verdict.held is held
    assert verdict.numbers["spread"] == pytest.approx(0.98 - other)


def test_dropout_is_needed_if_any_probability_helps():
    base = noisy(0.97)
    assert statements.judge_dropout({0.0: base, 0.1: base - 0.01, 0.5: base - 0.1}).held is True
    assert statements.judge_dropout({0.0: base, 0.1: base + 0.011, 0.5: base - 0.1}).held is False
    assert statements.judge_dropout({0.0: base, 0.1: base + 0.001}).held is True  # less than a point


def test_noise_leaves_the_need_for_dropout_undecided():
    rough = {0.0: np.array([0.90, 0.97]), 0.1: np.array([0.99, 0.98])}
    assert statements.judge_dropout(rough).held is None


def run(epochs, start=0.7):
    """Return a stand-in for a training with the attributes that claims read."""
    course = curves(rising(start, 0.98, epochs))
    return SimpleNamespace(settings=Settings(epochs=epochs), train=course, test=course)


def test_claims_wait_for_their_runs():
    results = {OPTIMIZERS["SGD"]: run(50)}
    assert list(claims.judge_claims(results)) == ["with SGD there is no overfitting either"]


def test_claims_wait_for_their_epochs():
    sgd, adam = OPTIMIZERS["SGD"], OPTIMIZERS["Adam"]
    verdicts = claims.judge_claims({sgd: run(20), adam: run(20, start=0.8)})
    assert {text: verdict.held for text, verdict in verdicts.items() if verdict.held is not None} == {
        "SGD learns faster than Adam during the first 20 epochs": False
    }
    assert verdicts["the model does not overfit"].evidence == "needs 50 epochs"


def test_distances_are_measured_to_the_circle():
    model = minidl.replicate(lambda rng: minidl.Linear(2, 2, rng=rng), [0])
    model.weight, model.bias = np.zeros((1, 2, 2), np.float32), np.array([[1, 0]], np.float32)  # always "outside"
    x = np.array([[[0.5, 0.5], [0.5, 0.9], [0.0, 0.0]]], np.float32)
    y = np.array([[[0, 1], [1, 0], [1, 0]]], np.float32)
    training = SimpleNamespace(model=model, data=SimpleNamespace(test=(x, y)), test=Curves(np.ones((1, 1)), None))
    distances, wrong = claims.measure_distances(training)
    radius = 1 / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(distances, [radius, 0.4 - radius, np.sqrt(0.5) - radius], atol=1e-7)
    np.testing.assert_allclose(wrong, [radius])
    training.test = Curves(np.full((1, 1), np.nan), None)  # the seed diverged
    assert [values.size for values in claims.measure_distances(training)] == [0, 0]
