"""Models for tables in other formats: the scaling of inputs and outputs is folded into the networks.

An exported network takes the columns in their own units and returns probabilities, or numbers in the units of the
targets. The first layer, W (x - offset) / scale + b, is (W / scale) x + (b - W offset / scale). The last one,
(W h + b) std + mean, is (std W) h + (std b + mean).
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import minidl
from minidl.exchange.libraries import library
from minidl.files.replacing import replacing
from minidl_experiments.tabular.encoder import NumberColumn
from minidl_experiments.tabular.export_c import ENSEMBLE, HEAD
from minidl_experiments.tabular.model import TableModel
from minidl_experiments.tabular.target import ClassTarget, NumberTarget

FAR = 1e3  # standard deviations from zero to a mean, beyond which float32 loses half of its digits


def fold(model: TableModel) -> list[minidl.Sequential]:
    """Return the networks in float64, with the scaling of inputs and outputs inside.

    Raises
    ------
    ValueError
        For a network that neither begins nor ends with a linear layer, as those of `minidl train` do.
    """
    single = minidl.unstack(model.network) if model.network.replicate_shape else [model.network]
    return [_folded(model, network) for network in single]


def _folded(model: TableModel, network: minidl.Module) -> minidl.Sequential:
    layers = list(network.layers) if isinstance(network, minidl.Sequential) else [network]
    if not (layers and isinstance(layers[0], minidl.Linear) and isinstance(layers[-1], minidl.Linear)):
        raise ValueError(f"export: expected a network that begins and ends with a Linear, got {network}")
    wide = [_as_float64(layer) for layer in layers if not isinstance(layer, minidl.Dropout)]
    first, last = wide[0], wide[-1]
    offset, scale = model.encoder.scaling
    first.weight, first.bias = first.weight / scale, first.bias - first.weight @ (offset / scale)
    if isinstance(model.target, NumberTarget):
        means, stds = model.target.scaling
        last.weight, last.bias = last.weight * stds[:, None], last.bias * stds + means
    return minidl.Sequential(wide)


def _as_float64(layer: minidl.Module) -> Any:
    if not isinstance(layer, minidl.Linear):
        return copy.deepcopy(layer)
    wide = minidl.Linear(layer.in_features, layer.out_features, dtype=np.float64)
    wide.weight = layer.weight.astype(np.float64)
    wide.bias = np.zeros(layer.out_features) if layer.bias is None else layer.bias.astype(np.float64)
    return wide


def input_lines(model: TableModel) -> list[str]:
    """Return the inputs of an exported network in words, one a line and in order."""
    lines: list[str] = []
    for column in model.encoder.columns:
        for i, feature in enumerate(column.features):
            what = "1 or 0"
            if isinstance(column, NumberColumn) and not i:
                what = f"a number; {column.median:.9g} where it is missing"
            lines.append(f"x[{len(lines)}]  {feature}  ({what})")
    return lines


def output_lines(model: TableModel) -> list[str]:
    """Return the outputs of an exported network in words, one a line and in order."""
    if isinstance(model.target, ClassTarget):
        return [f"y[{i}]  probability of {name}" for i, name in enumerate(model.target.classes)]
    return [f"y[{i}]  {label}" for i, label in enumerate(model.target.labels)]


def far_columns(model: TableModel) -> list[str]:
    """Return the columns whose mean is so far from zero that an exported network in float32 loses digits."""
    offset, scale = model.encoder.scaling
    far = np.abs(offset) > FAR * scale
    return [name for name, is_far in zip(model.encoder.features, far, strict=True) if is_far]


def export_onnx(model: TableModel, path: Path, dtype: str) -> None:
    """Write an ONNX file with the input ``x`` and the output ``y``, and for several networks ``std``.

    Parameters
    ----------
    model : TableModel
    path : pathlib.Path
    dtype : {"float32", "float64"}
    """
    onnx = library("export --onnx", "onnx")
    networks = fold(model)
    several, made = len(networks) > 1, iter(networks)
    network = minidl.replicate(lambda _: next(made), range(len(networks))) if several else networks[0]
    output = "softmax" if isinstance(model.target, ClassTarget) else None
    with TemporaryDirectory() as folder:
        file = Path(folder, "network.onnx")
        minidl.to_onnx(network, file, output=output, dtype=dtype, output_name="each" if several else "y")
        graph = onnx.load(file)
    if several:
        _add_mean(onnx, graph.graph)
    names = {"inputs": model.encoder.features, "outputs": output_lines(model)}
    onnx.helper.set_model_props(graph, {key: json.dumps(value) for key, value in names.items()})
    onnx.checker.check_model(graph, full_check=True)
    with replacing(path) as written:
        written.write(graph.SerializeToString())


def _add_mean(onnx: Any, graph: Any) -> None:
    """Replace the output of each network, (networks, batch, outputs), by mean and standard deviation over networks."""
    node, each = onnx.helper.make_node, graph.output[0]
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([0], np.int64), "networks_axis"))
    graph.node.extend([
        node("ReduceMean", ["each", "networks_axis"], ["y"], keepdims=0),
        node("Sub", ["each", "y"], ["networks_diff"]),
        node("Mul", ["networks_diff", "networks_diff"], ["networks_square"]),
        node("ReduceMean", ["networks_square", "networks_axis"], ["networks_variance"], keepdims=0),
        node("Sqrt", ["networks_variance"], ["std"]),
    ])  # fmt: skip
    kind, width = each.type.tensor_type.elem_type, each.type.tensor_type.shape.dim[-1].dim_value
    del graph.output[:]
    graph.output.extend(onnx.helper.make_tensor_value_info(name, kind, ["batch", width]) for name in ("y", "std"))


def export_c(model: TableModel, path: Path, dtype: str) -> None:
    """Write one file of C99 with ``void predict(const float *x, float *y)``, and ``float *std`` for several networks.

    Parameters
    ----------
    model : TableModel
    path : pathlib.Path
    dtype : {"float32", "float64"}
    """
    networks, classes = fold(model), isinstance(model.target, ClassTarget)
    with TemporaryDirectory() as folder:
        file = Path(folder, "network.c")
        if len(networks) == 1:
            minidl.to_c(networks[0], file, dtype=dtype, output="softmax" if classes else None)
        else:
            minidl.to_c(minidl.Sequential([minidl.Concat(networks)]), file, dtype=dtype, name="predict_each")
        text = file.read_text(encoding="ascii")
    lines = [*input_lines(model), *output_lines(model)]
    head = HEAD.format(lines="\n".join(f" *     {_comment(line)}" for line in lines))
    if len(networks) > 1:
        real, suffix = ("float", "f") if dtype == "float32" else ("double", "")
        text += ENSEMBLE.format(
            networks=len(networks), outputs=model.target.outputs, total=len(networks) * model.target.outputs,
            real=real, f=suffix, classes=int(classes), what="probabilities" if classes else "numbers",
        )  # fmt: skip
    with replacing(path) as written:
        written.write((head + text).encode("ascii"))


def _comment(line: str) -> str:
    """Return a line that can stand in a comment of C, whatever the names of columns are."""
    plain = re.sub(r"[\x00-\x1f]", " ", line).replace("*/", "* /").replace("/*", "/ *")
    return plain.encode("ascii", "backslashreplace").decode().rstrip("\\")


def export_torch(model: TableModel, path: Path, dtype: str) -> None:
    """Write a program of `torch.export`, which ``torch.export.load(path).module()`` runs without minidl.

    Parameters
    ----------
    model : TableModel
    path : pathlib.Path
    dtype : {"float32", "float64"}
    """
    torch = library("export --torch", "torch")
    kind = getattr(torch, dtype)
    network = _torch_module(torch, fold(model), classes=isinstance(model.target, ClassTarget)).to(kind)
    network.eval().requires_grad_(False)
    example = torch.zeros((3, len(model.encoder.features)), dtype=kind)
    program = torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim("rows")},))
    extra = {"inputs.txt": "\n".join(input_lines(model)), "outputs.txt": "\n".join(output_lines(model))}
    with replacing(path) as written:
        torch.export.save(program, written, extra_files=extra)


def _torch_module(torch: Any, networks: Sequence[minidl.Module], *, classes: bool) -> Any:
    """Return a module that computes the prediction, and for several networks a pair with the standard deviation."""

    class Model(torch.nn.Module):  # type: ignore[misc]  # torch is optional, so its class is Any
        def __init__(self) -> None:
            super().__init__()
            self.networks = torch.nn.ModuleList([minidl.to_torch(network) for network in networks])

        def forward(self, x: Any) -> Any:
            each = torch.stack([network(x) for network in self.networks])
            each = torch.softmax(each, -1) if classes else each
            return each[0] if len(self.networks) == 1 else (each.mean(0), each.std(0, correction=0))

    return Model()
