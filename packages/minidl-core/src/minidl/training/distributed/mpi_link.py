"""Processes that `mpirun` has started exchange numbers over MPI."""

from __future__ import annotations

import atexit
import os
import time
from typing import Any

import numpy as np

from minidl.arrays.backend import Array

_SIZES = "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"  # variables that Open MPI sets, and MPICH and those that descend from it

_FORWARDING = 0.3  # seconds for the launcher to pass on the traceback: on an abort it may drop what it has not yet read


def started_by_mpi() -> bool:
    """Whether a launcher of MPI has started this process as one of several."""
    sizes = [os.environ.get(name, "") for name in _SIZES]
    return any(size.isdecimal() and int(size) > 1 for size in sizes)


class MPILink:
    """The world of MPI, for arrays and tensors on the CPU.

    Parameters
    ----------
    timeout : float
        Seconds after which a process that does not answer counts as lost.

    Attributes
    ----------
    rank, size : int
    limit : float
        As `timeout`.

    Raises
    ------
    ImportError
        If mpi4py, or a library of MPI, is not installed.
    """

    def __init__(self, timeout: float) -> None:
        try:
            from mpi4py import MPI  # noqa: PLC0415 - only who trains in several processes pays for it
        except (ImportError, RuntimeError) as error:
            raise ImportError(
                f"minidl.distributed: processes that mpirun starts need mpi4py and MPI: pip install mpi4py: {error}"
            ) from error
        self._world, self._in_place, self._timeout = MPI.COMM_WORLD, MPI.IN_PLACE, timeout
        self.limit: float | None = timeout
        self.rank, self.size = self._world.Get_rank(), self._world.Get_size()
        self._waits = False

    def add_up(self, array: Array) -> None:
        """Sum in place, a tensor in the memory that it shares with a NumPy array."""
        if not isinstance(array, np.ndarray) and array.device.type != "cpu":
            raise TypeError(
                "minidl.distributed: expected arrays in the memory of the CPU over MPI, got a tensor on "
                f"{array.device}: start the processes by torchrun, which lets it travel over NCCL"
            )
        buffer = array if isinstance(array, np.ndarray) else array.numpy()
        self._wait(self._world.Iallreduce(self._in_place, buffer))

    def gather(self, words: Any) -> list[Any]:
        """Return the plain values of all processes, once all of them are here."""
        self._wait(self._world.Ibarrier())
        return list(self._world.allgather(words))

    def close(self, error: BaseException | None = None) -> None:
        """End the other processes behind an error, whose traceback is printed first: MPI would let them wait."""
        if self._waits or (error is not None and not isinstance(error, SystemExit)):
            atexit.register(self._abort)

    def _abort(self) -> None:
        time.sleep(_FORWARDING)
        self._world.Abort(1)

    def _wait(self, request: Any) -> None:
        end = time.monotonic() + self._timeout
        self._waits = True
        while not request.Test():
            if time.monotonic() > end:
                raise RuntimeError("no answer over MPI")
            time.sleep(0)  # another process may need this core to answer
        self._waits = False
