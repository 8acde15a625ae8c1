"""An optimizer as data, and its memory read from a file."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minidl.arrays.backend import Array


class OptimizerState(NamedTuple):
    """An optimizer as data.

    Attributes
    ----------
    kind : str
        The name of its class.
    settings : dict of str to float, bool or array of shape replicate_shape
    vectors : dict of str to array of shape (*replicate_shape, size), or None
        Its memory, laid out as the parameters; not copied.
    """

    kind: str
    settings: dict[str, Any]
    vectors: dict[str, Array | None]


def copied(value: Any) -> Any:
    """Return an array of numbers as a copy; a number, which nobody can change, as it is."""
    return value.copy() if isinstance(value, np.ndarray) else value


def writable(value: Any) -> Any:
    """Return arrays that cannot be written to, or are mapped from a file, as plain copies; all else as it is."""
    if type(value) is dict:
        return {key: writable(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(writable, value))
    if isinstance(value, np.ndarray) and (type(value) is np.memmap or not value.flags.writeable):
        return np.array(value)
    return value
