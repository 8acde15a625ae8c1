import subprocess
import sys
from collections import Counter
from itertools import chain
from types import SimpleNamespace

import pytest

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep import Definition, Grid, Store, run_sweep

GRID = Grid(
    lr=(1e-3, 1e-2, 1e30),
    width=(4, 20),
    activation=(Activation.RELU, Activation.TANH),
    optimizer=(Optimizer.ADAM, Optimizer.SGD),
    p_drop=(0.0, 0.2),
    seeds=(0, 1),
)


@pytest.fixture
def sweep(small):
    """Return a function that runs a sweep and returns the trained runs."""

    def run(path, grid, **where):
        reported = []
        with Store(path, small) as store:
            run_sweep(grid, store, report=lambda results, _: reported.append(results), **where)
        return [result.run for result in chain(*reported)]

    return run


def test_all_runs_are_trained_and_some_diverge(tmp_path, sweep, rows):
    path = tmp_path / "sweep.sqlite"
    assert Counter(sweep(path, GRID, jobs=1)) == Counter(GRID.runs)
    found = rows(path)
    assert len(found) == 96
    diverged = [row for row in found if row[11] is not None]
    assert {row[0] for row in diverged} == {1e30}
    assert all((row[7] is None) == (row[11] is not None) for row in found)


@pytest.mark.slow
def test_the_file_does_not_depend_on_the_jobs(tmp_path, sweep, rows):
    """The results are equal bit for bit, although the batches differ."""
    for jobs in (1, 3):
        sweep(tmp_path / f"{jobs}.sqlite", GRID, jobs=jobs)
    assert rows(tmp_path / "1.sqlite") == rows(tmp_path / "3.sqlite")


@pytest.mark.slow
def test_a_larger_grid_trains_the_new_runs_alone(tmp_path, sweep, rows):
    path = tmp_path / "sweep.sqlite"
    part = Grid(lr=GRID.lr[:2], width=GRID.width, activation=GRID.activation[:1], seeds=(1,))
    first, second = sweep(path, part, jobs=1), sweep(path, GRID, jobs=1)
    assert len(first) == 4
    assert Counter(first + second) == Counter(GRID.runs)
    assert sweep(path, GRID, jobs=1) == []
    sweep(tmp_path / "whole.sqlite", GRID, jobs=1)
    assert rows(path) == rows(tmp_path / "whole.sqlite")


def test_results_are_written_before_they_are_reported(tmp_path, small, rows):
    path = tmp_path / "sweep.sqlite"

    def stop(results, workers):
        assert workers == 1
        assert len(rows(path)) == len(results)
        raise KeyboardInterrupt

    with Store(path, small) as store:
        with pytest.raises(KeyboardInterrupt):
            run_sweep(GRID, store, jobs=1, report=stop)
        assert store.accuracies()


def test_an_invalid_scheduler_address_is_an_error(tmp_path, sweep):
    pytest.importorskip("distributed")
    with pytest.raises(OSError, match="--dask: expected the address of a scheduler, got 'nowhere': missing port"):
        sweep(tmp_path / "sweep.sqlite", GRID, dask="nowhere")


def test_missing_dask_is_an_error(tmp_path, sweep, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(
        ImportError, match=r"--dask: expected dask.distributed, which minidl-experiments\[dask\] installs"
    ):
        sweep(tmp_path / "sweep.sqlite", GRID, dask="tcp://127.0.0.1:1")


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_results(tmp_path, sweep, rows):
    distributed = pytest.importorskip("distributed")
    grid = Grid(lr=GRID.lr, width=GRID.width, seeds=GRID.seeds)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        trained = sweep(tmp_path / "dask.sqlite", grid, dask=cluster.scheduler_address)
    assert Counter(trained) == Counter(grid.runs)
    sweep(tmp_path / "here.sqlite", grid, jobs=1)
    assert rows(tmp_path / "dask.sqlite") == rows(tmp_path / "here.sqlite")


@pytest.fixture
def scheduler():
    """Return a Dask scheduler with one worker, each in its own process."""
    pytest.importorskip("distributed")
    start = [sys.executable, "-m", "distributed.cli.dask_spec", "--spec"]
    hub = '{"cls": "distributed.Scheduler", "opts": {"host": "127.0.0.1", "port": 0, "dashboard": false}}'
    with subprocess.Popen([*start, hub], stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - the test's own command
        address = next(line.split()[-1] for line in process.stderr if "Scheduler at" in line)
        worker = '{"cls": "distributed.Worker", "opts": {"nthreads": 1, "dashboard": false}}'
        with subprocess.Popen([*start, worker, address], stderr=subprocess.DEVNULL) as other:  # noqa: S603 - the test's own command
            yield SimpleNamespace(address=address, process=process)
            for one in (process, other):
                one.kill()


@pytest.mark.slow
def test_a_lost_scheduler_is_an_error(tmp_path, scheduler, rows, monkeypatch):
    monkeypatch.setattr("minidl_experiments.sweep.backend._PATIENCE", 3)
    path = tmp_path / "sweep.sqlite"
    grid = Grid(width=tuple(range(20, 60)), seeds=(0, 1))
    # Long enough that only the first batches end before the scheduler is killed, with the native engine too.
    with Store(path, Definition(epochs=1000)) as store, pytest.raises(ConnectionError, match="the scheduler is gone"):
        run_sweep(grid, store, dask=scheduler.address, report=lambda *_: scheduler.process.kill())
    assert 0 < len(rows(path)) < 80
