"""Words stay whole at 80 and 120 columns: in help, tables, verdicts and errors."""

import io
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from minidl_experiments.claims import judge_claims
from minidl_experiments.cli import app
from minidl_experiments.command_readings import print_readings
from minidl_experiments.console import fit, loss_words, say
from minidl_experiments.experiments import RUNS
from minidl_experiments.printing import print_quantities, print_verdicts
from minidl_experiments.readings import NETWORKS, judge
from minidl_experiments.settings import Activation, Optimizer, Reduction
from minidl_experiments.standard_streams import complain
from minidl_experiments.sweep import Grid
from minidl_experiments.sweep.scores import score
from minidl_experiments.sweep.table import print_best
from minidl_experiments.table import list_quantities
from minidl_experiments.training import Curves, Training

WIDTHS = [80, 100, 120]
FRAMES = re.compile(r"[\s│╭╮╰╯─]+")


def words(text):
    return set(FRAMES.split(text))


def screen(width):
    return Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "command",
    [
        "",
        "reproduce",
        "readings",
        "train",
        "predict",
        "evaluate",
        "export",
        "sweep",
        "exercise",
        "exercise check",
        "exercise grade",
    ],
)
def test_no_word_of_the_help_is_broken(command, width, monkeypatch):
    def show(columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        return CliRunner().invoke(app, [*command.split(), "--help"]).stdout

    narrow = show(width)
    assert max(map(len, narrow.splitlines())) <= width
    assert words(narrow) <= words(show(300))
    assert "…" not in narrow


def trained(settings, spread=1.0, lost=2):
    """Return a training of 50 epochs with 40 seeds, made up, in which some seeds diverged or nearly so."""
    training = Training(replace(settings, epochs=50, samples=20), range(40))
    accuracy = np.linspace(0.5, 0.97, 50)[:, None] + 0.01 * np.linspace(-1, 1, 40)
    loss = np.linspace(0.9, 0.1, 50)[:, None] * np.geomspace(1, spread, 40)
    loss[-1, :lost] = accuracy[-1, :lost] = np.nan
    curves = Curves(loss, accuracy)
    training.__class__ = type("Trained", (Training,), {"train": curves, "test": curves})
    return training


@pytest.fixture(scope="module")
def results():
    return {settings: trained(settings, spread=1e9) for settings in RUNS.values()}


@pytest.mark.parametrize("width", WIDTHS)
def test_tables_and_verdicts_fit_the_terminal(width, results):
    def show(columns):
        console = screen(columns)
        print_quantities(console, list_quantities(results))
        print_verdicts(console, judge_claims(results))
        return console.file.getvalue()

    narrow = show(width)
    assert max(map(len, narrow.splitlines())) <= width
    assert words(narrow) <= words(show(400))


@pytest.mark.parametrize("width", WIDTHS)
def test_readings_fit_the_terminal(width):
    one, other = trained(RUNS["Adam, ReLU"], spread=1e9, lost=10), trained(RUNS["SGD, ReLU"], lost=11)
    readings = [judge(name, how, one, other) for name in NETWORKS for how in Reduction]
    readings.append(judge("ReLU / linear", Reduction.SUM, one, None))
    console, wide = screen(width), screen(400)
    print_readings(console, readings)
    print_readings(wide, readings)
    assert max(map(len, console.file.getvalue().splitlines())) <= width
    assert words(console.file.getvalue()) <= words(wide.file.getvalue())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("lost", [0, 1])
def test_the_table_of_a_sweep_fits_the_terminal(width, lost):
    grid = Grid(
        lr=(1.23456e-05, 1e30),
        width=(3, 1000),
        activation=tuple(Activation),
        optimizer=tuple(Optimizer),
        batch_size=(5, 1000),
        p_drop=(0.0, 0.12345),
        seeds=(0, 1),
    )
    scores = [score(config, [1.0, None if lost else 1.0]) for config in grid.configs]
    console = screen(width)
    print_best(console, grid, scores)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    for word in ("1.23456e-05", "leaky-relu", "0.12345", "100.00", *(["diverged"] if lost else [])):
        assert word in text.split() or f"{word}," in text.split()


def test_lines_break_between_words():
    assert fit(screen(20), "one two three four five six", indent="   ") == "one two three four\n   five six"
    assert fit(screen(20), "short") == "short"
    assert fit(screen(10), "wrote a/long/name-of-a-file.png today") == "wrote\na/long/name-of-a-file.png\ntoday"
    assert fit(screen(20), "the layers\n  keep  their  columns") == "the layers\n  keep  their\ncolumns"


def test_a_pipe_gets_whole_lines():
    console = Console(file=io.StringIO(), width=20)
    say(console, "word " * 50)
    assert console.file.getvalue() == "word " * 50 + "\n"


def test_an_error_breaks_between_words(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    complain("minidl: expected another thing than this")
    assert sys.stderr.getvalue() == "minidl: expected another thing\nthan this\n"


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (0.0352, "0.0352"),
        (0.0, "0.0000"),
        (-12.5, "-12.5000"),
        (999.9, "999.9000"),
        (6883380.8519, "6.88e6"),
        (-7e12, "-7.00e12"),
    ],
)
def test_a_huge_loss_has_three_digits(loss, text):
    assert loss_words(loss) == text


def test_a_huge_or_unknown_difference_is_said_in_words():
    adam, sgd = trained(RUNS["Adam, ReLU"], lost=0), trained(RUNS["SGD, ReLU"], spread=1e9, lost=0)
    evidence = judge("any", Reduction.SUM, adam, sgd).verdicts["Adam is better by the last epoch"].evidence
    assert re.search(r"; loss lower by \d\.\d\de\d ± \d\.\d\de\d$", evidence)
    evidence = judge("any", Reduction.SUM, sgd, adam).verdicts["Adam is better by the last epoch"].evidence
    assert "; loss higher by " in evidence
    lost = trained(RUNS["SGD, ReLU"], lost=40)
    evidence = judge("any", Reduction.SUM, adam, lost).verdicts["Adam is better by the last epoch"].evidence
    assert "nan" not in evidence.replace("unknown", "")
    assert "accuracy unknown, as one of the two trainings diverged with every seed" in evidence
