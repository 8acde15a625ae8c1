"""A sweep over own data, killed at any moment."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress

import pandas as pd
import pytest

OPTIONS = ["--target", "kind", "--epochs", "60", "--networks", "1", "--cv", "3", "--lr", "0.01,0.003, 0.001"]
OPTIONS += ["--hidden", "4", "--hidden", "6", "--hidden", "8", "--hidden", "5,5"]
PATIENCE = 120.0

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals are sent to process groups")]


def finished_in(path):
    """Count the results in the file; opening it rolls back a transaction that a kill interrupted."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as file:
            return file.execute("SELECT count(*) FROM results").fetchone()[0]
    except sqlite3.OperationalError:  # the file does not exist yet
        return 0


@pytest.fixture
def start(csv, tmp_path):
    """Return a function that starts sweeps in process groups of their own; what is left of them is killed."""
    processes = []

    def start_one(out, where=("--jobs", "2")):
        command = [sys.executable, "-m", "minidl_experiments", "sweep", str(csv), *OPTIONS]
        processes.append(
            subprocess.Popen(  # noqa: S603 - this project's own program
                [*command, *where, "--out", str(tmp_path / out)],
                start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                env=dict(os.environ),  # without the COLUMNS that readline has set behind Python's back
            )
        )  # fmt: skip
        return processes[-1]

    yield start_one
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if not process.stderr.closed:
            process.communicate()


def wait_for(process, path, results):
    begun = time.monotonic()
    while finished_in(path) < results and process.poll() is None:
        assert time.monotonic() - begun < PATIENCE
        time.sleep(0.01)


def results_of(folder):
    return pd.read_csv(folder / "results.csv").drop(columns="seconds")


def test_a_killed_sweep_goes_on_to_the_same_results(start, tmp_path):
    whole = start("whole")
    assert whole.wait(PATIENCE) == 0, whole.stderr.read()
    path, rng, kills = tmp_path / "parts" / "sweep.sqlite", random.Random(0), 0  # noqa: S311 - not for cryptography
    while finished_in(path) < 12:
        before = finished_in(path)
        process = start("parts", ("--jobs", rng.choice("12")))
        wait_for(process, path, before + rng.choice([1, 2, 4]))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if not process.stderr.closed:
            process.communicate()
        kills += process.returncode == -signal.SIGKILL
        assert finished_in(path) >= before
    assert kills
    assert start("parts").wait(PATIENCE) == 0
    pd.testing.assert_frame_equal(results_of(tmp_path / "parts"), results_of(tmp_path / "whole"))
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("parts", "whole")]
    assert models[0] == models[1]


def test_ctrl_c_ends_the_sweep_in_one_line(start, tmp_path):
    path = tmp_path / "one" / "sweep.sqlite"
    process = start("one")
    wait_for(process, path, 1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == (
        f"minidl: interrupted; finished results are in {path}; the same command continues from there"
    )
    assert "Traceback" not in said


def test_a_worker_that_dies_costs_its_task_alone(start, tmp_path):
    path = tmp_path / "one" / "sweep.sqlite"
    process = start("one")
    wait_for(process, path, 1)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert "minidl: a process has died; its configurations are trained again" in said
    assert finished_in(path) == len(results_of(tmp_path / "one")) == 12


def test_a_dask_worker_that_dies_costs_its_task_alone(start, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        path = tmp_path / "dask" / "sweep.sqlite"
        process = start("dask", ("--dask", cluster.scheduler_address))
        wait_for(process, path, 2)
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert finished_in(path) == len(results_of(tmp_path / "dask")) == 12


def workers_of(process):
    shown = subprocess.run(
        ["ps", "-A", "-w", "-w", "-o", "ppid=", "-o", "pid=", "-o", "args="],  # noqa: S607 - the path of ps depends on the system
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split(maxsplit=2) for line in shown.stdout.splitlines() if "LokyProcess" in line]
    return [int(pid) for parent, pid, _ in lines if int(parent) == process.pid]
