import sqlite3
from contextlib import closing

import pytest

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep import Config, Definition


@pytest.fixture
def config():
    """Return a function that makes a configuration with given changes."""
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
    """Return a definition with little to train."""
    return Definition(epochs=2, samples=40)


@pytest.fixture
def rows():
    """Return a function that reads all runs of a file, without their durations."""

    def read(path):
        with closing(sqlite3.connect(path)) as file:
            *_, last = file.execute("PRAGMA table_info(runs)")
            assert last[1] == "seconds"
            order = "lr, width, activation, optimizer, batch_size, p_drop, seed"
            return [row for *row, _ in file.execute(f"SELECT * FROM runs ORDER BY {order}")]  # noqa: S608 - constant names

    return read
