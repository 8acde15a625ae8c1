"""The readings of Figure 1: their networks and their comparison with the report."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from minidl_experiments import readings
from minidl_experiments.command_readings import print_readings
from minidl_experiments.data import draw
from minidl_experiments.network import build_network
from minidl_experiments.progress import EpochProgress
from minidl_experiments.readings import NETWORKS, judge
from minidl_experiments.settings import Reduction
from minidl_experiments.training import Curves

LAYERS = {
    "ReLU / sigmoid": ["ReLU", "ReLU", "ReLU", "Sigmoid"],
    "sigmoid / linear": ["ReLU", "ReLU", "Sigmoid"],
    "sigmoid / sigmoid": ["ReLU", "ReLU", "Sigmoid", "Sigmoid"],
    "none / sigmoid": ["ReLU", "ReLU", "Sigmoid"],
    "ReLU / linear": ["ReLU", "ReLU", "ReLU"],
}


class Run:
    """A finished training with made-up accuracies."""

    def __init__(self, start, end, epochs=50, seeds=5):
        accuracy = np.linspace(start, end, epochs)[:, None] + np.linspace(-0.01, 0.01, seeds)
        self.train = self.test = Curves(loss=1 - accuracy, accuracy=accuracy)

    def lose(self, seed, since):
        self.train.loss[since:, seed] = self.train.accuracy[since:, seed] = np.nan
        return self


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_has_the_activations_of_its_name(name):
    network = build_network(NETWORKS[name], np.random.default_rng(0))
    kinds = [record.kind for record in network.spec()]
    assert [kind for kind in kinds if kind != "Linear"] == LAYERS[name]
    assert kinds.count("Linear") == 4
    assert (kinds[-1] == "Sigmoid") == name.endswith("/ sigmoid")


def test_a_reading_that_meets_every_statement_agrees():
    reading = judge("any", Reduction.SUM, Run(0.5, 0.98), Run(0.8, 0.97))
    assert reading.agrees is True
    assert reading.objections == []


@pytest.mark.parametrize(
    ("adam", "sgd", "reason"),
    [
        (Run(0.5, 0.93), Run(0.8, 0.96), "Adam train accuracy: 98.4 % is outside 92.1 - 93.9 %"),
        (Run(0.5, 0.98), Run(0.8, 0.94), "not held: with SGD too accuracy is higher than 95 %"),
        (Run(0.8, 0.98), Run(0.5, 0.97), "not held: SGD is ahead in the first 20 epochs"),
        (Run(0.5, 0.98), Run(0.8, 0.99), "not held: Adam is better by the last epoch"),
        (Run(0.5, 0.98), None, "not held: training with SGD succeeds"),
        (None, Run(0.5, 0.98), "not held: training with Adam succeeds"),
        (
            Run(0.5, 0.98),
            Run(0.8, 0.97).lose(3, since=1),
            "not held: training with SGD succeeds: the loss of 1 of 5 seeds became nan",
        ),
    ],
)
def test_a_reading_is_refuted_by_one_failed_statement(adam, sgd, reason):
    reading = judge("any", Reduction.SUM, adam, sgd)
    assert reading.agrees is False
    assert [line for line in reading.objections if line.startswith(reason)]


def test_a_diverged_seed_is_left_out_of_the_numbers():
    reading = judge("any", Reduction.SUM, Run(0.5, 0.98), Run(0.8, 0.97).lose(4, since=1))
    sgd = next(one for one in reading.quantities if one.name == "SGD train accuracy")
    assert (sgd.mean, sgd.seeds, sgd.diverged) == (pytest.approx(100 * (0.97 - 0.01 / 4)), 5, 1)
    assert reading.verdicts["Adam is better by the last epoch"].held is True
    assert "nan" not in " ".join(verdict.evidence for verdict in reading.verdicts.values() if verdict.held)
    screen = Console(record=True, width=100, quiet=False, file=io.StringIO())
    print_readings(screen, [reading])
    assert "SGD 1 of 5" in screen.export_text()


def test_a_difference_within_the_error_is_undecided():
    reading = judge("any", Reduction.SUM, Run(0.5, 0.98), Run(0.8, 0.98))
    assert reading.agrees is None
    assert [line.split(":")[:2] for line in reading.objections] == [
        ["undecided", " Adam is better by the last epoch"],
    ]


def test_all_readings_are_trained_and_written(tmp_path, monkeypatch):
    small = {name: replace(settings, samples=200) for name, settings in NETWORKS.items()}
    monkeypatch.setattr(readings, "NETWORKS", small)
    monkeypatch.setattr(readings, "draw", lambda seeds, _: draw(seeds, 200))
    with EpochProgress(Console(quiet=True), 1) as progress:
        found = readings.compare_readings([3, 4], 20, progress)
    assert [(r.network, r.reduction) for r in found] == [(name, how) for name in NETWORKS for how in Reduction]
    diverged = [r for r in found if "training with SGD succeeds" in r.verdicts]
    assert [(r.network, r.reduction) for r in diverged] == [("ReLU / linear", "sum")]
    path = readings.write_readings(found, [3, 4], 20, tmp_path)
    content = json.loads(path.read_text())
    assert (content["seeds"], content["complete"]) == ([3, 4], True)
    assert [record["agrees"] for record in content["readings"]] == [reading.agrees for reading in found]


def test_ctrl_c_keeps_the_finished_readings(monkeypatch):
    calls = []

    def read(*_):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return judge("any", Reduction.SUM, Run(0.5, 0.98), Run(0.8, 0.97))

    monkeypatch.setattr(readings, "_read", read)
    with EpochProgress(Console(quiet=True), 1) as progress:
        assert len(readings.compare_readings([1], 20, progress)) == 2
