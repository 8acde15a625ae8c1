"""The number of threads over which the compiled engine may spread its work."""

from __future__ import annotations

import os


def thread_count(threads: int | None) -> int:
    """Return the number of threads: those asked for, or one per processor that this process may use.

    They are never more than ``OMP_NUM_THREADS``, by which joblib and others say how many threads a process may have.
    """
    if threads is not None:
        return threads
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(processors, int(limit))) if limit.isdecimal() else processors
