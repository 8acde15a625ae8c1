import os
import random
import signal
import sys
import time
from collections import Counter
from itertools import chain

import pytest

from minidl_experiments.sweep import Definition, Grid, Store, run_sweep

COMMAND = "import typer; from minidl_experiments.sweep.command import sweep; typer.run(sweep)"
GRID = Grid(lr=(1e-3, 1e-2), width=tuple(range(3, 23)), seeds=(0, 1))
DEFINITION = Definition(epochs=20, samples=300)
FLAGS = {"--lr": "1e-3,1e-2", "--width": ",".join(map(str, GRID.width)), "--seeds": "2", "--epochs": "20"}
FLAGS |= {"--samples": "300"}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent to process groups")


@pytest.fixture
def start(start_sweep):
    """Return a function that starts the command on a file."""

    def start_one(path, jobs):
        flags = chain(*(FLAGS | {"--out": str(path), "--jobs": str(jobs)}).items())
        return start_sweep([sys.executable, "-c", COMMAND, *flags], path)

    return start_one


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the file of an uninterrupted sweep."""
    path = tmp_path_factory.mktemp("whole") / "sweep.sqlite"
    with Store(path, DEFINITION) as store:
        run_sweep(GRID, store, jobs=2)
    return path


def resume(path):
    """Resume the sweep; return the runs that were in the file before, and the trained ones."""
    trained = []
    with Store(path, DEFINITION) as store:
        before = set(store.accuracies())
        run_sweep(GRID, store, jobs=2, report=lambda results, _: trained.extend(results))
    return before, [result.run for result in trained]


@pytest.mark.slow
def test_a_killed_sweep_can_be_resumed(start, tmp_path, whole, rows):
    path = tmp_path / "sweep.sqlite"
    sweep = start(path, jobs=2)
    sweep.wait_for(1)
    code, _ = sweep.end(signal.SIGKILL)
    assert code == -signal.SIGKILL
    before, trained = resume(path)
    assert before
    assert trained
    assert Counter([*before, *trained]) == Counter(GRID.runs)
    assert rows(path) == rows(whole)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sweep_may_be_killed_at_any_moment(start, tmp_path, whole, rows, jobs):
    path, kills, finished = tmp_path / "sweep.sqlite", 0, 0
    rng = random.Random(0)  # noqa: S311 - not for cryptography
    while finished < len(rows(whole)):
        before = finished
        sweep = start(path, jobs)
        sweep.wait_for(before + rng.choice([0, 1, 10, 20]))
        time.sleep(rng.uniform(0, 0.05))
        code, said = sweep.end(signal.SIGKILL)
        assert code in (0, -signal.SIGKILL), said
        kills += code != 0
        finished = sweep.finished()
        assert finished >= before
    assert kills
    assert rows(path) == rows(whole)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_the_sweep_without_a_traceback(start, tmp_path, jobs):
    path = tmp_path / "sweep.sqlite"
    sweep = start(path, jobs)
    sweep.wait_for(1)
    code, said = sweep.end(signal.SIGINT)
    assert code == 130
    *progress, last = said.splitlines()
    assert last == f"minidl: interrupted; finished runs are in {path}; the same command continues from there"
    assert [line for line in progress if "of 40 configurations" not in line] == []
    assert 0 < sweep.finished() < 80


@pytest.mark.slow
def test_a_killed_worker_ends_the_sweep_with_an_error(start, tmp_path):
    path = tmp_path / "sweep.sqlite"
    sweep = start(path, jobs=2)
    sweep.wait_for(1)
    os.kill(sweep.workers()[0], signal.SIGKILL)
    code, said = sweep.wait()
    assert code == 1
    assert f"minidl: a process was killed, perhaps for lack of memory; finished runs are in {path}; " in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_no_worker_outlives_its_sweep(start, tmp_path):
    sweep = start(tmp_path / "sweep.sqlite", jobs=2)
    sweep.wait_for(1)
    workers = sweep.workers()
    assert workers
    sweep.process.kill()
    sweep.wait()  # returns when the last worker has closed its end of the pipe
    assert sweep.workers() == []
