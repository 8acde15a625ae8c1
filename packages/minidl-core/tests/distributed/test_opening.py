"""Who belongs to a group: variables of a launcher, process groups that exist, and what is neither."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl import distributed

NAMES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@pytest.fixture
def environment(monkeypatch):
    """Return a function that sets the variables of a launcher, and no others of them."""

    def put(**values):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    put()
    return put


@pytest.mark.parametrize("given", [{}, {"MASTER_ADDR": "localhost"}, dict(zip(NAMES, "01ab", strict=True))])
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
        link = distributed.Group(0, 1, minidl.training.distributed.links.TorchLink(9.0))._link
        array = np.array([1.0, 2.0])
        link.add_up(array)
        assert link.gather("words") == ["words"]
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
