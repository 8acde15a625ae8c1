import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from minidl_experiments.sweep import Store
from minidl_experiments.sweep.command import sweep

TINY = ("--epochs", "1", "--samples", "20", "--seeds", "2", "--jobs", "1")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(sweep)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_a_sweep_ends_with_a_table_and_a_picture(run, tmp_path):
    ended = run("--lr", "1e-3,1e-2", "--width", "3,4", *TINY, "--out", "deep/er/sweep.sqlite")
    assert ended.exit_code == 0, ended.output
    lines = ended.stdout.splitlines()
    assert lines[0] == "The best 4 of 4 configurations, test accuracy in % over 2 seeds"
    assert lines[1] == "with relu, adam, batch_size 50, p_drop 0"
    assert lines[3].split() == ["lr", "width", "mean", "5-95", "%"]
    means = [float(line.split()[2]) for line in lines[5:9]]
    assert means == sorted(means, reverse=True)
    assert lines[-1] == "wrote deep/er/sweep.sqlite and deep/er/sweep.sqlite.png"
    assert (tmp_path / "deep/er/sweep.sqlite.png").read_bytes().startswith(b"\x89PNG")
    assert ended.stderr.splitlines()[0] == "0 of 4 configurations"


def test_a_repeated_sweep_trains_nothing(run):
    first, second = (run("--lr", "1e-3,1e-2", *TINY) for _ in range(2))
    assert second.stdout == first.stdout
    assert second.stderr.splitlines()[0].startswith("2 of 2 configurations, best")


def test_another_definition_is_an_error(run):
    assert run(*TINY).exit_code == 0
    ended = run(*TINY, "--epochs", "2")
    assert ended.exit_code == 2
    assert "with epochs 2, got one with epochs 1" in " ".join(ended.stderr.replace("│", " ").split())


def test_settings_may_change_while_there_are_no_results(run, small):
    Store(Path("sweep.sqlite"), small).__exit__(None, None, None)  # as after an immediate Ctrl-C
    ended = run(*TINY)
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.splitlines()[-1] == "wrote sweep.sqlite and sweep.sqlite.png"


def test_a_file_in_place_of_a_folder_is_an_error(run, tmp_path):
    (tmp_path / "afile").touch()
    ended = run("--out", "afile/sweep.sqlite", *TINY)
    assert ended.exit_code == 2
    assert ended.stderr == "minidl: --out: cannot write into the folder afile: File exists\n"


def test_the_table_counts_diverged_seeds(run):
    ended = run("--lr", "1e-2,1e30", "--batch-size", "5", *TINY)
    assert ended.exit_code == 0
    assert ended.stderr.count("\n") == 2  # no warnings
    header, _, good, bad, *_ = ended.stdout.splitlines()[3:]
    assert header.split() == ["lr", "mean", "5-95", "%", "diverged"]
    assert good.split()[-3:] == ["0", "of", "2"]
    assert bad.split() == ["1e+30", "-", "-", "2", "of", "2"]


def test_a_sweep_in_which_all_runs_diverge_succeeds(run):
    ended = run("--lr", "1e30", "--batch-size", "5", *TINY)
    assert ended.exit_code == 0
    assert "2 of 2" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--lr", "fast"), "--lr: expected a number above 0, got 'fast'"),
        (("--batch-size", "0"), "--batch-size: expected an integer from 1 to 2147483647, got 0"),
        (("--dask", "nowhere", "--out", "deep/er.sqlite"), "--dask: expected the address of a scheduler"),
        (("--config", "none.toml"), "cannot read none.toml: No such file or directory"),
        (("--jobs", "2", "--dask", "tcp://127.0.0.1:1"), "expected --jobs or --dask, got both"),
        (("--out", "sweep.png"), "--out: expected the name of an SQLite file, got that of a picture, sweep.png"),
    ],
)
def test_an_error_is_printed_and_no_file_created(run, tmp_path, arguments, message):
    ended = run(*arguments)
    assert ended.exit_code == 2
    assert message in " ".join(ended.stderr.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []


def test_the_command_imports_no_slow_modules():
    slow = "joblib", "matplotlib", "distributed"
    code = f"import minidl_experiments.sweep.command, sys; print(sorted(set({slow}) & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - this project's own program
    assert shown.stdout == "[]\n"


@pytest.mark.slow
def test_the_table_truncates_no_cell(run):
    kinds = ("--activation", "relu,leaky-relu", "--optimizer", "adam,sgd")
    numbers = ("--lr", "0.00123456,1e30", "--width", "3,4", "--batch-size", "5,10", "--p-drop", "0,0.12345")
    ended = run(*numbers, *kinds, "--epochs", "1", "--samples", "20", "--seeds", "1", "--jobs", "1")
    assert "…" not in ended.stdout
    assert "leaky-relu" in ended.stdout
