"""Networks of minidl from layers that were read from another format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minidl.arrays.backend import Array
from minidl.exchange.network import Layer
from minidl.files.building import own_kinds
from minidl.layers.module import Module
from minidl.layers.sequential import Sequential
from minidl.parameters.spec import LayerSpec, ParamSpec


class Builder:
    """Builds modules from layers, and copies their arrays in at the end.

    Before that the weights are zeros, so that no layers are warned of because they start from the same numbers.

    Parameters
    ----------
    home : mapping of str to value
        ``dtype`` and ``backend`` of the parameters.
    rng : Generator
        From which dropout draws.
    """

    def __init__(self, home: Mapping[str, Any], rng: np.random.Generator) -> None:
        self._more = {**home, "rng": rng}
        self._kinds = own_kinds()
        self._arrays: list[tuple[Module, Mapping[str, Array]]] = []

    def build(self, layer: Layer) -> Module:
        """Return a layer, or the network that it is, with its numbers."""
        module = self._module(layer)
        for part, arrays in self._arrays:
            part.load_state_dict(arrays)
        self._arrays.clear()
        return module

    def _module(self, layer: Layer) -> Module:
        """Return a layer; its arrays are copied in later."""
        module = self._kinds[layer.kind].from_record(_record_of(layer), self._children(layer), **self._more)
        if layer.arrays:
            self._arrays.append((module, layer.arrays))
        return module.freeze() if layer.frozen else module

    def _children(self, layer: Layer) -> dict[str, Module]:
        """Return the modules inside by their names."""
        if layer.kind == "Sequential":
            return {str(i): self._module(inner) for i, inner in enumerate(layer.inside[0])}
        chains = [self._chain(layers) for layers in layer.inside]
        return {"inner": chains[0]} if layer.kind == "Residual" else {str(i): one for i, one in enumerate(chains)}

    def _chain(self, layers: Sequence[Layer]) -> Module:
        """Return a layer for one, and a chain of them for another number."""
        return self._module(layers[0]) if len(layers) == 1 else Sequential([*map(self._module, layers)])


def _record_of(layer: Layer) -> LayerSpec:
    """Return what `Module.from_record` builds a layer from."""
    options = dict(layer.options)
    if layer.kind == "Linear" and "bias" not in layer.arrays:
        options["bias"] = False
    params = tuple(ParamSpec(name, tuple(array.shape), 0) for name, array in layer.arrays.items())
    return LayerSpec(layer.kind, layer.path, layer.in_features, layer.out_features, tuple(options.items()), params)
