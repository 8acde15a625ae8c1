"""Training of all runs that are missing in the file, on all cores or on a cluster."""

from __future__ import annotations

from collections.abc import Callable

from minidl_experiments.sweep.backend import as_finished, backend
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
    """Train all runs of a grid that are missing in the file.

    Parameters
    ----------
    grid : Grid
    store : Store
        File and definition of the sweep. Each batch of results is written as soon as it is finished.
    jobs : int, optional
        Number of processes; one per core by default.
    dask : str, optional
        Address of a Dask scheduler, whose workers replace the local processes. minidl-experiments must be installed
        there too.
    report : callable
        Called with the results of each batch, after they are written, and with the number of batches in parallel.

    Raises
    ------
    ImportError
        If `dask` is given and Dask is not installed.
    OSError
        If no scheduler answers at the address, or the results cannot be written.
    KeyboardInterrupt
        On Ctrl-C; the finished batches are in the file.
    concurrent.futures.process.BrokenProcessPool
        If a process was killed, perhaps for lack of memory; the finished batches are in the file.
    """
    import joblib  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import, and needed for a sweep alone

    with backend(jobs and min(jobs, sum(1 for _ in grid.runs)), dask):
        workers = joblib.effective_n_jobs(None)
        batches = pending_batches(grid, store, workers)
        tasks = (joblib.delayed(train_batch)(batch, store.definition) for batch in batches)
        with as_finished(tasks) as finished:
            for results in finished:
                store.add(results)
                report(results, workers)


def pending_batches(grid: Grid, store: Store, workers: int) -> list[list[Run]]:
    """Plan the batches of the whole sweep and drop the finished runs.

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
