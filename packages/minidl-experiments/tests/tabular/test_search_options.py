"""What a sweep over own data varies: values, ranges, draws, and errors."""

import numpy as np
import pytest

from minidl_experiments.search.axes import Range, read_axes
from minidl_experiments.search.candidate import Candidate, parse_key
from minidl_experiments.search.plan import read_plan
from minidl_experiments.search.space import draw, grid_of

BASE = Candidate()


def plan(path=None, random=None, optuna=None, **flags):
    return read_plan(path, flags, random=random, optuna=optuna)


def test_values_are_combined():
    axes = read_axes({"hidden": ["16,16", "64"], "lr": "0.01,0.003", "activation": "relu, tanh"})
    found = grid_of(BASE, axes)
    assert len(found) == 8
    assert [one.width for one in found[::4]] == [(16, 16), (64,)]
    assert {one.lr for one in found} == {0.01, 0.003}
    assert found[0].activation == "relu"
    assert len(set(found)) == 8


def test_repeated_values_are_one():
    assert len(grid_of(BASE, read_axes({"lr": "0.01, 0.010", "hidden": ["8", "8"]}))) == 1


def test_without_axes_there_is_a_grid_and_there_are_ranges():
    assert len(plan().candidates()) == 9
    assert len(set(plan(random=20).candidates())) == 20


def test_one_axis_leaves_the_others_as_minidl_train_has_them():
    (found,) = {(one.width, one.p_drop, one.batch_size) for one in plan(lr="0.01,0.001").candidates()}
    assert found == ((32, 32), 0.0, None)


def test_draws_lie_in_their_ranges_and_are_spread():
    axes = read_axes({"lr": "1e-4:1e-1", "p_drop": "0:0.5", "batch_size": "8:128", "hidden": ["4:64,4:64", "7"]})
    found = draw(BASE, axes, 400, seed=3)
    lr, p_drop, size = (np.array([getattr(one, name) for one in found]) for name in ("lr", "p_drop", "batch_size"))
    assert 1e-4 <= lr.min() < 2e-4
    assert 5e-2 < lr.max() <= 1e-1
    assert abs(np.mean(np.log10(lr)) + 2.5) < 0.15  # evenly on a logarithmic scale
    assert abs(np.mean(p_drop) - 0.25) < 0.03  # evenly
    assert size.min() == 8
    assert 120 < size.max() <= 128
    assert {len(one.width) for one in found} == {1, 2}
    assert len(set(found)) == 400


def test_more_draws_begin_with_the_same():
    axes = read_axes({"lr": "1e-4:1e-1", "hidden": ["8:16"]})
    assert draw(BASE, axes, 30, seed=1)[:10] == draw(BASE, axes, 10, seed=1)
    assert draw(BASE, axes, 10, seed=2) != draw(BASE, axes, 10, seed=1)


def test_draws_end_where_there_are_no_others():
    assert len(draw(BASE, read_axes({"activation": "relu,tanh", "batch_size": "8,16"}), 100, seed=0)) == 4


@pytest.mark.parametrize("share", [0.0, 0.3, 1 - 1e-12])
def test_a_range_contains_its_numbers(share):
    for own in (Range(1, 3, log=True, whole=True), Range(1e-4, 2e-4, log=True), Range(0.0, 0.1, log=False)):
        assert own.low <= own.at(share) <= own.high


def test_keys_can_be_read_back():
    for one in draw(
        BASE, read_axes({"lr": "1e-4:1e-1", "hidden": ["4:64,4:64"], "schedule": "cosine,constant"}), 20, 0
    ):
        assert parse_key(one.key) == one


@pytest.mark.parametrize("text", ["", "{}", "[]", BASE.key.replace("relu", "rely"), BASE.key.replace("[32,32]", "[0]")])
def test_other_keys_are_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_key(text)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"lr": "fast"}, "--lr: expected a number above 0, got 'fast'"),
        ({"lr": "0"}, "--lr: expected a number above 0, got 0.0"),
        ({"lr": "nan"}, "--lr: expected a number above 0, got nan"),
        ({"lr": ""}, "--lr: expected a number above 0, got ''"),
        ({"lr": "0,1"}, "--lr: expected numbers with a decimal point, got '0,1'"),
        ({"lr": "1e-1:1e-4"}, "--lr: expected a range such as 1e-4:1e-1, got '1e-1:1e-4'"),
        ({"lr": "0:1"}, "--lr: expected a range of numbers above 0"),
        ({"lr": "1e-4:inf"}, "--lr: expected a range such as 1e-4:1e-1"),
        ({"lr": "1e-4:1e-3,1e-2"}, "--lr: expected a range such as|--lr: expected values or one range"),
        ({"p_drop": "0:2"}, "--p-drop: expected a number from 0 to below 1, got 2.0"),
        ({"hidden": ["a"]}, "--hidden: expected integers such as 32,32, got"),
        ({"hidden": ["0"]}, "--hidden: expected integers such as 32,32, got"),
        ({"hidden": [""]}, "--hidden: expected integers such as 32,32, got"),
        ({"hidden": ["8:4"]}, "--hidden: expected a range such as 8:128, got '8:4'"),
        ({"hidden": ["1:99999999"]}, "--hidden: expected integers such as 32,32, got"),
        ({"activation": "rely"}, "--activation: expected one of relu,"),
        ({"batch_size": "1.5"}, "--batch-size: expected an integer that is at least 1, got '1.5'"),
        ({"lr": "1e-4:1e-1"}, "--lr: expected values for a grid; a range needs --random or --optuna"),
        ({"hidden": ["8:128"]}, "--hidden: expected values for a grid"),
        ({"random": 3, "optuna": 3}, "expected --random or --optuna, got both"),
        ({"cv": 1}, "--cv: expected a number of folds from 2 to 1000, got 1"),
    ],
)
def test_hostile_options(flags, message):
    with pytest.raises(ValueError, match=message):
        plan(**flags).candidates()


def test_a_grid_may_not_be_endless():
    numbers = ",".join(f"0.0{i}" for i in range(1, 400))
    with pytest.raises(ValueError, match="expected at most 100000 combinations, got 129600: --random draws some"):
        plan(lr=numbers, weight_decay=numbers).candidates()


def test_a_file_has_values_and_ranges(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(
        'target = "kind"\nhidden = ["8", [4, 4]]\nlr = [0.01, 0.001]\np_drop = 0.2\nepochs = 7\n', encoding="utf-8"
    )
    found = plan(path, epochs=9)
    assert len(found.candidates()) == 4
    assert {one.p_drop for one in found.candidates()} == {0.2}
    assert (found.shared.target, found.shared.epochs, found.shared.cv) == (("kind",), 9, 5)
    path.write_text('lr = "1e-3:1e-2"', encoding="utf-8")
    assert len(plan(path, random=3).candidates()) == 3
    path.write_text("epoch = 3", encoding="utf-8")
    with pytest.raises(ValueError, match="unknown key 'epoch'; did you mean 'epochs'"):
        plan(path)
    path.write_text("lr = []", encoding="utf-8")
    with pytest.raises(ValueError, match=r"sweep.toml: lr: expected at least one value, got none"):
        plan(path)
    path.write_text("lr = [0.01, -1]", encoding="utf-8")
    with pytest.raises(ValueError, match=r"sweep.toml: lr: expected a number above 0, got -1"):
        plan(path)


def test_the_settings_of_a_training_are_those_of_a_sweep(tmp_path):
    path = tmp_path / "model.toml"
    path.write_text('target = ["kind"]\ntest = 0.3\nwidth = [5]\nlr = 0.02\n', encoding="utf-8")
    (found,) = plan(path, hidden=["6"]).candidates()
    assert (found.width, found.lr) == ((6,), 0.02)
    assert [plan(path).test, plan(path, test=0.1).test, plan().test] == [0.3, 0.1, None]
    assert plan(path).shared.cv == 5
    found = plan(path, activation="relu,tanh").candidates()
    assert [one.width for one in found] == [(5,), (5,)]
