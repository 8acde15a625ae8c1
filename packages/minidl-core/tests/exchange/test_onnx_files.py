"""Networks as ONNX files: onnxruntime computes what predict does, and they are read again; skipped without both."""

import sys

import numpy as np
import pytest

import minidl
from minidl.exchange.onnx_writer import KINDS

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
DTYPES = ["float32", "float64"]
NOTHING = {"Dropout", "Identity"}  # of which nothing is left in inference


def run(path, x, name="x"):
    """Return what onnxruntime computes of a file."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {name: x})[0]


def layers(records):
    """Return records without what a file does not have: places in the tree, learning rates, layers that do nothing."""
    return [
        (r.kind, r.in_features, r.out_features, r.options, *layers(r.children))
        for r in records
        if r.kind not in NOTHING
    ]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.onnx"


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_layer_in_onnxruntime_and_back(every_layer, dtype, path, alone, lacking, spread_out, assert_close):
    kind, build = every_layer
    model, x = alone(build, dtype), spread_out(dtype)
    if lacking(kind, KINDS, lambda: minidl.to_onnx(model, path)):
        return
    minidl.to_onnx(model, path)
    expected = minidl.predict(model, x, engine="numpy")
    assert_close(run(path, x), expected)
    back = minidl.from_onnx(path)
    assert layers(back.spec()) == layers(model.spec())
    np.testing.assert_array_equal(back.values, model.values)
    np.testing.assert_array_equal(minidl.predict(back, x, engine="numpy"), expected)
    assert back.training


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 7, 50])
def test_a_network_of_all_kinds_for_any_batch(every_kind, dtype, count, path, spread_out, assert_close):
    model, x = every_kind(dtype), spread_out(dtype, count)
    minidl.to_onnx(model, path)
    expected = minidl.predict(model, x, engine="numpy")
    assert_close(run(path, x), expected, 8)
    back = minidl.from_onnx(path)
    assert layers(back.spec()) == layers(model.spec())
    np.testing.assert_array_equal(minidl.predict(back, x, engine="numpy"), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_probabilities_of_logits(dtype, output, path, spread_out, assert_close):
    model, x = minidl.Linear(3, 4, dtype=dtype, rng=0), spread_out(dtype)
    minidl.to_onnx(model, path, output=output)
    logits = minidl.predict(model, x)
    assert_close(run(path, x), minidl.softmax(logits) if output == "softmax" else minidl.Sigmoid()(logits))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", [None, "sigmoid"])
def test_one_output_for_two_classes_has_one_column(dtype, output, path, spread_out, assert_close):
    model, x = minidl.Linear(3, 1, dtype=dtype, rng=0), spread_out(dtype)
    minidl.to_onnx(model, path, output=output)
    logits = minidl.predict(model, x)
    found = run(path, x)
    assert found.shape == (50, 1)
    assert_close(found, logits if output is None else minidl.Sigmoid()(logits))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_layer_with_replicates_is_one_graph(every_layer, dtype, path, alone, lacking, spread_out, assert_close):
    def build(rng):
        model = alone(every_layer[1], dtype)
        model.values[...] += rng.uniform(-0.1, 0.1, model.values.shape).astype(dtype)
        for name in {"alpha", "beta", "eps"} & set(model[1].options()):
            setattr(model[1], name, rng.uniform(0.1, 2))
        return model

    model, x = minidl.replicate(build, range(3)), spread_out(dtype)
    if lacking(every_layer[0], KINDS, lambda: minidl.to_onnx(model, path)):
        return
    minidl.to_onnx(model, path)
    expected = minidl.predict(model, x, engine="numpy")
    assert expected.shape[:2] == (3, 50)
    assert_close(run(path, x), expected)


def test_branches_that_hand_on_the_shared_input_of_replicates(path, spread_out, assert_close):
    def build(rng):
        empty = minidl.Sequential([])
        return minidl.Concat([minidl.Linear(3, 2, rng=rng), empty, minidl.ReLU(), minidl.LeakyReLU(rng.random())])

    model, x = minidl.replicate(build, range(3)), spread_out(np.float32)
    minidl.to_onnx(model, path)
    assert_close(run(path, x), minidl.predict(model, x, engine="numpy"))
    shared = minidl.Sequential([minidl.replicate(lambda _: minidl.ReLU(), range(3))])
    minidl.to_onnx(shared, path)
    assert_close(run(path, x), minidl.predict(shared, x))


def test_what_the_file_says_of_itself(path, network):
    minidl.to_onnx(network(), path, input_name="points", output_name="score")
    file = onnx.load(path)
    onnx.checker.check_model(file, full_check=True)
    assert [(o.domain, o.version) for o in file.opset_import] == [("", 20)]
    assert file.producer_name == "minidl"
    (x,), (y,) = file.graph.input, file.graph.output
    assert (x.name, y.name) == ("points", "score")
    assert [axis.dim_param or axis.dim_value for axis in x.type.tensor_type.shape.dim] == ["batch", 3]
    assert [axis.dim_param or axis.dim_value for axis in y.type.tensor_type.shape.dim] == ["batch", 2]
    assert {tensor.name for tensor in file.graph.initializer} == set(network().state_dict())


def test_a_network_that_computes_nothing(path, spread_out):
    model, x = minidl.Sequential([minidl.Dropout(), minidl.Identity()]), spread_out(np.float32)
    minidl.to_onnx(model, path)
    np.testing.assert_array_equal(run(path, x), x)
    assert minidl.from_onnx(path).layers == ()
    twice = minidl.Residual(minidl.Linear(3, 3, rng=0))
    minidl.to_onnx(minidl.Sequential([twice, minidl.Residual(minidl.Linear(3, 3, rng=1))]), path)
    assert len(minidl.from_onnx(path)) == 2


def test_another_dtype_and_tensors(path, spread_out, assert_close):
    x, half = spread_out(np.float32), minidl.Linear(3, 2, dtype="float16", rng=0)
    minidl.to_onnx(half, path)
    twin = minidl.from_onnx(path)
    assert twin.dtype == np.float32
    np.testing.assert_array_equal(twin.values, half.values.astype(np.float32))
    minidl.to_onnx(half, path, dtype="float64")
    assert_close(run(path, x.astype(np.float64)), minidl.predict(minidl.from_onnx(path), x.astype(np.float64)))
    pytest.importorskip("torch")
    minidl.to_onnx(minidl.Linear(3, 2, backend="torch", rng=0), path)
    tensors = minidl.from_onnx(path, backend="torch")
    np.testing.assert_array_equal(tensors.values.numpy(), minidl.Linear(3, 2, rng=0).values)


class Tanh(minidl.Tanh):
    """A kind with minidl's name that may compute anything."""


REFUSED = {
    "own": (lambda: minidl.Sequential([minidl.Residual(Tanh())]), {}, r"layer 0\.inner: Tanh of .* cannot be exported"),
    "dtype": (lambda: minidl.Linear(2, 2), {"dtype": "float16"}, "expected dtype 'float32' or 'float64'"),
    "softmax of one": (lambda: minidl.Linear(2, 1), {"output": "softmax"}, "expected output='sigmoid'"),
    "output": (lambda: minidl.Linear(2, 1), {"output": "tanh"}, "expected output 'softmax', 'sigmoid' or None"),
    "one name": (lambda: minidl.Linear(2, 1), {"input_name": "y"}, "expected two names"),
    "taken": (lambda: minidl.Linear(2, 1), {"output_name": "weight"}, "expected two names"),
    "empty": (lambda: minidl.Linear(2, 1), {"input_name": ""}, "expected two names"),
}


@pytest.mark.parametrize(("build", "options", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_written_changes_nothing(path, build, options, words):
    path.write_text("before")
    with pytest.raises(ValueError, match=rf"^to_onnx: .*{words}"):
        minidl.to_onnx(build(), path, **options)
    assert path.read_text() == "before"


def test_without_the_package_onnx_it_says_what_to_install(path, monkeypatch):
    minidl.to_onnx(minidl.Linear(2, 2), path)
    monkeypatch.setitem(sys.modules, "onnx", None)
    for call in (lambda: minidl.to_onnx(minidl.Linear(2, 2), path), lambda: minidl.from_onnx(path)):
        with pytest.raises(ImportError, match=r"_onnx: onnx is not installed: pip install 'minidl-core\[onnx\]'"):
            call()


def test_what_is_no_path_is_named():
    for who, call in (
        ("to_onnx", lambda: minidl.to_onnx(minidl.Linear(1, 1), 3)),
        ("from_onnx", lambda: minidl.from_onnx(3)),
    ):
        with pytest.raises(TypeError, match=f"{who}: expected path to be the path of a file, got 3"):
            call()
