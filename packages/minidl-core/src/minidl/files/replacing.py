"""Files that are whole at any moment: the old one or the new one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Write a file anew: ``with replacing(path) as file: ...``.

    A new file in the same folder is written, flushed to the disk, and renamed at the end. If anything fails before, or
    the process is killed, the old file is still there and whole. Its permissions stay, and a link goes on to point to
    the file. An error removes the unfinished file; a killed process leaves it, under a name that ends in ``.tmp``.

    Parameters
    ----------
    path : str or path

    Yields
    ------
    binary file

    Raises
    ------
    OSError
        With `path` as its file name, if the file cannot be written: no such folder, no permission, a full disk.
    ValueError
        If `path` is a folder or a device.
    """
    try:
        target = Path(path).resolve()
        mode = _mode_of(target)
        new = target.with_name(f".minidl-{os.urandom(8).hex()}.tmp")
        try:
            with new.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if mode is not None:
                new.chmod(mode)
            new.replace(target)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    except OSError as error:  # in the name of the file that the user knows
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    _flush_folder(target.parent)


def _mode_of(target: Path) -> int | None:
    """Return the permissions of a file, None for one that is not there; refuse folders and devices."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        raise ValueError(f"{target}: expected the name of a file, got a folder or a device")
    return stat.S_IMODE(mode)


def _flush_folder(folder: Path) -> None:
    """Flush the new name to the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with suppress(OSError):  # the file is written; some file systems do not flush folders
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
