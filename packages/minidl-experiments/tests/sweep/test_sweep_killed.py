import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from itertools import chain

import pytest

from minidl_experiments.sweep import Definition, Grid, Store, run_sweep

COMMAND = "import typer; from minidl_experiments.sweep.command import sweep; typer.run(sweep)"
GRID = Grid(lr=(1e-3, 1e-2), width=tuple(range(3, 23)), seeds=(0, 1))
DEFINITION = Definition(epochs=20, samples=300)
FLAGS = {"--lr": "1e-3,1e-2", "--width": ",".join(map(str, GRID.width)), "--seeds": "2", "--epochs": "20"}
FLAGS |= {"--samples": "300"}
PATIENCE = 60.0

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent to process groups")


class Sweep:
    """The command in its own process group."""

    def __init__(self, path, jobs):
        flags = chain(*(FLAGS | {"--out": str(path), "--jobs": str(jobs)}).items())
        self.path = path
        self.process = subprocess.Popen(  # noqa: S603 - this project's own program
            [sys.executable, "-c", COMMAND, *flags],
            start_new_session=True,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),  # without the COLUMNS that readline has set behind Python's back
        )

    def wait_for(self, runs):
        """Wait until the file has `runs` runs or the command has ended."""
        start = time.monotonic()
        while finished_in(self.path) < runs and self.process.poll() is None:
            assert time.monotonic() - start < PATIENCE
            time.sleep(0.005)

    def end(self, number):
        """Send a signal to the command and its workers, as a terminal does; return exit code and standard error."""
        with suppress(ProcessLookupError):  # the command may have ended already
            os.killpg(self.process.pid, number)
        return self.wait()

    def wait(self):
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said


@pytest.fixture
def start():
    """Return a function that starts sweeps; all of them are killed at the end of the test."""
    sweeps = []

    def start_one(path, jobs):
        sweeps.append(Sweep(path, jobs))
        return sweeps[-1]

    yield start_one
    for sweep in sweeps:
        if not sweep.process.stderr.closed:
            sweep.end(signal.SIGKILL)


def finished_in(path):
    """Count the runs in the file; opening it rolls back a transaction that a kill interrupted."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as file:
            return file.execute("SELECT count(*) FROM runs").fetchone()[0]
    except sqlite3.OperationalError:  # the file does not exist yet
        return 0


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
    path, kills = tmp_path / "sweep.sqlite", 0
    rng = random.Random(0)  # noqa: S311 - not for cryptography
    while finished_in(path) < len(rows(whole)):
        before = finished_in(path)
        sweep = start(path, jobs)
        sweep.wait_for(before + rng.choice([0, 1, 10, 20]))
        time.sleep(rng.uniform(0, 0.05))
        code, said = sweep.end(signal.SIGKILL)
        assert code in (0, -signal.SIGKILL), said
        kills += code != 0
        assert finished_in(path) >= before
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
    assert 0 < finished_in(path) < 80


@pytest.mark.slow
def test_a_killed_worker_ends_the_sweep_with_an_error(start, tmp_path):
    path = tmp_path / "sweep.sqlite"
    sweep = start(path, jobs=2)
    sweep.wait_for(1)
    os.kill(workers_of(sweep.process)[0], signal.SIGKILL)
    code, said = sweep.wait()
    assert code == 1
    assert f"minidl: a process was killed, perhaps for lack of memory; finished runs are in {path}; " in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_no_worker_outlives_its_sweep(start, tmp_path):
    sweep = start(tmp_path / "sweep.sqlite", jobs=2)
    sweep.wait_for(1)
    workers = workers_of(sweep.process)
    assert workers
    sweep.process.kill()
    sweep.wait()  # returns when the last worker has closed its end of the pipe
    assert workers_of(sweep.process) == []


def workers_of(process):
    shown = subprocess.run(
        ["ps", "-A", "-w", "-w", "-o", "ppid=", "-o", "pid=", "-o", "args="],  # noqa: S607 - the path of ps depends on the system
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split(maxsplit=2) for line in shown.stdout.splitlines() if "LokyProcess" in line]
    return [int(pid) for parent, pid, _ in lines if int(parent) == process.pid]
