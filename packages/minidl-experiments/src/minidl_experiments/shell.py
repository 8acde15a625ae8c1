"""Exit codes, one-line errors, and the files and folders of the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from minidl_experiments.standard_streams import complain, usable_streams

WRONG_USE = 2
INTERRUPTED = 130  # a shell's exit code for a program ended by Ctrl-C
REPRODUCTION = Path("reproduction")  # default folder for the results about the report
PICTURES = ".png", ".jpg", ".jpeg", ".pdf", ".svg", ".webp"  # suffixes of the picture formats
UsageError: Any = typer.BadParameter.__mro__[1]  # typer does not export this class


class OneLineErrors(TyperGroup):
    """A group of commands that reports an error in one line and ends without a traceback on Ctrl-C."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command and exit."""
        with usable_streams():
            try:
                code = super().main(*args, **{**extra, "standalone_mode": False})
                sys.stdout.flush()
            except UsageError as error:
                code = _complain(error.format_message())
            except OSError as error:
                code = _complain(error)
            except MemoryError as error:
                code = _complain(str(error) or "out of memory")
            except (typer.Abort, KeyboardInterrupt):
                code = INTERRUPTED
            sys.exit(code or 0)


def reason(error: BaseException) -> str:
    """Return the words of an error; of one of the system the file and what is wrong with it, without a number."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _complain(message: object) -> int:
    """Print an error in one line; an empty message, after the help, prints nothing."""
    words = reason(message) if isinstance(message, BaseException) else str(message)
    if line := " ".join(words.split()):
        complain(f"minidl: {line}")
    return WRONG_USE


def fail(message: object) -> NoReturn:
    """Print an error in one line and end the command.

    Parameters
    ----------
    message : object
        An error, or text.

    Raises
    ------
    typer.Exit
        Always.
    """
    raise typer.Exit(_complain(message))


def home_expanded(path: Path | None) -> Path | None:
    """Replace a leading ``~`` of an option by the home folder; no shell does so in ``--out=~/x``.

    Parameters
    ----------
    path : pathlib.Path or None

    Returns
    -------
    pathlib.Path or None

    Raises
    ------
    typer.BadParameter
        If the home folder is unknown.
    """
    try:
        return None if path is None else path.expanduser()
    except RuntimeError as error:
        raise typer.BadParameter(f"{path}: {error}") from error


def check_files(*paths: Path, option: str = "--out") -> None:
    """Check, before the work begins, that files can be written; folders must exist.

    Parameters
    ----------
    *paths : pathlib.Path
    option : str
        That named them, for the error.

    Raises
    ------
    typer.Exit
        If a path is a folder or a file that is not writable; the reason is printed.
    """
    for path in paths:
        if path.is_dir():
            fail(f"{option}: expected the name of a file, got the folder {path}")
        try:
            if path.is_file() or path.is_symlink():
                path.open("ab").close()
        except OSError as error:
            fail(f"{option}: cannot write the file {path}: {error.strerror}")


def check_apart(path: Path, read: Iterable[str | Path], option: str = "--out") -> None:
    """Check that a file to write is none of those that the command reads, which would be lost.

    Parameters
    ----------
    path : pathlib.Path
    read : iterable of str or pathlib.Path
    option : str
        That named the file, for the error.

    Raises
    ------
    typer.Exit
        If it is one of them, also by another path; the reason is printed.
    """
    for other in map(Path, read):
        if path.exists() and other.exists() and path.samefile(other):
            fail(f"{option}: expected another file than {other}, which the command reads")


def load_figures() -> None:
    """Import matplotlib before the work begins, with Agg as its backend whatever the environment says.

    Raises
    ------
    typer.Exit
        If matplotlib cannot be imported; the reason is printed.
    """
    os.environ["MPLBACKEND"] = "agg"  # matplotlib refuses to be imported with the name of an unknown backend
    try:
        import_module("minidl_experiments.figures")
    except (ImportError, ValueError, OSError) as error:
        fail(f"cannot draw figures: {error}")


def make_folder(folder: Path, option: str = "--out") -> None:
    """Create a folder for results and check, before the work begins, that it is writable.

    Parameters
    ----------
    folder : pathlib.Path
    option : str
        That named it, for the error.

    Raises
    ------
    typer.Exit
        If the folder is not writable; the reason is printed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        fail(f"{option}: cannot write into the folder {folder}: {error.strerror}")


def interrupted(finished: str, written: Path | None) -> NoReturn:
    """Report the progress of a command that Ctrl-C has stopped, and end the command.

    Parameters
    ----------
    finished : str
        Progress as text, such as ``2 of 8 runs``.
    written : pathlib.Path or None
        File with the finished part; None if nothing was finished and nothing written.

    Raises
    ------
    typer.Exit
        Always.
    """
    result = "nothing was written" if written is None else f"{written} holds these alone"
    complain(f"minidl: interrupted with {finished} finished; {result}")
    raise typer.Exit(INTERRUPTED)
