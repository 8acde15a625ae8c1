"""The processes that train one network together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from minidl.arrays.backend import Array
from minidl.arrays.checks import POSITIVE, as_number
from minidl.training.distributed.links import Alone, Link, TorchLink, running
from minidl.training.distributed.mpi_link import MPILink, started_by_mpi

_VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class Group:
    """The processes that train one network together; made by `group`.

    Handed to `fit` or `train_step` as `engine`, it lets each process compute a share of every batch.

    Parameters
    ----------
    rank, size : int
        The number of this process, from 0, and of all.
    link : Link
        How they exchange numbers.

    Attributes
    ----------
    rank, size : int
    leads : bool
        Whether this is process 0, which prints and writes files.
    """

    def __init__(self, rank: int, size: int, link: Link) -> None:
        self.rank, self.size, self.leads = rank, size, rank == 0
        self._link = link
        self._where = "before the first step"

    def add_up(self, array: Array, where: str = "") -> Array:
        """Replace an array by its sum over all processes, and return it.

        Parameters
        ----------
        array : array
            Contiguous, of the same shape and dtype in each process.
        where : str
            The place in the training, for the error; without it that of the last call.

        Raises
        ------
        RuntimeError
            If another process has ended, or does not answer within the time limit.
        """
        self._where = where or self._where
        try:
            self._link.add_up(array)
        except RuntimeError as error:
            raise self._lost(error) from error
        return array

    def compare(self, words: Mapping[str, str]) -> None:
        """Raise a ValueError, in each process, that names the first value which is not the same in all of them."""
        try:
            found = self._link.gather(dict(words))
        except RuntimeError as error:
            raise self._lost(error) from error
        for rank, theirs in enumerate(found):
            for name, expected in found[0].items():
                if theirs[name] != expected:
                    raise ValueError(
                        f"fit: process {rank} of {self.size}: {name}: expected {expected}, as in process 0, "
                        f"got {theirs[name]}"
                    )

    def _lost(self, error: RuntimeError) -> RuntimeError:
        limit = self._link.limit
        seconds = "the time limit" if limit is None else f"the time limit of {limit:g} seconds"
        return RuntimeError(
            f"minidl.distributed: process {self.rank} of {self.size} has lost another process {self._where}: one has "
            f"ended, or did not answer within {seconds}: {error}"
        )

    def __repr__(self) -> str:
        return f"Group(process {self.rank} of {self.size})"


@contextmanager
def group(*, timeout: float = 60.0) -> Iterator[Group]:
    """Open the group of the processes that a launcher has started; a context manager.

    `torchrun` and most other launchers set the environment variables ``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR`` and
    ``MASTER_PORT``, by which the processes find each other over `torch.distributed`. Without ``RANK`` and
    ``WORLD_SIZE``, processes that `mpirun` has started exchange numbers over MPI by mpi4py, and any other process is
    alone; torch is not needed then. A process group of torch that exists already, however it was opened, is used in
    their place, and left open.

    Parameters
    ----------
    timeout : float
        Seconds after which a process that does not answer counts as lost, above 0.

    Yields
    ------
    Group

    Raises
    ------
    ValueError
        For a timeout that is not above 0, or variables that are missing, no ranks or no port.
    ImportError
        If there are several processes and no torch, or no mpi4py under `mpirun`.
    RuntimeError
        If the processes do not find each other within the time limit.

    Examples
    --------
    The same script for one process and for many:

    >>> import numpy as np
    >>> import minidl
    >>> from minidl import distributed
    >>> x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    >>> model = minidl.Linear(1, 1, rng=0)
    >>> with distributed.group() as processes:
    ...     options = {"epochs": 30, "batch_size": 4, "rng": 1, "engine": processes}
    ...     history = minidl.fit(model, minidl.MSELoss("mean"), minidl.SGD(model, lr=0.3), x, 3 * x, **options)
    >>> history.engine, f"{model.weight.item():.2f}"
    ('numpy, 1 process', '3.00')
    """
    limit = float(as_number("minidl.distributed.group", "timeout", timeout, POSITIVE))
    rank, size, link = _open(limit)
    try:
        yield Group(rank, size, link)
    except BaseException as error:
        link.close(error)
        raise
    link.close()


def _open(timeout: float) -> tuple[int, int, Link]:
    """Return rank and size, and how the processes exchange numbers."""
    place = _place()
    if place is None and started_by_mpi():
        over_mpi = MPILink(timeout)
        return over_mpi.rank, over_mpi.size, over_mpi
    rank, size = place or (0, 1)
    return rank, size, Alone() if size == 1 else TorchLink(timeout, rank, size)


def _place() -> tuple[int, int] | None:
    """Return rank and size of the process group that exists, else as a launcher has set them, else None."""
    found = running()
    if found is not None:
        return found
    given = {name: os.environ.get(name, "") for name in _VARIABLES}
    if not given["RANK"] and not given["WORLD_SIZE"]:
        return None
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise ValueError(
            f"minidl.distributed.group: expected a launcher to set {', '.join(_VARIABLES)}, got no "
            f"{' and no '.join(missing)}"
        )
    try:
        rank, size = int(given["RANK"]), int(given["WORLD_SIZE"])
    except ValueError:
        rank, size = -1, 0
    if not 0 <= rank < size:
        raise ValueError(
            f"minidl.distributed.group: expected RANK from 0 to WORLD_SIZE - 1, got {given['RANK']} of "
            f"{given['WORLD_SIZE']}"
        )
    port = given["MASTER_PORT"]
    if size > 1 and not (port.isdecimal() and int(port) < 2**16):
        raise ValueError(f"minidl.distributed.group: expected MASTER_PORT from 0 to 65535, got {port!r}")
    return rank, size
