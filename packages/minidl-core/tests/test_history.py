"""History: curves as arrays, summed up over the replicates, without those that diverged."""

import json

import numpy as np
import pytest

import minidl
from minidl import Evaluation, History


@pytest.fixture
def single():
    history = History()
    history.append(Evaluation(4.0, 0.5), Evaluation(5.0, 0.25))
    history.append(Evaluation(2.0, 1.0), Evaluation(3.0, 0.75))
    return history


@pytest.fixture
def many():
    history = History()
    history.append(Evaluation(np.array([4.0, 2.0, 9.0]), None), None)
    history.diverged[1] = (2, 3)
    history.append(Evaluation(np.array([2.0, 1.0, 3.0]), None), None)
    return history


def test_epochs_are_appended_to_each_curve(single):
    assert single == History([4.0, 2.0], [0.5, 1.0], [5.0, 3.0], [0.25, 0.75])
    assert len(single) == 2


def test_without_classes_or_validation_the_curves_stay_empty(many):
    assert many.accuracy == many.val_loss == many.val_accuracy == []
    history = History()
    history.append(Evaluation(1.0, None), Evaluation(2.0, None))
    assert (history.val_loss, history.val_accuracy) == ([2.0], [])


def test_a_curve_is_an_array_of_epochs_and_replicates(single, many):
    np.testing.assert_array_equal(single.curve("val_accuracy"), [0.25, 0.75])
    np.testing.assert_array_equal(many.curve("loss"), [[4, 2, 9], [2, np.nan, 3]])
    assert single.curve("loss").dtype == np.float64
    with pytest.raises(ValueError, match=r"History: expected .* val_loss, val_accuracy, got 'diverged'"):
        single.curve("diverged")


def test_what_diverged_is_left_out_of_the_mean_and_the_quantiles(single, many):
    np.testing.assert_array_equal(many.mean("loss"), [5, 2.5])
    np.testing.assert_array_equal(many.quantile("loss", 0.5), [4, 2.5])
    np.testing.assert_array_equal(many.quantile("loss", 0), [2, 2])
    np.testing.assert_array_equal(many.quantile("loss", 1), [9, 3])
    np.testing.assert_array_equal(single.mean("loss"), [4, 2])
    np.testing.assert_array_equal(single.quantile("accuracy", 0.25), [0.5, 1])


def test_noting_a_divergence_does_not_write_into_what_was_handed_in():
    history, loss = History(diverged={0: (1, 1)}), np.array([1.0, 2.0])
    history.append(Evaluation(loss, loss), Evaluation(loss, loss))
    assert loss.tolist() == [1, 2]
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_array_equal(history.curve(name), [[np.nan, 2]])


def test_it_can_be_written_as_json(single, many):
    assert json.loads(json.dumps(single.to_dict()))["val_loss"] == [5.0, 3.0]
    kept = json.loads(json.dumps(many.to_dict()))
    assert kept["loss"] == [[4, 2, 9], [2, None, 3]]
    assert kept["diverged"] == {"1": [2, 3]}
    assert kept["val_accuracy"] == []


def test_words(single, many):
    assert repr(single) == "History(2 epochs, loss 2, accuracy 1, val_loss 3, val_accuracy 0.75)"
    assert repr(many) == "History(2 epochs, loss 2.5 (mean of 2), 1 diverged)"
    assert repr(History()) == "History(0 epochs)"


def test_a_divergence_error_says_where(single):
    error = minidl.DivergenceError(3, 7, single)
    assert str(error) == "fit: the loss is nan in epoch 3, batch 7; try a smaller learning rate"
    assert error.history is single


def test_a_curve_that_is_not_there_has_an_empty_mean():
    assert History().mean("loss").shape == (0,)
    assert History(loss=[1.0]).quantile("val_loss", 0.5).shape == (0,)
