"""The learner's folder: files that are never overwritten, and a progress that survives damage."""

import json

import pytest

from minidl_experiments.exercises import EXERCISES
from minidl_experiments.exercises.workbook import PROGRESS, Progress, Workbook

RELU, TANH = EXERCISES["relu"], EXERCISES["tanh"]


def saved(folder):
    workbook = Workbook(folder)
    workbook.progress(RELU).solved = True
    workbook.progress(TANH).hints = 2
    workbook.save()
    return folder / PROGRESS


def test_the_progress_is_read_again(tmp_path):
    path = saved(tmp_path / "new" / "folder")
    workbook = Workbook(path.parent)
    assert workbook.progress(RELU) == Progress(solved=True)
    assert workbook.progress(TANH) == Progress(hints=2)
    assert not workbook.damage
    assert [each.name for each in path.parent.iterdir()] == [PROGRESS]


def test_an_exercise_without_progress_is_not_written(tmp_path):
    workbook = Workbook(tmp_path)
    workbook.progress(RELU)
    workbook.save()
    assert json.loads((tmp_path / PROGRESS).read_text(encoding="utf-8")) == {}


def test_a_new_workbook_writes_nothing(tmp_path):
    Workbook(tmp_path / "none").progress(RELU)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_damaged_file_is_kept_and_the_progress_begins_anew(content, tmp_path):
    (tmp_path / PROGRESS).write_bytes(content)
    workbook = Workbook(tmp_path)
    assert workbook.progress(RELU) == Progress()
    assert "is damaged: the progress begins anew" in workbook.damage
    workbook.save()
    assert (tmp_path / "progress.damaged.json").read_bytes() == content
    assert not Workbook(tmp_path).damage


@pytest.mark.parametrize(
    "entry", [None, 3, [], {}, {"solved": 1, "attempts": 2, "hints": 0}, {"solved": True, "attempts": "2", "hints": 0}]
)
def test_a_damaged_entry_is_left_out_and_named(entry, tmp_path):
    path = saved(tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "tanh": entry}), encoding="utf-8")
    workbook = Workbook(tmp_path)
    assert workbook.damage.endswith("damaged entries are left out: tanh")
    assert workbook.progress(RELU).solved
    assert workbook.progress(TANH) == Progress()


def test_entries_of_other_exercises_and_values_are_kept_or_ignored(tmp_path):
    entry = {"solved": True, "attempts": 1, "hints": 0}
    text = json.dumps({"of-a-later-version": entry, "relu": {**entry, "more": 1}})
    (tmp_path / PROGRESS).write_text(text, encoding="utf-8")
    workbook = Workbook(tmp_path)
    assert workbook.progress(RELU) == Progress(solved=True, attempts=1)
    workbook.save()
    content = json.loads((tmp_path / PROGRESS).read_text(encoding="utf-8"))
    assert content == {"of-a-later-version": entry, "relu": entry}


def test_a_file_is_never_overwritten(tmp_path):
    path = Workbook(tmp_path).start(RELU)
    assert path.read_text(encoding="utf-8") == RELU.stub
    path.write_text("work", encoding="utf-8")
    with pytest.raises(FileExistsError):
        Workbook(tmp_path).start(RELU)
    assert path.read_text(encoding="utf-8") == "work"
