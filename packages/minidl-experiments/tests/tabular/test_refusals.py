"""What `train` and `sweep` refuse: values, addresses and folders, each in one line and with nothing left behind."""

import errno
import socket
from pathlib import Path

import pytest

from minidl_experiments.sweep import backend
from minidl_experiments.tabular import report

QUICK = ["--target", "kind", "--epochs", 2, "--networks", 1]
SWEEP = [*QUICK, "--cv", 2, "--hidden", 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["train", "--jobs", "0"], "'--jobs': expected an integer from 1 to 1000, got '0'"),
        (["train", "--jobs", "nan"], "'--jobs': expected an integer from 1 to 1000, got 'nan'"),
        (["train", "--jobs", "99999999999"], "'--jobs': expected an integer from 1 to 1000, got '99999999999'"),
        (["train", "--epochs", "-1"], "'--epochs': expected an integer that is at least 1, got '-1'"),
        (["train", "--networks", "2.5"], "'--networks': expected an integer, got '2.5'"),
        (["train", "--networks", "0"], "--networks: expected an integer from 1 to 1000, got 0"),
        (["train", "--task", "guess"], "'--task': expected one of classes, regression, got 'guess'"),
        (["sweep", "--jobs", "1001"], "'--jobs': expected an integer from 1 to 1000, got '1001'"),
        (["sweep", "--optuna", "x"], "'--optuna': expected an integer that is at least 1, got 'x'"),
        (["sweep", "--sampler", "best"], "'--sampler': expected one of tpe, random, qmc, got 'best'"),
        (["sweep", "--config", "none.toml"], "--config: cannot read none.toml: No such file or directory"),
        (["sweep", "--optuna", "1", "--storage", ""], "--storage: expected a URL such as sqlite:///study.db, got ''"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_expected(options, message, fails, csv):
    pytest.importorskip("optuna")
    fails(message, options[0], csv, "--target", "kind", *options[1:])


def test_a_file_that_is_not_there_is_named_without_a_number(fails):
    fails("minidl: none.csv: No such file or directory", "train", "none.csv", "--target", "kind")
    fails("minidl: none: No such file or directory", "predict", "none", "none.csv")


@pytest.fixture
def listening():
    """Return the address of a program that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_an_address_at_which_no_scheduler_answers(fails, csv, listening, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(backend, "_PATIENCE", 0.5)
    for command in (["train"], ["sweep", "--cv", 2]):
        message = f"--dask: expected the address of a scheduler, got '{listening}': no scheduler has answered within"
        fails(message, command[0], csv, *QUICK, *command[1:], "--dask", listening)


def test_a_worker_is_no_scheduler(fails, csv):
    distributed = pytest.importorskip("distributed")
    cluster = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(protocol="tcp", **cluster) as found:
        address = found.workers[0].address
        fails(f"got '{address}', which is a worker", "train", csv, *QUICK, "--dask", address)


@pytest.mark.parametrize("command", ["train", "sweep"])
def test_a_scheduler_without_workers(run, csv, tmp_path, monkeypatch, command):
    distributed = pytest.importorskip("distributed")
    parallel = pytest.importorskip("joblib._dask")
    start = parallel.DaskDistributedBackend.__init__
    monkeypatch.setattr(
        parallel.DaskDistributedBackend, "__init__",
        lambda self, *args, **more: start(self, *args, **more | {"wait_for_workers_timeout": 0.5}),
    )  # fmt: skip
    with distributed.LocalCluster(n_workers=0, protocol="tcp", processes=False, dashboard_address=":0") as cluster:
        address = cluster.scheduler_address
        options = QUICK if command == "train" else SWEEP
        result = run(command, csv, *options, "--dask", address, "--out", "new")
    assert result.exit_code in (1, 2)
    line = result.stderr.splitlines()[-1]
    assert f"--dask: expected a scheduler with workers, got none at {address}: `dask worker {address}`" in line
    assert (tmp_path / "new").exists() == (command == "sweep")  # which has its file of results


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--optuna", 1, "--storage", "nonsense"], "--storage: cannot open nonsense: Could not parse SQLAlchemy URL"),
        (["--drop", "size", "--drop", "colour", "--drop", "price"], "expected columns with different values"),
    ],
)
def test_a_sweep_that_cannot_begin_leaves_nothing(run, csv, tmp_path, options, message):
    pytest.importorskip("optuna")
    lines = csv.read_text(encoding="utf-8").splitlines()
    same = [",".join([line.split(",")[0], "7", *line.split(",")[2:]]) for line in lines[1:]]
    csv.write_text("\n".join([lines[0], *same]), encoding="utf-8")
    result = run("sweep", csv, *SWEEP, *options, "--out", "new")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert message in line
    assert "sqlalche.me" not in line
    assert not (tmp_path / "new").exists()
    (tmp_path / "new").mkdir()
    assert run("sweep", csv, *SWEEP, *options, "--out", "new").exit_code == 2
    assert not list((tmp_path / "new").iterdir())


def test_a_folder_with_the_sweep_of_another_table(run, csv, tmp_path):
    assert run("sweep", csv, *SWEEP, "--jobs", 1, "--out", "one").exit_code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    csv.write_text(csv.read_text(encoding="utf-8").replace("red", "grey"), encoding="utf-8")
    result = run("sweep", csv, *SWEEP, "--jobs", 1, "--out", "one")
    assert result.exit_code == 2
    assert "expected the results of a sweep over these data, got one over other data; choose another" in result.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()} == before


def test_a_folder_with_the_model_of_a_table_of_the_same_name(run, csv, tmp_path):
    assert run("train", csv, *QUICK).exit_code == 0
    before = (tmp_path / "things/model.safetensors").read_bytes()
    (tmp_path / "other").mkdir()
    csv.rename(tmp_path / "other/things.csv")
    result = run("train", "other/things.csv", *QUICK, "--seed", 1)
    assert result.exit_code == 2
    assert f"the folder things has a model of other data, {csv}: choose another by --out" in result.stderr
    assert (tmp_path / "things/model.safetensors").read_bytes() == before
    assert run("train", "other/things.csv", *QUICK, "--seed", 1, "--out", "things").exit_code == 0
    assert run("train", "other/../other/things.csv", *QUICK, "--seed", 1).exit_code == 0


def test_a_full_disk_says_where_the_model_is(run, csv, monkeypatch):
    replacing = report.replacing

    def full(path):
        if path.name == "scores.json":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return replacing(path)

    monkeypatch.setattr(report, "replacing", full)
    result = run("train", csv, *QUICK)
    assert result.exit_code == 2
    (model,) = Path().glob("things/*.safetensors")
    place = Path("things/scores.json")
    assert f"minidl: {place}: No space left on device; the model is in {model}; other files" in result.stderr


def test_no_command_writes_over_what_it_reads(fails, csv, model, tmp_path):
    before = csv.read_bytes(), Path(model).read_bytes()
    (tmp_path / "same.csv").symlink_to(csv)
    for name in ("things.csv", "./things.csv", "same.csv"):
        message = f"--results: expected another file than {csv}, which the command reads"
        fails(message, "sweep", csv, *SWEEP, "--results", name)
        fails("--out: expected another file than", "predict", model, "thing*.csv", "--out", name)
    fails(f"--out: expected another file than {model}", "predict", model, csv, "--out", model)
    fails(f"--out: expected another file than {model}", "export", model, "--c", "--out", model)
    assert (csv.read_bytes(), Path(model).read_bytes()) == before


def test_no_more_processes_start_than_there_is_work(run, csv, monkeypatch):
    joblib = pytest.importorskip("joblib")
    asked, config = [], joblib.parallel_config

    def limited(backend, n_jobs, **more):
        asked.append(n_jobs)
        return config("sequential" if n_jobs > 2 else backend, n_jobs=n_jobs, **more)

    monkeypatch.setattr("joblib.parallel_config", limited)
    assert run("train", csv, *QUICK, "--jobs", 900, "--out", "one").exit_code == 0
    assert run("sweep", csv, *SWEEP, "--jobs", 900, "--out", "two").exit_code == 0
    assert run("sweep", "--seeds", 2, "--samples", 20, "--epochs", 1, "--jobs", 900).exit_code == 0
    assert asked == [1, 1, 2]


def test_a_sweep_says_what_it_varies(run, csv, tmp_path):
    result = run("sweep", csv, *QUICK, "--cv", 2, "--jobs", 1, "--lr", "0.1,0.01", "--hidden", 3)
    assert "\nvaried: lr 0.1 or 0.01\nplan: 2 configurations" in result.stdout
    assert "varied: lr 0.1 or 0.01" in (tmp_path / "things_sweep/report.html").read_text(encoding="utf-8")
    single = run("sweep", csv, *SWEEP, "--jobs", 1, "--out", "two")
    assert "varied" not in single.stdout
    many = ",".join(str(units) for units in range(1, 11))
    drawn = run(
        "sweep", csv, *QUICK, "--cv", 2, "--jobs", 1, "--random", 1, "--lr", "0.001:0.1", "--hidden", "4:8,2",
        "--batch-size", many, "--out", "three",
    )  # fmt: skip
    words = "varied: hidden 4:8,2; lr 0.001:0.1; batch_size 1 or 2 or 3 or 4 or 5 or 5 more\n"
    assert words in drawn.stdout
