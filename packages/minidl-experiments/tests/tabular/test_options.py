"""Options from the command line and from TOML, and back."""

import re
from pathlib import Path

import pytest

from minidl_experiments.tabular.options import Options, as_toml, read_options

GIVEN = {
    "data": ["a.csv", "b.csv"],
    "target": ["y", 'the "z"\n'],
    "cv": 4,
    "width": "8,4",
    "activation": "leaky-relu",
    "alpha": 0.2,
    "loss": "quantile",
    "quantiles": "0.9,0.1",
    "clip": 1.5,
    "early_stopping": False,
}


def test_settings_that_are_written_are_read_again(tmp_path):
    options = read_options(None, GIVEN)
    assert (options.width, options.quantiles, options.networks) == ((8, 4), (0.1, 0.9), 5)
    path = tmp_path / "model.toml"
    path.write_text(as_toml(options), encoding="utf-8")
    assert read_options(path, {}) == options


def test_defaults_are_written_and_read_again(tmp_path):
    path = tmp_path / "model.toml"
    path.write_text(as_toml(Options()), encoding="utf-8")
    assert read_options(path, {}) == Options()


def test_the_command_line_takes_precedence(tmp_path):
    path = tmp_path / "t.toml"
    path.write_text('target = "y"\ncv = 5\nnetworks = 3\n', encoding="utf-8")
    options = read_options(path, {"networks": 2, "test": 0.3, "target": []})
    assert (options.target, options.cv, options.test, options.networks) == (("y",), None, 0.3, 2)


def test_settings_of_a_file_that_the_command_line_leaves_no_use_are_dropped(tmp_path):
    path = tmp_path / "t.toml"
    path.write_text("loss = 'quantile'\nquantiles = [0.1]\nactivation = 'leaky-relu'\nalpha = 0.2\n", encoding="utf-8")
    options = read_options(path, {"loss": "mse", "activation": "tanh"})
    assert (options.quantiles, options.alpha) == (Options.quantiles, Options.alpha)
    options = read_options(path, {"loss": "quantile", "last_activation": "tanh"})
    assert (options.quantiles, options.alpha) == ((0.1,), 0.2)
    path.write_text("last_activation = 'leaky-relu'\nalpha = 0.2\n", encoding="utf-8")
    assert read_options(path, {"activation": "tanh"}).alpha == 0.2
    with pytest.raises(ValueError, match="--quantiles: expected --loss quantile beside it"):
        read_options(path, {"loss": "mse", "quantiles": "0.5"})


@pytest.mark.parametrize(
    ("text", "flags", "expected"),
    [
        ("momentum = 0.9\nlr = 0.1", {"optimizer": "adam"}, {"momentum": 0.0, "lr": 0.1}),
        ("eta = 0.1\nkappa = 0.7", {"optimizer": "adam"}, {"eta": None, "kappa": None}),
        ("eta = 0.1\nmomentum = 0.9", {"optimizer": "sgd"}, {"eta": 0.1, "momentum": 0.9}),
        ("eta = 0.1\nkappa = 0.7", {"lr": 0.2}, {"eta": None, "kappa": None, "lr": 0.2}),
        ("eta = 0.1", {"schedule": "cosine"}, {"eta": None, "schedule": "cosine"}),
        ("lr = 0.1\nschedule = 'cosine'", {"kappa": 0.7}, {"lr": None, "kappa": 0.7, "schedule": "constant"}),
        ("eta = 0.1", {"optimizer": "adam", "kappa": 0.7}, {"kappa": 0.7}),  # which the optimizer refuses
    ],
)
def test_steps_of_the_command_line_replace_those_of_a_file(text, flags, expected, tmp_path):
    path = tmp_path / "t.toml"
    path.write_text(f"optimizer = 'sgd'\n{text}\n", encoding="utf-8")
    options = read_options(path, flags)
    assert {name: getattr(options, name) for name in expected} == expected


WRONG = {
    "an unknown key": ("widths = 3", {}, "unknown key 'widths'; did you mean 'width'?"),
    "no TOML": ("width = ", {}, "expected a valid TOML file"),
    "a word": ("width = 'wide'", {}, "width: expected integers such as 32,32, got 'wide'"),
    "a flag": ("early_stopping = 1", {}, "early_stopping: expected true or false, got 1"),
    "a share": ("test = 1.0", {}, "test: expected a share between 0 and 1, got 1.0"),
    "one fold": ("cv = 1", {}, "cv: expected a number of folds from 2 to 1000, got 1"),
    "an activation": ("activation = 'gelu'", {}, "activation: expected one of relu, leaky-relu, tanh, sigmoid"),
    "an empty list": ("target = []", {}, "target: expected a name or several, got []"),
    "both": ("", {"cv": 3, "test": 0.1}, "expected --test or --cv, got both"),
    "quantiles alone": ("", {"quantiles": "0.5"}, "--quantiles: expected --loss quantile beside it"),
    "a quantile": ("", {"quantiles": "0.5,1", "loss": "quantile"}, "--quantiles: expected numbers between 0 and 1"),
    "alpha alone": ("alpha = 0.1", {}, "alpha is a setting of leaky ReLU"),
    "a target twice": ("", {"target": ["y", "y"]}, "--target: expected 'y' once"),
    "a target to drop": ("", {"target": ["y"], "drop": ["y"]}, "--target: expected 'y' once"),
    "a target as category": ("", {"target": ["y"], "categorical": ["y"]}, "--categorical: 'y' is the target"),
    "a category to drop": ("", {"drop": ["a"], "categorical": ["b", "a"]}, "--categorical: 'a' is left out by --drop"),
    "two schedules": ("", {"schedule": "cosine", "eta": 0.1}, "--schedule: expected --lr beside it"),
    "a negative rate": ("", {"lr": -1.0}, "--lr: expected a number above 0, got -1.0"),
    "dropping all": ("", {"p_drop": 1.0}, "--p-drop: expected a number from 0 to below 1, got 1.0"),
}


@pytest.mark.parametrize(("text", "flags", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options_are_named(text, flags, message, tmp_path):
    path = tmp_path / "t.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(message)):
        read_options(path, flags)


def test_a_file_that_is_not_there():
    with pytest.raises(ValueError, match=r"--from: cannot read none\.toml: No such file"):
        read_options(Path("none.toml"), {})
