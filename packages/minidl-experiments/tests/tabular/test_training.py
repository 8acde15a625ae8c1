"""Trainings on own data: equal bits, no leaks, and what options do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import minidl
from minidl_experiments.tabular import cross_validation
from minidl_experiments.tabular.assessment import assess, divide, fit_model
from minidl_experiments.tabular.networks import batch_size_for, optimizer_for
from minidl_experiments.tabular.options import read_options
from minidl_experiments.tabular.problem import pose
from minidl_experiments.tabular.reading import Source, Table
from minidl_experiments.tabular.split import hold_out

QUICK = {"epochs": 4, "networks": 2}


def frame_of(count=60, seed=0):
    rng = np.random.default_rng(seed)
    size, colour = rng.normal(10, 3, count), rng.choice(["red", "green", "blue"], count)
    kind = np.where((size > 10) != (colour == "red"), "large", "small")
    return pd.DataFrame({"size": size, "colour": colour, "kind": kind, "price": 3 * size + 5 * (colour == "blue")})


def posed(frame, target, **flags):
    options = read_options(None, {"target": [target], "drop": [{"kind": "price", "price": "kind"}[target]], **flags})
    table = Table(frame, (Source("t.csv", "line", np.arange(2, len(frame) + 2)),))
    return pose(table, options), options


def quiet(*_):
    return lambda *_: None


def assessed(frame, target, **flags):
    problem, options = posed(frame, target, **QUICK | flags)
    return assess(problem, options, divide(problem, options), quiet)


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize("target", ["kind", "price"])
def test_equal_seeds_give_equal_bits(target, cv):
    one, other, third = (assessed(frame_of(), target, cv=cv, seed=seed) for seed in (3, 3, 4))
    bits, same, others = (found.model.network.state_dict() for found in (one, other, third))
    assert all((bits[name] == same[name]).all() for name in bits)
    assert one.scores == other.scores
    assert all((bits[name] != others[name]).any() for name in bits)


def test_a_network_is_the_same_alone_and_among_others():
    several = assessed(frame_of(), "kind", networks=3, p_drop=0.2)
    alone = assessed(frame_of(), "kind", networks=1, p_drop=0.2)
    assert alone.model.network.replicate_shape == ()
    np.testing.assert_array_equal(alone.model.network.values, minidl.unstack(several.model.network)[0].values)


@pytest.mark.parametrize("target", ["kind", "price"])
def test_test_rows_do_not_change_the_model(target):
    frame = frame_of()
    problem, options = posed(frame, target, **QUICK)
    part = hold_out(problem.labels, len(frame), 12, np.random.default_rng(0))
    model, trained = fit_model(problem, options, part, range(2), quiet())
    frame.loc[part.test, "size"] += 50
    frame.loc[part.test, "colour"] = "pink"
    if target == "price":
        frame.loc[part.test, "price"] *= -100
    other, again = fit_model(posed(frame, target, **QUICK)[0], options, part, range(2), quiet())
    assert (model.encoder, model.target) == (other.encoder, other.target)
    np.testing.assert_array_equal(model.network.values, other.network.values)
    assert trained.dead == again.dead


def test_a_row_does_not_change_the_networks_of_its_own_fold():
    frame = frame_of()
    before = assessed(frame, "kind", cv=3).outcomes
    row, rest = before[0].rows[0], before[0].rows[1:]
    frame.loc[row, "size"] = 40.0
    after = assessed(frame, "kind", cv=3).outcomes
    np.testing.assert_array_equal(after[0].each[:, 1:], before[0].each[:, 1:])
    assert (after[0].each[:, 0] != before[0].each[:, 0]).any()
    assert (after[1].each != before[1].each).any()  # which is trained on the row
    assert len(rest) == 19


def test_a_category_of_the_test_rows_alone_is_all_zeros_in_their_fold():
    frame = frame_of()
    rows = assessed(frame, "kind", cv=3).outcomes[0].rows
    frame.loc[rows[0], "colour"] = "pink"  # in the training rows of the other folds, and between green and red
    found = assessed(frame, "kind", cv=3).outcomes[0]
    frame.loc[rows[0], "colour"] = "orange"
    np.testing.assert_array_equal(assessed(frame, "kind", cv=3).outcomes[0].each, found.each)


def test_folds_of_different_sizes_are_trained_at_once_and_test_each_row_once():
    found = assessed(frame_of(47), "kind", cv=5)
    assert sorted(np.concatenate([outcome.rows for outcome in found.outcomes])) == list(range(47))
    assert {outcome.each.shape[:1] for outcome in found.outcomes} == {(2,)}


def test_early_stopping_ends_and_without_it_all_epochs_run():
    stopped = assessed(frame_of(), "price", epochs=300)
    assert len(stopped.trained.history) < 300
    assert (stopped.trained.best_epochs <= len(stopped.trained.history) - 20).any()
    whole = assessed(frame_of(), "price", epochs=60, early_stopping=False)
    assert len(whole.trained.history) == 60
    assert whole.trained.history.val_loss == []


@pytest.mark.parametrize(
    "flags",
    [
        {"loss": "huber"},
        {"loss": "l1", "activation": "tanh", "last_activation": "sigmoid"},
        {"loss": "quantile", "quantiles": "0.2,0.8"},
        {"optimizer": "sgd", "lr": 0.01, "momentum": 0.9, "clip": 1.0},
        {"optimizer": "sgd", "eta": 0.02, "kappa": 0.5},
        {"schedule": "cosine", "lr": 0.01, "batch_size": 7, "width": "9", "p_drop": 0.1},
        {"activation": "leaky-relu", "alpha": 0.2, "test": 0.5},
    ],
)
def test_options_reach_the_training(flags):
    plain, other = assessed(frame_of(), "price"), assessed(frame_of(), "price", **flags)
    assert np.isfinite([score.value for score in other.scores]).all()
    assert not np.array_equal(plain.outcomes[0].values, other.outcomes[0].values)


def test_learns_what_there_is_to_learn():
    found = assessed(frame_of(400), "kind", epochs=100, networks=3)
    assert found.scores[0].value > 90
    found = assessed(frame_of(400), "price", epochs=100, networks=3)
    assert found.scores[0].value > 0.97


def test_quantiles_are_in_the_units_of_the_target():
    found = assessed(frame_of(400), "price", epochs=100, loss="quantile")
    low, middle, high = found.outcomes[0].each.mean(axis=0).T
    assert np.mean((low <= middle) & (middle <= high)) > 0.9
    assert found.model.frame(found.model.predict_inputs(np.zeros((1, 4), np.float32))).columns.tolist() == [
        "price_q0.05", "price_q0.5", "price_q0.95", "price_q0.05_std", "price_q0.5_std", "price_q0.95_std",
    ]  # fmt: skip


def test_tiny_data():
    found = assessed(frame_of(10), "kind")
    assert len(found.outcomes[0].rows) == 2
    with pytest.raises(ValueError, match=r"--test 0\.01: expected 1 to 5 of the 10 rows, got 0"):
        assessed(frame_of(10), "kind", test=0.01)
    with pytest.raises(ValueError, match="--cv 6: expected folds of at least two rows, got 10 rows"):
        assessed(frame_of(10), "kind", cv=6)


def test_a_training_that_diverges_says_what_to_try():
    with pytest.raises(ValueError, match="try a smaller"):
        assessed(frame_of(), "price", optimizer="sgd", lr=1e20)


def test_a_target_that_is_the_same_in_all_training_rows():
    frame = frame_of(20)
    problem, options = posed(frame, "price", **QUICK)
    part = hold_out(None, 20, 4, np.random.default_rng(0))
    y = problem.y.copy()
    y[part.train] = 1.0
    with pytest.raises(ValueError, match="--target price: expected different numbers, got the same"):
        fit_model(replace(problem, y=y), options, part, range(2), quiet())


def test_columns_of_equal_names_of_inputs_are_kept_apart():
    frame = frame_of()
    frame.loc[::7, "size"] = np.nan
    one = assessed(frame, "kind", cv=3)
    frame = frame.rename(columns={"colour": "size is missing"})  # as the input that marks missing sizes is called
    other = assessed(frame, "kind", cv=3)
    assert one.model.encoder.features[1] == other.model.encoder.features[1] == "size is missing"
    np.testing.assert_array_equal(one.outcomes[0].each, other.outcomes[0].each)
    frame["size = red"] = np.arange(60) % 5
    assert np.isfinite(assessed(frame, "kind", cv=3).scores[0].value)


def test_chunks_of_folds_change_nothing(monkeypatch):
    whole = assessed(frame_of(), "kind", cv=4)
    monkeypatch.setattr(cross_validation, "MOST_NUMBERS", 60 * 4 * 2 * 3)  # rows, inputs, networks, three folds
    parts = assessed(frame_of(), "kind", cv=4)
    for one, other in zip(whole.outcomes, parts.outcomes, strict=True):
        np.testing.assert_array_equal(one.each, other.each)


def test_decay_falls_with_the_rows():
    def decay(rows, **flags):
        options = read_options(None, flags)
        return optimizer_for(options, minidl.Linear(1, 1), rows, 1).weight_decay

    assert (decay(30), decay(300), decay(30_000)) == (0.01, 0.01, 1e-4)
    assert decay(30, weight_decay=0.5) == 0.5
    assert decay(30, weight_decay=0.0) == 0


def test_batches_grow_with_the_rows():
    options = read_options(None, {})
    assert [batch_size_for(options, rows) for rows in (5, 100, 1000, 10_000, 10**6)] == [5, 8, 16, 256, 256]
    assert batch_size_for(read_options(None, {"batch_size": 50}), 20) == 20
