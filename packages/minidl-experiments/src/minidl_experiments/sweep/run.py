"""Training what is not in the file yet, on all cores or on a cluster."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager

from minidl_experiments.sweep.backend import backend, interrupts_ignored
from minidl_experiments.sweep.batches import plan_batches
from minidl_experiments.sweep.grid import Grid, Run
from minidl_experiments.sweep.store import Store
from minidl_experiments.sweep.train import Result, train_batch

Report = Callable[[list[Result], int], object]


def run_sweep(
    grid: Grid,
    store: Store,
    *,
    jobs: int | None = None,
    dask: str | None = None,
    report: Report = lambda *_: None,
) -> None:
    """Train all runs of a grid that are not in the file yet.

    Parameters
    ----------
    grid : Grid
    store : Store
        Its definition says how they are trained; it gets the results batch by batch, as they finish.
    jobs : int, optional
        Processes to train in; without it as many as there are cores.
    dask : str, optional
        Address of the scheduler of a Dask cluster, whose workers train instead; minidl-experiments must be installed
        there too.
    report : callable
        Called with the results of each batch after they are in the file, and with the number of batches that are
        trained at the same time.

    Raises
    ------
    ImportError
        If Dask is asked for and not installed.
    OSError
        If there is no scheduler at that address, or the results cannot be written.
    KeyboardInterrupt
        On Ctrl-C; the batches that are finished are in the file.
    concurrent.futures.process.BrokenProcessPool
        If a process was killed, for want of memory perhaps; likewise.
    """
    import joblib  # type: ignore[import-untyped]  # noqa: PLC0415 - it takes long, and only here it is needed

    with backend(jobs, dask):
        workers = joblib.effective_n_jobs(None)
        batches = pending_batches(grid, store, workers)
        parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
        tasks = (joblib.delayed(train_batch)(batch, store.definition) for batch in batches)
        with interrupts_ignored():  # the call starts the workers
            finished = parallel(tasks)
        with _closing(finished):
            for results in finished:
                store.add(results)
                report(results, workers)


def pending_batches(grid: Grid, store: Store, workers: int) -> list[list[Run]]:
    """Plan the whole sweep, and leave out what is finished.

    Parameters
    ----------
    grid : Grid
    store : Store
    workers : int

    Returns
    -------
    list of list of Run
    """
    finished = store.accuracies()
    planned = plan_batches(grid.runs, store.definition, workers)
    batches = ([run for run in batch if run not in finished] for batch in planned)
    return [batch for batch in batches if batch]


@contextmanager
def _closing(finished: Generator[list[Result]]) -> Iterator[None]:
    """Stop the workers in the end, without joblib's warning that they were not done yet."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "[0-9]+ tasks ", UserWarning)
        with closing(finished):
            yield
