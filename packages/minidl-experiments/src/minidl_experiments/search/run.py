"""Cross-validation of all configurations that have no result yet, on all cores or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minidl_experiments.search.alike import batches_of, score_alike
from minidl_experiments.search.candidate import Candidate
from minidl_experiments.search.result import Result
from minidl_experiments.search.store import SearchStore
from minidl_experiments.search.work import Work
from minidl_experiments.sweep.backend import as_finished, backend, outliving


def search(
    candidates: Sequence[Candidate],
    work: Work,
    store: SearchStore,
    *,
    jobs: int | None = None,
    dask: str | None = None,
    report: Callable[[Result, int], object] = lambda *_: None,
    lost: Callable[[], object] = lambda: None,
) -> None:
    """Score all configurations that have no result in the file, those of the same architecture in batches.

    A process that dies costs the batches in training; they are trained again by new processes. A worker of a
    cluster that dies costs its own; the scheduler gives it to another one.

    Parameters
    ----------
    candidates : sequence of Candidate
    work : Work
    store : SearchStore
        Each result is written as soon as it is finished.
    jobs : int, optional
        Number of processes; one per core by default.
    dask : str, optional
        Address of a Dask scheduler, whose workers replace the local processes.
    report : callable
        Called with each result, after it is written, and with the number of configurations in parallel.
    lost : callable
        Called when a process has died.

    Raises
    ------
    ImportError
        If `dask` is given and Dask is not installed.
    OSError
        If no scheduler answers at the address, or a result cannot be written.
    KeyboardInterrupt
        On Ctrl-C; the finished results are in the file.
    concurrent.futures.process.BrokenProcessPool
        If processes die again and again, perhaps for lack of memory; the finished results are in the file.
    """

    def score_missing() -> None:
        finished = store.results()
        missing = [candidate for candidate in candidates if candidate not in finished]
        if missing:
            _run(missing, work, store, jobs, dask, report)

    outliving(score_missing, lost)


def _run(
    missing: Sequence[Candidate],
    work: Work,
    store: SearchStore,
    jobs: int | None,
    dask: str | None,
    report: Callable[[Result, int], object],
) -> None:
    import joblib  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import, and needed for a search alone

    with backend(jobs and min(jobs, len(missing)), dask):
        workers = joblib.effective_n_jobs(None)
        batches = batches_of(missing, work, workers)
        with as_finished(joblib.delayed(score_alike)(batch, work) for batch in batches) as finished:
            for results in finished:
                for result in results:
                    store.add(result)
                    report(result, workers)
