"""The command `minidl` from the command line."""

import json
import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

import minidl_experiments
from minidl_experiments.cli import app
from minidl_experiments.experiments import RUNS
from minidl_experiments.printing import print_quantities
from minidl_experiments.table import summarize

PNG = b"\x89PNG\r\n\x1a\n"
FIGURES = ["figure_2a.png", "figure_2b.png", "figure_3.png", "figure_4.png"]
COMMAND = [sys.executable, "-m", "minidl_experiments"]


def run(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    """Return the result of a small `minidl reproduce`, and its folder."""
    folder = tmp_path_factory.mktemp("reproduced") / "made" / "for it"
    return run("reproduce", "--out", folder, "--seeds", 3, "--seed", 5, "--epochs", 2), folder


def test_reproduce_writes_figures_and_table(reproduced):
    result, folder = reproduced
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in folder.iterdir()) == [*FIGURES, "table.json"]
    assert all((folder / name).read_bytes().startswith(PNG) for name in FIGURES)


def test_reproduce_prints_a_line_per_run_without_a_terminal(reproduced):
    lines = reproduced[0].stderr.splitlines()
    assert len(lines) == len(RUNS)
    for number, (line, name) in enumerate(zip(lines, RUNS, strict=True), start=1):
        assert line.startswith(f"{number}/{len(RUNS)} {name}: mean test accuracy ")


def test_reproduce_prints_table_and_statements(reproduced):
    text = reproduced[0].stdout
    assert text.count("test accuracy ") >= len(RUNS)
    assert "undecided:   SGD learns faster than Adam during the first 20 epochs\n" in text
    assert "needs 20 epochs" in text


def test_the_table_is_json_with_every_quantity_and_statement(reproduced):
    table = json.loads((reproduced[1] / "table.json").read_text(encoding="utf-8"))
    assert set(table) == {"seeds", "epochs", "complete", "figure_2_seed", "quantities", "statements"}
    assert (table["seeds"], table["epochs"], table["complete"]) == ([5, 6, 7], 2, True)
    assert table["figure_2_seed"] in table["seeds"]
    assert [entry["run"] for entry in table["quantities"]] == [name for name in RUNS for _ in range(4)]
    for entry in table["quantities"]:
        assert set(entry) == {"run", "name", "unit", "report", "mean", "low", "high", "seeds", "diverged", "inside"}
        assert entry["low"] <= entry["mean"] <= entry["high"]
        assert entry["report"] is None  # the report states numbers after 50 epochs only
    for entry in table["statements"]:
        assert set(entry) == {"claim", "held", "evidence", "numbers", "rule"}
        assert entry["held"] is None


@pytest.mark.slow
def test_reproduce_gives_the_same_numbers_every_time(reproduced, tmp_path):
    run("reproduce", "--out", tmp_path, "--seeds", 3, "--seed", 5, "--epochs", 2)
    assert (tmp_path / "table.json").read_bytes() == (reproduced[1] / "table.json").read_bytes()


def test_train_prints_layers_and_accuracy_and_draws_a_picture(tmp_path):
    picture = tmp_path / "new" / "picture.png"
    result = run("train", "--epochs", 2, "--samples", 80, "--p-drop", 0.25, "--activation", "tanh", "--out", picture)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[1] for line in lines[1:4]] == ["Linear(2", "Tanh", "Dropout(p_drop=0.25)"]
    assert "2 of 2 epochs in " in result.stdout
    assert [line.split()[0] for line in lines[-3:]] == ["train", "test", "wrote"]
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["epoch 1", "epoch 2"]
    assert picture.read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    "options",
    [
        ["--loss", "bce"],
        ["--loss", "bce-with-logits", "--optimizer", "sgd", "--lr", 0.01],
        ["--loss", "cross-entropy", "--optimizer", "sgd", "--momentum", 0.5, "--weight-decay", 0.001],
        ["--optimizer", "sgd", "--eta", 0.01, "--kappa", 0.5],
        ["--width", "4", "--last-activation", "sigmoid", "--lr", 0.01],
        ["--activation", "leaky-relu", "--alpha", 0.2, "--width", "3,4,5,6", "--batch-size", 7, "--seed", 3],
    ],
)
def test_train_accepts_all_its_options(options):
    result = run("train", "--epochs", 1, "--samples", 30, *options)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].startswith("test ")


def test_train_is_a_replicate_of_reproduce(reproduced):
    # The mean over the three seeds in the table equals the mean of the three networks trained one by one.
    table = json.loads((reproduced[1] / "table.json").read_text(encoding="utf-8"))
    mean = next(entry["mean"] for entry in table["quantities"] if entry["name"] == "test accuracy")
    alone = [run("train", "--epochs", 2, "--seed", seed).stdout.splitlines()[-1] for seed in (5, 6, 7)]
    accuracies = [float(line.split()[-2]) for line in alone]
    assert sum(accuracies) / 3 == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["reproduce", "--out", "OUT", "--seeds", "0"], "--seeds"),
        (["reproduce", "--out", "OUT", "--epochs", "x"], "--epochs"),
        (["reproduce", "--out", "FILE"], "cannot write into the folder"),
        (["train", "--out", "OUT"], "expected the name of a picture, got the folder"),
        (["train", "--p-drop", "2"], "Dropout: expected p_drop to be in [0, 1], got 2.0"),
        (["train", "--width", "25,x"], "--width: expected integers such as 25,25,25, got '25,x'"),
        (["train", "--width", "0"], "at least 1, got 0"),
        (["train", "--width", "1,024"], "--width: expected integers such as 25,25,25, got '1,024'"),
        (["train", "--widths", "25"], "No such option: --widths"),
        (["train", "--alpha", "0.01"], "alpha is a setting of leaky ReLU, and no hidden layer has this activation"),
        (["train", "--alpha", "0.1", "--activation", "tanh"], "alpha is a setting of leaky ReLU"),
        (
            ["train", "--alpha", "0.1", "--activation", "leaky-relu", "--last-activation", "relu", "--width", "9"],
            "alpha is a setting of leaky ReLU",
        ),
        (
            ["train", "--activation", "tanh", "--last-activation", "relu", "--width", "9"],
            "expected --activation or --last-activation for a single hidden layer, got both",
        ),
        (["train", "--optimizer", "adam", "--eta", "0.1"], "settings of SGD"),
        (["train", "--lr", "0"], "lr: expected a number above 0, got 0"),
        (["train", "--optimizer", "sgd", "--eta", "0", "--kappa", "1"], "eta: expected a number above 0, got 0"),
        (["train", "--lr", "0,1"], "'--lr': expected a number with a decimal point, such as 0.1, got '0,1'"),
        (["train", "--p-drop", "0,1"], "'--p-drop': expected a number with a decimal point, such as 0.1, got '0,1'"),
        (["sweep", "--lr", "0,1"], "--lr: expected decimal numbers with a point, got '0,1'"),
        (["train", "--loss", "hinge"], "'--loss': expected one of mse, bce, bce-with-logits, cross-entropy, l1, "),
        (["train", "--optimizer", "adam", "--momentum", "0.9"], "settings of SGD"),
        (["train", "--optimizer", "sgd", "--lr", "0.1", "--eta", "0.1"], "kappa and eta both or neither"),
        (["train", "--lr", "-1"], "Adam: expected lr"),
        (["train", "--seed", "-1"], "--seed"),
        (["draw"], "No such command 'draw'"),
        (["--verbose"], "No such option: --verbose"),
    ],
)
def test_an_error_is_one_clear_line(args, message, tmp_path):
    (tmp_path / "file").touch()
    places = {"OUT": tmp_path, "FILE": tmp_path / "file"}
    result = run(*(places.get(arg, arg) for arg in args))
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("minidl: ")
    assert message in line
    assert result.stdout == ""


def test_divergence_is_reported_with_its_epoch():
    result = run("train", "--optimizer", "sgd", "--lr", "1e30", "--loss", "cross-entropy", "--samples", 100)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("minidl: fit: the loss is nan in epoch 1")


def test_version():
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"minidl {minidl_experiments.__version__}\n")


@pytest.mark.parametrize(("command", "does"), [("reproduce", "reproduction._train"), ("readings", "readings._read")])
def test_ctrl_c_before_the_first_run_keeps_earlier_results(command, does, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"minidl_experiments.{does}", interrupt)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "reproduction"  # the default folder of both commands
    folder.mkdir()
    for name in (*FIGURES, "table.json", "readings.json"):
        (folder / name).write_text("earlier", encoding="utf-8")
    result = run(command, "--seeds", 5)
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1].endswith("finished; nothing was written")
    assert result.stdout == ""
    assert {path.read_text(encoding="utf-8") for path in folder.iterdir()} == {"earlier"}


def test_a_narrow_terminal_truncates_no_cell(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    values = np.array([0.9, 0.95, np.nan])
    quantity = summarize("Adam, Leaky ReLU 0.2", "train accuracy", "%", 100 * values, 98.4)
    print_quantities(Console(), [quantity])
    line = capsys.readouterr().out.splitlines()[-2]
    assert line.split() == [
        "train",
        "accuracy",
        "98.4",
        "%",
        "92.50",
        "%",
        "90.25",
        "-",
        "94.75",
        "%",
        "no",
        "1",
        "of",
        "3",
    ]


def test_help_works_without_matplotlib():
    code = (
        "import sys; sys.modules['matplotlib'] = None; from minidl_experiments.cli import app; app(prog_name='minidl')"
    )
    for args in ([], ["reproduce"], ["train"]):
        done = subprocess.run(  # noqa: S603 - this project's own program
            [sys.executable, "-c", code, *args, "--help"], capture_output=True, text=True, check=True
        )
        assert " ".join(["Usage: minidl", *args]) in done.stdout
        assert done.stderr == ""


def interrupt(folder, *args, after):
    """Run `minidl` until it has printed `after` lines on standard error, then send SIGINT."""
    # A background job ignores SIGINT and its children inherit that, unless a handler is set.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(  # noqa: S603 - this project's own program
            [*COMMAND, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
        )
    finally:
        signal.signal(signal.SIGINT, heard)
    with process:
        lines = list(islice(process.stderr, after))
        process.send_signal(signal.SIGINT)
        output, rest = process.communicate(timeout=60)
    return process.returncode, output, "".join(lines) + rest


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_keeps_the_finished_runs(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / FIGURES[3]).touch()  # left by an earlier run
    code, output, errors = interrupt(tmp_path, "reproduce", "--out", "out", "--seeds=2", "--epochs=50", after=2)
    assert code == 130
    assert "Traceback" not in errors
    table = Path("out") / "table.json"
    assert errors.splitlines()[-1] == (
        f"minidl: interrupted with 2 of {len(RUNS)} runs finished; {table} holds these alone"
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [*FIGURES[:3], "table.json"]
    assert output.splitlines()[-1] == f"removed {Path('out') / FIGURES[3]} of an earlier run"
    table = json.loads((tmp_path / "out" / "table.json").read_text(encoding="utf-8"))
    assert table["complete"] is False
    assert {entry["run"] for entry in table["quantities"]} == set(list(RUNS)[:2])
    assert "Adam is better than SGD by epoch 50" in output


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_prints_the_progress_of_a_training(tmp_path):
    code, output, errors = interrupt(tmp_path, "train", "--epochs=10000", "--samples=100", after=1)
    assert code == 130
    assert "Traceback" not in errors
    assert errors.splitlines()[-1] == "minidl: interrupted"
    assert " of 10000 epochs in " in output
    assert output.splitlines()[-1].startswith("test ")
