"""What the benchmarks share: an option, a race, and a report at the end."""

# ruff: noqa: E402 - JAX and torch read their settings when they are imported

import os
import tempfile
from pathlib import Path

# JAX reads these when it is imported. NumPy and torch are told in each race.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["NPROC"] = "1"
# torch.compile would find last time's work, and seem not to need any.
CACHE = tempfile.TemporaryDirectory(prefix="minidl-benchmarks-")
os.environ["TORCHINDUCTOR_CACHE_DIR"] = CACHE.name

import pytest

from benchmarks import machine
from benchmarks.page import write_page
from benchmarks.race import Work, run_race
from benchmarks.records import Records
from benchmarks.report import chapters, doubts

RECORDS = pytest.StashKey[Records]()
HERE = Path(__file__).parent


def pytest_addoption(parser):
    group = parser.getgroup("minidl's benchmarks")
    group.addoption("--quick", action="store_true", help="fewer sizes and rounds: under a minute")
    group.addoption("--page", metavar="FOLDER", help="where tables and charts go (benchmarks/.benchmarks)")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: left out by --quick")
    for rival in ("torch", "jax", "sklearn", "onnx", "onnxruntime"):
        config.addinivalue_line("filterwarnings", f"ignore:::{rival}\\..*")  # what they say of themselves
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
    """What was measured so far."""
    return request.config.stash[RECORDS]


@pytest.fixture
def quick(request):
    return request.config.getoption("--quick")


@pytest.fixture
def race(benchmark, records, quick):
    """Let the contestants of a race do the same work in turn: `race("step", size, task, units=...)`."""

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
    terminalreporter.write_line(f"\ntable and charts: {', '.join(map(str, written))}")
