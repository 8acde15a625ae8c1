"""Description of the machine and the libraries of a run."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np  # noqa: F401 - threadpool_info finds the BLAS of loaded libraries only
from threadpoolctl import threadpool_info

from benchmarks.contestants import CORES

LIBRARIES = ("minidl-core", "minidl-data", "minidl-native", "numpy", "torch", "jax", "scikit-learn", "onnxruntime")


def description():
    """Return names and values for the header of the run, the JSON and the page."""
    return {
        "processor": f"{_processor()}, {CORES} cores available",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {_version(name)}" for name in LIBRARIES),
        "BLAS of NumPy": _blas(),
        "engine": _engine(),
        "threads": "1 unless stated; set by threadpoolctl for NumPy, set_num_threads for torch, at import for JAX",
    }


def _engine():
    """Return the instruction set that the native engine uses on this processor."""
    if find_spec("minidl_native") is None:
        return "minidl-native is not installed"
    from minidl_native import _engine  # noqa: PLC0415 - optional, and the only place with this information

    return f"minidl-native, compiled for {_engine.isas()[-1]}"


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
        if one["user_api"] == "blas" and "numpy" in one["filepath"]  # SciPy and others ship their own BLAS
    ]
    chosen = os.environ.get("OPENBLAS_CORETYPE")
    return ("; ".join(found) or "unknown to threadpoolctl") + (f" (OPENBLAS_CORETYPE={chosen})" if chosen else "")
