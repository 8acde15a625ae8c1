"""Real processes, which exchange their numbers over `torch.distributed` or over MPI."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl.training import engines
from minidl.training.checkpoint.saved import saved_in

SCRIPT = Path(__file__).with_name("cases.py")
EXAMPLE = Path(__file__).parents[4] / "docs" / "scripts" / "several_processes.py"
SPEC = importlib.util.spec_from_file_location("cases_of_processes", SCRIPT)
CASES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(CASES)
TRAININGS = {**CASES.CASES, **CASES.TENSORS}
LIMIT = 30  # seconds, as in the script
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch"),
]
SCRIPTS = Path(sysconfig.get_path("scripts"))  # where a wheel of MPI puts its launcher
MPIRUN = shutil.which("mpirun", path=os.pathsep.join([str(SCRIPTS), os.environ.get("PATH", "")]))
NEEDS_MPI = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None or MPIRUN is None, reason="needs mpi4py and mpirun"
)


@pytest.fixture
def start():
    """Return a function that starts the script in some processes, as a launcher does; at the end none is left."""
    with ExitStack() as ends:

        def begin(size, *arguments):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = str(free.getsockname()[1])
            common = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
            children = []
            for rank in range(size):
                environment = {**os.environ, **common, "RANK": str(rank), "MINIDL_ENGINE": "numpy"}
                command = [sys.executable, str(SCRIPT), *map(str, arguments)]
                pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
                child = ends.enter_context(subprocess.Popen(command, env=environment, **pipes))  # noqa: S603 - our own script
                ends.callback(child.kill)
                children.append(child)
            return children

        yield begin


@pytest.mark.parametrize("size", [2, 4])
def test_the_numbers_of_one_process(size, start, tmp_path, monkeypatch):
    for child in start(size, tmp_path / "found", *TRAININGS):
        _, errors = child.communicate(timeout=300)
        assert child.returncode == 0, errors
    compare(size, tmp_path, monkeypatch)


def compare(size, tmp_path, monkeypatch):
    """Compare the numbers of the processes with each other, and with those of one process."""
    monkeypatch.setattr(engines, "DEFAULT", "numpy")
    expected = {name: CASES.train(one, "numpy") for name, one in TRAININGS.items()}
    found = [dict(np.load(tmp_path / f"found.{rank}.npz")) for rank in range(size)]
    for name, arrays in expected.items():
        for own in found:
            mine = {part: own[f"{name}/{part}"] for part in arrays}
            for part, array in mine.items():
                assert array.tobytes() == found[0][f"{name}/{part}"].tobytes(), (name, part)
            differences = CASES.differences(mine, arrays)
            dtype = TRAININGS[name]["make"]["dtype"]
            assert max(differences.values()) < CASES.TOLERANCES[dtype], (name, differences)


def test_the_example_of_the_site_under_torchrun():
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", EXAMPLE]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(launch, env=environment, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603 - our own script
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("numpy, 2 processes") == 1
    assert float(run.stdout.rpartition(" ")[2]) > 0.95


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_killed_process_ends_the_others_and_one_alone_goes_on(start, tmp_path, monkeypatch):
    path = tmp_path / "training.safetensors"
    children = start(3, path, "until killed")
    assert [child.stdout.readline() for child in children] == ["training\n"] * 3
    children[1].kill()
    began = time.monotonic()
    for rank in (0, 2):
        _, errors = children[rank].communicate(timeout=4 * LIMIT)
        assert children[rank].returncode == 1
        assert f"RuntimeError: minidl.distributed: process {rank} of 3 has lost another process in epoch" in errors
        assert f"one has ended, or did not answer within the time limit of {LIMIT} seconds" in errors
    assert time.monotonic() - began < 2 * LIMIT
    monkeypatch.setattr(engines, "DEFAULT", "numpy")
    done = len(saved_in(path)["history"]["curves"]["loss"])
    one = CASES.CASES["both"]
    found = CASES.train(one, "numpy", epochs=done + 2, resume=path, callbacks=[minidl.Checkpoint(path, batches=4)])
    expected = CASES.train(one, "numpy", epochs=done + 2)
    differences = CASES.differences(found, expected)
    assert max(differences.values()) < 1e-9, differences  # over many more steps


def mpirun(size, *arguments):
    """Run Python in some processes of MPI; return exit code, output and errors."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MINIDL_ENGINE": "numpy"}
    command = [MPIRUN, "-n", str(size), sys.executable, *map(str, arguments)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603 - our own script
    return run.returncode, run.stdout, run.stderr


@NEEDS_MPI
@pytest.mark.parametrize("size", [2, 4])
def test_the_numbers_of_one_process_over_mpi(size, tmp_path, monkeypatch):
    code, _, errors = mpirun(size, SCRIPT, tmp_path / "found", *TRAININGS)
    assert code == 0, errors
    compare(size, tmp_path, monkeypatch)


@NEEDS_MPI
def test_the_example_of_the_site_under_mpirun():
    code, said, errors = mpirun(2, EXAMPLE)
    assert code == 0, errors
    assert said.count("numpy, 2 processes") == 1


ENDS = {
    "an error": ("raise OSError('mine')", "OSError: mine"),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", ""),
    "silent": (
        "time.sleep(600)", "RuntimeError: minidl.distributed: process 0 of 2 has lost another process in epoch 2"
    ),
}  # fmt: skip


@NEEDS_MPI
@pytest.mark.parametrize("end", ENDS)
def test_a_lost_process_ends_the_other_over_mpi(end):
    what, message = ENDS[end]
    code = f"""
import os, signal, time
import numpy as np
import minidl
from minidl import distributed
model, x = minidl.Linear(1, 1, rng=0), np.ones((8, 1), np.float32)
with distributed.group(timeout={2 if end == "silent" else 3600}) as group:
    def leave(epoch, history):
        if group.rank == 1:
            {what}
    options = {{"epochs": 3, "batch_size": 4, "rng": 0, "engine": group, "callbacks": [leave]}}
    minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, lr=0.1), x, x, **options)
print("done")
"""
    returned, said, errors = mpirun(2, "-c", code)
    assert returned != 0
    assert said.count("done") == 0
    assert message in errors
