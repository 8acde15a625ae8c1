"""`minidl sweep` on own data: results, the best model, resumption, and errors."""

import json
import re
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from minidl_experiments.search.candidate import Candidate
from minidl_experiments.search.result import Result, ordered
from minidl_experiments.tabular.assessment import divide
from minidl_experiments.tabular.choices import Measure
from minidl_experiments.tabular.model_file import load_model
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.problem import pose
from minidl_experiments.tabular.reading import read_table

QUICK = ["--target", "kind", "--epochs", 3, "--networks", 2, "--cv", 3, "--jobs", 1]
GRID = ["--hidden", "4", "--hidden", "8,8", "--lr", "0.01, 0.003"]

pytestmark = pytest.mark.usefixtures("unrendered")


def rows_of(path):
    """Return the records of a store without their durations."""
    with closing(sqlite3.connect(path)) as file:
        return file.execute("SELECT settings, scores, fault FROM results ORDER BY settings").fetchall()


def test_a_grid_is_scored_and_the_best_is_trained(run, csv, tmp_path):
    result = run("sweep", csv, *QUICK, *GRID)
    assert result.exit_code == 0, result.output
    assert "plan: 4 configurations, each in 3 folds of 2 networks; then 2 networks with the best on all 60 rows\n" in (
        result.stdout
    )
    lines = result.stderr.splitlines()
    assert lines[0] == "0 of 4 configurations"
    assert re.match(r"4 of 4 configurations, best log loss \d\.\d+, with hidden .*, lr .*", lines[1])
    folder = tmp_path / "things_sweep"
    found = pd.read_csv(folder / "results.csv")
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert found["log_loss"].is_monotonic_increasing
    folds = found[[f"log_loss_fold_{i}" for i in (1, 2, 3)]]
    np.testing.assert_allclose(found["log_loss"], folds.mean(axis=1), rtol=1e-12)
    np.testing.assert_array_equal(found["log_loss_low"], folds.min(axis=1))
    np.testing.assert_array_equal(found["log_loss_high"], folds.max(axis=1))
    assert sorted(zip(found["hidden"], found["lr"], strict=True)) == [
        ("4", 0.003), ("4", 0.01), ("8,8", 0.003), ("8,8", 0.01)
    ]  # fmt: skip
    assert (folder / "report.html").is_file()
    model = load_model(folder / "model.safetensors")
    assert (
        ",".join(map(str, [layer.out_features for layer in model.network.spec() if layer.kind == "Linear"][:-1]))
        == (found["hidden"][0])
    )
    assert run("predict", folder / "model.safetensors", csv).exit_code == 0
    assert run("evaluate", folder / "model.safetensors", csv).exit_code == 0


def test_scores_and_model_are_those_of_minidl_train(run, csv, tmp_path):
    assert run("sweep", csv, *QUICK, *GRID).exit_code == 0
    best = pd.read_csv("things_sweep/results.csv", dtype={"hidden": str}).iloc[0]
    options = ["--target", "kind", "--epochs", 3, "--networks", 2, "--cv", 3]
    result = run("train", csv, *options, "--width", best["hidden"], "--lr", best["lr"], "--out", "one")
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "one/scores.json").read_text(encoding="utf-8"))["scores"]
    (loss,) = [score for score in scores if score["name"] == "log loss"]
    assert [best["log_loss"], best["log_loss_low"], best["log_loss_high"]] == [
        loss[k] for k in ("value", "low", "high")
    ]
    one, two = (load_model(f"{name}/model.safetensors").network for name in ("one", "things_sweep"))
    np.testing.assert_array_equal(one.values, two.values)


def test_rows_that_are_held_out_score_the_best_alone(run, csv, tmp_path):
    """The folds see the training rows of `minidl train --test`, and the best is trained and tested as there."""
    result = run("sweep", csv, *QUICK, *GRID, "--test", 0.25)
    assert result.exit_code == 0, result.output
    plan = "plan: 15 rows held out as a test; on the other 45: 4 configurations, each in 3 folds of 2 networks; then "
    assert f"{plan}2 networks with the best on all of these\n" in result.stdout
    assert "the scores of the test, below, are those of 15 rows that had no part in the choice\n" in result.stdout
    best = pd.read_csv("things_sweep/results.csv", dtype={"hidden": str}).iloc[0]
    page = (tmp_path / "things_sweep/report.html").read_text(encoding="utf-8")
    assert plan in page
    assert f"best: hidden {best['hidden']}, lr {best['lr']}, log loss {best['log_loss']:.4f}" in page

    options = ["--target", "kind", "--epochs", 3, "--networks", 2, "--test", 0.25]
    same = ["--width", best["hidden"], "--lr", best["lr"], "--out", "one"]
    for again in ([csv, *options, *same], ["--from", "things_sweep/model.toml", "--out", "one"]):
        train = run("train", *again)
        assert train.exit_code == 0, train.output
        for name in ("scores.json", "model.safetensors"):
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "things_sweep" / name).read_bytes()
    assert train.stdout.split("inputs: ")[1].split("wrote")[0] in result.stdout


def test_rows_that_are_held_out_choose_nothing(run, csv, tmp_path):
    """Other targets in the test rows change neither folds nor scores of configurations."""
    options = ["--target", "price", "--epochs", 2, "--networks", 1, "--cv", 2, "--jobs", 1, "--lr", "0.01, 0.02"]
    assert run("sweep", csv, *options, "--test", 0.25).exit_code == 0
    whole = pose(read_table([str(csv)]), Options(target=("price",)))
    (part,) = divide(whole, Options(test=0.25))
    frame = pd.read_csv(csv)
    frame.loc[part.test, "price"] = 1e6
    frame.loc[part.test, "size"] = -1e6
    frame.to_csv(tmp_path / "other.csv", index=False)
    assert run("sweep", "other.csv", *options, "--test", 0.25).exit_code == 0
    one, other = (pd.read_csv(f"{name}_sweep/results.csv").drop(columns="seconds") for name in ("things", "other"))
    pd.testing.assert_frame_equal(one, other)
    scores = [(tmp_path / f"{name}_sweep/scores.json").read_bytes() for name in ("things", "other")]
    assert scores[0] != scores[1]


def test_another_test_set_is_another_sweep(run, csv):
    assert run("sweep", csv, *QUICK, "--lr", "0.01").exit_code == 0
    result = run("sweep", csv, *QUICK, "--lr", "0.01", "--test", 0.2)
    assert result.exit_code == 2
    assert "expected the results of a sweep with test 0.2, got one with test null" in result.stderr


def test_a_repeated_sweep_trains_nothing_and_a_larger_one_what_is_new(run, csv, monkeypatch):
    whole = run("sweep", csv, *QUICK, *GRID, "--out", "whole")
    first = run("sweep", csv, *QUICK, *GRID[:4], "--lr", "0.01", "--out", "parts")
    assert (whole.exit_code, first.exit_code) == (0, 0)
    before = rows_of("parts/sweep.sqlite")
    assert len(before) == 2
    assert run("sweep", csv, *QUICK, *GRID, "--out", "parts").exit_code == 0
    assert rows_of("parts/sweep.sqlite") == rows_of("whole/sweep.sqlite")
    assert set(before) < set(rows_of("parts/sweep.sqlite"))
    monkeypatch.setattr("minidl_experiments.search.run._run", None)  # would fail if it were called
    again = run("sweep", csv, *QUICK, *GRID, "--out", "parts")
    assert again.exit_code == 0, again.output
    one, two = (pd.read_csv(f"{name}/results.csv").drop(columns="seconds") for name in ("whole", "parts"))
    pd.testing.assert_frame_equal(one, two)


def test_random_draws_and_numbers(run, csv):
    pytest.importorskip("pyarrow")
    options = ["--target", "price", "--epochs", 2, "--networks", 1, "--cv", 2, "--jobs", 1]
    ranges = ["--random", 4, "--lr", "1e-3:1e-2", "--hidden", "4:16"]
    result = run("sweep", csv, *options, *ranges, "--score", "mae", "--results", "r/results.parquet", "--out", "x")
    assert result.exit_code == 0, result.output
    found = pd.read_parquet("r/results.parquet")
    assert len(found) == 4
    assert found["mae"].is_monotonic_increasing
    assert found["lr"].between(1e-3, 1e-2).all()
    assert "the best 4 of 4 configurations, by mean absolute error" in result.stdout


def test_several_targets_have_one_score(run, csv):
    options = ["--epochs", 2, "--networks", 1, "--cv", 2, "--jobs", 1, "--lr", "0.01, 0.02"]
    result = run("sweep", csv, "--target", "price", "--target", "size", *options)
    assert result.exit_code == 0, result.output
    assert pd.read_csv("things_sweep/results.csv")["r2"].is_monotonic_decreasing


def test_a_configuration_that_diverges_is_last(run, csv):
    result = run("sweep", csv, "--target", "price", "--epochs", 2, "--cv", 2, "--jobs", 1, "--lr", "0.01, 1e30")
    assert result.exit_code == 0, result.output
    found = pd.read_csv("things_sweep/results.csv")
    assert found["lr"].tolist() == [0.01, 1e30]
    assert "the loss is nan in epoch 1" in found["fault"][1]
    assert np.isnan(found["r2"][1])
    lost = run("sweep", csv, "--target", "price", "--epochs", 2, "--cv", 2, "--jobs", 1, "--lr", "1e30", "--out", "o")
    assert lost.exit_code == 2
    assert "no configuration has a score: " in lost.stderr


def test_other_data_are_refused(run, csv):
    assert run("sweep", csv, *QUICK, "--lr", "0.01").exit_code == 0
    csv.write_text(csv.read_text(encoding="utf-8").replace("red", "blue"), encoding="utf-8")
    result = run("sweep", csv, *QUICK, "--lr", "0.01")
    assert result.exit_code == 2
    assert "expected the results of a sweep over these data, got one over other data" in result.stderr.splitlines()[-1]
    assert result.stderr.endswith("; choose another folder by --out\n")
    result = run("sweep", csv, *QUICK, "--lr", "0.01", "--seed", 5)
    assert result.exit_code == 2


def test_damaged_records_are_named_and_trained_again(run, csv):
    assert run("sweep", csv, *QUICK, *GRID).exit_code == 0
    path = "things_sweep/sweep.sqlite"
    whole = rows_of(path)
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE results SET scores = '{\"log-loss\": [0.1]}' WHERE settings = ?", (whole[0][0],))
        file.execute("UPDATE results SET settings = 'x' WHERE settings = ?", (whole[1][0],))
        file.commit()
    result = run("sweep", csv, *QUICK, *GRID)
    assert result.exit_code == 0, result.output
    damaged = [line for line in result.stderr.splitlines() if "is damaged" in line]
    assert len(damaged) == 2
    assert sorted("trains it again" in line for line in damaged) == [False, True]
    assert [row for row in rows_of(path) if row[0] != "x"] == whole


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lr", "fast"], "--lr: expected a number above 0, got 'fast'"),
        (["--width", "3"], "--width: an option of the disk; for your own data expected --hidden"),
        (["--seeds", 3], "--seeds: an option of the disk"),
        (["--score", "r2"], "--score: expected log-loss, accuracy, balanced-accuracy, auc for 2 classes, got r2"),
        (["--sampler", "qmc"], "--sampler: expected --optuna beside it"),
        (["--storage", "sqlite:///a.db"], "--storage: expected --optuna beside it"),
        (["--results", "r.xlsx"], "--results: expected a name that ends in .csv or .parquet, got r.xlsx"),
        (["--test", 0.99], "--test 0.99: expected 1 to 55 of the 60 rows, got 59"),
        (["--test", 2], "--test: expected a share between 0 and 1, got 2.0"),
        (["--test", 0.5, "--cv", 20], "--cv 20: expected folds of at least two rows, got 30 rows"),
        (["--cv", 50], "--cv 50: expected folds of at least two rows, got 60 rows"),
        (["--jobs", 2, "--dask", "tcp://127.0.0.1:1"], "expected --jobs or --dask, got both"),
        (["--dask", "nowhere"], "--dask: expected the address of a scheduler"),
        (["--config", "none.toml"], "cannot read none.toml"),
        (["--optimizer", "adam", "--loss", "mse"], "--loss: expected cross-entropy for the task classes"),
    ],
)
def test_hostile_commands(fails, csv, tmp_path, options, message):
    fails(message, "sweep", csv, "--target", "kind", *options)
    assert [path.name for path in tmp_path.iterdir()] == [csv.name]


def test_parquet_needs_its_package(fails, csv, monkeypatch):
    monkeypatch.setattr("minidl_experiments.search.table.find_spec", lambda _: None)
    fails("--results: Parquet files need the package pyarrow", "sweep", csv, *QUICK, "--results", "r.parquet")


def test_options_of_own_data_need_data(fails):
    fails("--target: expected data in front of it, such as data.csv", "sweep", "--target", "kind")
    fails("--random: expected data in front of it", "sweep", "--random", 3)


def test_equal_scores_have_one_order():
    one, two = (Result(Candidate(lr=lr), {"r2": [0.5, 0.7]}, "", 1.0) for lr in (0.1, 0.2))
    lost = Result(Candidate(lr=0.01), {}, "diverged", 1.0)
    assert ordered([lost, two, one], Measure.R2) == ordered([one, lost, two], Measure.R2) == [one, two, lost]


def test_folds_without_a_score_do_not_count():
    result = Result(Candidate(), {"auc": [0.5, float("nan"), 0.7]}, "", 1.0)
    assert result.score(Measure.AUC) == pytest.approx(0.6)
    assert result.interval(Measure.AUC) == (0.5, 0.7)
