"""Layers that are several operators in a file: SiLU, and GELU and Softplus where they are written out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minidl.exchange.network import LOWEST_THRESHOLD, Layer
from minidl.exchange.onnx_graph import Graph, Read


def constant_and_data(graph: Graph, node: Any) -> tuple[np.ndarray, str]:
    """Return the constant and the tensor of an operator that takes one of each, in any order."""
    data = graph.data(node)
    if len(data) != 1 or len(node.input) != 2:
        raise graph.unsupported(node, "minidl has no such layer")
    constant = graph.constant(node, 1 - list(node.input).index(data[0]))
    return np.asarray(constant), data[0]


def read_product(graph: Graph, node: Any) -> Read:
    """Read a SiLU, x σ(x), or a GELU that is written out."""
    for x, gate in _orders(graph, node.output[0], "Mul"):
        inner = _computed_by(graph, gate, "Sigmoid")
        if inner is not None and list(inner.input) == [x]:
            return x, [Layer("SiLU")]
    for x in _gelu(graph, node):
        return x, [Layer("GELU", options={"approximate": "none"})]
    raise graph.unsupported(node, "it is no SiLU, and no GELU with the error function")


def read_division(graph: Graph, node: Any) -> Read:
    """Read a softplus of another sharpness, softplus(beta x) / beta."""
    beta, data = constant_and_data(graph, node)
    softplus = _computed_by(graph, data, "Softplus")
    if softplus is not None:
        for x, factor in _orders(graph, softplus.input[0], "Mul"):
            if beta.size == 1 and _is_number(graph, node, factor, beta.item()):
                return x, [Layer("Softplus", options={"beta": float(str(beta.item()))})]
    raise graph.unsupported(node, "it is no Softplus")


def read_where(graph: Graph, node: Any) -> Read:
    """Read a softplus that is x where beta x is above a threshold."""
    condition, x, other = node.input
    softplus, division = (_computed_by(graph, other, operator) for operator in ("Softplus", "Div"))
    beta = 1.0 if softplus is not None and list(softplus.input) == [x] else 0.0
    if division is not None:
        start, (layer,) = read_division(graph, division)
        beta = layer.options["beta"] if start == x else 0.0
    if beta * _limit(graph, node, condition, x) >= LOWEST_THRESHOLD * (1 - 1e-6):  # up to the rounding of float32
        return x, [Layer("Softplus", options={"beta": beta})]
    raise graph.unsupported(node, "it is no Softplus")


def _limit(graph: Graph, node: Any, condition: str, x: str) -> float:
    """Return above which x a tensor of truth values is true, in x > number or factor x > number; 0 for others."""
    greater = _computed_by(graph, condition, "Greater")
    if greater is None or not graph.is_constant(greater.input[1]):
        return 0.0
    number = graph.array(node, greater.input[1])
    factors = [factor for data, factor in _orders(graph, greater.input[0], "Mul") if data == x]
    factor = graph.array(node, factors[0]) if factors and graph.is_constant(factors[0]) else np.zeros(())
    factor = np.ones(()) if greater.input[0] == x else factor
    return float(number.item() / factor.item()) if number.size == factor.size == 1 and factor > 0 else 0.0


def _computed_by(graph: Graph, name: str, operator: str) -> Any | None:
    """Return the node that computes a tensor if it is this operator of the standard, else None."""
    node = graph.nodes.get(name)
    return node if node is not None and node.op_type == operator and not node.domain else None


def _orders(graph: Graph, name: str, operator: str) -> list[tuple[str, str]]:
    """Return the inputs of an operator that computes a tensor from two, in both orders; nothing for another one."""
    node = _computed_by(graph, name, operator)
    if node is None or len(node.input) != 2:
        return []
    return [(node.input[0], node.input[1]), (node.input[1], node.input[0])]


def _is_number(graph: Graph, node: Any, name: str, value: float) -> bool:
    """Whether a tensor is a constant of one number, up to the rounding of float32."""
    if not graph.is_constant(name):
        return False
    constant = graph.array(node, name)
    return constant.size == 1 and math.isclose(constant.item(), value, rel_tol=1e-6)


def _gelu(graph: Graph, node: Any) -> Iterator[str]:
    """Iterate over the x of which a node computes ``x (1 + erf(x / √2)) / 2``, in whichever order: one or none."""
    for half, product in _orders(graph, node.output[0], "Mul"):
        if _is_number(graph, node, half, 0.5):
            yield from (x for x, gate in _orders(graph, product, "Mul") if _is_gate(graph, node, gate, x))
        halves = (x for x, number in _orders(graph, half, "Mul") if _is_number(graph, node, number, 0.5))
        yield from (x for x in halves if _is_gate(graph, node, product, x))


def _is_gate(graph: Graph, node: Any, name: str, x: str) -> bool:
    """Whether a tensor is 1 + erf(x / √2)."""
    for one, erf in _orders(graph, name, "Add"):
        inner = _computed_by(graph, erf, "Erf")
        if inner is not None and _is_number(graph, node, one, 1):
            divided, times = (_orders(graph, inner.input[0], operator) for operator in ("Div", "Mul"))
            return any(a == x and _is_number(graph, node, b, math.sqrt(2)) for a, b in divided[:1]) or any(
                a == x and _is_number(graph, node, b, math.sqrt(0.5)) for a, b in times
            )
    return False
