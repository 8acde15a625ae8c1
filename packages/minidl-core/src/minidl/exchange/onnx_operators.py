"""What the operators of ONNX are as layers; each is read from its node and the constants that it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.exchange.network import Layer
from minidl.exchange.onnx_functions import DOMAIN, FUNCTIONS, function_of
from minidl.exchange.onnx_graph import Graph, Read
from minidl.exchange.onnx_patterns import constant_and_data, read_division, read_product, read_where


def _single(graph: Graph, node: Any) -> str:
    """Return the only input of a node that is no constant, which must come first."""
    data = graph.data(node)
    if len(data) != 1 or node.input[0] != data[0]:
        raise graph.unsupported(node, "minidl has no such layer of two tensors")
    return data[0]


def _activation(kind: str, **attributes: tuple[str, Any]) -> Callable[[Graph, Any], Read]:
    """Return a reader of an activation, whose options are attributes: option=(attribute, default)."""

    def read(graph: Graph, node: Any) -> Read:
        options = {option: graph.attribute(node, *where) for option, where in attributes.items()}
        options = {name: value.decode() if isinstance(value, bytes) else value for name, value in options.items()}
        return _single(graph, node), [Layer(kind, options=options)]

    return read


def _nothing(graph: Graph, node: Any) -> Read:
    """Read an operator that changes nothing about rows of numbers."""
    if node.op_type == "Flatten" and graph.attribute(node, "axis", 1) not in (1, -1):
        raise graph.unsupported(node, "it changes the shape")
    if node.op_type == "Cast":
        dtype = graph.onnx.helper.tensor_dtype_to_np_dtype(graph.attribute(node, "to", 0))
        if dtype.name not in ("float32", "float64"):
            raise graph.unsupported(node, f"it makes {dtype.name} of its input")
    return _single(graph, node), []


def _dropout(graph: Graph, node: Any) -> Read:
    training = graph.constant(node, 2)
    if training is not None and training.any():
        raise graph.unsupported(node, "it drops units in inference")
    ratio = graph.constant(node, 1)
    p_drop = graph.attribute(node, "ratio", 0.5) if ratio is None else float(ratio)
    return _single(graph, node), [Layer("Dropout", options={"p_drop": p_drop})]


def _linear_of(graph: Graph, node: Any, weight: np.ndarray | None, bias: np.ndarray | None) -> Layer:
    """Return a linear layer; its weight is (out, in)."""
    if weight is None or weight.ndim != 2:
        axes = 0 if weight is None else weight.ndim
        raise graph.unsupported(node, f"its weights have {axes} axes, those of a layer have 2")
    n_out, n_in = weight.shape
    arrays = {"weight": weight}
    if bias is not None:
        if bias.size not in (1, n_out) or bias.shape[:-1] not in ((), (1,)):
            raise graph.unsupported(node, f"its biases have the shape {bias.shape}, expected ({n_out},)")
        arrays["bias"] = np.broadcast_to(bias.reshape(-1), (n_out,))
    return Layer("Linear", in_features=n_in, out_features=n_out, arrays=arrays)


def _gemm(graph: Graph, node: Any) -> Read:
    factors = (
        graph.attribute(node, "alpha", 1.0),
        graph.attribute(node, "beta", 1.0),
        graph.attribute(node, "transA", 0),
    )
    if factors != (1.0, 1.0, 0):
        raise graph.unsupported(node, "it is more than x Wᵀ + b")
    weight = graph.constant(node, 1)
    if weight is not None and not graph.attribute(node, "transB", 0):
        weight = weight.T
    return _single(graph, node), [_linear_of(graph, node, weight, graph.constant(node, 2))]


def _matmul(graph: Graph, node: Any, bias: np.ndarray | None = None) -> Read:
    weight = graph.constant(node, 1)
    return _single(graph, node), [_linear_of(graph, node, None if weight is None else weight.mT, bias)]


def _add(graph: Graph, node: Any) -> Read:
    """Read the bias of a product in front of it."""
    bias, data = constant_and_data(graph, node)
    product = graph.nodes.get(data)
    if product is None or product.op_type != "MatMul" or product.domain:
        raise graph.unsupported(node, "it adds constants to something else than a product with weights")
    return _matmul(graph, product, bias)


def _layer_norm(graph: Graph, node: Any) -> Read:
    x, weight, bias = _single(graph, node), graph.constant(node, 1), graph.constant(node, 2)
    if graph.attribute(node, "axis", -1) not in (-1, 1) or weight is None or weight.ndim != 1:
        raise graph.unsupported(node, "minidl's normalizes over the last axis")
    arrays = {"weight": weight, "bias": np.zeros_like(weight) if bias is None else bias}
    return x, [_norm(graph, node, arrays, eps=graph.attribute(node, "epsilon", 1e-5))]


def _batch_norm(graph: Graph, node: Any) -> Read:
    names = "weight", "bias", "running_mean", "running_var"
    arrays = {name: graph.constant(node, i) for i, name in enumerate(names, 1)}
    if graph.attribute(node, "training_mode", 0):
        raise graph.unsupported(node, "it normalizes by the batch")
    eps, momentum = graph.attribute(node, "epsilon", 1e-5), graph.attribute(node, "momentum", 0.9)
    share = float(f"{1 - momentum:.6g}")  # the digits of momentum that float32 has
    return _single(graph, node), [_norm(graph, node, arrays, eps=eps, momentum=share)]


def _norm(graph: Graph, node: Any, arrays: dict[str, Any], **options: float) -> Layer:
    """Return a normalization; one with running statistics counts its batches from 0."""
    if any(array is None or array.ndim != 1 for array in arrays.values()):
        raise graph.unsupported(node, "its weights are not one row, as those of replicates: see minidl.unstack")
    if "running_mean" not in arrays:
        return Layer("LayerNorm", in_features=arrays["weight"].size, options=options, arrays=arrays)
    arrays = {**arrays, "num_batches_tracked": np.zeros((), np.int64)}
    return Layer("BatchNorm1d", in_features=arrays["weight"].size, options=options, arrays=arrays)


def _function(graph: Graph, node: Any) -> Read:
    """Read a function of this project, if the file has the same one."""
    kind, own = node.op_type, graph.functions.get((node.domain, node.op_type))
    if node.domain != DOMAIN or kind not in FUNCTIONS or own is None:
        raise graph.unsupported(node, "minidl has no such layer")
    if own.SerializeToString() != function_of(graph.onnx, kind).SerializeToString():
        raise graph.unsupported(node, "the file has another function of that name")
    found = {name: graph.constant(node, i) for i, name in enumerate(FUNCTIONS[kind][0], 1)}
    settings = {name: found.pop(name) for name in ("alpha", "beta", "eps") if name in found}
    if any(array is None or array.ndim for array in settings.values()):
        raise graph.unsupported(node, "its settings are those of replicates: see minidl.unstack")
    options: dict[str, Any] = {name: float(array) for name, array in settings.items() if array is not None}
    if kind.startswith("GELU"):
        kind, options = "GELU", {"approximate": "tanh" if kind == "GELUTanh" else "none"}
    if kind == "BatchNorm1d":
        options["momentum"] = 0.1  # the file has none, as it matters in training alone
    layer = _norm(graph, node, found, **options) if found else Layer(kind, options=options)
    return _single(graph, node), [layer]


OPERATORS: dict[str, Callable[[Graph, Any], Read]] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Add": _add,
    "Mul": read_product,
    "Div": read_division,
    "Where": read_where,
    "Relu": _activation("ReLU"),
    "Tanh": _activation("Tanh"),
    "Sigmoid": _activation("Sigmoid"),
    "LeakyRelu": _activation("LeakyReLU", alpha=("alpha", 0.01)),
    "Elu": _activation("ELU", alpha=("alpha", 1.0)),
    "Gelu": _activation("GELU", approximate=("approximate", "none")),
    "Softplus": _activation("Softplus"),
    "LayerNormalization": _layer_norm,
    "BatchNormalization": _batch_norm,
    "Dropout": _dropout,
    "Identity": _nothing,
    "Flatten": _nothing,
    "Reshape": _nothing,
    "Cast": _nothing,
    "Function": _function,
}
