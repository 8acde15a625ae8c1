"""What the tests of several folders share: the width of lines, and sweeps that are killed."""

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress

import pytest

PATIENCE = 120.0  # seconds


@pytest.fixture(autouse=True)
def no_width(monkeypatch):
    """Print whole lines, as into a pipe, whatever terminal the tests run in."""
    monkeypatch.delenv("COLUMNS", raising=False)


class Sweep:
    """A command that writes results into an SQLite file, in a process group of its own."""

    def __init__(self, command, path):
        self.path = path
        self.process = subprocess.Popen(  # noqa: S603 - this project's own program
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env=dict(os.environ),  # without the COLUMNS that readline has set behind Python's back
        )  # fmt: skip

    def finished(self):
        """Count the results in the file; opening it rolls back a transaction that a kill interrupted."""
        try:
            with closing(sqlite3.connect(f"file:{self.path}?mode=rw", uri=True)) as file:
                tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
                (table,) = tables & {"runs", "results"} or ("runs",)
                return file.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - one of two names
        except sqlite3.OperationalError:  # there is no file yet, or nothing in it
            return 0

    def wait_for(self, results):
        """Wait until the file has so many results or the command has ended."""
        start = time.monotonic()
        while self.finished() < results and self.process.poll() is None:
            assert time.monotonic() - start < PATIENCE
            time.sleep(0.005)

    def end(self, number):
        """Send a signal to the command and its workers, as a terminal does; return exit code and standard error."""
        with suppress(ProcessLookupError):  # the command may have ended already
            os.killpg(self.process.pid, number)
        return self.wait()

    def wait(self):
        """Return exit code and standard error, when the last worker has closed its end of the pipe."""
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said

    def wait_for_worker(self):
        """Wait until a worker has been started; return its process."""
        start = time.monotonic()
        while not (workers := self.workers()):
            assert self.process.poll() is None
            assert time.monotonic() - start < PATIENCE
            time.sleep(0.005)
        return workers[0]

    def workers(self):
        """Return the processes of its workers."""
        return loky_workers(self.process.pid)


def loky_workers(parent):
    """Return the processes that joblib has started for a command."""
    shown = subprocess.run(
        ["ps", "-A", "-w", "-w", "-o", "ppid=", "-o", "pid=", "-o", "args="],  # noqa: S607 - the path of ps depends on the system
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split(maxsplit=2) for line in shown.stdout.splitlines() if "LokyProcess" in line]
    return [int(pid) for own, pid, _ in lines if int(own) == parent]


@pytest.fixture
def workers_of():
    """Return the function that finds the workers of a command."""
    return loky_workers


@pytest.fixture
def start_sweep():
    """Return a function that starts sweeps; what is left of them is killed at the end of the test."""
    sweeps = []

    def start(command, path):
        sweeps.append(Sweep(command, path))
        return sweeps[-1]

    yield start
    for sweep in sweeps:
        if not sweep.process.stderr.closed:
            sweep.end(signal.SIGKILL)
