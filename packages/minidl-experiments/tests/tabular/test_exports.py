"""Exported models: the outputs of predict for columns in their own units."""

import ctypes
import json
import shutil
import subprocess

import numpy as np
import pytest

import minidl
from minidl_experiments.tabular.encoder import Encoder, NumberColumn, TextColumn
from minidl_experiments.tabular.export import export_c, export_onnx, export_torch, far_columns, fold, input_lines
from minidl_experiments.tabular.model import TableModel
from minidl_experiments.tabular.target import ClassTarget, NumberTarget

COMPILER = shutil.which("cc")
ENCODER = Encoder((
    NumberColumn("/* size */ #define x", 20.5, 20.0, 3.0, flag=True),
    TextColumn("colour", ("blue", "röd\n\\"), flag=False),
    NumberColumn("income", 4e4, 5e4, 2e4, flag=False),
))  # fmt: skip
TARGETS = {
    "classes": ClassTarget("kind", ("no", "yes", "maybe")),
    "numbers": NumberTarget(("a", "b"), (1000.0, -3.0), (250.0, 0.01)),
}
RAW = np.array([[20.5, 1, 0, 1, 7e4], [14.25, 0, 1, 0, 1e4], [31.0, 0, 0, 0, 55_000.5]])


def build(rng, outputs):
    hidden = [minidl.Linear(5, 7, rng=rng), minidl.Tanh(), minidl.Dropout(0.5, rng=rng)]
    return minidl.Sequential([*hidden, minidl.Linear(7, outputs, rng=rng)])


@pytest.fixture(params=[(kind, networks) for kind in TARGETS for networks in (1, 3)], ids=str)
def model(request):
    kind, networks = request.param
    target = TARGETS[kind]
    if networks == 1:
        return TableModel(build(np.random.default_rng(0), target.outputs), ENCODER, target)
    network = minidl.replicate(lambda rng: build(rng, target.outputs), range(networks))
    return TableModel(network, ENCODER, target)


def expected(model):
    offset, scale = ENCODER.scaling
    return model.predict_inputs(((RAW - offset) / scale).astype(np.float32))


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-6)


def test_scaling_is_folded_into_the_first_and_last_layer(model):
    outputs = np.stack([minidl.predict(network, RAW) for network in fold(model)])
    if isinstance(model.target, ClassTarget):
        outputs = minidl.softmax(outputs)
    close(outputs.mean(axis=0), expected(model).values)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_onnx(model, dtype, tmp_path):
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    path = tmp_path / "m.onnx"
    export_onnx(model, path, dtype)
    y, *std = runtime.InferenceSession(path).run(None, {"x": RAW.astype(dtype)})
    close(y, expected(model).values)
    assert y.dtype == dtype
    assert len(std) == (model.networks > 1)
    if std:
        close(std[0], expected(model).std)
    properties = {each.key: json.loads(each.value) for each in onnx.load(path).metadata_props}
    assert properties["inputs"] == ENCODER.features


@pytest.mark.skipif(COMPILER is None, reason="needs a compiler of C")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_c(model, dtype, tmp_path):
    export_c(model, tmp_path / "m.c", dtype)
    library = tmp_path / "m.so"
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-shared", "-fPIC"]
    subprocess.run([COMPILER, *flags, "-o", library, tmp_path / "m.c", "-lm"], check=True)  # noqa: S603 - the project's own source
    predict, wanted = ctypes.CDLL(str(library)).predict, expected(model)
    for row, values, i in zip(RAW.astype(dtype), wanted.values, range(3), strict=True):
        y, std = np.zeros((2, len(values)), dtype)
        arrays = [row, y, std] if model.networks > 1 else [row, y]
        predict(*(array.ctypes.data_as(ctypes.c_void_p) for array in arrays))
        close(y, values)
        if model.networks > 1:
            close(std, wanted.std[i])


def test_torch(model, tmp_path):
    torch = pytest.importorskip("torch")
    export_torch(model, tmp_path / "m.pt2", "float32")
    extra = {"inputs.txt": ""}
    program = torch.export.load(tmp_path / "m.pt2", extra_files=extra)
    found = program.module()(torch.from_numpy(RAW.astype(np.float32)))
    y, *std = found if model.networks > 1 else (found,)
    close(y.numpy(), expected(model).values)
    if std:
        close(std[0].numpy(), expected(model).std)
    assert extra["inputs.txt"].splitlines()[0].startswith("x[0]  /* size")


def test_the_inputs_are_listed_in_order(model):
    lines = input_lines(model)
    assert lines[0] == "x[0]  /* size */ #define x  (a number; 20.5 where it is missing)"
    assert lines[4] == "x[4]  income  (a number; 40000 where it is missing)"


def test_columns_far_from_zero_are_named():
    encoder = Encoder((NumberColumn("year", 2020, 2020.0, 0.5, flag=False), NumberColumn("x", 1, 1.0, 0.5, flag=False)))
    assert far_columns(TableModel(minidl.Linear(2, 2), encoder, TARGETS["numbers"])) == ["year"]


def test_another_network_is_refused():
    network = minidl.Sequential([minidl.Tanh(), minidl.Linear(5, 3)])
    with pytest.raises(ValueError, match="export: expected a network that begins and ends with a Linear"):
        fold(TableModel(network, ENCODER, TARGETS["classes"]))
