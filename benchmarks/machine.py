"""On what the numbers were measured."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np  # noqa: F401 - its BLAS is to be seen below
from threadpoolctl import threadpool_info

from benchmarks.contestants import CORES

LIBRARIES = ("minidl-core", "minidl-data", "numpy", "torch", "jax", "scikit-learn")


def description():
    """Return names and values, for the head of the run, the JSON and the page."""
    return {
        "processor": f"{_processor()}, {CORES} cores available",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {_version(name)}" for name in LIBRARIES),
        "BLAS of NumPy": _blas(),
        "threads": "1 unless said; NumPy's set by threadpoolctl, torch's by set_num_threads, JAX's at import",
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor():
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].partition(": ")[2] if names else platform.processor() or platform.machine()


def _blas():
    found = [
        f"{one['internal_api']} {one['version']}, kernel {one.get('architecture', 'unknown')}, "
        f"{one['num_threads']} threads by default"
        for one in threadpool_info()
        if one["user_api"] == "blas"
    ]
    chosen = os.environ.get("OPENBLAS_CORETYPE")
    return ("; ".join(found) or "unknown to threadpoolctl") + (f" (OPENBLAS_CORETYPE={chosen})" if chosen else "")
