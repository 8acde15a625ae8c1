"""The calls of a network in C, and the arrays on the stack between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minidl.exchange.network import Layer


class Buffer:
    """An array of numbers between two calls.

    Attributes
    ----------
    width : int
    name : str
        Empty until it has a place.
    """

    def __init__(self, width: int, name: str = "") -> None:
        self.width, self.name = width, name


class Call:
    """A call of a function: what it reads, where it writes, its other arguments, and the layer that it is part of."""

    def __init__(
        self, function: str, source: Buffer, target: Buffer, arguments: str, layer: Layer, offset: int = 0
    ) -> None:
        self.function, self.source, self.target = function, source, target
        self.arguments, self.layer, self.offset = arguments, layer, offset

    def __str__(self) -> str:
        target = f"{self.target.name} + {self.offset}" if self.offset else self.target.name
        return f"{self.function}({self.source.name}, {target}, {self.arguments});"


def constant(layer: Layer, name: str) -> str:
    """Return the name of an array of a layer."""
    return "_".join(["layer", *layer.path.split("."), name] if layer.path else ["layer", name])


class Plan:
    """The calls of a network, in order.

    Parameters
    ----------
    number : callable
        ``number(value)`` is a number as C has it.
    """

    def __init__(self, number: Callable[[float], str]) -> None:
        self.number = number
        self.calls: list[Call] = []

    def chain(self, layers: Sequence[Layer], source: Buffer, *, keep: bool) -> Buffer:
        """Add the calls of a chain; return where its output is.

        Parameters
        ----------
        layers : sequence of Layer
        source : Buffer
        keep : bool
            Whether the source is read again later, and so must not be written to.
        """
        for layer in layers:
            target = self._step(layer, source, keep=keep)
            keep, source = keep and target is source, target
        return source

    def _step(self, layer: Layer, source: Buffer, *, keep: bool) -> Buffer:
        if layer.kind in ("Dropout", "Identity"):
            return source
        if layer.kind == "Residual":
            return self._residual(layer, source)
        if layer.kind == "Concat":
            return self._concat(layer, source)
        if layer.kind == "Linear":
            target = Buffer(layer.out_features or 0)
            arrays = [constant(layer, "weight"), constant(layer, "bias") if "bias" in layer.arrays else "0"]
            return self._call("apply_linear", source, target, layer, f"{source.width}, {target.width}", *arrays)
        function, arguments = self._function(layer)
        target = Buffer(source.width) if keep else source
        return self._call(function, source, target, layer, str(source.width), *arguments)

    def _residual(self, layer: Layer, source: Buffer) -> Buffer:
        target = self.chain(layer.inside[0], source, keep=True)
        if target is source:  # nothing inside computes anything
            target = self._call("apply_copy", source, Buffer(source.width), layer, str(source.width))
        return self._call("apply_add", source, target, layer, str(source.width))

    def _concat(self, layer: Layer, source: Buffer) -> Buffer:
        parts = [self.chain(branch, source, keep=True) for branch in layer.inside]
        target, offset = Buffer(sum(part.width for part in parts)), 0
        for part in parts:
            self.calls.append(Call("apply_copy", part, target, str(part.width), layer, offset))
            offset += part.width
        return target

    def _function(self, layer: Layer) -> tuple[str, list[str]]:
        name, *own = FUNCTION_OF[layer.kind]
        if layer.options.get("approximate") == "tanh":
            name = "apply_gelu_by_tanh"
        return name, [self.number(layer.options[one]) if one in layer.options else constant(layer, one) for one in own]

    def _call(self, function: str, source: Buffer, target: Buffer, layer: Layer, *arguments: str) -> Buffer:
        self.calls.append(Call(function, source, target, ", ".join(arguments), layer))
        return target


# The function of each kind, and what it takes behind the number of elements: settings, and arrays of the layer.
FUNCTION_OF: dict[str, tuple[str, ...]] = {
    "ReLU": ("apply_relu",),
    "LeakyReLU": ("apply_leaky_relu", "alpha"),
    "Tanh": ("apply_tanh",),
    "Sigmoid": ("apply_sigmoid",),
    "SiLU": ("apply_silu",),
    "ELU": ("apply_elu", "alpha"),
    "Softplus": ("apply_softplus", "beta"),
    "GELU": ("apply_gelu",),
    "Softmax": ("apply_softmax",),
    "LayerNorm": ("apply_layer_norm", "weight", "bias", "eps"),
    "BatchNorm1d": ("apply_batch_norm", "running_mean", "root", "weight", "bias"),
}
KINDS = {*FUNCTION_OF, "Linear", "Dropout", "Identity", "Residual", "Concat"}


def place(calls: Sequence[Call], fixed: Sequence[Buffer]) -> list[Buffer]:
    """Give every buffer a name, and let those that are never needed at once share one; return the arrays to declare.

    Parameters
    ----------
    calls : sequence of Call
    fixed : sequence of Buffer
        That have a name already.
    """
    spans: dict[Buffer, list[int]] = {}
    for index, call in enumerate(calls):
        for buffer in (call.source, call.target):
            if buffer not in fixed:
                spans.setdefault(buffer, [index, index])[1] = index
    arrays: list[tuple[Buffer, Any]] = []  # each with the call that last needs it
    for buffer, (first, last) in spans.items():
        free = [i for i, (_, until) in enumerate(arrays) if until < first]
        chosen = min(free, key=lambda i: abs(arrays[i][0].width - buffer.width), default=len(arrays))
        if chosen == len(arrays):
            arrays.append((Buffer(buffer.width, f"h{chosen}"), last))
        array = arrays[chosen][0]
        array.width, buffer.name = max(array.width, buffer.width), array.name
        arrays[chosen] = array, last
    return [array for array, _ in arrays]
