"""Configurations of the same architecture, trained at once: the same results as alone."""

from dataclasses import replace

import numpy as np
import pytest

from minidl_experiments.search.alike import batches_of, can_be_alike, score_alike
from minidl_experiments.search.axes import read_axes
from minidl_experiments.search.candidate import Candidate
from minidl_experiments.search.work import Work, score_candidate
from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.tabular.assessment import divide
from minidl_experiments.tabular.choices import Schedule
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.problem import pose
from minidl_experiments.tabular.reading import read_table

BASE = Candidate(width=(5, 4))
RATES = [(1e-3, None), (1e-2, 1e-3), (3e-2, 0.0)]


@pytest.fixture
def work_of(csv):
    """Return a function that prepares the folds of the table for options."""

    def prepare(**options):
        given = {"target": ("kind",), "drop": ("price",), "cv": 3, "networks": 2, "epochs": 25} | options
        own = Options(**given)
        problem = pose(read_table([str(csv)]), own)
        return Work.prepare(problem, own, divide(problem, own))

    return prepare


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize(
    "more",
    [
        {}, {"optimizer": Optimizer.SGD}, {"schedule": Schedule.COSINE}, {"p_drop": 0.1},
        {"activation": Activation.TANH, "batch_size": 7},
    ],
    ids=str,
)  # fmt: skip
def test_results_are_those_of_each_alone(work_of, early_stopping, more):
    work = work_of(early_stopping=early_stopping)
    batch = [replace(BASE, lr=lr, weight_decay=decay, **more) for lr, decay in RATES]
    if "p_drop" in more:
        batch.append(replace(batch[0], p_drop=0.3))
    assert batches_of(batch, work) == [batch]
    found = score_alike(batch, work)
    for one, result in zip(batch, found, strict=True):
        alone = score_candidate(one, work)
        assert (result.candidate, result.scores, result.fault) == (one, alone.scores, alone.fault)
    assert len({str(result.scores) for result in found}) == len(batch)


def test_numbers_too(work_of):
    work = work_of(target=("price",), drop=("kind",))
    batch = [replace(BASE, lr=lr) for lr, _ in RATES]
    assert [one.scores for one in score_alike(batch, work)] == [score_candidate(one, work).scores for one in batch]


@pytest.mark.parametrize("rates", [[1e-2, 1e30], [1e30, 1e31]], ids=["one", "all"])
def test_a_configuration_that_diverges_has_its_own_fault(work_of, rates):
    work = work_of()
    batch = [replace(BASE, lr=lr, optimizer=Optimizer.SGD) for lr in rates]
    found = score_alike(batch, work)
    assert [bool(one.fault) for one in found] == [lr > 1 for lr in rates]
    for one, result in zip(batch, found, strict=True):
        alone = score_candidate(one, work)
        assert (result.scores, result.fault) == (alone.scores, alone.fault)


def test_what_differs_in_its_architecture_is_trained_apart(work_of):
    work = work_of()
    others = {"width": (5,), "batch_size": 9, "activation": Activation.TANH, "optimizer": Optimizer.SGD}
    others |= {"schedule": Schedule.COSINE, "p_drop": 0.5, "lr": 0.02}
    batch = [BASE, replace(BASE, weight_decay=0.1)]
    batches = batches_of(
        [batch[0], *(replace(BASE, **{name: value}) for name, value in others.items()), batch[1]], work
    )
    assert len(batches) == 8
    assert batches[0] == batch


def test_batches_keep_all_workers_busy_and_are_bounded(work_of):
    many = [replace(BASE, lr=lr) for lr in np.geomspace(1e-3, 1e-1, 40).tolist()]
    work = work_of()
    assert [len(batch) for batch in batches_of(many, work, workers=4)] == [5] * 8
    most = max(len(batch) for batch in batches_of(many, work))
    assert most * 6 <= 100  # networks
    wide = [replace(one, width=(2000, 2000)) for one in many]
    assert max(len(batch) for batch in batches_of(wide, work)) == 1
    assert [one for batch in batches_of(many, work, workers=3) for one in batch] == many


def test_folds_that_need_several_trainings_are_not_batched(work_of, monkeypatch):
    """Their sizes would depend on the batch."""
    work = work_of()
    monkeypatch.setattr("minidl_experiments.tabular.cross_validation.MOST_NUMBERS", work.numbers * 2 * 3 * 2)
    many = [replace(BASE, lr=lr) for lr in (0.1, 0.2, 0.3, 0.4)]
    assert [len(batch) for batch in batches_of(many, work)] == [2, 2]
    monkeypatch.setattr("minidl_experiments.tabular.cross_validation.MOST_NUMBERS", work.numbers * 2 * 2)
    assert [len(batch) for batch in batches_of(many, work)] == [1, 1, 1, 1]


def test_a_watch_stops_the_networks_that_it_names(work_of):
    lengths = []

    def watch(_):
        def look(epoch, history):
            lengths.append(np.isfinite(history.val_loss[-1]).tolist())
            return np.repeat([epoch >= 2, False], 6)

        return look

    batch = [replace(BASE, lr=lr) for lr in (0.01, 0.02)]
    found = score_alike(batch, work_of(epochs=4), watch)
    assert [sum(row) for row in lengths] == [12, 12, 6, 6]
    assert found[1].scores == score_candidate(batch[1], work_of(epochs=4)).scores


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"lr": "1e-4:1e-1", "hidden": ["8", "4,4"]}, True),
        ({"lr": "1e-4:1e-1", "hidden": ["8", "4:9,4"]}, False),
        ({"batch_size": "8:32"}, False),
    ],
)
def test_ranges_of_architectures_are_not_alike(given, expected):
    assert can_be_alike(read_axes(given)) is expected


def test_results_on_numpy_are_those_of_each_alone(work_of, monkeypatch):
    monkeypatch.setenv("MINIDL_ENGINE", "numpy")
    work = work_of(epochs=5)
    batch = [replace(BASE, lr=lr, weight_decay=decay) for lr, decay in RATES]
    assert [one.scores for one in score_alike(batch, work)] == [score_candidate(one, work).scores for one in batch]
