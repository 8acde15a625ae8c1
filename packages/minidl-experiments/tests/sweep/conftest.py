import sqlite3
from contextlib import closing

import pytest

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep import Config, Definition


@pytest.fixture
def config():
    """A configuration, with what the test changes."""
    return lambda **changes: Config(
        **{
            "lr": 1e-3,
            "width": 5,
            "activation": Activation.RELU,
            "optimizer": Optimizer.ADAM,
            "batch_size": 20,
            "p_drop": 0.0,
            **changes,
        }
    )


@pytest.fixture
def small():
    """Little to train."""
    return Definition(epochs=2, samples=40)


@pytest.fixture
def rows():
    """All that a file says of its runs, but for the time they took."""

    def read(path):
        with closing(sqlite3.connect(path)) as file:
            *_, last = file.execute("PRAGMA table_info(runs)")
            assert last[1] == "seconds"
            order = "lr, width, activation, optimizer, batch_size, p_drop, seed"
            return [row for *row, _ in file.execute(f"SELECT * FROM runs ORDER BY {order}")]  # noqa: S608 - our names

    return read
