"""Threads and memory that the calls of one training share."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from minidl_native import _engine


class Pool:
    """Threads and memory that `Network.train` keeps from one call to the next, made when they are first needed.

    The numbers do not depend on it. As a context manager, it is closed at the end of the block. A process that is
    forked meanwhile makes threads of its own; Python 3.12 and later warn of a fork in a process that has threads.

    Attributes
    ----------
    capsule : object
        What the compiled code is handed.

    Examples
    --------
    >>> with Pool() as pool:
    ...     pool.close()  # also in between; the next call makes new threads
    """

    def __init__(self) -> None:
        self.capsule: Any = _engine.pool()

    def close(self) -> None:
        """End the threads and free the memory.

        Raises
        ------
        ValueError
            If a training uses them at this moment.
        """
        _engine.close(self.capsule)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def capsule_of(pool: Pool | None) -> Any:
    """Return what the compiled code is handed for a pool, or None.

    Raises
    ------
    TypeError
        If it is no pool.
    """
    if pool is None:
        return None
    if not isinstance(pool, Pool):
        raise TypeError(f"minidl_native: expected pool to be a Pool, got {type(pool).__name__}")
    return pool.capsule
