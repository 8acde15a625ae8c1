"""Plain values and arrays, nested in dicts and lists, as named arrays and a text of JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.files.strict_json import parse, words

_ARRAY, _FLOAT = "$array", "$float"  # JSON has no word for either


def pack(state: Any) -> tuple[dict[str, np.ndarray], str]:
    """Return the arrays of a nested state by their places, and all else as JSON.

    Parameters
    ----------
    state
        None, bools, integers, floats, texts and arrays of either library, in dicts with texts as keys, lists and
        tuples. Tuples come back as lists, and tensors as NumPy arrays.

    Raises
    ------
    TypeError
        For anything else, naming its place.

    Examples
    --------
    >>> arrays, text = pack({"t": 3, "moments": {"m": np.zeros(2)}})
    >>> text, list(arrays)
    ('{"t":3,"moments":{"m":{"$array":"moments/m"}}}', ['moments/m'])
    """
    arrays: dict[str, np.ndarray] = {}
    return arrays, json.dumps(_packed(state, "", arrays), separators=(",", ":"), allow_nan=False)


def unpack(arrays: Mapping[str, np.ndarray], text: str) -> Any:
    """Return the state that `pack` has taken apart.

    Raises
    ------
    ValueError
        If the text is not such JSON, or the arrays are not those that it names, each once.
    """
    left = dict(arrays)
    state = _unpacked(parse(text), left)
    if left:
        raise ValueError(f"expected no array beside the state, got {words(next(iter(left)))}")
    return state


def _packed(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {_FLOAT: repr(value)}
    if isinstance(value, Mapping) and all(isinstance(key, str) and key not in (_ARRAY, _FLOAT) for key in value):
        return {key: _packed(item, f"{place}/{key}" if place else key, arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(item, f"{place}/{number}", arrays) for number, item in enumerate(value)]
    array = value.detach().cpu().numpy() if hasattr(value, "detach") else value
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{place}: expected plain values and arrays, got {type(value).__name__}")
    arrays[place] = array
    return {_ARRAY: place}


def _unpacked(value: Any, left: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpacked(item, left) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {_FLOAT}:
        if value[_FLOAT] not in ("nan", "inf", "-inf"):
            raise ValueError(f"expected nan, inf or -inf, got {words(value[_FLOAT])}")
        return float(value[_FLOAT])
    if value.keys() == {_ARRAY}:
        if not isinstance(value[_ARRAY], str) or value[_ARRAY] not in left:
            raise ValueError(f"expected the name of an array, once, got {words(value[_ARRAY])}")
        return left.pop(value[_ARRAY])
    return {key: _unpacked(item, left) for key, item in value.items()}
