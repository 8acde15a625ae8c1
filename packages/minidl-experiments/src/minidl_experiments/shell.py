"""How a command ends: exit codes, errors in one line, a place for its results."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

WRONG_USE = 2
INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C has ended
REPRODUCTION = Path("reproduction")  # where the results about the report go unless told otherwise
UsageError: Any = typer.BadParameter.__mro__[1]  # typer gives it no name of its own


class OneLineErrors(TyperGroup):
    """A group of commands that says what is wrong in one line, and ends without a traceback on Ctrl-C."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command and exit."""
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except UsageError as error:
            code = _complain(error.format_message())
        except OSError as error:
            code = _complain(error)
        except MemoryError as error:
            code = _complain(str(error) or "out of memory")
        except (typer.Abort, KeyboardInterrupt):
            code = INTERRUPTED
        sys.exit(code or 0)


def _complain(message: object) -> int:
    """Print an error in one line; none where the help was printed instead."""
    if line := " ".join(str(message).split()):
        sys.stderr.write(f"minidl: {line}\n")
    return WRONG_USE


def fail(message: object) -> NoReturn:
    """Print an error in one line and end the command.

    Parameters
    ----------
    message : object
        Printed as ``str(message)``.

    Raises
    ------
    typer.Exit
        Always.
    """
    raise typer.Exit(_complain(message))


def make_folder(folder: Path) -> None:
    """Make a folder for results, and find out before the work whether they can be written there.

    Parameters
    ----------
    folder : pathlib.Path

    Raises
    ------
    typer.Exit
        If they cannot; why is printed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        fail(f"--out: cannot write into the folder {folder}: {error.strerror}")


def interrupted(finished: str, written: Path | None) -> NoReturn:
    """Say how far a command came that Ctrl-C has stopped, and end it.

    Parameters
    ----------
    finished : str
        ``2 of 8 runs``.
    written : pathlib.Path or None
        The file that has these alone; None if nothing was finished, and so nothing written.

    Raises
    ------
    typer.Exit
        Always.
    """
    what = "nothing was written" if written is None else f"{written} has these alone"
    sys.stderr.write(f"minidl: interrupted with {finished} finished; {what}\n")
    raise typer.Exit(INTERRUPTED)
