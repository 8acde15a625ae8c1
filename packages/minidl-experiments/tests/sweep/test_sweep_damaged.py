"""A damaged record in the file of a sweep is named and trained again, and the other records are kept."""

import re
import sqlite3
from contextlib import closing

import pytest
from typer.testing import CliRunner

from minidl_experiments.cli import app
from minidl_experiments.sweep import Definition, Store

SWEEP = ["sweep", "--epochs", "2", "--samples", "20", "--seeds", "2", "--jobs", "1", "--out", "x"]
NAMES = "lr 0.001, width 25, activation relu, optimizer adam, batch_size 50, p_drop 0, seed 1"


def run(*more):
    return CliRunner().invoke(app, [*SWEEP, *more])


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    """Draw the curves, but save no picture, which takes longer than the training."""
    monkeypatch.setattr("minidl_experiments.figures.save", lambda _, path: path)


@pytest.fixture
def swept(tmp_path, monkeypatch):
    """Return the sound records of a sweep, whose file is ``x`` in the working folder."""
    monkeypatch.chdir(tmp_path)
    assert run().exit_code == 0
    return records()


def records():
    with closing(sqlite3.connect("x")) as file:
        file.text_factory = bytes
        return [row[:-1] for row in file.execute("SELECT * FROM runs ORDER BY seed")]  # without the duration


def damage(change, *values, where="seed = 1"):
    with closing(sqlite3.connect("x")) as file, file:
        assert file.execute(f"UPDATE runs SET {change} WHERE {where}", values).rowcount == 1  # noqa: S608 - by the tests below


CHANGES = [
    ("test_accuracy = 'good'", (), "test_accuracy is good"),
    ("test_accuracy = 7", (), "test_accuracy is 7"),
    ("test_accuracy = x'ff00'", (), "test_accuracy is b'\\xff\\x00'"),
    ("test_accuracy = NULL", (), "test_accuracy is missing"),
    ("train_loss = -1", (), "train_loss is -1"),
    ("diverged_epoch = 'x'", (), "diverged_epoch is x"),
    ("curves = '{'", (), "curves cannot be read"),
    ("curves = '[]'", (), "curves cannot be read"),
    ("curves = ''", (), "curves cannot be read"),
    ("curves = x'00ff'", (), "curves cannot be read"),
    ("curves = CAST(x'ff7b7d' AS TEXT)", (), "curves cannot be read"),
    ("curves = substr(curves, 1, 60)", (), "curves cannot be read"),
    ("curves = replace(curves, 'test_loss', 'test_lust')", (), "curves cannot be read"),
    (
        "curves = ?",
        ('{"train_loss":[1],"train_accuracy":[1],"test_loss":[1],"test_accuracy":["x"]}',),
        "curves cannot be read",
    ),
    (
        "curves = ?",
        ('{"train_loss":[1],"train_accuracy":[1],"test_loss":[1],"test_accuracy":[1]}',),
        "curves cannot be read",
    ),
]


@pytest.mark.parametrize(("change", "values", "fault"), CHANGES)
def test_a_damaged_record_is_named_and_trained_again(change, values, fault, swept):
    damage(change, *values)
    result = run()
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[0] == (
        f"minidl: x: the record with {NAMES} is damaged: {fault}; this sweep trains it again"
    )
    assert records() == swept
    assert "damaged" not in run().stderr


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("activation = 'gelu'", "activation gelu"),
        ("activation = CAST(x'72ff' AS TEXT)", "activation r\\xff"),
        ("optimizer = x'00'", "optimizer b'\\x00'"),
        ("lr = 'fast'", "lr fast"),
        ("lr = -1", "lr -1"),
        ("width = 2.5", "width 2.5"),
        ("p_drop = 3", "p_drop 3"),
        ("seed = 'one'", "seed one"),
    ],
)
def test_a_record_whose_run_cannot_be_read_is_named_and_left_out(change, name, swept):
    damage(change)
    result = run()
    assert result.exit_code == 0, result.output
    first = result.stderr.splitlines()[0]
    assert re.match(r"minidl: x: the record with lr .* is damaged: ", first)
    assert f"{name}" in first
    assert first.endswith("; it is left out; delete it from the table runs")
    assert [row for row in records() if row in swept] == swept  # the missing run was trained again
    assert len(records()) == 3


@pytest.mark.usefixtures("swept")
def test_a_damaged_record_of_another_grid_is_kept_as_it_is():
    damage("curves = '{'")
    before = records()
    result = run("--lr", "0.01")
    assert result.exit_code == 0, result.output
    assert "it is left out, and a sweep that has it trains it again" in result.stderr.splitlines()[0]
    assert [row for row in records() if row in before] == before


def test_of_many_damaged_records_some_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("--seeds", "13").exit_code == 0
    with closing(sqlite3.connect("x")) as file, file:
        file.execute("UPDATE runs SET curves = ''")
    lines = run("--seeds", "13").stderr.splitlines()
    assert sum("is damaged" in line for line in lines) == 10
    assert "minidl: x: 3 more damaged records" in lines


def test_a_file_damaged_as_a_whole_is_an_error_that_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("--seeds", "20").exit_code == 0
    whole = (tmp_path / "x").read_bytes()
    half = len(whole) // 2
    (tmp_path / "x").write_bytes(whole[:half] + b"\xff" * half)
    result = run("--seeds", "20")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("minidl: x: the file is damaged: ")
    assert line.endswith("; choose another file, or save its sound records with sqlite3 x .recover")


def test_a_sound_diverged_record_is_no_damage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("--lr", "1e30", "--batch-size", "5").exit_code == 0
    with Store(tmp_path / "x", Definition(epochs=2, samples=20)) as store:
        assert store.damaged == {}
        assert list(store.accuracies().values()) == [None, None]
