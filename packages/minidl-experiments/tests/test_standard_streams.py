"""Every command works whatever its standard streams are: their encoding, and whether they exist at all."""

import io
import json
import os
import subprocess
import sys

import pytest

from minidl_experiments import readings
from minidl_experiments.cli import app
from minidl_experiments.data import draw
from minidl_experiments.standard_streams import usable_streams

NAME = "图é"  # no Western encoding has the first letter, and ASCII has neither
TINY = ["--epochs", "1", "--samples", "20"]
COMMANDS = {
    "reproduce": ["reproduce", "--seeds", "1", "--epochs", "1", "--out", NAME],
    "readings": ["readings", "--seeds", "5", "--out", NAME],
    "train": ["train", *TINY, "--out", f"{NAME}.png"],
    "sweep": ["sweep", *TINY, "--seeds", "1", "--jobs", "1", "--out", f"{NAME}.sqlite"],
    "help": ["train", "--help"],
    "version": ["--version"],
    "error": ["train", "--out", f"{NAME}.sqlite/x.png"],  # of the file that the sweep has written
}
FAILS = {"error": 2}

# All commands in one process, with one reading and few samples; `before` breaks a stream.
CODE = """
import json, sys
from minidl_experiments import command_readings, readings
from minidl_experiments.cli import app
from minidl_experiments.data import draw
readings.draw = lambda seeds, _: draw(seeds, 20)
readings.NETWORKS = {"ReLU / sigmoid": readings.GENERAL}
readings.RUNS = command_readings.RUNS = 4
before, codes = sys.argv[1], []
commands = " ".join(sys.argv[2:]).split(" then ")
exec(before)
for command in commands:
    try:
        app(command.split(), prog_name="minidl")
    except SystemExit as end:
        codes.append(end.code or 0)
with open("codes.txt", "w") as file:
    json.dump(codes, file)
"""


def run_all(folder, before="", **environment):
    """Run all commands in a process; return their exit codes and what they wrote on both streams."""
    commands = " then ".join(" ".join(args) for args in COMMANDS.values())
    done = subprocess.run(  # noqa: S603 - this project's own program
        [sys.executable, "-c", CODE, before, commands],
        capture_output=True,
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
    )
    codes = json.loads((folder / "codes.txt").read_text()) if (folder / "codes.txt").exists() else []
    return dict(zip(COMMANDS, codes, strict=False)), done.stdout, done.stderr


@pytest.mark.parametrize(
    ("environment", "encoding", "sign"),
    [
        ({"PYTHONIOENCODING": "cp874"}, "cp874", "+-"),
        ({"PYTHONIOENCODING": "cp1252"}, "cp1252", "±"),
        ({"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "1"}, "ascii", "+-"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": ""}, "utf-8", "+-"),  # file names keep their bytes
    ],
)
def test_every_command_prints_in_every_encoding(environment, encoding, sign, tmp_path):
    codes, output, errors = run_all(tmp_path, **environment)
    assert codes == {name: FAILS.get(name, 0) for name in COMMANDS}, errors.decode(errors="replace")
    assert b"Traceback" not in errors
    text = output.decode(encoding)
    assert f"{sign} is twice the standard error" in text
    name = f"{NAME}.png".encode(encoding, "backslashreplace").decode(encoding)
    assert f"wrote {name}\n" in text


@pytest.mark.parametrize("before", ["sys.stdout = sys.stderr = None", "sys.stdout.close(); sys.stderr.close()"])
def test_every_command_works_without_streams(before, tmp_path):
    codes, *texts = run_all(tmp_path, before=before)
    assert codes == {name: FAILS.get(name, 0) for name in COMMANDS}, texts
    written = {path.name for path in tmp_path.rglob("*.png")} | {path.name for path in tmp_path.rglob("*.json")}
    assert {"figure_3.png", "table.json", "readings.json", f"{NAME}.png"} <= written


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the descriptors")
def test_no_file_of_a_sweep_gets_the_descriptor_of_a_closed_stream(tmp_path):
    code = "import sys; from minidl_experiments.cli import app; app(sys.argv[1:])"
    shell = 'exec "$0" -c "$@" >&- 2>&-'
    command = ["/bin/sh", "-c", shell, sys.executable, code, *COMMANDS["sweep"]]
    done = subprocess.run(command, check=False, cwd=tmp_path)  # noqa: S603 - this project's own program
    assert done.returncode == 0
    assert (tmp_path / f"{NAME}.sqlite").read_bytes().startswith(b"SQLite format 3")


class Gone(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, _):
        raise BrokenPipeError


@pytest.mark.parametrize("command", ["reproduce", "readings", "train", "sweep"])
def test_the_files_are_written_before_a_closed_pipe_ends_the_print(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(readings, "draw", lambda seeds, _: draw(seeds, 20))
    monkeypatch.setattr(readings, "NETWORKS", {"ReLU / sigmoid": readings.GENERAL})
    if command == "train":  # prints the layers before the training
        monkeypatch.setattr("minidl_experiments.disk_training.minidl.summary", lambda _: sys.stdout)
        monkeypatch.setattr("minidl_experiments.disk_training.say", _say_later)
    else:
        monkeypatch.setattr(sys, "stdout", Gone())
    with pytest.raises(SystemExit) as end:
        app(COMMANDS[command], prog_name="minidl")
    assert end.value.code != 0
    files = {path.name for path in tmp_path.rglob("*.*")}
    assert (
        files
        >= {
            "reproduce": {"figure_2a.png", "figure_4.png", "table.json"},
            "readings": {"readings.json"},
            "train": {f"{NAME}.png"},
            "sweep": {f"{NAME}.sqlite"},
        }[command]
    )
    assert command != "sweep" or [name for name in files if name.endswith(".png")]


def _say_later(_console, line):
    """Print the layers, and break at the first line after the training."""
    if line is not sys.stdout:
        raise BrokenPipeError


def test_the_streams_are_as_before_at_the_end(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", None)
    with usable_streams():
        sys.stdout.write("± … é 图 \udcff")
        sys.stderr.write("nothing")
    assert (sys.stdout.errors, sys.stderr) == ("strict", None)
    sys.stdout.flush()
    assert stream.buffer.getvalue() == rb"+- ... \xe9 \u56fe \udcff"
