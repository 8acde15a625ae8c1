"""Measurement of import times and installed sizes."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec

from packaging.requirements import Requirement

TIMED = "import time{before}; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"


def import_seconds(module, *, before=""):
    """Return the seconds of an import in a new process, after the import of `before`; the first may write bytecode."""
    code = TIMED.format(module=module, before=f", {before}" if before else "")
    command = [sys.executable, "-c", code]
    # As a user's Python, which keeps the bytecode, whatever the shell of the measurement says.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=kept)  # noqa: S603 - own code
    return float(done.stdout)


def is_installed(module):
    return find_spec(module.partition(".")[0]) is not None


def installed_bytes(name):
    """Return the size of a distribution with all its requirements; None if one is not installed."""
    try:
        return sum(map(_own_bytes, _closure(name, set())))
    except PackageNotFoundError:
        return None


def _closure(name, seen):
    """Return the distribution and its requirements, recursively."""
    seen.add(name)
    for line in distribution(name).requires or ():
        need = Requirement(line)
        if need.name not in seen and (need.marker is None or need.marker.evaluate({"extra": ""})):
            _closure(need.name, seen)
    return seen


def _own_bytes(name):
    files = (file.locate() for file in distribution(name).files or () if file.suffix != ".pyc")
    return sum(path.stat().st_size for path in files if path.is_file())
