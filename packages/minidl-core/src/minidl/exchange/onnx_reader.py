"""ONNX files as networks."""

from __future__ import annotations

from os import PathLike
from typing import Any

from minidl.arrays.backend import Backend, get_backend
from minidl.arrays.checks import as_generator, as_path
from minidl.exchange.building import Builder
from minidl.exchange.libraries import library
from minidl.exchange.network import Layer, width_behind
from minidl.exchange.onnx_graph import Graph, Unsupported
from minidl.exchange.onnx_operators import OPERATORS
from minidl.layers.module import Module


def from_onnx(
    path: str | PathLike[str], *, output: str | None = None, backend: str | Backend | None = None, rng: Any = None
) -> Module:
    """Read a network from an ONNX file: one that `to_onnx`, torch or skl2onnx wrote, of layers that minidl has.

    Parameters
    ----------
    path : str or PathLike
        Of the file. Nothing in it is run, and no other file is read.
    output : str, optional
        The name of a tensor in the file, whose computation is read, for example that of the logits where the network
        ends with a softmax. Without it the only output of the file.
    backend : {"numpy", "torch", "torch:DEVICE"} or Backend, optional
        The library of the parameters; without it NumPy.
    rng : None, int, SeedSequence or Generator, optional
        From which dropout draws its masks.

    Returns
    -------
    Module
        A `Sequential` of the dtype of the file, in training mode like any new one; `predict` uses evaluation mode.

    Raises
    ------
    ValueError
        That names the file, and the first node that is no layer of minidl, with the reason; also if it is no ONNX file
        or a damaged one, or has its numbers in other files.
    OSError
        If the file cannot be read.
    ImportError
        If the package onnx is not installed; the extra ``minidl-core[onnx]`` brings it.

    Notes
    -----
    An ``Add`` is a `Residual` where one of its inputs is computed from the other, and a ``Concat`` is a `Concat` of
    branches from one tensor. Replicates of `to_onnx` are not read.
    """
    onnx = library("from_onnx", "onnx")
    chosen, generator = get_backend(backend, "from_onnx"), as_generator("from_onnx", rng)
    content = as_path("from_onnx", "path", path).read_bytes()
    try:
        layers, dtype = _read(onnx, content, output)
        home = {"dtype": dtype, "backend": chosen}
        return Builder(home, generator).build(Layer("Sequential", inside=(tuple(layers),)))
    except RecursionError:
        raise ValueError(f"from_onnx: {path}: branches are nested too deeply") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # a file may have anything
        raise ValueError(f"from_onnx: {path}: {error}") from error


def _read(onnx: Any, content: bytes, output: str | None) -> tuple[list[Layer], str]:
    """Return the layers of a file and their dtype."""
    try:
        model = onnx.load_model_from_string(content)
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # protobuf, the checker and the inference of shapes have classes of their own
        raise ValueError(f"it is no valid ONNX file: {str(error).strip() or type(error).__name__}") from error
    graph = Graph(onnx, model)
    network = _Network(graph)
    return network.chain(graph.input, graph.output(output)), graph.dtype()


class _Network:
    """The layers between tensors of a graph.

    Parameters
    ----------
    graph : Graph
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._steps: dict[str, tuple[str, list[Layer]]] = {}

    def chain(self, start: str, end: str) -> list[Layer]:
        """Return the layers that compute a tensor from another one.

        Raises
        ------
        Unsupported
            That says which node is in the way.
        """
        layers: list[Layer] = []
        while end != start:
            end, found = self.step(end)
            layers[:0] = found
        return layers

    def step(self, tensor: str) -> tuple[str, list[Layer]]:
        """Return the layers of the last operation that computes a tensor, and the tensor that they start from."""
        if tensor not in self._steps:
            self._steps[tensor] = self._step(tensor)
        return self._steps[tensor]

    def _step(self, tensor: str) -> tuple[str, list[Layer]]:
        node = self.graph.node_of(tensor)
        inputs = self.graph.data(node)
        if node.op_type == "Concat" and inputs:
            return self._concat(node, inputs)
        if node.op_type == "Add" and len(inputs) == 2:
            return self._residual(node, inputs)
        if node.op_type not in OPERATORS and node.domain == "":
            raise self.graph.unsupported(node, "minidl has no such layer")
        source, layers = OPERATORS[node.op_type if node.domain == "" else "Function"](self.graph, node)
        if (width := self.graph.reshaped(node)) is not None:
            first = self.graph.width
            if width_behind(self.chain(self.graph.input, source), first) not in (width, None) or first is None:
                raise self.graph.unsupported(node, "it changes the shape")
        return source, layers

    def _residual(self, node: Any, inputs: list[str]) -> tuple[str, list[Layer]]:
        """Return ``start + inner(start)``, whichever of the two comes first."""
        errors = []
        for start, end in (inputs, inputs[::-1]):
            try:
                return start, [Layer("Residual", inside=(tuple(self.chain(start, end)),))]
            except Unsupported as error:
                errors.append(error)
        raise next((error for error in errors if not error.at_the_input), None) or self.graph.unsupported(
            node, "none of its inputs is computed from the other"
        )

    def _concat(self, node: Any, inputs: list[str]) -> tuple[str, list[Layer]]:
        """Return branches from the nearest tensor that all of them are computed from."""
        if self.graph.attribute(node, "axis", None) not in (1, -1) or len(inputs) < len(node.input):
            raise self.graph.unsupported(node, "minidl joins layers, along the last axis")
        start, error = inputs[0], None
        while True:
            try:
                branches = tuple(tuple(self.chain(start, end)) for end in inputs)
                return start, [Layer("Concat", inside=branches)]
            except Unsupported as caught:
                error = error or (None if caught.at_the_input else caught)
            if start == self.graph.input:
                raise error or self.graph.unsupported(node, "its inputs are not computed from one tensor")
            start, _ = self.step(start)
