"""How processes exchange numbers: over `torch.distributed`, or not at all where there is one; see also `mpi_link`."""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from typing import Any, Protocol

import numpy as np

from minidl.arrays.backend import Array


class Link(Protocol):
    """What a `Group` needs from a library of communication; every process calls the same methods in the same order.

    Attributes
    ----------
    limit : float or None
        Seconds after which a process that does not answer counts as lost; None if it is not known.
    """

    limit: float | None

    def add_up(self, array: Array) -> None:
        """Replace a contiguous array by its sum over all processes, equal to the last bit in each of them."""

    def gather(self, words: Any) -> list[Any]:
        """Return the plain values that the processes have called this with, by rank."""

    def close(self, error: BaseException | None = None) -> None:
        """Leave the group, perhaps behind an error."""


class Alone:
    """A process without others."""

    limit: float | None = None

    def add_up(self, array: Array) -> None:
        """Leave the array as it is: its sum over one process."""

    def gather(self, words: Any) -> list[Any]:
        """Return the values of the only process."""
        return [words]

    def close(self, error: BaseException | None = None) -> None:
        """Do nothing."""


def running() -> tuple[int, int] | None:
    """Return rank and size of the default process group of torch; None if there is none yet."""
    distributed = sys.modules.get("torch.distributed")  # whoever has opened a group has imported it
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return None
    return distributed.get_rank(), distributed.get_world_size()


class TorchLink:
    """The default process group of `torch.distributed`: gloo for arrays on the CPU, NCCL for tensors on GPUs.

    Parameters
    ----------
    timeout : float
        Seconds after which a process that does not answer counts as lost. A process group that exists already keeps
        its own limit, and is not closed.
    rank, size : int
        The number of this process, and of all, for errors.

    Raises
    ------
    ImportError
        If torch is not installed.
    RuntimeError
        If the processes do not find each other within the time limit.
    """

    def __init__(self, timeout: float, rank: int, size: int) -> None:
        try:
            import torch  # noqa: PLC0415 - only who trains in several processes pays for it
            from torch import distributed  # noqa: PLC0415 - the same
        except ModuleNotFoundError as error:
            raise ImportError("minidl.distributed: more than one process needs torch: pip install torch") from error
        self._torch, self._distributed = torch, distributed
        self._is_mine = not distributed.is_initialized()
        self.limit: float | None = timeout if self._is_mine else None
        if self._is_mine:
            has_gpus = torch.cuda.is_available() and distributed.is_nccl_available()
            backend = "cpu:gloo,cuda:nccl" if has_gpus else "gloo"
            began = time.monotonic()
            try:
                distributed.init_process_group(backend, timeout=timedelta(seconds=timeout))
            except RuntimeError as error:  # also a network error of torch, which says how many were there, or where
                where = ":".join(os.environ.get(name, "?") for name in ("MASTER_ADDR", "MASTER_PORT"))
                advice = ""
                if time.monotonic() - began > 0.9 * timeout:  # not an error that came at once, such as a port in use
                    advice = f" within {timeout:g} seconds: start the missing ones, or give a larger timeout"
                raise RuntimeError(
                    f"minidl.distributed.group: process {rank} of {size}: not all {size} processes came together at "
                    f"{where}{advice}: {error}"
                ) from error

    def add_up(self, array: Array) -> None:
        """Sum in place: a NumPy array shares its memory with the tensor that torch sends."""
        tensor = self._torch.from_numpy(array) if isinstance(array, np.ndarray) else array
        self._distributed.all_reduce(tensor)

    def gather(self, words: Any) -> list[Any]:
        """Return the plain values of all processes."""
        found: list[Any] = [None] * self._distributed.get_world_size()
        self._distributed.all_gather_object(found, words)
        return found

    def close(self, error: BaseException | None = None) -> None:  # noqa: ARG002 - the others find out by themselves
        """Close the process group if this object has opened it."""
        if self._is_mine and self._distributed.is_initialized():
            self._distributed.destroy_process_group()
