"""Options, fixtures and final report of the benchmarks."""

# ruff: noqa: E402 - JAX and torch read their settings at import

import os
import tempfile
from pathlib import Path

# JAX reads these variables at import. The threads of NumPy and torch are set in each race.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["NPROC"] = "1"
# torch.compile must not find the compiled code of an earlier run.
CACHE = tempfile.TemporaryDirectory(prefix="minidl-benchmarks-")
os.environ["TORCHINDUCTOR_CACHE_DIR"] = CACHE.name

import pytest

from benchmarks import machine
from benchmarks.page import fill_figures, write_page
from benchmarks.race import Work, run_race
from benchmarks.records import Records
from benchmarks.report import chapters, doubts

RECORDS = pytest.StashKey[Records]()
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def pytest_addoption(parser):
    group = parser.getgroup("minidl's benchmarks")
    group.addoption("--quick", action="store_true", help="fewer sizes and rounds")
    group.addoption("--page", metavar="FOLDER", help="folder for tables and charts (benchmarks/.benchmarks)")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: left out by --quick")
    for rival in ("torch", "jax", "sklearn", "onnx", "onnxruntime"):
        config.addinivalue_line("filterwarnings", f"ignore:::{rival}\\..*")  # warnings inside these libraries
    config.stash[RECORDS] = Records()


def pytest_collection_modifyitems(config, items):
    if config.getoption("--quick"):
        full = [item for item in items if item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=full)
        items[:] = [item for item in items if item not in full]


def pytest_report_header():
    return [f"{name}: {value}" for name, value in machine.description().items()]


def pytest_benchmark_update_machine_info(machine_info):
    machine_info["minidl"] = machine.description()


@pytest.fixture
def records(request):
    """Return the measurements so far."""
    return request.config.stash[RECORDS]


@pytest.fixture
def quick(request):
    return request.config.getoption("--quick")


@pytest.fixture
def race(benchmark, records, quick):
    """Return a function that runs a race: `race("step", size, task, units=...)`."""

    def run(*work, **settings):
        run_race(benchmark, records, Work(*work, **settings), quick=quick)

    return run


def pytest_terminal_summary(terminalreporter, config):
    records = config.stash[RECORDS]
    if not (records.timings or records.facts):
        return
    for title, lines in chapters(records):
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)
    for words in doubts(records):
        terminalreporter.write_line(f"\n{words}", yellow=True)
    folder = Path(config.getoption("--page") or HERE / ".benchmarks")
    written = write_page(records, folder)
    if folder.resolve() == ROOT / "docs" / "benchmarks":
        fill_figures(records, ROOT / "README.md")
    terminalreporter.write_line(f"\ntable and charts: {', '.join(map(str, written))}")
