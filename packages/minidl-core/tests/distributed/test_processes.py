"""Real processes, which exchange their numbers over `torch.distributed`."""

import importlib.util
import os
import socket
import subprocess
import sys
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
    children = start(size, tmp_path / "found", *TRAININGS)
    monkeypatch.setattr(engines, "DEFAULT", "numpy")
    expected = {name: CASES.train(one, "numpy") for name, one in TRAININGS.items()}
    for child in children:
        _, errors = child.communicate(timeout=300)
        assert child.returncode == 0, errors
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
    assert time.monotonic() - began < 2 * LIMIT
    monkeypatch.setattr(engines, "DEFAULT", "numpy")
    done = len(saved_in(path)["history"]["curves"]["loss"])
    one = CASES.CASES["both"]
    found = CASES.train(one, "numpy", epochs=done + 2, resume=path, callbacks=[minidl.Checkpoint(path, batches=4)])
    expected = CASES.train(one, "numpy", epochs=done + 2)
    differences = CASES.differences(found, expected)
    assert max(differences.values()) < 1e-9, differences  # over many more steps
