"""Every verdict stands beside its rule: on the terminal, in the files and in the README."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from minidl_experiments import command_readings, readings, rules, statements
from minidl_experiments.cli import app
from minidl_experiments.printing import print_verdicts
from minidl_experiments.training import Curves

README = Path(__file__).parent.parent / "README.md"
RULES = {
    name: text for name, text in vars(rules).items() if isinstance(text, str) and name.isupper() and name[0] != "_"
}
CURVES = Curves(np.linspace(0.9, 0.1, 50)[:, None] + np.zeros(4), np.linspace(0.5, 0.97, 50)[:, None] + np.zeros(4))
ACCURACIES = {"a": CURVES.accuracy, "b": CURVES.accuracy - 0.001}
VERDICTS = {
    "ACCURACY": statements.judge_accuracy(CURVES, CURVES),
    "OVERFITTING": statements.judge_overfitting(CURVES, CURVES),
    "BORDER": statements.judge_border(np.linspace(0, 0.4, 9), np.array([0.01, 0.02])),
    "EARLY_LEAD": statements.judge_early_lead(CURVES, CURVES),
    "FINAL_LEAD": statements.judge_final_lead(CURVES, CURVES),
    "FASTEST": statements.judge_fastest("a", ACCURACIES),
    "SLOWEST": statements.judge_slowest("a", ACCURACIES),
    "SIMILAR": statements.judge_alike(ACCURACIES),
    "DROPOUT": statements.judge_dropout({0.0: CURVES.accuracy[-1], 0.1: CURVES.accuracy[-1]}),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_a_verdict_has_its_rule(name):
    assert VERDICTS[name].rule == RULES[name]


def test_no_border_to_judge_has_its_rule_too():
    assert statements.judge_border(np.ones(3), np.ones(0)).rule == rules.BORDER


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        ("ACCURACY", "95 %"),
        ("OVERFITTING", "less than 1 point above"),
        ("OVERFITTING", "1.05 times"),
        ("BORDER", "0.25 times"),
        ("EARLY_LEAD", "20 epochs and at epoch 10"),
        ("SIMILAR", "less than 1 point"),
        ("DROPOUT", "less than 1 point"),
    ],
)
def test_a_rule_states_its_threshold(name, threshold):
    assert threshold in RULES[name]


def test_the_rule_is_printed_below_the_numbers():
    console = Console(file=io.StringIO())
    print_verdicts(console, VERDICTS)
    lines = console.file.getvalue().splitlines()
    for name, verdict in VERDICTS.items():
        place = next(number for number, line in enumerate(lines) if line.endswith(f" {name}"))
        assert lines[place + 1].strip() == verdict.evidence
        assert lines[place + 2].strip() == f"held if {verdict.rule}"
    assert lines[-1] == rules.MARGIN


def test_the_readme_has_every_rule():
    text = " ".join(README.read_text(encoding="utf-8").split())
    for name in {**VERDICTS, "SUCCESS": None}:
        assert RULES[name] in text, name


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rules")
    result = CliRunner().invoke(app, ["reproduce", "--seeds", "1", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return result.stdout, json.loads((folder / "table.json").read_text(encoding="utf-8"))


def test_minidl_reproduce_prints_and_writes_every_rule(reproduced):
    text, table = reproduced
    assert {entry["rule"] for entry in table["statements"]} == {RULES[name] for name in VERDICTS}
    words = " ".join(text.split())  # lines break between words
    for entry in table["statements"]:
        assert f"held if {entry['rule']}" in words


def test_minidl_readings_prints_and_writes_every_rule(tmp_path, monkeypatch):
    monkeypatch.setattr(readings, "NETWORKS", {"ReLU / sigmoid": readings.GENERAL})
    for module in (readings, command_readings):
        monkeypatch.setattr(module, "RUNS", 4)
    result = CliRunner().invoke(app, ["readings", "--seeds", "5", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "readings.json").read_text(encoding="utf-8"))
    for record in content["readings"]:
        for text, verdict in record["verdicts"].items():
            assert f"    {text}: {verdict['rule']}\n" in result.stdout
    assert f"A reading {rules.AGREEMENT}." in result.stdout
    assert rules.MARGIN in result.stdout
