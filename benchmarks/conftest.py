"""One thread for everybody, and a table of paired comparisons at the end."""

# ruff: noqa: E402 - the number of threads is set before NumPy is imported

import os

# Before NumPy is imported: its BLAS reads these once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROWS = pytest.StashKey[list]()
NOTES = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[ROWS], config.stash[NOTES] = [], []


def pytest_report_header():
    libraries = ("minidl-core", "numpy", "torch", "jax")
    return [
        "versions: " + ", ".join(f"{name} {_version(name)}" for name in libraries),
        f"machine: {_processor()}, Python {platform.python_version()}, 1 thread",
    ]


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor():
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].partition(": ")[2] if names else platform.processor() or platform.machine()


@pytest.fixture
def compare(request):
    """Time two functions in turn, A B A B ..., and keep the median of the ratios B / A for the table.

    `times` is how much of the rival's work stands for one that would take too long.
    """

    def run(what, ours, theirs, *, rival, rounds=15, times=1):
        pairs = [(_seconds(ours), times * _seconds(theirs)) for _ in range(rounds + 1)][1:]  # the first pair warms up
        request.config.stash[ROWS].append((what, rival, pairs))

    return run


@pytest.fixture
def note(request):
    """Print a line below the table."""
    return request.config.stash[NOTES].append


def _seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def pytest_terminal_summary(terminalreporter, config):
    if not config.stash[ROWS]:
        return
    terminalreporter.section("side by side: medians of pairs, interleaved (ratio: rival / minidl, lowest to highest)")
    for what, rival, pairs in config.stash[ROWS]:
        ours, theirs = (statistics.median(side) * 1e3 for side in zip(*pairs, strict=True))
        ratios = sorted(b / a for a, b in pairs)
        spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
        terminalreporter.write_line(
            f"{what:<52} minidl {ours:8.2f} ms   {rival} {theirs:8.2f} ms   "
            f"ratio {statistics.median(ratios):5.2f} ({spread})",
        )
    for line in config.stash[NOTES]:
        terminalreporter.write_line(line)
