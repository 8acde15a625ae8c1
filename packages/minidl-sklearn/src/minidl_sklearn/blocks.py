"""Networks in blocks, which joblib's workers train: processes of this machine, or of a cluster."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from typing import Any

from joblib import effective_n_jobs  # type: ignore[import-untyped]  # it ships no types
from joblib.parallel import get_active_backend  # type: ignore[import-untyped]  # as above
from sklearn.utils.parallel import Parallel, delayed

MOST_DEATHS = 3  # of workers, after which there is something wrong beyond one of them


def spreads(n_jobs: int | None) -> bool:
    """Whether there is more than one worker."""
    return bool(effective_n_jobs(n_jobs) > 1)


def cut(networks: Sequence[Any], n_jobs: int | None) -> list[Sequence[Any]]:
    """Cut networks into blocks that differ by one at most: one for each worker, if there are as many networks.

    Parameters
    ----------
    networks : sequence
    n_jobs : int or None
        As everywhere in scikit-learn: None is that of ``joblib.parallel_config``, and 1 without it.
    """
    count = len(networks)
    blocks = max(1, min(count, effective_n_jobs(n_jobs)))
    return [networks[count * i // blocks : count * (i + 1) // blocks] for i in range(blocks)]


def in_blocks(
    train: Callable[..., Any], blocks: Sequence[Any], shared: Sequence[Any], n_jobs: int | None, *, maps: bool = True
) -> list[Any]:
    """Return what ``train(block, *shared)`` returns for each block, in their order; a single one is trained here.

    A process that dies costs the blocks without a result, which new processes train again; of a cluster, the scheduler
    gives the block of a worker that dies to another one. A block has one result, however often it was begun.

    Parameters
    ----------
    train : callable
        Pickled for the workers with all that it holds.
    blocks : sequence
    shared : sequence
        The data, which each block takes along: what joblib would give to a worker of Dask beforehand is lost with it.
    n_jobs : int or None
    maps : bool
        Whether processes of this machine share long arrays, which none of them may write to then.

    Raises
    ------
    concurrent.futures.process.BrokenProcessPool
        If processes die again and again, perhaps for lack of memory.
    """
    if len(blocks) == 1:
        return [train(blocks[0], *shared)]
    if n_jobs is not None:
        n_jobs = min(n_jobs, len(blocks))  # more processes would start, and wait
    found: dict[int, Any] = {}
    deaths = 0
    while len(found) < len(blocks):
        missing = [i for i in range(len(blocks)) if i not in found]
        try:
            tasks = [delayed(_numbered)(train, i, blocks[i], tuple(shared)) for i in missing]
            _collect(tasks, n_jobs, found, maps=maps)
        except BrokenProcessPool:
            deaths += 1
            if deaths > MOST_DEATHS:
                raise
            warnings.warn("a process has died; its networks are trained again", RuntimeWarning, stacklevel=2)
    return [found[i] for i in range(len(blocks))]


def _collect(tasks: Sequence[Any], n_jobs: int | None, found: dict[int, Any], *, maps: bool) -> None:
    """Add the result of each task as soon as it is there."""
    options = {"batch_size": 1, "max_nbytes": "1M" if maps else None}
    if not get_active_backend()[0].supports_return_generator:  # Ray's
        found.update(Parallel(n_jobs, **options)(tasks))
        return
    with closing(Parallel(n_jobs, return_as="generator_unordered", **options)(tasks)) as results:
        for i, result in results:
            found.setdefault(i, result)


def _numbered(train: Callable[..., Any], i: int, block: Any, shared: tuple[Any, ...]) -> tuple[int, Any]:
    return i, train(block, *shared)
