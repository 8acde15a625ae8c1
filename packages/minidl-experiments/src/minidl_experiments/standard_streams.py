"""Standard output and standard error of the command: every character can be printed, and both streams exist."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TextIO

from rich.console import Console

from minidl_experiments.console import fit

_SPELLINGS = {"±": "+-", "…": "..."}  # substitutes where the encoding lacks the character
_HANDLER = "minidl-{}"


@contextmanager
def usable_streams() -> Iterator[None]:
    """Make both streams accept every text; undone at the end.

    A stream that is missing, as under pythonw and behind ``2>&-``, or closed becomes one that discards its text. A
    stream whose encoding lacks a character, as cp874 lacks the plus-minus sign, gets an ASCII spelling of it or its
    escape sequence instead of raising UnicodeEncodeError.
    """
    with ExitStack() as undo:
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is None or getattr(stream, "closed", False):
                undo.callback(setattr, sys, name, stream)
                # The file takes the free descriptor, so that no result file gets the one of standard error.
                setattr(sys, name, undo.enter_context(open(os.devnull, "w", encoding="utf-8")))  # noqa: PTH123 - a device
            elif isinstance(stream, io.TextIOWrapper):
                undo.callback(_set_errors, stream, stream.errors)
                _set_errors(stream, _register(stream.errors or "strict"))
        yield


def complain(line: str) -> None:
    """Print a line on standard error, if that is still possible."""
    stream: TextIO | None = sys.stderr
    if stream is not None:
        with suppress(OSError, ValueError):
            stream.write(fit(Console(stderr=True), line) + "\n")
            stream.flush()


def _set_errors(stream: io.TextIOWrapper, errors: str | None) -> None:
    with suppress(OSError, ValueError):  # closed in the meantime
        stream.reconfigure(errors=errors)


def _register(errors: str) -> str:
    """Register the handler that spells characters and leaves undecoded bytes of file names to `errors`."""

    def spell(error: UnicodeError) -> tuple[str | bytes, int]:
        if not isinstance(error, UnicodeEncodeError):
            raise error
        letter, after = error.object[error.start], error.start + 1
        if errors == "surrogateescape" and "\udc80" <= letter <= "\udcff":
            return bytes([ord(letter) - 0xDC00]), after
        return _SPELLINGS.get(letter) or letter.encode("ascii", "backslashreplace").decode("ascii"), after

    name = _HANDLER.format(errors)
    codecs.register_error(name, spell)
    return name
