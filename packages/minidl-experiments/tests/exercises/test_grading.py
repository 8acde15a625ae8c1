"""Grading a folder of submissions, with code that loops, exits, prints and writes."""

import csv

import pytest
from typer.testing import CliRunner

from minidl_experiments.cli import app
from minidl_experiments.exercises import EXERCISES, grading
from minidl_experiments.exercises.judge import judge

RELU, TANH = EXERCISES["relu"], EXERCISES["tanh"]
SPAM = "print('x' * 10_000_000)\nimport os\nfor _ in range(1000): os.write(1, b'y' * 100_000)\n"


def hand_in(folder, student, source, exercise=RELU):
    path = folder / student / exercise.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")


def run(*args):
    return CliRunner().invoke(app, ["exercise", "grade", *map(str, args)])


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["student", "exercise", "passed", "message"]
    return lines


@pytest.fixture
def in_process(monkeypatch):
    """Check in this process."""
    monkeypatch.setattr(grading, "check_file", lambda exercise, path, _limit: judge(exercise.name, path))


@pytest.mark.slow
def test_bad_submissions_do_not_stop_the_grading(tmp_path):
    work, out = tmp_path / "work", tmp_path / "new" / "grades.csv"
    hand_in(work, "ann", RELU.source)
    hand_in(work, "bob", "while True: pass\n")
    hand_in(work, "cid", "import os\nos._exit(0)\n")
    hand_in(work, "dan", SPAM + RELU.source)
    hand_in(work, "eve", "open('grades.csv', 'w').write('eve,relu,yes,')\n" + RELU.source)
    hand_in(work, "fay", RELU.source)
    result = run(work, "--out", out, "--time-limit", 2, "--jobs", 2)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"4 of 6 passed; wrote {out}\n"
    assert rows(out) == [
        ["ann", "relu", "yes", ""],
        ["bob", "relu", "no", "stopped after 2 s in line 1: does a loop never end?"],
        ["cid", "relu", "no", "the program ended with exit code 0 before the check was done"],
        ["dan", "relu", "yes", ""],
        ["eve", "relu", "yes", ""],
        ["fay", "relu", "yes", ""],
    ]
    assert result.stderr.splitlines() == [f"{name}: checked" for name in ("ann", "bob", "cid", "dan", "eve", "fay")]


@pytest.mark.usefixtures("in_process")
def test_a_line_for_each_student_and_exercise(tmp_path):
    hand_in(tmp_path, "ann", RELU.source)
    hand_in(tmp_path, "ann", TANH.stub, TANH)
    hand_in(tmp_path, "bob", "def backward(dy, x):\n    return dy\n")
    hand_in(tmp_path, ".hidden", RELU.source)
    (tmp_path / "notes.txt").write_text("", encoding="utf-8")
    (tmp_path / "ann" / "mine.py").write_text("1 / 0", encoding="utf-8")
    out = tmp_path / "grades.csv"
    assert run(tmp_path, "--out", out).exit_code == 0
    *first, (student, name, passed, message), last = rows(out)
    assert first == [["ann", "relu", "yes", ""], ["ann", "tanh", "no", "backward is not written yet"]]
    assert (student, name, passed) == ("bob", "relu", "no")
    assert message.startswith("backward with dy (2, 3), x (2, 3): dx[")
    assert last == ["bob", "tanh", "no", "not handed in"]


@pytest.mark.usefixtures("in_process")
def test_chosen_exercises_alone_are_graded(tmp_path):
    hand_in(tmp_path, "ann", RELU.source)
    hand_in(tmp_path, "ann", TANH.source, TANH)
    out = tmp_path / "grades.csv"
    run(tmp_path, "--out", out, "--exercise", "tanh", "--exercise", "leaky_relu")
    assert rows(out) == [["ann", "tanh", "yes", ""], ["ann", "leaky-relu", "no", "not handed in"]]


@pytest.mark.usefixtures("in_process")
def test_a_deeper_file_counts_unless_there_is_a_higher_one(tmp_path):
    hand_in(tmp_path / "ann", "exercises", RELU.source)
    hand_in(tmp_path / "bob", "old", RELU.source)
    hand_in(tmp_path, "bob", RELU.stub)
    hand_in(tmp_path / "cid", "venv/lib/python", RELU.source)
    hand_in(tmp_path / "dan", ".git/old", RELU.source)
    run(tmp_path, "--out", tmp_path / "grades.csv")
    assert [(row[0], row[2]) for row in rows(tmp_path / "grades.csv")] == [
        ("ann", "yes"), ("bob", "no"), ("cid", "no"), ("dan", "no"),
    ]  # fmt: skip


@pytest.mark.usefixtures("in_process")
def test_names_with_commas_and_letters_of_all_alphabets(tmp_path):
    hand_in(tmp_path, 'Pérez, "Ada"', RELU.source)
    run(tmp_path, "--out", tmp_path / "grades.csv")
    assert rows(tmp_path / "grades.csv")[0][0] == 'Pérez, "Ada"'


@pytest.mark.usefixtures("in_process")
def test_no_cell_is_a_formula(tmp_path):
    hand_in(tmp_path, "@ann", "def backward(dy, x):\n    raise NotImplementedError('=1+1\\n=2')\n")
    run(tmp_path, "--out", tmp_path / "grades.csv")
    assert rows(tmp_path / "grades.csv") == [["'@ann", "relu", "no", "'=1+1 =2"]]


def test_ctrl_c_leaves_the_finished_lines(tmp_path, monkeypatch):
    def interrupt(exercise, path, _limit):
        if path.parent.name == "bob":
            raise KeyboardInterrupt
        return judge(exercise.name, path)

    monkeypatch.setattr(grading, "check_file", interrupt)
    for student in ("ann", "bob", "cid"):
        hand_in(tmp_path, student, RELU.source)
    result = run(tmp_path, "--out", tmp_path / "grades.csv")
    assert result.exit_code == 130
    assert "interrupted with 1 of 3 checks finished" in result.stderr
    assert [row[0] for row in rows(tmp_path / "grades.csv")] == ["ann"]


@pytest.mark.parametrize("content", [None, "empty"])
def test_a_folder_without_submissions_is_refused(content, tmp_path):
    folder = tmp_path / "work"
    if content:
        folder.mkdir()
    result = run(folder, "--out", tmp_path / "grades.csv")
    assert result.exit_code == 2
    assert "expected a " in result.stderr
    assert not (tmp_path / "grades.csv").exists()
