"""Where the batches are trained: in processes here, or on a Dask cluster."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from _thread import interrupt_main
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

_PATIENCE = 10  # seconds to wait for a scheduler
_WATCH = 0.5  # seconds between two looks at whether it is still there
_TRACKER_WARNINGS = "ignore:resource_tracker:UserWarning"


@contextmanager
def backend(jobs: int | None, dask: str | None) -> Iterator[None]:
    """Tell joblib where to work.

    Parameters
    ----------
    jobs : int or None
        Processes; None for as many as there are cores.
    dask : str or None
        Address of the scheduler of a cluster to work on instead.

    Raises
    ------
    ImportError
        If Dask is asked for and not installed.
    ConnectionError
        If there is no scheduler at that address, or if it is lost.
    """
    import joblib  # type: ignore[import-untyped]  # noqa: PLC0415 - it takes long, and only a sweep needs it

    if dask is None:
        workers = {"n_jobs": jobs or -1, "initializer": _follow, "initargs": (os.getpid(),)}
        with _quiet_trackers(), joblib.parallel_config("loky", **workers):
            yield
        return
    with _connect(dask) as client, _guarded(client), joblib.parallel_config("dask", client=client, n_jobs=-1):
        yield


def reach(dask: str | None) -> None:
    """Find out whether there is a scheduler, before a file is made for a sweep that needs one; raises as `backend`."""
    if dask is not None:
        _connect(dask).close()


@contextmanager
def _quiet_trackers() -> Iterator[None]:
    """Start joblib's resource trackers without their warnings.

    An interrupted pool may have removed a lock and not yet told its tracker, which then warns, after the last word of
    the command, that it is gone. Processes inherit the filters of the interpreter that starts them.
    """
    sys.warnoptions.append(_TRACKER_WARNINGS)
    try:
        yield
    finally:
        sys.warnoptions.remove(_TRACKER_WARNINGS)


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C for the moment in which workers are started, so that they are born ignoring it.

    A terminal sends it to all, and one that is still importing would answer with a traceback. To block the signal
    instead would lose none, but Python and joblib each let it through again when their resource trackers start.
    """
    if threading.current_thread() is not threading.main_thread():  # the only one that may
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _connect(address: str) -> Any:
    """Return a client of a Dask cluster."""
    try:
        distributed = import_module("distributed")
    except ImportError as error:
        raise ImportError(
            "--dask: expected dask.distributed, which minidl-experiments[dask] brings; got none"
        ) from error
    try:
        return distributed.Client(address, timeout=_PATIENCE)
    except (ValueError, OSError) as error:
        raise ConnectionError(f"--dask: expected the address of a scheduler, got {address!r}: {error}") from error


@contextmanager
def _guarded(client: Any) -> Iterator[None]:
    """Raise ConnectionError when the scheduler is gone: joblib's backend then raises one thing or another, or waits."""
    done, lost = threading.Event(), threading.Event()

    def watch() -> None:
        while not done.wait(_WATCH):
            if client.status == "closed":  # it has tried in vain to connect again
                lost.set()
                interrupt_main()
                return

    threading.Thread(target=watch, daemon=True).start()
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # else it tells the same, in many lines
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if lost.is_set() or (isinstance(error, Exception) and client.status != "running"):
            raise ConnectionError("the scheduler is gone") from error
        raise
    finally:
        done.set()


def _follow(parent: int) -> None:
    """Leave Ctrl-C, which a terminal sends to all, to the parent; end when it is gone, killed and unable to say so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
