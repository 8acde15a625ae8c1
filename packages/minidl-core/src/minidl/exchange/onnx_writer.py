"""Networks as ONNX files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

import numpy as np

from minidl.arrays.checks import as_path
from minidl.exchange.libraries import library
from minidl.exchange.network import Layer, layers_of, width_behind
from minidl.exchange.onnx_functions import DOMAIN, FUNCTIONS, OPSET, VERSION, function_of
from minidl.exchange.outputs import dtype_to_write, with_output
from minidl.files.replacing import replacing
from minidl.layers.module import Module

IR_VERSION = 9  # that of the releases with opset 20

# The operator of each kind, its attributes, and the arrays behind x.
OPERATORS: dict[str, Callable[[Layer], tuple[str, dict[str, Any], tuple[str, ...]]]] = {
    "ReLU": lambda _: ("Relu", {}, ()),
    "Tanh": lambda _: ("Tanh", {}, ()),
    "Sigmoid": lambda _: ("Sigmoid", {}, ()),
    "Softmax": lambda _: ("Softmax", {"axis": -1}, ()),
    "LeakyReLU": lambda layer: ("LeakyRelu", {"alpha": layer.options["alpha"]}, ()),
    "ELU": lambda layer: ("Elu", {"alpha": layer.options["alpha"]}, ()),
    "GELU": lambda layer: ("Gelu", {"approximate": layer.options["approximate"]}, ()),
    "LayerNorm": lambda layer: (
        "LayerNormalization",
        {"axis": -1, "epsilon": layer.options["eps"]},
        ("weight", "bias"),
    ),
    "BatchNorm1d": lambda layer: (
        "BatchNormalization",
        {"epsilon": layer.options["eps"], "momentum": 1 - layer.options["momentum"]},
        ("weight", "bias", "running_mean", "running_var"),
    ),
}
KINDS = {*OPERATORS, "Linear", "SiLU", "Softplus", "Dropout", "Identity", "Residual", "Concat"} - {"Softmax"}


def to_onnx(
    model: Module,
    path: str | PathLike[str],
    *,
    output: str | None = None,
    dtype: str | None = None,
    input_name: str = "x",
    output_name: str = "y",
) -> None:
    """Write a network as an ONNX file of opset 20, as `predict` computes it: in evaluation mode.

    Parameters
    ----------
    model : Module
        With replicates too, which share the input.
    path : str or PathLike
        Of the file. An old one is replaced in one step, at the end.
    output : {"softmax", "sigmoid"}, optional
        What is computed from the outputs last, such as the probabilities of a network that ends with logits.
    dtype : {"float32", "float64"}, optional
        Of input, parameters and output. Without it that of the parameters, and float32 for float16.
    input_name, output_name : str
        The input has the shape (batch, features), with any batch; the output (batch, outputs), for replicates
        (R, batch, outputs).

    Raises
    ------
    TypeError
        If `model` is no Module.
    ValueError
        For the first layer that is not minidl's own; for a softmax of one output; for another dtype; if a name is
        empty or taken.
    ImportError
        If the package onnx is not installed; the extra ``minidl-core[onnx]`` brings it.

    Notes
    -----
    In float32 each layer is the operator of the standard. For float64 the standard has the settings (eps, alpha) of its
    operators in float32, and onnxruntime lacks kernels of some: there `LeakyReLU`, `ELU`, `GELU`, `LayerNorm` and
    `BatchNorm1d` are functions in the file, of the domain ``minidl``, which runtimes replace by what they are made of.
    Replicates whose settings or norms differ are written that way in float32 too.
    """
    layers = layers_of("to_onnx", model, KINDS, replicates=True)
    layers = with_output("to_onnx", output, layers, model)
    chosen = dtype_to_write("to_onnx", dtype, model)
    as_path("to_onnx", "path", path)
    onnx = library("to_onnx", "onnx")
    graph = _Graph(onnx, chosen, model, input_name)
    last = graph.chain(layers, input_name)
    graph.name_output(last, input_name, output_name)
    width, kind = model.in_features, onnx.TensorProto.DOUBLE if chosen == "float64" else onnx.TensorProto.FLOAT
    describe = onnx.helper.make_tensor_value_info
    x = describe(input_name, kind, ["batch", width or "features"])
    out = [*(() if last in graph.shared else model.replicate_shape), "batch", width_behind(layers, width) or "outputs"]
    made = onnx.helper.make_graph(
        graph.nodes, "network", [x], [describe(output_name, kind, out)], list(graph.arrays.values())
    )
    imports = [onnx.helper.make_opsetid("", OPSET)]
    functions = [function_of(onnx, name) for name in sorted(graph.functions)]
    imports += [onnx.helper.make_opsetid(DOMAIN, VERSION)] * bool(functions)
    file = onnx.helper.make_model(
        made, opset_imports=imports, ir_version=IR_VERSION, producer_name="minidl", functions=functions
    )
    onnx.checker.check_model(file, full_check=True)
    with replacing(path) as written:
        written.write(file.SerializeToString())


class _Graph:
    """Nodes and arrays of a graph; see `to_onnx` for the parameters."""

    def __init__(self, onnx: Any, dtype: str, model: Module, x: str) -> None:
        self.onnx, self.dtype = onnx, dtype
        self.shared = {x}  # the tensors without replicate axes
        self.to_numpy, self.replicates = model.backend.to_numpy, model.replicate_shape
        self.nodes: list[Any] = []
        self.arrays: dict[str, Any] = {}
        self.functions: set[str] = set()

    def chain(self, layers: Sequence[Layer], x: str) -> str:
        """Add the nodes of a chain; return the name of its output."""
        for layer in layers:
            x = self.step(layer, x)
        return x

    def step(self, layer: Layer, x: str) -> str:
        """Add the nodes of a layer; return the name of its output."""
        if layer.kind in ("Dropout", "Identity"):
            return x
        if layer.kind in FUNCTIONS and self.needs_function(layer):
            kind = "GELUTanh" if layer.options.get("approximate") == "tanh" else layer.kind
            self.functions.add(kind)
            return self.node(kind, layer, x, *(self.array(layer, name) for name in FUNCTIONS[kind][0]), domain=DOMAIN)
        if layer.kind in STEPS:
            return STEPS[layer.kind](self, layer, x)
        operator, attributes, arrays = OPERATORS[layer.kind](layer)
        return self.node(operator, layer, x, *(self.array(layer, name) for name in arrays), **attributes)

    def needs_function(self, layer: Layer) -> bool:
        """Whether the operator of the standard cannot have the settings or arrays of a layer."""
        many = any(isinstance(value, tuple) for value in layer.options.values())
        return self.dtype == "float64" or many or bool(self.replicates and layer.arrays)

    def linear(self, layer: Layer, x: str) -> str:
        """Add ``x Wᵀ + b``."""
        biases = [self.array(layer, "bias")] if "bias" in layer.arrays else []
        if not self.replicates:
            return self.node("Gemm", layer, x, self.array(layer, "weight"), *biases, transB=1)
        y = self.node("MatMul", layer, x, self.array(layer, "weight"), part="product" if biases else "")
        return self.node("Add", layer, y, *biases) if biases else y

    def silu(self, layer: Layer, x: str) -> str:
        """Add ``x σ(x)``."""
        return self.node("Mul", layer, x, self.node("Sigmoid", layer, x, part="gate"))

    def softplus(self, layer: Layer, x: str) -> str:
        """Add ``softplus(beta x) / beta``."""
        if layer.options["beta"] == 1:
            return self.node("Softplus", layer, x)
        beta = self.array(layer, "beta")
        y = self.node("Softplus", layer, self.node("Mul", layer, x, beta, part="scaled"), part="softplus")
        return self.node("Div", layer, y, beta)

    def residual(self, layer: Layer, x: str) -> str:
        """Add ``x + inner(x)``."""
        return self.node("Add", layer, x, self.chain(layer.inside[0], x))

    def concat(self, layer: Layer, x: str) -> str:
        """Add the outputs of the branches, side by side."""
        parts = [self.chain(branch, x) for branch in layer.inside]
        if not self.shared.issuperset(parts):
            parts = [self.repeated(layer, part, i) if part in self.shared else part for i, part in enumerate(parts)]
        return self.node("Concat", layer, *parts, axis=-1)

    def repeated(self, layer: Layer, x: str, branch: int) -> str:
        """Add zeros of each replicate to a tensor that they share, so that it gets their axes."""
        zeros = np.zeros((*self.replicates, 1, 1), self.dtype)
        self.arrays["zeros"] = self.onnx.numpy_helper.from_array(zeros, "zeros")
        return self.node("Add", layer, x, "zeros", part=f"{branch}.repeated")

    def node(self, operator: str, layer: Layer, *inputs: str, part: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        name = ".".join(filter(None, ["layer", layer.path or layer.kind, part]))
        self.nodes.append(self.onnx.helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        own = any(name in self.arrays and self.arrays[name].dims for name in inputs)  # numbers of each replicate
        if not own and self.shared.issuperset(name for name in inputs if name not in self.arrays):
            self.shared.add(name)
        return name

    def array(self, layer: Layer, name: str) -> str:
        """Add a parameter, a statistic or a setting; return its name, which for a parameter is that of torch."""
        key = f"{layer.path}.{name}".lstrip(".")
        value = self.to_numpy(layer.arrays[name]) if name in layer.arrays else np.asarray(layer.options[name])
        axes = len(self.replicates)
        if axes and name == "weight" and layer.kind == "Linear":
            value = value.mT
        elif axes and value.ndim:  # (R, features) or (R,)
            value = value.reshape(*value.shape[:axes], 1, *(value.shape[axes:] or (1,)))
        self.arrays[key] = self.onnx.numpy_helper.from_array(np.array(value, self.dtype, order="C"), key)
        return key

    def name_output(self, last: str, input_name: str, output_name: str) -> None:
        """Give the last tensor the name that the output is to have."""
        taken = {*self.arrays, *(name for node in self.nodes for name in node.output)}
        names = [input_name, output_name]
        if len({*names}) < 2 or any(not isinstance(name, str) or not name or name in taken for name in names):
            raise ValueError(
                f"to_onnx: expected two names that no other tensor has, got {input_name!r}, {output_name!r}"
            )
        if last == input_name:
            self.nodes.append(self.onnx.helper.make_node("Identity", [last], [output_name], name=output_name))
        for node in self.nodes:
            for tensors in (node.input, node.output):
                renamed = [output_name if name == last != input_name else name for name in tensors]
                tensors[:] = renamed


STEPS: dict[str, Callable[[_Graph, Layer, str], str]] = {
    "Linear": _Graph.linear,
    "SiLU": _Graph.silu,
    "Softplus": _Graph.softplus,
    "Residual": _Graph.residual,
    "Concat": _Graph.concat,
}
