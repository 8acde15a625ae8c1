"""What `probe` has found, as records, as a table to print and as columns for a DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class LayerProbe:
    """What `probe` has found in one layer.

    Every number is a float, or with replicates an array of shape replicate_shape.

    Attributes
    ----------
    path : str
        Where the layer stands in the network, as in ``LayerSpec.path``: ``"2"``.
    layer : str
        The layer in words: ``"Linear(2 -> 25)"``.
    outputs : dict of str to number
        ``"mean"`` and ``"spread"``, the standard deviation, over all samples and units; for an activation with flat
        parts also ``"saturated"``, the share of outputs, and ``"dead"``, the share of units.
    parameters : dict of str to dict of str to number
        For each parameter, ``"norm"``, and as far as they were measured ``"gradient"``, ``"update"`` and ``"change"``.
    """

    path: str
    layer: str
    outputs: dict[str, Any]
    parameters: dict[str, dict[str, Any]]

    def numbers(self) -> dict[str, Any]:
        """Return all numbers in one dict, those of parameters under names such as ``"weight_norm"``."""
        own = {f"{name}_{what}": value for name, found in self.parameters.items() for what, value in found.items()}
        return self.outputs | own


@dataclass(frozen=True, eq=False)
class Probe:
    """What `probe` has found in a network; printed, it is a table of layers and one of parameters.

    Attributes
    ----------
    layers : tuple of LayerProbe
    replicate_shape : tuple of int
    """

    layers: tuple[LayerProbe, ...]
    replicate_shape: tuple[int, ...] = ()

    def __getitem__(self, path: str) -> LayerProbe:
        """Return the record of a layer by its path, such as ``"2"``.

        Raises
        ------
        KeyError
            If there is no such layer.
        """
        found = {layer.path: layer for layer in self.layers}
        if path not in found:
            raise KeyError(f"Probe: expected one of the layers {', '.join(map(repr, found))}, got {path!r}")
        return found[path]

    def to_frame(self) -> dict[str, np.ndarray]:
        """Return the numbers as a table: one row per layer and replicate, columns of equal length.

        ``pandas.DataFrame(found.to_frame())`` takes it as it is.

        Returns
        -------
        dict of str to array
            ``"layer"``, the path, ``"kind"``, ``"replicate"``, 0 for a single network, and the numbers, with names such
            as ``"mean"`` and ``"weight_norm"``; nan where a layer has no such number.
        """
        return columns(_rows(self))

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def __repr__(self) -> str:
        return f"Probe({len(self.layers)} layers)"


def frame_of(probes: Iterable[tuple[int, Probe]]) -> dict[str, np.ndarray]:
    """Return the numbers of several epochs as a table with a column ``"epoch"`` in front; see `Probe.to_frame`."""
    return columns({"epoch": epoch} | row for epoch, found in probes for row in _rows(found))


def columns(rows: Iterable[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Return rows as columns of equal length, with nan for what a row does not have."""
    rows = list(rows)
    names = dict.fromkeys(name for row in rows for name in row)  # in order of appearance
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}


def _rows(found: Probe) -> Iterator[dict[str, Any]]:
    for layer in found.layers:
        flat = {name: np.ravel(value) for name, value in layer.numbers().items()}
        kind = layer.layer.partition("(")[0]
        for replicate in range(prod(found.replicate_shape)):
            numbers = {name: float(values[replicate]) for name, values in flat.items()}
            yield {"layer": layer.path, "kind": kind, "replicate": replicate, **numbers}


def _lines(found: Probe) -> Iterator[str]:
    """Yield the lines of two tables, the second one only if there are parameters."""
    path = max([6, *(len(layer.path) for layer in found.layers)])
    layers = [(f"{layer.path:<{path}} {layer.layer}", layer.outputs) for layer in found.layers]
    parameters = [
        (f"{layer.path}.{name}".lstrip("."), numbers)
        for layer in found.layers
        for name, numbers in layer.parameters.items()
    ]
    width = max([len("parameter"), *(len(words) for words, _ in layers + parameters)])
    yield from _table("layer", width, layers)
    if parameters:
        yield from _table("parameter", width, parameters)
    if found.replicate_shape:
        yield f"means of {' x '.join(map(str, found.replicate_shape))} replicates"


def _table(title: str, width: int, rows: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    names = dict.fromkeys(name for _, numbers in rows for name in numbers)
    yield f"{title:<{width}}" + "".join(f"{name:>11}" for name in names)
    for words, numbers in rows:
        cells = (_cell(name, numbers.get(name)) for name in names)
        yield (f"{words:<{width}}" + "".join(f"{cell:>11}" for cell in cells)).rstrip()


def _cell(name: str, value: Any) -> str:
    """Return a number, of replicates the mean, as text: a share in percent, nothing for None."""
    if value is None:
        return ""
    mean = float(np.mean(value))
    return f"{100 * mean:.1f} %" if name in ("saturated", "dead") else f"{mean:.3g}"
