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


def test_it_comes_back_from_json(single, tmp_path):
    single.metrics["val_r2"] = [0.5, np.nan]
    path = tmp_path / "history.json"
    assert History.from_json(single.to_json(path)).to_dict() == single.to_dict()
    assert path.read_text() == single.to_json()
    again = History.from_json(path.read_text())
    assert again.loss == single.loss
    assert all(isinstance(value, float) for value in again.val_accuracy)
    assert np.isnan(again.last("val_r2"))


def test_replicates_come_back_from_json(many):
    many.stopped[0] = 2
    again = History.from_json(many.to_json())
    np.testing.assert_array_equal(again.curve("loss"), many.curve("loss"))
    assert (again.diverged, again.stopped, again.engine) == (many.diverged, many.stopped, many.engine)
    np.testing.assert_array_equal(again.mean("loss"), many.mean("loss"))
    again.append(Evaluation(np.array([1.0, 1.0, 1.0]), None), None)
    np.testing.assert_array_equal(again.last("loss"), [np.nan, np.nan, 1])


WRONG = ["3", "{", "[]", "{}", '{"diverged": {}, "stopped": {}}', '{"diverged": [], "stopped": {}, "engine": ""}']
WRONG += [
    '{"diverged": {}, "stopped": {}, "engine": "", "loss": 3}',
    '{"diverged": {}, "stopped": {}, "engine": "", "loss": [[{}]]}',
]


@pytest.mark.parametrize("text", WRONG)
def test_another_text_is_no_history(text):
    with pytest.raises(ValueError, match="History: expected a text of to_json, got"):
        History.from_json(text)


def test_it_can_be_written_as_csv(many, tmp_path):
    many.metrics['a "name", of one\'s own'] = [np.ones(3), np.zeros(3)]
    path = tmp_path / "history.csv"
    lines = many.to_csv(path).splitlines()
    assert lines[0] == 'epoch,replicate,loss,"a ""name"", of one\'s own"'
    assert lines[1:] == ["1,0,4.0,1.0", "1,1,2.0,1.0", "1,2,9.0,1.0", "2,0,2.0,0.0", "2,1,,0.0", "2,2,3.0,0.0"]
    assert path.read_text() == many.to_csv()
    assert History().to_csv() == "epoch,replicate\n"


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
