"""The workers of a sweep: local processes or a Dask cluster."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
import warnings
from _thread import interrupt_main
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from importlib import import_module
from typing import Any

MOST_DEATHS = 3  # of workers, after which there is something wrong beyond one of them
_PATIENCE = 10  # seconds to wait for a scheduler
_WATCH = 0.5  # seconds between two checks of the connection
_TRACKER_WARNINGS = "ignore:resource_tracker:UserWarning"


@contextmanager
def backend(jobs: int | None, dask: str | None) -> Iterator[None]:
    """Configure joblib's workers.

    Parameters
    ----------
    jobs : int or None
        Number of processes; None for one per core.
    dask : str or None
        Address of a Dask scheduler, whose workers replace the local processes.

    Raises
    ------
    ImportError
        If `dask` is given and Dask is not installed.
    ConnectionError
        If no scheduler answers at the address, or the connection is lost.
    """
    import joblib  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import, and needed for a sweep alone

    if dask is None:
        workers = {"n_jobs": jobs or -1, "initializer": _follow, "initargs": (os.getpid(),)}
        with _quiet_trackers(), joblib.parallel_config("loky", **workers):
            yield
        return
    with _connect(dask) as client, _guarded(client), joblib.parallel_config("dask", client=client, n_jobs=-1):
        yield


@contextmanager
def as_finished(tasks: Iterable[Any]) -> Iterator[Iterator[Any]]:
    """Run tasks on the workers of `backend`, and give their results in the order in which they are finished.

    Parameters
    ----------
    tasks : iterable
        Made by ``joblib.delayed``; each is asked for when a worker is free.
    """
    import joblib  # noqa: PLC0415 - as above

    parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
    with interrupts_ignored():  # the call starts the workers
        finished = parallel(tasks)
    with warnings.catch_warnings():  # joblib warns about unfinished tasks when the workers are stopped early
        warnings.filterwarnings("ignore", "[0-9]+ tasks ", UserWarning)
        with closing(finished):
            yield finished


def outliving(work: Callable[[], object], lost: Callable[[], object]) -> None:
    """Begin some work again as often as a local process has died, which new processes then replace.

    Parameters
    ----------
    work : callable
        Does what is left to do; raises `BrokenProcessPool` if a process dies.
    lost : callable
        Called when a process has died.

    Raises
    ------
    concurrent.futures.process.BrokenProcessPool
        If processes die again and again, perhaps for lack of memory.
    """
    for _ in range(MOST_DEATHS):
        try:
            work()
        except BrokenProcessPool:
            lost()
        else:
            return
    work()


def reach(dask: str | None) -> None:
    """Check that the scheduler answers, before a file for the sweep is created; raises the errors of `backend`."""
    if dask is None:
        return
    distributed, wrong = _distributed(), f"--dask: expected the address of a scheduler, got {dask!r}"
    try:
        found = asyncio.run(asyncio.wait_for(_identity(distributed, dask), _PATIENCE))
    except TimeoutError as error:
        raise ConnectionError(f"{wrong}: no scheduler has answered within {_PATIENCE} seconds") from error
    except (ValueError, TypeError, OSError) as error:  # no address, TLS without a certificate, another program
        raise ConnectionError(f"{wrong}: {error}") from error
    if found["type"] != "Scheduler":
        raise ConnectionError(f"{wrong}, which is a {found['type'].lower()}")


async def _identity(distributed: Any, address: str) -> Any:
    """Return what a process of Dask says of itself; a client would wait for ever for what another program says."""
    security = distributed.Security().get_connection_args("client")
    async with distributed.rpc(address, connection_args=security) as process:
        return await process.identity()


@contextmanager
def _quiet_trackers() -> Iterator[None]:
    """Start joblib's resource trackers without their warnings.

    An interrupted pool may have removed a lock without telling its tracker. The tracker then warns about the missing
    lock after the last line of the command. Processes inherit the warning filters of the interpreter that starts them.
    """
    sys.warnoptions.append(_TRACKER_WARNINGS)
    try:
        yield
    finally:
        sys.warnoptions.remove(_TRACKER_WARNINGS)


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C while workers start, so that they inherit the setting.

    A terminal sends SIGINT to all processes of a group, and a worker that is still importing would print a traceback.
    A blocked signal would not be lost, but Python and joblib unblock it when their resource trackers start.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set a handler
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _distributed() -> Any:
    try:
        return import_module("distributed")
    except ImportError as error:
        raise ImportError(
            "--dask: expected dask.distributed, which minidl-experiments[dask] installs; got no such module"
        ) from error


def _connect(address: str) -> Any:
    """Return a client of a Dask cluster."""
    try:
        return _distributed().Client(address, timeout=_PATIENCE)
    except (ValueError, OSError) as error:
        raise ConnectionError(f"--dask: expected the address of a scheduler, got {address!r}: {error}") from error


@contextmanager
def _guarded(client: Any) -> Iterator[None]:
    """Raise ConnectionError when the scheduler is lost: joblib's backend raises various errors then, or hangs."""
    done, lost = threading.Event(), threading.Event()

    def watch() -> None:
        while not done.wait(_WATCH):
            if client.status == "closed":  # the attempts to reconnect have failed
                lost.set()
                interrupt_main()
                return

    threading.Thread(target=watch, daemon=True).start()
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # it would report the loss in many lines
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if lost.is_set() or (isinstance(error, Exception) and client.status != "running"):
            raise ConnectionError("the scheduler is gone") from error
        if isinstance(error, TimeoutError) and not client.scheduler_info()["workers"]:  # joblib has waited for one
            address = client.scheduler.address
            raise ConnectionError(
                f"--dask: expected a scheduler with workers, got none at {address}: `dask worker {address}` starts one"
            ) from error
        raise
    finally:
        done.set()


def _follow(parent: int) -> None:
    """Ignore Ctrl-C, which the parent handles, and exit when the parent process has died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
