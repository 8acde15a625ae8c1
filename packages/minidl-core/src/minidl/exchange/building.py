"""Networks of minidl from layers that were read from another format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minidl.arrays.backend import Array
from minidl.exchange.network import Layer
from minidl.layers.activations import Identity, LeakyReLU, ReLU, Sigmoid, Tanh
from minidl.layers.batch_norm import BatchNorm1d
from minidl.layers.concat import Concat
from minidl.layers.dropout import Dropout
from minidl.layers.layer_norm import LayerNorm
from minidl.layers.linear import Linear
from minidl.layers.module import Module
from minidl.layers.residual import Residual
from minidl.layers.sequential import Sequential
from minidl.layers.smooth import ELU, GELU, SiLU, Softplus

ACTIVATIONS = (Identity, ReLU, LeakyReLU, Tanh, Sigmoid, ELU, GELU, SiLU, Softplus)
NORMS = (BatchNorm1d, LayerNorm)


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
        self.home, self.rng = home, rng
        self._arrays: list[tuple[Module, Mapping[str, Array]]] = []

    def build(self, layer: Layer) -> Module:
        """Return a layer, or the network that it is, with its numbers."""
        module = self.module(layer)
        for part, arrays in self._arrays:
            part.load_state_dict(arrays)
        self._arrays.clear()
        return module

    def sequential(self, layers: Sequence[Layer]) -> Sequential:
        """Return the chain of some layers."""
        return Sequential([self.module(layer) for layer in layers])

    def module(self, layer: Layer) -> Module:
        """Return a layer; its arrays are copied in later."""
        module = MAKERS[layer.kind](self, layer)
        if layer.arrays:
            self._arrays.append((module, layer.arrays))
        return module.freeze() if layer.frozen else module

    def linear(self, layer: Layer) -> Linear:
        """Return a linear layer of zeros."""
        widths = layer.in_features or 0, layer.out_features or 0  # a width of 0 is refused
        return Linear(*widths, bias="bias" in layer.arrays, std_w=0.0, rng=0, **self.home)

    def chain(self, layers: Sequence[Layer]) -> Module:
        """Return a layer for one, and a chain of them for another number."""
        return self.module(layers[0]) if len(layers) == 1 else self.sequential(layers)

    def residual(self, layer: Layer) -> Residual:
        """Return a branch around the chain inside."""
        return Residual(self.chain(layer.inside[0]))

    def concat(self, layer: Layer) -> Concat:
        """Return the branches side by side."""
        return Concat([self.chain(branch) for branch in layer.inside])

    def dropout(self, layer: Layer) -> Dropout:
        """Return a dropout that draws from the builder's generator."""
        return Dropout(**layer.options, rng=self.rng)


def _activation(kind: Callable[..., Module]) -> Callable[[Builder, Layer], Module]:
    return lambda _, layer: kind(**layer.options)


def _norm(kind: Callable[..., Module]) -> Callable[[Builder, Layer], Module]:
    return lambda builder, layer: kind(layer.in_features, **layer.options, **builder.home)


MAKERS: dict[str, Callable[[Builder, Layer], Module]] = {
    "Linear": Builder.linear,
    "Dropout": Builder.dropout,
    "Residual": Builder.residual,
    "Concat": Builder.concat,
    "Sequential": lambda builder, layer: builder.sequential(layer.inside[0]),
    **{kind.__name__: _activation(kind) for kind in ACTIVATIONS},
    **{kind.__name__: _norm(kind) for kind in NORMS},
}
