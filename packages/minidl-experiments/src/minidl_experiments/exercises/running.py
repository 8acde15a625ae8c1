"""Checks in a process of their own, with a time limit: endless loops, exits and crashes of learners' code end there."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from minidl_experiments.exercises.checking import Verdict
from minidl_experiments.exercises.exercise import Exercise

TIME_LIMIT = 10.0
_START = 30.0  # seconds for Python and its imports, on a busy machine
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def check_file(exercise: Exercise, path: Path, time_limit: float = TIME_LIMIT) -> Verdict:
    """Check a learner's file in a process of its own.

    The process starts in an empty temporary folder, without input, and its output is discarded. It is no sandbox: the
    code can read and write whatever the user can.

    Parameters
    ----------
    exercise : Exercise
    path : pathlib.Path
    time_limit : float
        Seconds for the code.

    Returns
    -------
    Verdict
    """
    with TemporaryDirectory(prefix="minidl-exercise-", ignore_cleanup_errors=True) as folder:
        verdict, work = Path(folder, "verdict.json"), Path(folder, "work")
        work.mkdir()
        program = [sys.executable, "-P", "-m", "minidl_experiments.exercises.judge"]
        process = subprocess.Popen(  # noqa: S603 - this Python, with names as arguments
            [*program, exercise.name, str(path.resolve()), str(verdict), str(time_limit)],
            cwd=work,
            env={**os.environ, **_ONE_THREAD},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = process.wait(_START + time_limit)
        except subprocess.TimeoutExpired:
            return Verdict(
                passed=False, message=f"stopped after {_START + time_limit:g} s: the code could not be interrupted"
            )
        finally:
            _kill(process)
        return _read(verdict, code)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and those that it has started."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(path: Path, code: int) -> Verdict:
    try:
        return Verdict(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Verdict(passed=False, message=f"the program ended with exit code {code} before the check was done")
