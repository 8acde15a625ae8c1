"""How much memory the process has had."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_memory() -> float | None:
    """Return the largest resident set of this process so far in MB; None where the system does not say."""
    if STATUS.is_file():  # Linux, whose getrusage also counts the process that has started this one
        found = re.search(r"^VmHWM:\s*(\d+) kB", STATUS.read_text(encoding="ascii", errors="replace"), re.MULTILINE)
        if found:
            return int(found[1]) * 1024 / 1e6
    try:
        resource = import_module("resource")
    except ImportError:  # Windows
        return None
    peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def memory_words() -> str:
    """Return the peak in words."""
    peak = peak_memory()
    return "memory: unknown on this system" if peak is None else f"memory: at most {peak:.0f} MB (of the whole process)"
