"""`minidl sweep data.csv --optuna`: its sampler, pruner and storage."""

import sys

import numpy as np
import pandas as pd
import pytest

from minidl_experiments.search import study as module
from minidl_experiments.search.alike import score_alike
from minidl_experiments.search.candidate import Candidate, parse_key
from minidl_experiments.search.pruning import Reports

QUICK = ["--target", "kind", "--epochs", 12, "--networks", 1, "--cv", 2]
AXES = [
    "--lr",
    "1e-4:1e-1",
    "--hidden",
    "4:8",
    "--hidden",
    "4:8,3",
    "--activation",
    "relu,tanh",
    "--batch-size",
    "8:32",
]

pytestmark = pytest.mark.usefixtures("unrendered")


@pytest.fixture(autouse=True)
def optuna():
    return pytest.importorskip("optuna")


@pytest.fixture
def studies_in(optuna):
    """Return a function that returns the studies in a storage, whose connections are closed at the end."""
    opened = []

    def load(url):
        storage = optuna.storages.RDBStorage(url)
        opened.append(storage)
        return [optuna.load_study(study_name=name, storage=storage) for name in optuna.get_all_study_names(storage)]

    yield load
    for storage in opened:
        storage.remove_session()
        storage.engine.dispose()


def test_trials_are_configurations_with_results_and_a_model(run, csv, studies_in):
    result = run("sweep", csv, *QUICK, *AXES, "--optuna", 8)
    assert result.exit_code == 0, result.output
    found = pd.read_csv("things_sweep/results.csv", dtype={"hidden": str})
    (study,) = studies_in("sqlite:///things_sweep/optuna.sqlite")
    states = [trial.state.name for trial in study.trials]
    assert len(states) == 8
    assert set(states) <= {"COMPLETE", "PRUNED"}
    complete = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    assert len(found) == len({trial.user_attrs["settings"] for trial in complete})
    assert found["log_loss"][0] == study.best_value
    best = parse_key(study.best_trial.user_attrs["settings"])
    assert (found["lr"][0], found["activation"][0]) == (best.lr, best.activation)
    assert found["lr"].between(1e-4, 1e-1).all()
    assert found["batch_size"].between(8, 32).all()
    assert run("predict", "things_sweep/model.safetensors", csv).exit_code == 0
    assert "8 trials, of which" in result.stderr


def test_a_study_goes_on_with_other_trials(run, csv, studies_in):
    url = ["--storage", "sqlite:///own.db"]
    assert run("sweep", csv, *QUICK, *AXES, "--optuna", 3, *url).exit_code == 0
    before = [trial.params for trial in studies_in(url[1])[0].trials]
    assert run("sweep", csv, *QUICK, *AXES, "--optuna", 3, *url).exit_code == 0  # nothing is left to do
    result = run("sweep", csv, *QUICK, *AXES, "--optuna", 6, *url)
    assert result.exit_code == 0, result.output
    after = [trial.params for trial in studies_in(url[1])[0].trials]
    assert after[:3] == before
    assert len(after) == 6
    assert len({str(one) for one in after}) == 6  # the first draws of the sampler are not repeated
    assert "3 finished trials" in result.stderr


def test_other_axes_are_another_study(run, csv, studies_in):
    url = "sqlite:///own.db"
    for axes in (["--lr", "1e-3:1e-2"], ["--lr", "1e-3:1e-1"]):
        assert run("sweep", csv, *QUICK, *axes, "--optuna", 2, "--storage", url).exit_code == 0
    assert len(studies_in(url)) == 2


def test_a_known_result_is_not_trained_again(run, csv, monkeypatch):
    axes = ["--activation", "relu,tanh"]
    assert run("sweep", csv, *QUICK, "--jobs", 1, *axes).exit_code == 0
    monkeypatch.setattr(module, "score_alike", None)  # would fail if it were called
    result = run("sweep", csv, *QUICK, *axes, "--optuna", 4)
    assert result.exit_code == 0, result.output


def test_the_pruner_ends_a_configuration_that_learns_nothing(run, csv, studies_in, monkeypatch):
    monkeypatch.setattr(module, "STARTUP", 1)
    rates = iter([0.01, 0.01, 0.01, 1e-9, 1e-9])
    monkeypatch.setattr(module, "suggest", lambda trial, *_: Candidate(lr=next(rates), width=(4 + trial.number,)))
    result = run("sweep", csv, *QUICK, "--no-early-stopping", "--epochs", 60, "--lr", "1e-9:1", "--optuna", 5)
    assert result.exit_code == 0, result.output
    (study,) = studies_in("sqlite:///things_sweep/optuna.sqlite")
    states = [trial.state.name for trial in study.trials]
    assert states[0] == "COMPLETE"
    assert states[3:] == ["PRUNED", "PRUNED"]
    assert (pd.read_csv("things_sweep/results.csv")["lr"] == 0.01).all()


def test_reports_are_the_lowest_loss_so_far():
    told = []

    class Trial:
        def report(self, value, step):
            told.append((step, value))

        def should_prune(self):
            return len(told) == 3

    class History:
        val_loss: list = []  # noqa: RUF012 - of this test alone

    reports = Reports([Trial()], KeyError, -1)
    watch = reports.watch("folds 1 to 2")
    for epoch in range(1, 11):
        History.val_loss.append(np.array([10.0 - epoch, np.nan if epoch > 5 else epoch]))
        watch(epoch, History)
    assert told == [(5, -3.0), (10, -0.5)]
    watch = reports.watch("fold 3")  # another training of the same trial: its steps are counted on
    History.val_loss = [np.array([4.0])]
    with pytest.raises(KeyError):
        watch(5, History)
    assert told[-1] == (11, -4.0)


def test_an_ended_trial_stops_its_own_networks():
    """Of two trials of two networks each, the first is ended after five epochs, and the second after ten."""
    told = []

    class Trial:
        def __init__(self, name, most):
            self.name, self.most = name, most

        def report(self, value, step):
            told.append((self.name, step, value))

        def should_prune(self):
            return told[-1][1] >= self.most

    class History:
        val_loss = (np.array([1.0, 3.0, 5.0, 7.0]),)

    reports = Reports([Trial("a", 5), Trial("b", 10)], KeyError, 1)
    watch = reports.watch("two")
    assert [watch(epoch, History) for epoch in range(1, 5)] == [None] * 4
    np.testing.assert_array_equal(watch(5, History), [True, True, False, False])
    assert reports.ended == [True, False]
    for epoch in range(6, 10):
        watch(epoch, History)
    with pytest.raises(KeyError):
        watch(10, History)
    assert told == [("a", 5, 2.0), ("b", 5, 6.0), ("b", 10, 6.0)]


def test_trials_of_the_same_architecture_are_trained_at_once(run, csv, monkeypatch, studies_in):
    sizes = []

    def counted(batch, *args):
        sizes.append(len(batch))
        return score_alike(batch, *args)

    monkeypatch.setattr(module, "score_alike", counted)
    axes = ["--lr", "1e-3:1e-1", "--hidden", "4", "--hidden", "6"]
    result = run("sweep", csv, *QUICK, *axes, "--optuna", 11, "--out", "a")
    assert result.exit_code == 0, result.output
    assert sum(sizes) == 11
    assert len(sizes) <= 4  # two architectures in 8 trials, and in the other 3
    (study,) = studies_in("sqlite:///a/optuna.sqlite")
    assert {trial.state.name for trial in study.trials} <= {"COMPLETE", "PRUNED"}
    assert len(study.trials) == 11
    again = run("sweep", csv, *QUICK, *axes, "--optuna", 11, "--out", "b")
    assert again.exit_code == 0, again.output
    one, two = (pd.read_csv(f"{name}/results.csv").drop(columns="seconds") for name in "ab")
    pd.testing.assert_frame_equal(one, two)
    sizes.clear()
    ranges = ["--lr", "1e-3:1e-1", "--hidden", "4:64"]
    assert run("sweep", csv, *QUICK, *ranges, "--optuna", 3, "--out", "c").exit_code == 0
    assert sizes == [1, 1, 1]  # whose results the sampler sees one by one


@pytest.mark.parametrize("sampler", ["random", "qmc"])
def test_other_samplers_propose_several_at_once(run, csv, monkeypatch, studies_in, sampler):
    if sampler == "qmc":
        pytest.importorskip("scipy")
    batches = []

    def counted(batch, *args):
        batches.append([one.width for one in batch])
        return score_alike(batch, *args)

    monkeypatch.setattr(module, "score_alike", counted)
    axes = ["--lr", "1e-3:1e-1", "--hidden", "4:5", "--activation", "relu"]
    first = sampler == "qmc"  # it needs a finished trial to begin with
    result = run("sweep", csv, *QUICK, *axes, "--optuna", 8 + first, "--sampler", sampler)
    assert result.exit_code == 0, result.output
    assert all(len(set(batch)) == 1 for batch in batches)
    assert len(batches) == 2 + first  # the networks of 4 units, and those of 5
    (study,) = studies_in("sqlite:///things_sweep/optuna.sqlite")
    rates = np.log10([trial.params["lr"] for trial in study.trials[first:]])
    assert len(rates) == 8
    if first:  # one in each eighth of the range
        np.testing.assert_array_equal(np.floor((np.sort(rates) + 3) * 4), np.arange(8))


def test_an_error_leaves_no_trial_open(run, csv, monkeypatch, studies_in):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "score_alike", fail)
    result = run("sweep", csv, *QUICK, "--lr", "1e-3:1e-1", "--optuna", 5)
    assert result.exit_code == 130
    (study,) = studies_in("sqlite:///things_sweep/optuna.sqlite")
    assert [trial.state.name for trial in study.trials] == ["FAIL"] * 5


@pytest.mark.parametrize("told", [True, False])
def test_ctrl_c_around_a_trial_leaves_none_open(optuna, run, csv, monkeypatch, studies_in, told):
    """It comes behind the third trial that is finished, or before the third that is proposed."""
    name, steps = "tell" if told else "ask", []
    original = getattr(optuna.Study, name)

    def interrupted(*args, **options):
        steps.append(name)
        done = original(*args, **options) if told or len(steps) < 3 else None
        if len(steps) == 3:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(optuna.Study, name, interrupted)
    result = run("sweep", csv, *QUICK, "--lr", "1e-3:1e-1", "--optuna", 5)
    assert result.exit_code == 130
    (study,) = studies_in("sqlite:///things_sweep/optuna.sqlite")
    states = [trial.state.name for trial in study.trials]
    assert "RUNNING" not in states
    assert states.count("COMPLETE") == (3 if told else 0)


def test_without_optuna_the_error_says_so(fails, csv, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    fails("--optuna: expected Optuna, which minidl-experiments[optuna] installs", "sweep", csv, *QUICK, "--optuna", 3)


def test_without_scipy_the_error_says_so(fails, csv, monkeypatch):
    monkeypatch.setattr("minidl_experiments.search.prepared.find_spec", lambda _: None)
    fails("--sampler qmc: expected SciPy", "sweep", csv, *QUICK, "--optuna", 3, "--sampler", "qmc")


def test_hostile_storages(run, csv, fails):
    fails("--optuna: its trials are made one after the other", "sweep", csv, *QUICK, "--optuna", 3, "--jobs", 2)
    for url in ("nowhere", "sqlite:////no/such/folder/a.db", "kings://x"):
        result = run("sweep", csv, *QUICK, "--optuna", 3, "--storage", url)
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        assert line.startswith(f"minidl: --storage: cannot open {url}: ")
