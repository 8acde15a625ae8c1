"""The table at the end, and what every test of conformance shares."""

from pathlib import Path

import numpy as np
import pytest
import torch

from conformance.report import write_report
from conformance.ulp import Table

TABLE = pytest.StashKey[Table]()


def pytest_addoption(parser):
    parser.addoption("--table", type=Path, metavar="PATH", help="also write the table of errors there, as JSON")


def pytest_configure(config):
    config.stash[TABLE] = Table()
    torch.set_num_threads(1)  # the same sums in the same order, whatever the machine


@pytest.fixture
def table(request):
    return request.config.stash[TABLE]


@pytest.fixture
def rng(request):
    """A generator that is the same for a test in every run, and differs between tests."""
    return np.random.default_rng(list(request.node.name.encode()))


def pytest_sessionfinish(session):
    """Hand the rows of a worker of pytest-xdist over to the process that prints them."""
    if hasattr(session.config, "workeroutput"):
        rows = session.config.stash[TABLE].rows
        session.config.workeroutput["table"] = [[*key, *map(float, value)] for key, value in rows.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    table = node.config.stash[TABLE]
    for row in getattr(node, "workeroutput", {}).get("table", ()):
        table.record(*row)
    table.rows = dict(sorted(table.rows.items()))  # workers finish in any order


def pytest_terminal_summary(terminalreporter, config):
    if rows := config.stash[TABLE].rows:
        terminalreporter.section("conformance with torch " + torch.__version__)
        for line in config.stash[TABLE].lines():
            terminalreporter.write_line(line)
        if path := config.getoption("table"):
            write_report(rows, path)
            terminalreporter.write_line(f"wrote {path}")
