"""Reads a network's records into the tuples that the engine takes, or says why it cannot run that network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from minidl_native.kinds import FACTS, KINDS


class UnsupportedError(ValueError):
    """The engine cannot run this network or this training; the message is a short clause that says why.

    Examples
    --------
    >>> import minidl_native
    >>> minidl_native.check([], dtype="float16", replicate_shape=())
    Traceback (most recent call last):
    minidl_native.reading.UnsupportedError: float16
    """


def check(
    spec: Sequence[Any],
    *,
    dtype: str,
    replicate_shape: tuple[int, ...],
    loss: str | None = None,
    optimizer: str | None = None,
) -> None:
    """Raise unless the engine can run a network, and train it with this loss and optimizer.

    Parameters
    ----------
    spec : sequence of LayerSpec
        ``model.spec()``.
    dtype : str
    replicate_shape : tuple of int
        The replicate axes.
    loss, optimizer : str, optional
        Names of their classes.

    Raises
    ------
    UnsupportedError

    Examples
    --------
    >>> import minidl, minidl_native
    >>> spec = minidl.Linear(2, 3).spec()
    >>> minidl_native.check(spec, dtype="float32", replicate_shape=(), loss="MSELoss", optimizer="Adam")
    """
    if dtype not in ("float32", "float64"):
        raise UnsupportedError(f"{dtype}")
    if len(replicate_shape) > 1:
        raise UnsupportedError(f"{len(replicate_shape)} replicate axes")
    records = in_order(spec)
    for record in records:
        _check_record(record)
    if not any(FACTS["layers"][record.kind]["parameters"] for record in records):
        raise UnsupportedError("a network without a layer that has parameters")
    if loss is not None:
        check_loss(spec[-1].kind, loss)
    if optimizer is not None:
        check_optimizer(optimizer)


def check_loss(last: str, loss: str) -> None:
    """Raise UnsupportedError for an unknown loss, or one that does not suit the kind of the last layer."""
    if loss not in KINDS.losses:
        raise UnsupportedError(f"{loss} is not a loss that it knows")
    if FACTS["losses"][loss]["needs_probabilities"] and not FACTS["layers"][last]["gives_probabilities"]:
        raise UnsupportedError(f"{loss} without a final Sigmoid, whose predictions might lie outside [0, 1]")


def check_optimizer(optimizer: str) -> None:
    """Raise UnsupportedError for an unknown optimizer."""
    if optimizer not in KINDS.optimizers:
        raise UnsupportedError(f"{optimizer} is not an optimizer that it knows")


def in_order(spec: Sequence[Any]) -> list[Any]:
    """Return the records in the order in which the layers compute: the children of a record come before it."""
    return [record for parent in spec for record in (*in_order(parent.children), parent)]


def branches(spec: Sequence[Any], start: int = 0) -> Iterator[tuple[int, int]]:
    """Iterate over the places, `in_order`, of the first layer inside each record that adds a branch, and of its own."""
    for record in spec:
        yield from branches(record.children, start)
        end = start + len(in_order(record.children))
        if FACTS["layers"][record.kind]["adds_branch"]:
            yield start, end
        start = end + 1


def read(records: Sequence[Any], replicates: int) -> tuple[tuple[Any, ...], ...]:
    """Return the layers of a network that `check` has passed: kind, in, out, weight, bias and settings of each.

    ``weight`` and ``bias`` are the starts of the parameters in the vector, -1 where there is none.

    Parameters
    ----------
    records : sequence of LayerSpec
        As `in_order` returns them.
    replicates : int
    """
    layers = []
    width = next(record.in_features for record in records if record.params)
    for record in records:
        starts = {param.name: param.start for param in record.params}
        below = record.in_features if record.params else width
        width = record.out_features if record.params else width
        settings = _settings(record, replicates)
        layers.append((record.kind, below, width, starts.get("weight", -1), starts.get("bias", -1), settings))
    return tuple(layers)


def trained(records: Sequence[Any]) -> tuple[tuple[int, int, int, int], ...]:
    """Return the parameters that are not frozen: start in the vector, size, number of its layer, and number of axes."""
    layers = [(i, record) for i, record in enumerate(records) if not getattr(record, "frozen", False)]
    return tuple((p.start, prod(p.shape), i, len(p.shape)) for i, record in layers for p in record.params)


def size_of(records: Sequence[Any]) -> int:
    """Return the size of the vector of one network."""
    size: int = max(param.start + prod(param.shape) for record in records for param in record.params)
    return size


def bit_generators(
    layers: Sequence[tuple[Any, ...]], generators: Sequence[Sequence[np.random.Generator]], replicates: int
) -> list[list[Any]]:
    """Return the bit generators of each layer of `read` that draws, and None where nothing is drawn."""
    owners: dict[int, int] = {}
    found = []
    drawing = [(kind, settings) for kind, *_, settings in layers if FACTS["layers"][kind]["draws"]]
    for (kind, settings), own in zip(drawing, generators, strict=False):
        if len(own) != replicates:
            raise ValueError(f"minidl_native: expected {replicates} generators for a {kind}, got {len(own)}")
        draws = np.broadcast_to(settings[KINDS.layers[kind][0]], replicates) != 0
        found.append([generator.bit_generator if d else None for generator, d in zip(own, draws, strict=True)])
        for r, generator in enumerate(own):  # also where nothing is drawn now: the next epoch may draw
            if type(generator) is not np.random.Generator:
                raise UnsupportedError(f"a {type(generator).__name__} that may draw in its own way")
            if owners.setdefault(id(generator.bit_generator), r) != r:
                raise UnsupportedError("replicates that draw from one generator")
    return found


def _settings(record: Any, replicates: int) -> dict[str, Any]:
    """Return the settings of a layer as the engine reads them: numbers, or arrays of one per replicate."""
    words = FACTS["layers"][record.kind]["words"]
    settings = {name: value for name, value in record.options if name in KINDS.layers[record.kind]}
    settings = {name: words.index(value) if isinstance(value, str) else value for name, value in settings.items()}
    for name, value in settings.items():
        if np.size(value) not in (1, replicates):
            expected = f"{name} of {record.kind} to be a number or one per replicate"
            raise ValueError(f"minidl_native: expected {expected}, {replicates}, got {np.size(value)}")
    as_read = {name: np.array(value, float) if isinstance(value, tuple) else value for name, value in settings.items()}
    return {name: value for name, value in as_read.items() if value is not None}


def _check_record(record: Any) -> None:
    place = f"layers[{record.path}]: {record.kind}"
    if getattr(record, "origin", "minidl") != "minidl" or record.kind not in KINDS.layers:
        raise UnsupportedError(f"{place} is not a layer that it knows")
    facts = FACTS["layers"][record.kind]
    if record.children and not facts["adds_branch"]:
        raise UnsupportedError(f"{place} is not a layer that it knows")
    options = dict(record.options)
    known = {*facts["settings"], *facts["parameters"], "lr"}  # any layer may be given a rate; few use it
    strange = [name for name in options if name not in known]
    if strange:
        raise UnsupportedError(f"{place} has an option that it does not know, {strange[0]}")
    word = next((value for value in options.values() if isinstance(value, str) and value not in facts["words"]), None)
    if word is not None:
        raise UnsupportedError(f"{place} has a word among its options that it does not know, {word}")
    missing = [name for name in facts["settings"] if name not in options and name != "lr"]
    if missing:
        raise UnsupportedError(f"{place} lacks its option {missing[0]}")
    shapes = {param.name: param.shape for param in record.params}
    if shapes not in _possible_shapes(record, facts):
        raise UnsupportedError(f"{place} has other parameters than it knows")


def _possible_shapes(record: Any, facts: Mapping[str, Any]) -> tuple[dict[str, tuple[int, ...]], ...]:
    """Return what the shapes of a layer's parameters may be, by their names."""
    if not facts["parameters"]:
        return ({},)
    bias = (record.out_features,)
    if facts["per_feature"]:
        return ({"weight": bias, "bias": bias},)
    weight = (record.out_features, record.in_features)
    return {"weight": weight}, {"weight": weight, "bias": bias}
