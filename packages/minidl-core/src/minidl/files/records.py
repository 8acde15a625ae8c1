"""Records of layers as data for JSON, and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minidl.files.strict_json import words
from minidl.parameters.spec import LayerSpec, ParamSpec

DEEPEST, MOST = 100, 10_000  # modules inside each other, and of a network: a file cannot ask for more
# What a record leaves out where it is nothing else.
_DEFAULTS: dict[str, Any] = {
    "origin": "minidl",
    "in_features": None,
    "out_features": None,
    "options": {},
    "params": {},
    "children": {},
    "frozen": False,
}


def to_data(record: LayerSpec) -> dict[str, Any]:
    """Return a record as plain data; paths and places in the vector follow from the order.

    Raises
    ------
    ValueError
        For an option that JSON has no word for.
    """
    for name, value in record.options:
        if not _is_option(value, tuple):
            expected = "finite numbers, words or tuples of them"
            raise ValueError(f"{place(record.path)}: {record}: expected {name} to be {expected}, got {value!r}")
    every = {
        "origin": record.origin,
        "in_features": record.in_features,
        "out_features": record.out_features,
        "options": dict(record.options),
        "params": {param.name: list(param.shape) for param in record.params},
        "children": {inner_name(record, child): to_data(child) for child in record.children},
        "frozen": record.frozen,
    }
    return {"kind": record.kind} | {name: value for name, value in every.items() if value != _DEFAULTS[name]}


def from_data(data: Any, path: str = "", start: int = 0, depth: int = 1) -> LayerSpec:
    """Return the record of plain data, which may come from anywhere.

    Parameters
    ----------
    data : object
        Of JSON.
    path : str
        Of the record.
    start : int
        Its first element in the vector.
    depth : int
        The number of modules around it, itself included.

    Raises
    ------
    ValueError
        Naming the layer, for data of another form; for more than 100 modules inside each other.
    """
    who = place(path)
    if not isinstance(data, dict) or "kind" not in data or data.keys() - {"kind", *_DEFAULTS}:
        raise ValueError(f"{who}: expected an object of kind, {', '.join(_DEFAULTS)}, got {words(data)}")
    if depth > DEEPEST:
        raise ValueError(f"{who}: expected at most {DEEPEST} modules inside each other")
    full = {**_DEFAULTS, **data}
    for name, right in _FORMS.items():
        if not right(full[name]):
            raise ValueError(f"{who}: expected another {name} than {words(full[name])}")
    params, children, stop = [], [], start
    for name, shape in full["params"].items():
        params.append(ParamSpec(name, tuple(shape), stop))
        stop = params[-1].stop
    for name, child in full["children"].items():
        children.append(from_data(child, f"{path}.{name}" if path else name, stop, depth + 1))
        stop += children[-1].size
    return LayerSpec(
        kind=full["kind"],
        path=path,
        in_features=full["in_features"],
        out_features=full["out_features"],
        options=tuple((name, _frozen(value)) for name, value in full["options"].items()),
        params=tuple(params),
        children=tuple(children),
        origin=full["origin"],
        frozen=full["frozen"],
    )


def inner_name(record: LayerSpec, child: LayerSpec) -> str:
    """Return the name that a child has in its module."""
    return child.path[len(record.path) + 1 :] if record.path else child.path


def place(path: str) -> str:
    """Return words for a layer in an error message."""
    return f"layer {words(path)}" if path else "the network"


def _is_width(value: Any) -> bool:
    return value is None or (type(value) is int and value > 0)


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and n >= 0 for n in value)


def _is_option(value: Any, sequence: type[list[Any] | tuple[Any, ...]] = list) -> bool:
    if isinstance(value, sequence):
        return all(_is_option(one, sequence) for one in value)
    return math.isfinite(value) if isinstance(value, float) else isinstance(value, str | bool | int | None)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


_FORMS: dict[str, Callable[[Any], bool]] = {
    "kind": lambda value: isinstance(value, str),
    "origin": lambda value: isinstance(value, str),
    "in_features": _is_width,
    "out_features": _is_width,
    "options": lambda value: _is_object(value) and all(map(_is_option, value.values())),
    "params": lambda value: _is_object(value) and all(map(_is_shape, value.values())),
    "children": lambda value: _is_object(value) and all(name and "." not in name for name in value),
    "frozen": lambda value: isinstance(value, bool),
}


def _frozen(value: Any) -> Any:
    """Return lists as tuples, which a record can hold and compare."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
