"""The format safetensors on NumPy alone: a header of JSON, then the bytes of the arrays, and no code.

A file is the length of the header (8 bytes, little-endian), the header, padded by spaces to a multiple of 8, and the
arrays without gaps. The header is an object: for each array ``name: {"dtype", "shape", "data_offsets"}``, where the
offsets count from the end of the header, and ``"__metadata__"``, an object of strings.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from minidl.files.replacing import replacing
from minidl.files.strict_json import parse, shortened, words

DTYPES = {"BOOL": "bool", "F16": "<f2", "F32": "<f4", "F64": "<f8"} | {
    f"{sign}{8 * size}": f"<{sign.lower()}{size}" for sign in "IU" for size in (1, 2, 4, 8)
}
METADATA = "__metadata__"
LONGEST = 100_000_000  # bytes of a header, as the format's own library has it
AXES, BYTES = 32, 2**63  # NumPy makes no array with many more axes, or that many bytes


class _Entry(NamedTuple):
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    stop: int


def write(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write arrays and metadata to a file; equal content makes equal bytes.

    A new file replaces an old one in one step, at the end; see `replacing` for this and for its errors.

    Parameters
    ----------
    path : str or path
    arrays : mapping of str to ndarray
        Of bool, integers or floats, in any layout.
    metadata : mapping of str to str

    Raises
    ------
    TypeError
        For an array of another dtype.
    ValueError
        If the header would be longer than 100 MB, or the metadata are no strings.
    OSError
        If the file cannot be written.
    """
    try:
        order, header = _header_of(arrays, metadata)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{os.fspath(path)}: {error}") from error
    with replacing(path) as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for name in order:
            dtype = arrays[name].dtype.newbyteorder("<")
            file.write(np.asarray(arrays[name], dtype, order="C").reshape(-1).view(np.uint8).data)


def _header_of(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> tuple[list[str], bytes]:
    """Return the arrays' order in the file, and the header."""
    codes = {np.dtype(code): name for name, code in DTYPES.items()}
    if METADATA in arrays:
        raise ValueError(f"{METADATA!r}: expected another name for an array")
    header: dict[str, Any] = {METADATA: _as_metadata(dict(metadata))} if metadata else {}
    # The widest first: each array begins at a multiple of its element's width.
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    stop = 0
    for name in order:
        code, start = codes.get(arrays[name].dtype.newbyteorder("<")), stop
        if code is None:
            raise TypeError(f"{name!r}: expected an array of bool, integers or floats, got {arrays[name].dtype}")
        stop += arrays[name].nbytes
        header[name] = {"dtype": code, "shape": list(arrays[name].shape), "data_offsets": [start, stop]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    if len(text) > LONGEST - 8:
        raise ValueError(f"expected a header of at most {LONGEST} bytes, got {len(text)}")
    return order, text + b" " * (-len(text) % 8)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read the arrays and the metadata of a file, which may come from anywhere.

    The whole header is checked before an array is made. Together the arrays take the memory of their bytes in the file.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    arrays : dict of str to ndarray
        In the order of the header, with memory of their own.
    metadata : dict of str to str

    Raises
    ------
    ValueError
        Naming file and entry, for whatever is not of the format or has a dtype that NumPy lacks.
    OSError
        If the file cannot be read.
    """
    with Path(path).open("rb") as file:
        try:
            header, room = _read_header(file)
            metadata = _as_metadata(header.pop(METADATA, {}))
            entries = sorted((_as_entry(*item) for item in header.items()), key=lambda one: (one.start, one.stop))
            _refuse_gaps(entries, room)
            arrays = {entry.name: _read_array(file, entry) for entry in entries}
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{os.fspath(path)}: {shortened(error)}") from error
    return {name: arrays[name] for name in header}, metadata


def _read_header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Return the header, and the number of bytes behind it."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(size - 8, LONGEST):
        raise ValueError(f"expected a safetensors file, got a header of {length} bytes in a file of {size} bytes")
    text = file.read(length)
    if not text.startswith(b"{"):
        raise ValueError(f"expected a header that begins with {{, got {text[:1]!r}")
    return parse(text), size - 8 - length


def _as_metadata(value: Any) -> dict[str, str]:
    if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        return value
    raise ValueError(f"{METADATA}: expected an object of strings, got {words(value)}")


def _as_entry(name: str, value: Any) -> _Entry:
    """Return the description of an array, checked for itself."""
    who = words(name)
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{who}: expected an object of dtype, shape and data_offsets, got {words(value)}")
    code = DTYPES.get(value["dtype"]) if isinstance(value["dtype"], str) else None
    if code is None:
        raise ValueError(f"{who}: expected a dtype of {', '.join(DTYPES)}, got {words(value['dtype'])}")
    dtype, shape = np.dtype(code), _as_counts(f"{who}: shape", value["shape"])
    offsets = _as_counts(f"{who}: data_offsets", value["data_offsets"])
    if len(shape) > AXES or prod(size or 1 for size in shape) * dtype.itemsize >= BYTES:
        raise ValueError(f"{who}: expected the shape of an array, got {words(shape)}")
    if len(offsets) != 2 or offsets[1] - offsets[0] != prod(shape) * dtype.itemsize:
        expected = f"{prod(shape) * dtype.itemsize} bytes for {value['dtype']} {shape}"
        raise ValueError(f"{who}: expected data_offsets of {expected}, got {words(value['data_offsets'])}")
    return _Entry(name, dtype, shape, *offsets)


def _as_counts(who: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(n) is int and n >= 0 for n in value):
        raise ValueError(f"{who}: expected a list of integers >= 0, got {words(value)}")
    return tuple(value)


def _refuse_gaps(entries: list[_Entry], room: int) -> None:
    """Raise unless the arrays, in order, fill the file."""
    end = 0
    for entry in entries:
        if entry.start != end:
            raise ValueError(f"{words(entry.name)}: expected to begin at {end}, where the last ends, got {entry.start}")
        end = entry.stop
    if end != room:
        raise ValueError(f"expected {end} bytes behind the header, where the last array ends, got {room}")


def _read_array(file: BinaryIO, entry: _Entry) -> np.ndarray:
    """Return the next array of the file."""
    array = np.empty(entry.shape, entry.dtype)
    data = array.reshape(-1).view(np.uint8)
    if file.readinto(data) != data.size:  # type: ignore[attr-defined]  # every binary file has it
        raise ValueError(f"{words(entry.name)}: the file has ended within")
    if entry.dtype == np.bool and data.max(initial=0) > 1:
        raise ValueError(f"{words(entry.name)}: expected bytes of 0 and 1, got {data.max()}")
    return array.astype(entry.dtype.newbyteorder("="), copy=False)
