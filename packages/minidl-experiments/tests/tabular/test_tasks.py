"""What a table asks of a network: the task, and rows and columns that do not do."""

import re

import numpy as np
import pandas as pd
import pytest

from minidl_experiments.tabular import cells
from minidl_experiments.tabular.cells import as_text
from minidl_experiments.tabular.options import read_options
from minidl_experiments.tabular.problem import pose
from minidl_experiments.tabular.reading import Source, Table


def posed(frame, **flags):
    frame = pd.DataFrame(frame)
    table = Table(frame, (Source("t.csv", "line", np.arange(2, len(frame) + 2)),))
    return pose(table, read_options(None, {"target": ["y"], **flags}))


X = np.arange(60) % 7
GUESSES = {
    "text": (["yes", "no"] * 30, "classes", "2 different texts in 'y'"),
    "true and false": ([True, False] * 30, "classes", "2 different values of true and false"),
    "few whole numbers": ([0, 1, 2] * 20, "classes", "3 different whole numbers in 'y'; --task regression"),
    "whole numbers as text": (["0", "1", "2"] * 20, "classes", "3 different whole numbers"),
    "many whole numbers": (list(range(60)), "regression", "60 different whole numbers in 'y'"),
    "numbers": (np.linspace(0, 1, 60), "regression", "60 different numbers in 'y'"),
    "two fractions": ([0.5, 1.5] * 30, "regression", "2 different numbers"),
}


@pytest.mark.parametrize(("y", "task", "reason"), GUESSES.values(), ids=GUESSES)
def test_the_task_is_guessed_with_a_reason(y, task, reason):
    problem = posed({"x": X, "y": y})
    assert problem.task == task
    assert reason in problem.reason


def test_the_task_is_as_asked():
    assert posed({"x": X, "y": [0, 1, 2] * 20}, task="regression").y.shape == (60, 1)
    problem = posed({"x": X, "y": [0.5, 1.5] * 30}, task="classes")
    assert problem.classes.classes == ("0.5", "1.5")


def test_classes_are_sorted_by_their_value():
    assert posed({"x": X, "y": ["10", "9", "a"] * 20}, task="classes").classes.classes == ("9", "10", "a")


def test_several_targets_are_numbers():
    problem = posed({"x": X, "y": X * 2, "z": X * 3.5}, target=["y", "z"])
    assert (problem.task, problem.y.shape, list(problem.cells)) == ("regression", (60, 2), ["x"])
    with pytest.raises(ValueError, match="--task classes: expected one target, got y, z"):
        posed({"x": X, "y": X, "z": X}, target=["y", "z"], task="classes")
    with pytest.raises(ValueError, match=r"t\.csv: line 2: column 'z': expected a number"):
        posed({"x": X, "y": X, "z": ["a", "b"] * 30}, target=["y", "z"])


def test_notes():
    problem = posed({"id": np.arange(60), "x": X, "y": ["a"] * 30 + ["b"] * 27 + ["c"] * 3})
    assert any("'id' counts the rows: --drop id" in note for note in problem.notes)
    assert any("1 class with fewer than 5 rows: c" in note for note in problem.notes)


def test_texts_that_look_like_numbers_or_never_come_again_are_noted():
    texts = {
        "price": [f"{1000 + i:,}" for i in range(60)],
        "share": [f"{i % 5} %" for i in range(60)],
        "day": [f"2024-01-{i % 31 + 1:02}" for i in range(60)],
        "code": ["1.2.x", "7"] * 30,
        "name of all": [f"n{i}" for i in range(60)],
        "known": [f"{i},5" for i in range(60)],
    }
    notes = posed({"x": X, "y": ["a", "b"] * 30, **texts}, categorical=["known"]).notes
    date = "'2024-01-01' is a date: write dates as numbers, such as days since the first"
    assert notes == [
        "column 'price' is taken as text, since '1,000' is no number: write numbers without signs and separators",
        "column 'share' is taken as text, since '0 %' is no number: write numbers without signs and separators",
        f"column 'day' is taken as text, since {date}",
        "column 'name of all' has 60 different texts in 60 rows: --drop \"name of all\"?",
    ]


def test_rows_without_a_target():
    y = ["a", "b"] * 30
    y[3] = y[5] = ""
    with pytest.raises(ValueError, match=r"t\.csv: line 5: no target in y \(2 such rows\): --drop-unlabelled"):
        posed({"x": X, "y": y})
    problem = posed({"x": X, "y": y}, drop_unlabelled=True)
    assert len(problem) == 58
    assert problem.table.place(3) == "t.csv: line 6"
    assert problem.notes == ["2 rows without a target: left out"]


WRONG = {
    "one class": ({"x": X, "y": ["a"] * 60}, {}, "--target y: expected at least two classes, got a alone"),
    "one number": ({"x": X, "y": ["1"] * 60}, {}, "expected at least two classes, got 1 alone"),
    "names as classes": ({"x": X, "y": [f"n{i}" for i in range(60)]}, {}, "60 different values in 60 rows"),
    "another column": ({"x": X, "Y1": X}, {}, "--target: t.csv has no column 'y'"),
    "another column to drop": ({"x": X, "y": X}, {"drop": ["xx"]}, "--drop: t.csv has no column 'xx'"),
    "another category": ({"x": X, "y": X}, {"categorical": ["q"]}, "--categorical: t.csv has no column 'q'"),
    "no other column": ({"x": X, "y": X}, {"drop": ["x"]}, "expected columns beside the target, got none"),
    "few rows": ({"x": X[:9], "y": X[:9]}, {}, "expected at least 10 rows to train and test on, got 9"),
    "a missing cell": (
        {"x": [*X[:-1].tolist(), np.nan], "y": X}, {"missing": "refuse"},
        "t.csv: line 61: column 'x': the cell is missing (1 in this column)",
    ),
    "a loss of numbers": ({"x": X, "y": X}, {"loss": "huber"}, "--loss: expected cross-entropy for the task classes"),
    "a loss of classes": (
        {"x": X, "y": X / 3}, {"loss": "cross-entropy"}, "expected mse or l1 or huber or quantile for the task"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("frame", "flags", "message"), WRONG.values(), ids=WRONG)
def test_what_does_not_do_is_said(frame, flags, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        posed(frame, **flags)


def test_a_target_is_made_text_once(monkeypatch):
    """A table may have a million rows."""
    columns = []

    def counted(column):
        columns.append(column.name)
        return as_text(column)

    monkeypatch.setattr(cells, "as_text", counted)
    problem = posed({"x": X, "y": ["a", "b", ""] * 20}, drop_unlabelled=True)
    assert (len(problem), problem.classes.classes) == (40, ("a", "b"))
    assert columns.count("y") == 1
