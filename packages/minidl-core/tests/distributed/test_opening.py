"""Who belongs to a group: variables of a launcher, process groups that exist, and what is neither."""

import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import minidl
from minidl import distributed

NAMES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
MPI = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE")


@pytest.fixture
def environment(monkeypatch):
    """Return a function that sets the variables of a launcher, and no others of them."""

    def put(**values):
        for name in (*NAMES, *MPI):
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    put()
    return put


ALONE = [{}, {"MASTER_ADDR": "localhost"}, dict(zip(NAMES, "01ab", strict=True)), {"PMI_SIZE": "1"}]


@pytest.mark.parametrize("given", ALONE)
def test_a_process_is_alone_without_others(given, environment):
    environment(**given)
    with distributed.group() as group:
        assert (group.rank, group.size, group.leads, str(group)) == (0, 1, True, "Group(process 0 of 1)")
        model, x = minidl.Linear(1, 1, rng=0), np.ones((4, 1), np.float32)
        history = minidl.fit(
            model, minidl.MSELoss(), minidl.SGD(model, 0.1), x, x, epochs=1, batch_size=2, engine=group
        )
        assert history.engine.startswith("numpy, 1 process")


def test_alone_torch_is_not_imported():
    code = (
        "import sys, numpy as np, minidl\nfrom minidl import distributed\n"
        "m, x = minidl.Linear(1, 1), np.ones((2, 1), 'f')\n"
        "with distributed.group() as group:\n"
        "    minidl.fit(m, minidl.MSELoss(), minidl.SGD(m, 0.1), x, x, epochs=1, batch_size=2, engine=group)\n"
        "print('torch' in sys.modules)"
    )
    path = str(Path(minidl.__file__).parents[1])
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{path!r}]\n{code}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["False"]  # noqa: S603 - our own script


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"RANK": "1"}, "got no WORLD_SIZE and no MASTER_ADDR and no MASTER_PORT"),
        ({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost"}, "got no MASTER_PORT"),
        (dict(zip(NAMES, "22ab", strict=True)), "expected RANK from 0 to WORLD_SIZE - 1, got 2 of 2"),
        (dict(zip(NAMES, "02ab", strict=True)), "expected MASTER_PORT from 0 to 65535, got 'b'"),
        (dict(zip(NAMES, ("0", "2", "a", "65536"), strict=True)), "expected MASTER_PORT from 0 to 65535, got '65536'"),
        (dict(zip(NAMES, "x2ab", strict=True)), "got x of 2"),
        (dict(zip(NAMES, ["-1", "2", "a", "b"], strict=True)), "got -1 of 2"),
    ],
)
def test_variables_that_make_no_group(given, message, environment):
    environment(**given)
    with pytest.raises(ValueError, match=message), distributed.group():
        pass


@pytest.mark.parametrize(("timeout", "error"), [(0, ValueError), (float("inf"), ValueError), ("soon", TypeError)])
def test_a_time_limit_that_is_none(timeout, error):
    with (
        pytest.raises(error, match=r"minidl\.distributed\.group: expected timeout"),
        distributed.group(timeout=timeout),
    ):
        pass


def test_several_processes_need_torch(environment, monkeypatch):
    environment(RANK="0", WORLD_SIZE="2", MASTER_ADDR="localhost", MASTER_PORT="1")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="more than one process needs torch"), distributed.group():
        pass


def test_a_process_group_that_exists_is_used_and_left_open(tmp_path):
    torch = pytest.importorskip("torch.distributed")
    torch.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    try:
        link = distributed.Group(0, 1, minidl.training.distributed.links.TorchLink(9.0, 0, 1))._link
        array = np.array([1.0, 2.0])
        link.add_up(array)
        assert link.gather("words") == ["words"]
        assert link.limit is None  # the limit of the one who opened it
        assert array.tolist() == [1.0, 2.0]
        link.close()
        assert torch.is_initialized()
    finally:
        torch.destroy_process_group()


def test_a_process_group_that_exists_says_who_belongs_to_it(environment, monkeypatch):
    torch = pytest.importorskip("torch.distributed")
    environment()
    for name, found in (("is_initialized", True), ("get_rank", 1), ("get_world_size", 3)):
        monkeypatch.setattr(torch, name, lambda found=found: found)
    with distributed.group() as group:
        assert str(group) == "Group(process 1 of 3)"


def test_processes_that_do_not_come_together(environment):
    pytest.importorskip("torch")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment(RANK="0", WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    expected = (
        rf"process 0 of 2: not all 2 processes came together at 127\.0\.0\.1:{port} within 1 seconds: start the missing"
    )
    with pytest.raises(RuntimeError, match=expected), distributed.group(timeout=1):
        pass


class Request:
    def __init__(self, done):
        self.Test = lambda: done  # the names of mpi4py


class World:
    """What mpi4py has, in two processes that hold equal numbers; silent ones never answer."""

    def __init__(self, *, silent=False):
        self.Get_rank, self.Get_size, self._request = lambda: 1, lambda: 2, Request(not silent)
        self.Ibarrier, self.allgather = lambda: self._request, lambda words: [words, words]
        self.aborted = []
        self.Abort = self.aborted.append

    def Iallreduce(self, _, buffer):  # noqa: N802 - the name of mpi4py
        assert isinstance(buffer, np.ndarray)
        buffer *= 2
        return self._request


@pytest.fixture
def world(environment, monkeypatch):
    """Return a function that puts MPI in place, and the calls that wait for the end of this process."""
    ends = []

    def put(made):
        environment(PMI_SIZE="2")
        library = SimpleNamespace(MPI=SimpleNamespace(COMM_WORLD=made, IN_PLACE=None))
        monkeypatch.setitem(sys.modules, "mpi4py", library)
        monkeypatch.setattr("atexit.register", ends.append)
        return ends

    return put


def test_processes_of_mpirun_are_a_group(world):
    ends = world(World())
    with distributed.group() as group:
        assert str(group) == "Group(process 1 of 2)"
        assert group.add_up(np.array([1.0, 2.0])).tolist() == [2.0, 4.0]
        group.compare({"x": "alike"})
    assert ends == []


def test_tensors_are_added_in_their_memory(world):
    torch = pytest.importorskip("torch")
    world(World())
    with distributed.group() as group:
        tensor = torch.ones(2)
        group.add_up(tensor)
        assert tensor.tolist() == [2.0, 2.0]


def test_tensors_of_a_gpu_do_not_travel_over_mpi(world):
    world(World())
    tensor = SimpleNamespace(device=SimpleNamespace(type="cuda"))
    with pytest.raises(TypeError, match="memory of the CPU over MPI, got a tensor on"), distributed.group() as group:
        group.add_up(tensor)


def assert_aborts(made, ends):
    """Assert that one function waits for the end of the process, and ends the world with an error."""
    assert made.aborted == []
    (end,) = ends
    end()
    assert made.aborted == [1]


def test_a_process_of_mpirun_that_does_not_answer(world):
    made = World(silent=True)
    ends = world(made)
    lost = (
        r"process 1 of 2 has lost another process before the first step: .* the time limit of 0\.01 seconds: no answer"
    )
    with pytest.raises(RuntimeError, match=lost), distributed.group(timeout=0.01) as group:
        group.add_up(np.ones(1))
    assert_aborts(made, ends)


def test_an_error_ends_the_others_of_mpirun_too(world):
    made = World()
    ends = world(made)
    with pytest.raises(OSError, match="mine"), distributed.group():
        raise OSError("mine")
    with pytest.raises(SystemExit), distributed.group():
        sys.exit()
    try:
        int("an error that is behind us")
    except ValueError:
        with distributed.group():  # all is well in here
            pass
    assert_aborts(made, ends)


def test_processes_of_mpirun_need_mpi4py(environment, monkeypatch):
    environment(OMPI_COMM_WORLD_SIZE="2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ImportError, match="need mpi4py and MPI: pip install mpi4py"), distributed.group():
        pass
