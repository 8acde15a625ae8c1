"""The program that checks one file: ``python -m minidl_experiments.exercises.judge EXERCISE FILE VERDICT SECONDS``.

The learner's code runs in this process, which may be killed at any time. The verdict is written as JSON at the end, or
after so many seconds.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import threading
import tokenize
from dataclasses import asdict, replace
from pathlib import Path

from minidl_experiments.exercises import EXERCISES
from minidl_experiments.exercises.checking import Verdict, check_source

_LONGEST_FILE = 1_000_000
_LARGEST_WRITE = 16 * 2**20
_MEMORY = 4 * 2**30


class Beginning(io.TextIOBase):
    """A text file that keeps the first characters and discards the rest.

    Parameters
    ----------
    size : int
        Number of characters.
    """

    def __init__(self, size: int = 2000) -> None:
        self.size, self.text = size, ""

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Keep what fits."""
        self.text += text[: self.size - len(self.text)]
        return len(text)


def judge(name: str, path: Path) -> Verdict:
    """Check a file in this process.

    Parameters
    ----------
    name : str
        Name of the exercise.
    path : pathlib.Path

    Returns
    -------
    Verdict
    """
    try:
        if path.stat().st_size > _LONGEST_FILE:
            return Verdict(passed=False, message="the file is larger than 1 MB")
        with tokenize.open(path) as file:
            source = file.read()
    except (OSError, UnicodeError, SyntaxError) as error:  # SyntaxError: an unknown encoding is declared
        return Verdict(passed=False, message=f"the file cannot be read: {error}")
    printed = Beginning()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        verdict = check_source(EXERCISES[name], source, str(path))
    return replace(verdict, printed=printed.text)


def limit_resources() -> None:
    """Limit memory and the size of written files where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - Windows does not have it

        for kind, size in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_FSIZE, _LARGEST_WRITE)):
            hard = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))


def stop(path: Path, verdict_file: Path, seconds: float) -> None:
    """Write the verdict on code that did not end in time, with the line that it was at, and end the process.

    Parameters
    ----------
    path : pathlib.Path
        The learner's file.
    verdict_file : pathlib.Path
    seconds : float
        The time limit.
    """
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None and frame.f_code.co_filename != str(path):
        frame = frame.f_back
    where = "" if frame is None else f" in line {frame.f_lineno}"
    write(Verdict(passed=False, message=f"stopped after {seconds:g} s{where}: does a loop never end?"), verdict_file)
    os._exit(0)


def write(verdict: Verdict, path: Path) -> None:
    """Write a verdict as JSON."""
    path.write_text(json.dumps(asdict(verdict)), encoding="utf-8")


def main(name: str, path: Path, verdict_file: Path, seconds: float) -> None:
    """Check a file and write the verdict, both within a time limit."""
    limit_resources()
    clock = threading.Timer(seconds, stop, (path, verdict_file, seconds))
    clock.daemon = True
    clock.start()
    verdict = judge(name, path)
    clock.cancel()
    write(verdict, verdict_file)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
