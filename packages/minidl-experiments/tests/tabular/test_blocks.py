"""Networks of `minidl train` that workers train in blocks: the files of one process, whatever happens to a worker."""

import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext

import numpy as np
import pytest
from typer.testing import CliRunner

import minidl
from minidl_experiments.cli import app
from minidl_experiments.tabular import blocks
from minidl_experiments.tabular.blocks import cut, join
from minidl_experiments.tabular.training import Block, Fitted, Samples

FILES = "model.safetensors", "scores.json", "model.toml"
QUICK = ["--epochs", "40", "--networks", "5", "--width", "6"]
CASES = {
    "held out": ["--target", "kind"],
    "numbers": ["--target", "price", "--loss", "huber", "--p-drop", "0.1", "--optimizer", "sgd"],
    "folds": ["--target", "kind", "--cv", "3", "--schedule", "cosine"],
    "no stopping": ["--target", "price", "--no-early-stopping", "--cv", "4"],
}
PATIENCE = 120.0


@pytest.fixture
def in_blocks(monkeypatch):
    """Return a function that has so many blocks trained one after the other, in this process."""

    def set_to(count):
        monkeypatch.setattr(blocks, "backend", lambda _jobs, _dask: nullcontext())
        monkeypatch.setattr(blocks, "cut", lambda whole, _: cut(whole, count))

    return set_to


def content(folder):
    return [(folder / name).read_bytes() for name in FILES]


@pytest.mark.parametrize("case", CASES)
def test_every_number_of_blocks_writes_the_same_files(run, csv, tmp_path, in_blocks, case):
    here = run("train", csv, *QUICK, *CASES[case], "--out", "here")
    assert here.exit_code == 0, here.output
    for count in (2, 5):
        in_blocks(count)
        result = run("train", csv, *QUICK, *CASES[case], "--jobs", count, "--out", "here2")
        assert result.exit_code == 0, result.output
        assert f"{count} of {count} blocks of networks are trained" in result.stderr
        same = result.stdout.replace("here2", "here").replace("wrote here/here", "wrote here")
        assert same == here.stdout
        assert content(tmp_path / "here2")[:2] == content(tmp_path / "here")[:2]
        curves = [(tmp_path / name / "learning_curves.png").read_bytes() for name in ("here", "here2")]
        assert curves[0] == curves[1]


def test_each_network_is_in_one_block_with_its_samples():
    y = np.zeros((4, 1), np.float32)
    parts = [Samples(np.full((4, 1), i, np.float32), y, np.arange(4 - i % 2)) for i in range(3)]
    whole = Block.whole(parts, range(6))
    for workers in (1, 2, 4, 9):
        made = cut(whole, workers)
        assert len(made) == min(6, workers)
        pairs = [pair for block in made for pair in zip(block.seeds, samples_of(block), strict=True)]
        assert [(seed, part.x[0, 0]) for seed, part in pairs] == [(i, i // 2) for i in range(6)]
        assert {(block.rows, block.together) for block in made} == {(3, False)}
        assert all(set(block.owners) == set(range(len(block.parts))) for block in made)


def samples_of(block):
    return [block.parts[owner] for owner in block.owners]


def fitted(loss, best, *, lost=None, **noted):
    count = np.shape(loss)[1]
    model = minidl.replicate(lambda rng: minidl.Linear(1, 1, rng=rng), range(count))
    return Fitted(model, minidl.History(loss=[np.array(row) for row in loss], **noted), np.array(best), lost)


def test_histories_stand_side_by_side():
    one = fitted([[4.0, 3.0], [2.0, np.nan]], [2, 1], stopped={1: 1}, metrics={"val_r2": [np.zeros(2), np.ones(2)]})
    error = minidl.DivergenceError(1, 3, minidl.History())
    other = fitted(np.empty((0, 1)), [0], lost=error, diverged={0: (1, 3)})
    joined = join([one, other])
    np.testing.assert_array_equal(joined.history.curve("loss"), [[4, 3, np.nan], [2, np.nan, np.nan]])
    np.testing.assert_array_equal(joined.history.curve("val_r2"), [[0, 0, np.nan], [1, 1, np.nan]])
    assert (joined.history.diverged, joined.history.stopped) == ({2: (1, 3)}, {1: 1})
    assert (joined.best.tolist(), joined.lost, joined.history.accuracy) == ([2, 1, 0], None, [])
    np.testing.assert_array_equal(joined.model.values, np.concatenate([one.model.values, other.model.values]))
    assert join([other, other]).lost is error


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize("target", ["kind", "price"])
def test_networks_that_diverge_are_the_error_of_one_process(run, csv, in_blocks, target):
    options = ["train", csv, "--target", target, "--optimizer", "sgd", "--lr", "1e30", "--epochs", "3"]
    here = run(*options)
    in_blocks(2)
    spread = run(*options, "--jobs", "2")
    assert (here.exit_code, spread.exit_code) == (2, 2)
    assert spread.stderr.splitlines()[-1] == here.stderr.splitlines()[-1]


def test_what_workers_cannot_do(fails, csv):
    fails("expected --jobs or --dask, got both", "train", csv, "--target", "kind", "--jobs", "2", "--dask", "tcp://a:1")
    fails("--stream: expected no --jobs beside it", "train", "x.parquet", "--target", "kind", "--stream", "--jobs", "2")
    fails("--jobs: expected data in front of it", "train", "--jobs", "2")
    pytest.importorskip("distributed")
    fails(
        "--dask: expected the address of a scheduler, got 'nowhere'",
        "train",
        csv,
        "--target",
        "kind",
        "--dask",
        "nowhere",
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a process is killed by a signal")
def test_a_process_that_dies_costs_its_blocks_alone(csv, tmp_path, workers_of):
    options = ["train", str(csv), "--target", "kind", "--cv", "3", "--networks", "4", "--width", "6"]
    command = [sys.executable, "-m", "minidl_experiments", *options, "--no-early-stopping", "--epochs", "300"]
    with subprocess.Popen(  # noqa: S603 - this project's own program
        [*command, "--jobs", "2", "--out", str(tmp_path / "two")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        begun = time.monotonic()
        while not (found := workers_of(process.pid)):
            assert time.monotonic() - begun < PATIENCE
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        os.kill(found[0], signal.SIGKILL)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert "minidl: a process has died; its networks are trained again" in said
    subprocess.run([*command, "--out", str(tmp_path / "one")], check=True, capture_output=True)  # noqa: S603 - as above
    assert content(tmp_path / "two")[:2] == content(tmp_path / "one")[:2]


@pytest.mark.slow
def test_a_dask_cluster_writes_the_same_files(csv, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    options = ["train", str(csv), "--target", "kind", "--cv", "3", *QUICK]
    assert CliRunner().invoke(app, [*options, "--out", "here"]).exit_code == 0
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        result = CliRunner().invoke(app, [*options, "--dask", cluster.scheduler_address, "--out", "dask"])
    assert result.exit_code == 0, result.output
    assert content(tmp_path / "dask")[:2] == content(tmp_path / "here")[:2]
