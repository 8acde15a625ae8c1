"""A sweep over own data, killed at any moment."""

import os
import random
import signal
import sys

import pandas as pd
import pytest

OPTIONS = ["--target", "kind", "--epochs", "60", "--networks", "1", "--cv", "3", "--lr", "0.01,0.003, 0.001"]
OPTIONS += ["--hidden", "4", "--hidden", "6", "--hidden", "8", "--hidden", "5,5"]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals are sent to process groups")]


@pytest.fixture
def start(start_sweep, csv, tmp_path):
    """Return a function that starts the command on a folder."""

    def start_one(out, where=("--jobs", "2")):
        command = [sys.executable, "-m", "minidl_experiments", "sweep", str(csv), *OPTIONS, *where]
        return start_sweep([*command, "--out", str(tmp_path / out)], tmp_path / out / "sweep.sqlite")

    return start_one


def results_of(folder):
    return pd.read_csv(folder / "results.csv").drop(columns="seconds")


def test_a_killed_sweep_goes_on_to_the_same_results(start, tmp_path):
    code, said = start("whole").wait()
    assert code == 0, said
    rng, kills, finished = random.Random(0), 0, 0  # noqa: S311 - not for cryptography
    while finished < 12:
        before = finished
        sweep = start("parts", ("--jobs", rng.choice("12")))
        sweep.wait_for(before + rng.choice([1, 2, 4]))
        code, _ = sweep.end(signal.SIGKILL)
        kills += code == -signal.SIGKILL
        finished = sweep.finished()
        assert finished >= before
    assert kills
    code, said = start("parts").wait()
    assert code == 0, said
    pd.testing.assert_frame_equal(results_of(tmp_path / "parts"), results_of(tmp_path / "whole"))
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("parts", "whole")]
    assert models[0] == models[1]


def test_ctrl_c_ends_the_sweep_in_one_line(start):
    sweep = start("one")
    sweep.wait_for(1)
    code, said = sweep.end(signal.SIGINT)
    assert code == 130, said
    assert said.splitlines()[-1] == (
        f"minidl: interrupted; finished results are in {sweep.path}; the same command continues from there"
    )
    assert "Traceback" not in said


def test_a_worker_that_dies_costs_its_batch_alone(start, tmp_path):
    sweep = start("one")
    os.kill(sweep.wait_for_worker(), signal.SIGKILL)  # at once: all results may be there soon after the first
    code, said = sweep.wait()
    assert code == 0, said
    assert "minidl: a process has died; its configurations are trained again" in said
    assert sweep.finished() == len(results_of(tmp_path / "one")) == 12


def test_a_dask_worker_that_dies_costs_its_batch_alone(start, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        sweep = start("dask", ("--dask", cluster.scheduler_address))
        sweep.wait_for(2)
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        code, said = sweep.wait()
    assert code == 0, said
    assert sweep.finished() == len(results_of(tmp_path / "dask")) == 12
