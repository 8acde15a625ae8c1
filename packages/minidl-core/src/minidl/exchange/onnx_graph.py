"""A graph of ONNX: its nodes by what they compute, its constants, and errors that name a node."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.arrays.backend import FLOATS
from minidl.exchange.network import Layer

Read = tuple[str, list[Layer]]  # the tensor that layers start from, and the layers


class Unsupported(ValueError):  # noqa: N818 - it is what it says: an operator that minidl does not have
    """A node that is no layer of minidl.

    Attributes
    ----------
    at_the_input : bool
        Whether the search came to the input of the graph instead of the tensor that it looked for.
    """

    def __init__(self, words: str, *, at_the_input: bool = False) -> None:
        super().__init__(words)
        self.at_the_input = at_the_input


class Graph:
    """The graph of a model that the checker has passed.

    Parameters
    ----------
    onnx : module
    model : onnx.ModelProto

    Attributes
    ----------
    input : str
        The name of its only input.
    width : int or None
        How many features the input has, if the file says so.
    functions : dict
        The functions of the file by domain and name.
    """

    def __init__(self, onnx: Any, model: Any) -> None:
        self.onnx, self.proto = onnx, model.graph
        self.functions = {(function.domain, function.name): function for function in model.functions}
        self.nodes = {name: node for node in self.proto.node for name in node.output if name}
        self.initial = {tensor.name: tensor for tensor in self.proto.initializer}
        self._arrays: dict[str, np.ndarray] = {}
        inputs = [value for value in self.proto.input if value.name not in self.initial]
        if len(inputs) != 1:
            names = ", ".join(value.name for value in inputs)
            raise ValueError(f"expected one input, got {names or 'none'}")
        self.input = inputs[0].name
        tensor = inputs[0].type.tensor_type
        axes = [axis.dim_value if axis.HasField("dim_value") else None for axis in tensor.shape.dim]
        if tensor.HasField("shape") and len(axes) != 2:
            raise ValueError(f"expected an input of shape (batch, features), got one of {len(axes)} axes")
        self.width = axes[1] if axes else None
        self._input_dtype = tensor.elem_type

    def output(self, name: str | None) -> str:
        """Return the name of the tensor to read: that one, or the only output."""
        names = [value.name for value in self.proto.output]
        if name is not None and name not in self.nodes and name != self.input:
            raise ValueError(f"expected output to be the name of a tensor, such as {', '.join(names)}, got {name!r}")
        if name is None and len(names) != 1:
            raise ValueError(f"expected one output, got {', '.join(names)}: say which by output=")
        return names[0] if name is None else name

    def dtype(self) -> str:
        """Return the dtype of the arrays that were read; without any that of the input."""
        dtypes = {array.dtype for array in self._arrays.values() if array.dtype.kind == "f" and array.ndim}
        dtypes = dtypes or {self.onnx.helper.tensor_dtype_to_np_dtype(self._input_dtype)}
        if len(dtypes) > 1 or next(iter(dtypes)).name not in FLOATS:
            names = ", ".join(sorted(dtype.name for dtype in dtypes))
            raise ValueError(f"expected one of the dtypes float16, float32 and float64, got {names}")
        return str(dtypes.pop().name)

    def node_of(self, tensor: str) -> Any:
        """Return the node that computes a tensor."""
        node = self.nodes.get(tensor)
        if node is None:
            what = f"the input {tensor!r}" if tensor == self.input else f"the constant {tensor!r}"
            raise Unsupported(f"{what} is not computed from what it was to be", at_the_input=True)
        return node

    def unsupported(self, node: Any, why: str) -> Unsupported:
        """Return the error that a node is no layer of minidl."""
        data = self.data(node)
        hint = f"; output={data[0]!r} reads what comes before it" if data and data[0] != self.input else ""
        operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        return Unsupported(f"node {node.name or node.output[0]!r} ({operator}): {why}{hint}")

    # ---- what a node takes

    def data(self, node: Any) -> list[str]:
        """Return the inputs of a node that are no constants."""
        return [name for name in node.input if name and not self.is_constant(name)]

    def is_constant(self, name: str) -> bool:
        """Whether a tensor is stored in the file."""
        name = self._stored(name)
        return name in self.initial or (name in self.nodes and self.nodes[name].op_type == "Constant")

    def _stored(self, name: str) -> str:
        """Return the name of which another one is a copy: torch stores equal arrays once."""
        while name in self.nodes and self.nodes[name].op_type == "Identity":
            name = self.nodes[name].input[0]
        return name

    def constant(self, node: Any, position: int) -> np.ndarray | None:
        """Return an input of a node that must be a constant; None if it is left out."""
        if position >= len(node.input) or not node.input[position]:
            return None
        name = node.input[position]
        if not self.is_constant(name):
            raise self.unsupported(node, f"its input {name!r} is no constant")
        return self.array(node, name)

    def array(self, node: Any, name: str) -> np.ndarray:
        """Return a constant that a node takes, perhaps through others."""
        name = self._stored(name)
        if name not in self._arrays:
            self._arrays[name] = self._array(node, name)
        return self._arrays[name]

    def _array(self, node: Any, name: str) -> np.ndarray:
        """Return a tensor of the file as an array."""
        tensor = self.initial.get(name)
        if tensor is None:
            (value,) = self.nodes[name].attribute
            tensor = self.onnx.helper.get_attribute_value(value)
        if not isinstance(tensor, self.onnx.TensorProto):
            return np.asarray(tensor)
        if tensor.data_location == self.onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise self.unsupported(node, f"its input {name!r} is in another file")
        try:
            return np.asarray(self.onnx.numpy_helper.to_array(tensor))
        except Exception as error:  # of several classes, for dimensions and data that do not go together
            raise self.unsupported(node, f"its input {name!r} is damaged: {error}") from error

    def attribute(self, node: Any, name: str, default: Any) -> Any:
        """Return an attribute of a node; a float has the few digits that tell it from its neighbours in float32."""
        for attribute in node.attribute:
            if attribute.name == name:
                value = self.onnx.helper.get_attribute_value(attribute)
                return float(str(np.float32(value))) if isinstance(value, float) else value
        return default

    def reshaped(self, node: Any) -> int | None:
        """Return to which width a node changes the shape of its rows; None for other nodes."""
        if node.op_type != "Reshape" or node.domain:
            return None
        shape = self.constant(node, 1)
        if shape is None or shape.shape != (2,) or shape[0] not in (-1, 0):
            raise self.unsupported(node, "it changes the shape")
        return None if shape[0] == 0 and shape[1] == -1 else int(shape[1])
