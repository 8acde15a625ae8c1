"""The locks of generators that the engine draws from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def held(locks: Sequence[Any]) -> Iterator[None]:
    """Hold all locks, without the time that an `ExitStack` would take for the many of many replicates.

    An exception that a signal handler raises while they are taken may leave one locked. `minidl.fit` defers signals.
    """
    taken = 0
    try:
        for lock in locks:
            lock.acquire()
            taken += 1
        yield
    finally:
        for lock in locks[:taken]:
            lock.release()
