"""Every result lands in the file that was named, in the format of its suffix, or the command ends before it trains."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

import minidl_experiments.figures
from minidl_experiments import command_readings, readings
from minidl_experiments.cli import app
from minidl_experiments.data import draw
from minidl_experiments.shell import PICTURES

TINY = ["--epochs", "1", "--samples", "20"]
SWEEP = ["sweep", *TINY, "--seeds", "1", "--jobs", "1"]
REPRODUCE = ["reproduce", "--seeds", "1", "--epochs", "1"]
READINGS = ["readings", "--seeds", "5"]
FIRST_BYTES = {
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
    ".pdf": b"%PDF-",
    ".svg": b"<?xml",
    ".webp": b"RIFF",
}


def run(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture
def no_training(monkeypatch):
    """Make every training fail the test."""

    def train(*_, **__):
        pytest.fail("trained before the check of the files")

    for name in ("disk_training.Training.run", "reproduction._train", "readings._read", "sweep.command.run_sweep"):
        monkeypatch.setattr(f"minidl_experiments.{name}", train)


@pytest.mark.parametrize("suffix", [*PICTURES, ".PNG", ".Jpg"])
def test_a_picture_has_the_format_of_its_suffix(suffix, tmp_path):
    path = tmp_path / f"x{suffix}"
    assert run("train", *TINY, "--out", path).exit_code == 0
    assert path.read_bytes().startswith(FIRST_BYTES[suffix.lower()])
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("name", ["x", "x.gif", "x.txt", "x.png.bak", "x.", ".png"])
def test_an_unknown_suffix_is_refused_before_the_training(name, tmp_path):
    result = run("train", "--out", tmp_path / "new" / name)
    assert result.exit_code == 2
    assert "expected a name that ends in .png, .jpg, .jpeg, .pdf, .svg or .webp, got " in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_sweeps_with_similar_names_have_a_picture_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["run0.1", "run0.2", "run", "run.sqlite", "run.db"]
    for name in names:
        result = run(*SWEEP, "--out", name)
        assert result.exit_code == 0, result.output
        assert result.stdout.splitlines()[-1] == f"wrote {name} and {name}.png"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, *(f"{name}.png" for name in names)])


@pytest.mark.parametrize("suffix", PICTURES)
def test_a_sweep_takes_no_name_of_a_picture(suffix, tmp_path):
    result = run(*SWEEP, "--out", tmp_path / f"x{suffix}")
    assert result.exit_code == 2
    assert "expected the name of an SQLite file, got that of a picture" in result.stderr


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a home folder beside the working folder."""
    folder, work = tmp_path / "home", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    monkeypatch.chdir(work)
    return folder


@pytest.mark.parametrize(
    ("command", "name", "file"),
    [
        (REPRODUCE, "a/b", "a/b/table.json"),
        (READINGS, "a/b", "a/b/readings.json"),
        (["train", *TINY], "a/x.png", "a/x.png"),
        (SWEEP, "a/x.sqlite", "a/x.sqlite.png"),
    ],
)
def test_a_tilde_is_the_home_folder_in_every_command(command, name, file, home, monkeypatch):
    monkeypatch.setattr(readings, "NETWORKS", {"ReLU / sigmoid": readings.GENERAL})
    monkeypatch.setattr(readings, "RUNS", 4)
    monkeypatch.setattr(command_readings, "RUNS", 4)
    monkeypatch.setattr(readings, "draw", lambda seeds, _: draw(seeds, 20))
    result = run(*command, f"--out=~/{name}")
    assert result.exit_code == 0, result.output
    assert (home / file).exists()
    assert list(Path.cwd().iterdir()) == []


def test_a_tilde_is_the_home_folder_in_the_name_of_a_configuration(home):
    (home / "grid.toml").write_text("width = [3, 4]", encoding="utf-8")
    result = run(*SWEEP, "--config=~/grid.toml", "--out=~/x.sqlite")
    assert result.exit_code == 0, result.output
    with closing(sqlite3.connect(home / "x.sqlite")) as file:
        assert file.execute("SELECT width FROM runs ORDER BY width").fetchall() == [(3,), (4,)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows guesses the home folder of any user")
def test_an_unknown_home_folder_is_an_error():
    result = run("reproduce", "--out=~no-such-user-here/x")
    assert result.exit_code == 2
    assert "~no-such-user-here/x" in result.stderr


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("command", "out", "blocked"),
    [
        (REPRODUCE, ".", "figure_4.png"),
        (REPRODUCE, ".", "table.json"),
        (READINGS, ".", "readings.json"),
        (["train"], "x.png", "x.png"),
        (SWEEP, "x", "x"),
        (SWEEP, "x", "x.png"),
    ],
)
def test_a_file_that_cannot_be_written_ends_the_command_before_the_training(command, out, blocked, tmp_path):
    (tmp_path / blocked).mkdir()
    result = run(*command, "--out", tmp_path / out)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("minidl: --out: expected the name of a")
    assert blocked in line


@pytest.mark.usefixtures("no_training")
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX file modes")
def test_a_link_to_nowhere_ends_the_command_before_the_training(tmp_path):
    (tmp_path / "x.png").symlink_to(tmp_path / "gone" / "x.png")
    result = run("train", "--out", tmp_path / "x.png")
    assert result.exit_code == 2
    assert "minidl: --out: cannot write the file" in result.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"MPLBACKEND": "no-such-backend"},
        {"MPLBACKEND": "module://no_such_module"},
        {"MPLBACKEND": "tkagg", "DISPLAY": ""},
    ],
)
@pytest.mark.parametrize("command", [REPRODUCE, ["train", *TINY, "--out", "x.png"], [*SWEEP, "--out", "x"]])
def test_figures_are_drawn_whatever_the_environment_says(command, environment, tmp_path):
    done = subprocess.run(  # noqa: S603 - this project's own program
        [sys.executable, "-m", "minidl_experiments", *command],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    pictures = list(tmp_path.rglob("*.png"))
    assert len(pictures) == (4 if command is REPRODUCE else 1)
    assert all(path.read_bytes().startswith(FIRST_BYTES[".png"]) for path in pictures)


def test_the_settings_of_a_matplotlibrc_change_no_figure(tmp_path):
    (tmp_path / "matplotlibrc").write_text(
        "text.usetex: True\nfigure.dpi: 10\nsavefig.transparent: True\nsavefig.bbox: tight\naxes.facecolor: black\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "MATPLOTLIBRC": str(tmp_path)}
    command = [sys.executable, "-m", "minidl_experiments", "train", *TINY, "--out"]
    for name, variables in (("theirs.png", environment), ("plain.png", dict(os.environ))):
        done = subprocess.run([*command, name], cwd=tmp_path, env=variables, capture_output=True, check=False)  # noqa: S603 - this project's own program
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "theirs.png").read_bytes() == (tmp_path / "plain.png").read_bytes()


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("command", [REPRODUCE, ["train", *TINY, "--out", "x.png"], SWEEP])
def test_a_matplotlib_that_cannot_be_imported_ends_the_command_before_the_training(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr(minidl_experiments, "figures")
    monkeypatch.setitem(sys.modules, "minidl_experiments.figures", None)
    result = run(*command)
    assert result.exit_code == 2
    assert result.stderr.startswith("minidl: cannot draw figures: ")


def test_a_table_is_json_in_every_encoding_of_files(tmp_path):
    done = subprocess.run(  # noqa: S603 - this project's own program
        [sys.executable, "-m", "minidl_experiments", *REPRODUCE, "--out", "é"],
        cwd=tmp_path,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("*/table.json")
    assert json.loads(path.read_text(encoding="utf-8"))["complete"] is True
