"""The commands of `minidl exercise` for learners."""

import json
import sys

import pytest
from typer.testing import CliRunner

from minidl_experiments.cli import app
from minidl_experiments.exercises import EXERCISES, command
from minidl_experiments.exercises.judge import judge

RELU = EXERCISES["relu"]


@pytest.fixture(autouse=True)
def in_process(monkeypatch, tmp_path):
    """Check in this process, and work in an empty folder."""
    monkeypatch.setattr(command, "check_file", lambda exercise, path, _limit: judge(exercise.name, path))
    monkeypatch.chdir(tmp_path)


def run(*args, **more):
    return CliRunner().invoke(app, ["exercise", *map(str, args)], **more)


def solve(folder, exercise=RELU):
    folder.mkdir(exist_ok=True)
    (folder / exercise.file_name).write_text(exercise.source, encoding="utf-8")


def progress(folder):
    return json.loads((folder / "progress.json").read_text(encoding="utf-8"))


def test_from_start_to_solution(tmp_path):
    folder = tmp_path / "exercises"
    assert run("start", "relu").stdout.startswith(f"wrote {folder.relative_to(tmp_path) / 'relu.py'}, which says")
    wrong = run("check", "relu")
    assert (wrong.exit_code, wrong.stdout) == (1, "relu: not right yet\nbackward is not written yet\n")
    solve(folder)
    right = run("check", "relu")
    assert (right.exit_code, right.stdout) == (0, "relu: right; next: minidl exercise start linear-dx\n")
    assert progress(folder) == {"relu": {"solved": True, "attempts": 2, "hints": 0}}
    assert run("solution", "relu").stdout == RELU.solution


@pytest.mark.parametrize("verb", ["list", "start", "check", "hint"])
def test_a_folder_that_is_a_file_is_refused(verb, tmp_path):
    (tmp_path / "notes").write_text("mine", encoding="utf-8")
    refused = run(verb, *([] if verb == "list" else ["relu"]), "--folder", "notes")
    assert refused.exit_code == 2
    assert "minidl: --folder: expected a folder, got the file notes" in refused.stderr
    assert (tmp_path / "notes").read_text(encoding="utf-8") == "mine"


def test_a_solved_exercise_stays_solved(tmp_path):
    folder = tmp_path / "exercises"
    solve(folder)
    run("check", "relu")
    (folder / "relu.py").write_text(RELU.stub, encoding="utf-8")
    assert run("check", "relu").exit_code == 1
    assert progress(folder)["relu"]["solved"]


def test_a_failed_check_names_the_element_and_the_hint(tmp_path):
    solve(tmp_path)
    (tmp_path / "relu.py").write_text("def backward(dy, x):\n    print('here')\n    return dy * (x >= 0)\n")
    lines = run("check", "relu", "--folder", tmp_path).stdout.splitlines()
    assert lines[:4] == ["your code printed:", "here", "", "relu: not right yet"]
    assert lines[4] == "backward with dy (2, 3), x (2, 3):"
    assert lines[5].startswith("dx[0, 1] is ")
    assert lines[5].endswith(", it should be 0")
    assert lines[6:] == [
        "The gradient passes at x = 0, where it should be 0.",
        f"hint 1 of 3 may help: minidl exercise hint relu --folder {tmp_path}",
    ]


def test_all_solved(tmp_path):
    entry = {"solved": True, "attempts": 1, "hints": 0}
    solve(tmp_path)
    (tmp_path / "progress.json").write_text(json.dumps(dict.fromkeys(EXERCISES, entry)), encoding="utf-8")
    assert run("check", "relu", "--folder", tmp_path).stdout == "relu: right; all exercises are solved\n"
    assert run("list", "--folder", tmp_path).stdout.splitlines()[-1] == "40 of 40 solved"


def test_hints_come_one_by_one_and_then_all():
    shown = [run("hint", "relu").stdout for _ in range(4)]
    assert shown[:3] == [f"hint {i} of 3: {hint}\n" for i, hint in enumerate(RELU.hints, start=1)]
    assert shown[3] == "".join(shown[:3])


def test_list_shows_topics_and_progress(tmp_path):
    folder = tmp_path / "exercises"
    run("start", "tanh")
    run("hint", "tanh")
    solve(folder)
    run("hint", "relu")
    run("hint", "relu")
    run("check", "relu")
    text = run("list").stdout
    rows = {line.split()[0]: line for line in text.splitlines() if line.strip()}
    assert rows["relu"].split() == ["relu", "ReLU:", "the", "gradient", "solved,", "2", "hints"]
    assert rows["tanh"].rstrip().endswith("started, 1 hint")
    assert rows["sgd"].rstrip().endswith("SGD with weight decay: one step")
    assert "Find the bug" in text
    assert max(map(len, text.splitlines())) <= 80
    assert text.splitlines()[-1] == "1 of 40 solved"


def test_start_overwrites_nothing(tmp_path):
    (tmp_path / "relu.py").write_text("work", encoding="utf-8")
    result = run("start", "relu", "--folder", tmp_path)
    assert result.exit_code == 2
    assert "relu.py exists and is not overwritten; to check it: minidl exercise check relu --folder" in result.stderr
    assert (tmp_path / "relu.py").read_text(encoding="utf-8") == "work"


def test_check_without_a_file_says_how_to_start():
    result = run("check", "relu")
    assert result.exit_code == 2
    assert result.stderr.endswith("relu.py does not exist; to write it: minidl exercise start relu\n")


@pytest.mark.parametrize("verb", ["start", "check", "hint", "solution"])
def test_an_unknown_name_gets_a_suggestion(verb):
    result = run(verb, "adamx")
    assert result.exit_code == 2
    assert "no exercise has the name adamx: did you mean adam" in result.stderr
    assert "minidl exercise list shows all" in run(verb, "zzz").stderr


@pytest.mark.parametrize("name", ["leaky-relu", "leaky_relu", "leaky_relu.py", "Leaky-ReLU"])
def test_the_name_may_be_that_of_the_file(name, tmp_path):
    assert run("start", name, "--folder", tmp_path).exit_code == 0
    assert (tmp_path / "leaky_relu.py").exists()


def test_the_solution_of_an_unsolved_exercise_needs_a_yes(monkeypatch):
    refused = run("solution", "relu")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "relu is not solved yet: --yes shows the solution" in refused.stderr
    assert run("solution", "relu", "--yes").stdout == RELU.solution
    monkeypatch.setattr(command, "_is_terminal", lambda: True)
    assert run("solution", "relu", input="n\n").exit_code == 130
    assert run("solution", "relu", input="y\n").stdout.endswith(RELU.solution)


def test_a_damaged_progress_is_reported(tmp_path):
    (tmp_path / "progress.json").write_text("{", encoding="utf-8")
    result = run("list", "--folder", tmp_path)
    assert result.exit_code == 0
    assert "progress.json is damaged: the progress begins anew" in result.stderr


def test_a_folder_that_is_a_file_ends_in_one_line(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run("start", "relu", "--folder", tmp_path / "file")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows needs no quotes")
def test_a_folder_with_a_blank_is_quoted(tmp_path):
    result = run("start", "relu", "--folder", tmp_path / "my work")
    assert f"minidl exercise check relu --folder '{tmp_path / 'my work'}'" in result.stdout
