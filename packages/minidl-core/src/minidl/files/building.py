"""A network from its record and its arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from minidl.arrays.backend import Backend, dtype_name
from minidl.files.records import inner_name, place
from minidl.files.strict_json import words
from minidl.layers.module import Module
from minidl.parameters.spec import LayerSpec

OWN = "minidl"  # the origin of the layers that need not be handed in


def build(
    record: LayerSpec,
    arrays: Mapping[str, np.ndarray],
    kinds: Mapping[str, type[Module]],
    *,
    replicate_shape: tuple[int, ...],
    dtype: str,
    backend: Backend,
    rng: np.random.Generator | list[np.random.Generator],
) -> Module:
    """Return the network that a record describes, with the parameters and statistics of a state dict.

    Parameters
    ----------
    record : LayerSpec
        It may come from anywhere, and so may the arrays: no more memory is taken than for some copies of them.
    arrays : mapping of str to ndarray
        A state dict.
    kinds : mapping of str to type
        The classes of layers that are not minidl's.
    replicate_shape : tuple of int
    dtype : str
        Of the parameters.
    backend : Backend
    rng : Generator or list of Generator
        One for all, or one for each replicate.

    Raises
    ------
    ValueError, TypeError
        Naming the layer or the entry, if the record is not that of a network, or the arrays are not its own.
    """
    _check_arrays(record, arrays, replicate_shape, dtype)
    first = rng[0] if isinstance(rng, list) else rng
    model = _build(record, _known(kinds), {"dtype": dtype, "backend": backend, "rng": first})
    if replicate_shape:
        zeros = np.zeros((*replicate_shape, model.values.shape[-1]), dtype)
        model.move_to(replicate_shape, backend.asarray(zeros), backend.asarray(zeros))
    _compare_places(record, model.record())
    for module, told in zip(model.modules(), record.walk(), strict=True):
        with _naming(told):
            _set_options(module, told)
        _take_statistics(module, told, arrays)
        if told.params:
            (module.freeze if told.frozen else module.unfreeze)()
    _give_generators(model, rng)
    _compare(record, model.record())
    model.load_state_dict(arrays)
    return model


def own_kinds() -> dict[str, type[Module]]:
    """Return the classes of minidl's own layers by their names."""
    return {kind.__name__: kind for kind in _subclasses(Module) if _origin(kind) == OWN}


def name_of(layer: LayerSpec, name: str) -> str:
    """Return the name that a parameter or a statistic of a layer has in a state dict."""
    return f"{layer.path}.{name}" if layer.path else name


def _check_arrays(
    record: LayerSpec, arrays: Mapping[str, np.ndarray], replicate_shape: tuple[int, ...], dtype: str
) -> None:
    """Raise unless each parameter has its array, and a layer of minidl no width but those of its parameters.

    Then nothing that is built can be larger than the arrays.
    """
    for layer in record.walk():
        for param in layer.params:
            _array(arrays, name_of(layer, param.name), (*replicate_shape, *param.shape), dtype)
        lengths = {length for param in layer.params for length in param.shape}
        widths = {layer.in_features, layer.out_features} - {None}
        if layer.origin == OWN and not layer.children and not widths <= lengths:
            raise ValueError(f"{place(layer.path)}: expected parameters of its widths, got {_words(layer)}")


def _array(arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return one of the arrays; raise unless it is there, of this shape and dtype."""
    array = arrays.get(name)
    if array is None or array.shape != shape or array.dtype != dtype:
        got = "none" if array is None else f"{array.dtype} {array.shape}"
        raise ValueError(f"{name!r}: expected an array {dtype} {shape}, got {got}")
    return array


def _known(kinds: Mapping[str, type[Module]]) -> dict[tuple[bool, str], type[Module]]:
    """Return the classes that a file may ask for: (whether minidl's own, name) -> class."""
    own = {(True, name): kind for name, kind in own_kinds().items()}
    return own | {(False, name): kind for name, kind in kinds.items()}


def _subclasses(base: type) -> list[type[Module]]:
    children: Sequence[type[Module]] = base.__subclasses__()
    return [*children, *(kind for child in children for kind in _subclasses(child))]


def _origin(kind: type[Module]) -> str:
    return kind.__module__.partition(".")[0]


def _build(record: LayerSpec, known: Mapping[tuple[bool, str], type[Module]], more: Mapping[str, Any]) -> Module:
    """Return a module and those inside as a record describes them, without replicates."""
    children = {inner_name(record, child): _build(child, known, more) for child in record.children}
    own = record.origin == OWN
    kind = known.get((own, record.kind))
    if kind is None:
        hint = "minidl has no such layer" if own else f"hand in its class, kinds={{{record.kind!r}: ...}}"
        raise ValueError(f"{place(record.path)}: {record.kind!r} of {record.origin!r} is not known: {hint}")
    options = tuple((name, _first(value) if name in kind.settings else value) for name, value in record.options)
    single = replace(record, options=options)
    if own and children:  # their widths are those of the children, and no array has shown that there is room for others
        single = replace(single, in_features=None, out_features=None)
    with _naming(record):
        module = kind.from_record(single, children, **more)
        _set_options(module, single)
    if not children:  # the error names the layer, before a module around it complains
        _compare(replace(single, frozen=False), module.record())
    return module


@contextmanager
def _naming(record: LayerSpec) -> Iterator[None]:
    """Name a layer in every error."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{place(record.path)}: {record.kind} cannot be built from its record: {error}") from error


def _first(value: Any) -> Any:
    """Return the setting of the first replicate."""
    return value[0] if isinstance(value, tuple) and value else value


def _set_options(module: Module, told: LayerSpec) -> None:
    """Give a module its settings, those of all replicates and those that its constructor does not take."""
    for name, value in told.options:
        if name in module.settings:
            setattr(module, name, np.array(value, np.float64) if isinstance(value, tuple) else value)


def _give_generators(model: Module, rng: np.random.Generator | list[np.random.Generator]) -> None:
    """Give the modules that draw a generator for each replicate, as networks that share a generator would have."""
    drawing = [module for module in model.modules() if module.generators]
    if not drawing or not model.replicate_shape:
        return
    rngs = rng if isinstance(rng, list) else rng.spawn(prod(model.replicate_shape))
    for module in drawing:
        module.generators = list(rngs)


def _take_statistics(module: Module, told: LayerSpec, arrays: Mapping[str, np.ndarray]) -> None:
    """Give a module its statistics, whose shapes its record does not tell."""
    for name, fresh in module.statistics.items():
        shape = (*module.replicate_shape, *fresh.shape)
        array = _array(arrays, name_of(told, name), shape, dtype_name(fresh.dtype))
        module.statistics = {**module.statistics, name: module.backend.asarray(array)}


def _compare_places(told: LayerSpec, built: LayerSpec) -> None:
    """Raise unless a network has the modules that it was told to have."""
    expected, got = ({layer.path for layer in record.walk()} for record in (told, built))
    if expected != got:
        first = min(expected ^ got)
        raise ValueError(f"{place(first)}: {'missing' if first in got else 'not expected'} in the module around it")


def _compare(told: LayerSpec, built: LayerSpec) -> None:
    """Raise unless each layer is as it was told to be; the class of one that is handed in may have moved."""
    pairs = zip(told.walk(), built.walk(), strict=True)
    for one, other in reversed([*pairs]):  # a module after those inside, which make its widths
        moved = other if one.origin == OWN else replace(other, kind=one.kind, origin=one.origin)
        if _alone(one) != _alone(moved):
            raise ValueError(f"{place(one.path)}: expected what its class builds, {_words(moved)}, got {_words(one)}")


def _alone(layer: LayerSpec) -> tuple[LayerSpec, dict[str, tuple[int, ...]]]:
    """Return a record without the layers inside, its path and its place in the vector."""
    return replace(layer, path="", params=(), children=()), {param.name: param.shape for param in layer.params}


def _words(layer: LayerSpec) -> str:
    return f"{layer} with parameters {words(_alone(layer)[1])}"
