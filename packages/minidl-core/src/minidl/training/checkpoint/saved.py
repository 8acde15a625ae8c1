"""The file of a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from minidl.files.safetensors import read, write
from minidl.files.strict_json import shortened, words
from minidl.training.checkpoint.plain import pack, unpack

_KIND, _VERSION = "minidl checkpoint", "1"
_PARTS = ("script", "model", "optimizer", "generators", "history", "position", "callbacks", "ended", "batches")
_FAULTS = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError)


def save(path: str | os.PathLike[str], state: Mapping[str, Any]) -> None:
    """Write a state to a file, which is the old one or the new one at any moment; see `replacing`."""
    arrays, text = pack(state)
    write(path, arrays, {"format": _KIND, "version": _VERSION, "state": text})


class Saved:
    """A checkpoint that was read.

    Parameters
    ----------
    path : str or path
    parts : dict
    """

    def __init__(self, path: str | os.PathLike[str], parts: dict[str, Any]) -> None:
        self._path, self._parts = path, parts

    @contextmanager
    def read(self, name: str) -> Iterator[None]:
        """Read a part in a block: whatever is wrong with it is an error that names file and part."""
        try:
            yield
        except _FAULTS as error:
            what = f"expected an entry {error}" if isinstance(error, KeyError) else shortened(error)
            raise ValueError(f"{os.fspath(self._path)}: {name}: {what}") from error

    def __getitem__(self, name: str) -> Any:
        return self._parts[name]


def saved_in(path: str | os.PathLike[str]) -> Saved | None:
    """Return the checkpoint in a file; None if there is no file yet.

    Raises
    ------
    ValueError
        For a file of another kind, naming file and entry.
    OSError
        If the file cannot be read.
    """
    try:
        arrays, metadata = read(path)
    except FileNotFoundError:
        return None
    kind, version = metadata.get("format"), metadata.get("version")
    if (kind, version) != (_KIND, _VERSION):
        got = "a file of another kind" if kind is None else f"{words(kind)} of version {words(version)}"
        raise ValueError(f"{os.fspath(path)}: expected a {_KIND} of version {_VERSION}, got {got}")
    parts: dict[str, Any] = {}
    saved = Saved(path, parts)
    with saved.read("state"):
        state = unpack(arrays, metadata["state"])
        if not isinstance(state, dict):
            raise TypeError(f"expected an object, got {words(state)}")
        parts |= {name: state[name] for name in _PARTS}
    return saved
