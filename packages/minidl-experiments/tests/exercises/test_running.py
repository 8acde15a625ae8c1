"""Checks in a process of their own: endless loops, exits, output, files, and files that cannot be read."""

import json
import os
import sys

import pytest

from minidl_experiments.exercises import EXERCISES
from minidl_experiments.exercises.checking import Verdict
from minidl_experiments.exercises.judge import Beginning, judge, write
from minidl_experiments.exercises.running import check_file

RELU = EXERCISES["relu"]


def check(folder, source, limit=30):
    path = folder / "relu.py"
    path.write_text(source, encoding="utf-8")
    return check_file(RELU, path, limit)


def test_a_right_file_passes_and_its_output_is_kept(tmp_path):
    verdict = check(tmp_path, RELU.source + "print('hello')\n")
    assert verdict == Verdict(passed=True, printed="hello\n")
    assert [path.name for path in tmp_path.iterdir()] == ["relu.py"]  # nothing compiled beside it


def test_an_endless_loop_is_stopped_at_its_line(tmp_path):
    verdict = check(tmp_path, "def backward(dy, x):\n    while True:\n        pass\n", limit=0.5)
    assert not verdict.passed
    assert verdict.message.startswith("stopped after 0.5 s in line ")
    assert int(verdict.message.split("line ")[1].split(":")[0]) in {2, 3}


def test_code_that_ends_the_process_has_not_passed(tmp_path):
    verdict = check(tmp_path, "import os\nos._exit(0)\n")
    assert verdict == Verdict(passed=False, message="the program ended with exit code 0 before the check was done")


def test_files_that_it_writes_are_not_left_behind(tmp_path):
    where = tmp_path / "where.txt"
    source = f"import os\nopen('here.txt', 'w').write('x')\nopen({str(where)!r}, 'w').write(os.getcwd())\n"
    assert check(tmp_path, source + RELU.source).passed
    assert not os.path.exists(where.read_text(encoding="utf-8"))  # noqa: PTH110 - a folder that is gone


def test_input_is_empty(tmp_path):
    assert "EOFError" in check(tmp_path, "name = input()\n").message


def test_much_output_is_cut_off():
    beginning = Beginning(5)
    assert [beginning.write(text) for text in ("abc", "defg", "h")] == [3, 4, 1]
    assert beginning.text == "abcde"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\x00", "the file cannot be read: "),
        (b"# coding: nonsense\n", "the file cannot be read: "),
        (b"x = 1\n" * 200_000, "the file is larger than 1 MB"),
        (None, "the file cannot be read: "),
    ],
)
def test_a_file_that_cannot_be_read_is_not_right(content, message, tmp_path):
    path = tmp_path / "relu.py"
    if content is not None:
        path.write_bytes(content)
    verdict = judge("relu", path)
    assert not verdict.passed
    assert verdict.message.startswith(message)


def test_another_encoding_is_read(tmp_path):
    path = tmp_path / "relu.py"
    path.write_bytes(b"# coding: latin-1\n# \xe9\n" + RELU.source.encode("ascii"))
    assert judge("relu", path).passed


def test_output_of_a_file_is_in_the_verdict(tmp_path, capsys):
    path = tmp_path / "relu.py"
    path.write_text("import sys\nprint('out')\nprint('err', file=sys.stderr)\n" + RELU.source, encoding="utf-8")
    assert judge("relu", path).printed == "out\nerr\n"
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_too_much_memory_is_an_error(tmp_path):
    verdict = check(tmp_path, "import numpy as np\nx = np.ones(10**9)\n")
    assert "line 2, in <module>: x = np.ones(10**9)" in verdict.message


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups")
def test_processes_that_it_started_end_too(tmp_path):
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    child = f"import os, time; os.write(os.open({pipe!r}, os.O_WRONLY), b'started'); time.sleep(600)"
    source = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {child!r}])\ntime.sleep(3)\n"
    assert check(tmp_path, source + RELU.source).passed
    os.set_blocking(reading, True)
    assert os.read(reading, 100) == b"started"
    assert os.read(reading, 100) == b""  # the end of the file: nobody has it open for writing
    os.close(reading)


def test_the_verdict_is_json(tmp_path):
    write(Verdict(passed=False, message="é", hint=2), tmp_path / "verdict.json")
    content = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    assert content == {"passed": False, "message": "é", "hint": 2, "printed": ""}
