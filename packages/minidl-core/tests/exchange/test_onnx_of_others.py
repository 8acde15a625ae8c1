"""ONNX files that others wrote: those of torch and skl2onnx, graphs of other operators, and damaged ones."""

import contextlib
import logging
import warnings

import numpy as np
import pytest

import minidl

onnx = pytest.importorskip("onnx")
helper = onnx.helper


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.onnx"


def numbers(value):
    """Return an array in float32, but integers and truth values as they are."""
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def write(path, nodes, arrays=None, inputs=("x",), outputs=("y",), width=3, kind=onnx.TensorProto.FLOAT):
    """Write a graph that is not checked."""
    describe = helper.make_tensor_value_info
    arrays = {name: numbers(array) for name, array in (arrays or {}).items()}
    graph = helper.make_graph(
        [helper.make_node(operator, taken, given, **attributes) for operator, taken, given, attributes in nodes],
        "graph",
        [describe(name, kind, ["n", width] if width else None) for name in inputs],
        [describe(name, kind, ["n", "m"]) for name in outputs],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    path.write_bytes(file.SerializeToString())
    return path


def refused(path, words, **options):
    with pytest.raises(ValueError, match=rf"(?s)^from_onnx: .*network\.onnx: .*{words}"):
        minidl.from_onnx(path, **options)


# ---- torch and skl2onnx


@pytest.fixture
def exported(path):
    """Return a function that writes a network of torch by its own exporters."""
    torch = pytest.importorskip("torch")

    def export(module, **options):
        if options["dynamo"]:
            pytest.importorskip("onnxscript")
        x = torch.from_numpy(np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32))
        logging.disable(logging.WARNING)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.onnx.export(module.eval(), (x,), path, verbose=False, **options)
        finally:
            logging.disable(logging.NOTSET)
        with torch.no_grad():
            return x.numpy(), module(x).numpy()

    return export


EXPORTERS = {
    "traced": {"dynamo": False},
    "traced, opset 20": {"dynamo": False, "opset_version": 20},
}


NEW = pytest.param({"dynamo": True}, id="new", marks=pytest.mark.slow)  # its imports take seconds


@pytest.mark.parametrize("exporter", [*(pytest.param(value, id=name) for name, value in EXPORTERS.items()), NEW])
def test_what_torch_writes_is_read(exported, path, exporter, assert_close):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(0)
    kinds = [
        nn.GELU(),
        nn.SiLU(),
        nn.Softplus(2.0),
        nn.Softplus(),
        nn.ELU(0.5),
        nn.LeakyReLU(0.2),
        nn.Tanh(),
        nn.ReLU(),
    ]
    layers = [layer for kind in kinds for layer in (nn.Linear(5, 5), kind)]
    module = nn.Sequential(
        nn.Linear(3, 5),
        *layers,
        nn.LayerNorm(5),
        nn.Dropout(0.3),
        nn.Linear(5, 4, bias=False),
        nn.BatchNorm1d(4),
        nn.Sigmoid(),
    )
    x, expected = exported(module, **exporter)
    assert_close(minidl.predict(minidl.from_onnx(path), x, engine="numpy"), expected, 8)


def test_a_gelu_that_is_written_out_is_read(exported, path, assert_close):
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.GELU())
    x, expected = exported(module, dynamo=False, opset_version=17)
    model = minidl.from_onnx(path)
    assert [record.kind for record in model.spec()] == ["Linear", "GELU"]
    assert_close(minidl.predict(model, x, engine="numpy"), expected)


def test_branches_of_torch_are_read(exported, path, assert_close):
    torch = pytest.importorskip("torch")

    class Branches(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Linear(3, 3), torch.nn.Linear(3, 2)

        def forward(self, x):
            h = torch.tanh(self.a(x)) + x
            return torch.cat([torch.relu(self.b(h)), h], -1)

    x, expected = exported(Branches(), dynamo=False)
    model = minidl.from_onnx(path)
    assert [record.kind for record in model.spec()] == ["Residual", "Concat"]
    assert_close(minidl.predict(model, x, engine="numpy"), expected)


def sklearn_file(path, estimator, x):
    skl2onnx = pytest.importorskip("skl2onnx")
    options = {"zipmap": False} if hasattr(estimator, "predict_proba") else None
    path.write_bytes(skl2onnx.to_onnx(estimator, x[:1], options=options).SerializeToString())


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_what_skl2onnx_writes_is_read(path, activation):
    neural = pytest.importorskip("sklearn.neural_network")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 3)).astype(np.float32)
    options = {"hidden_layer_sizes": (5, 4), "activation": activation, "max_iter": 5, "random_state": 0}
    regressor, three, two = (kind(**options) for kind in (neural.MLPRegressor, *[neural.MLPClassifier] * 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        regressor.fit(x, x[:, 0])
        three.fit(x, np.arange(40) % 3)
        two.fit(x, np.arange(40) % 2)
    sklearn_file(path, regressor, x)
    np.testing.assert_allclose(minidl.predict(minidl.from_onnx(path), x)[:, 0], regressor.predict(x), atol=1e-5)
    sklearn_file(path, three, x)
    refused(path, "expected one output, got label, probabilities: say which")
    refused(path, r"\(Softmax\): minidl has no such layer; output='add_result2'", output="probabilities")
    logits = minidl.predict(minidl.from_onnx(path, output="add_result2"), x)
    np.testing.assert_allclose(minidl.softmax(logits), three.predict_proba(x), atol=1e-5)
    sklearn_file(path, two, x)
    refused(path, r"\(Sub\): .*output='out_activations_result'", output="probabilities")
    found = minidl.predict(minidl.from_onnx(path, output="out_activations_result"), x)
    np.testing.assert_allclose(found[:, 0], two.predict_proba(x)[:, 1], atol=1e-5)


# ---- other graphs

W, B = np.arange(6).reshape(3, 2) / 10, [0.5, -0.5]


def test_products_and_sums_are_linear_layers(path, rng):
    x = rng.standard_normal((5, 3)).astype(np.float32)
    expected = x @ W.astype(np.float32) + np.float32(B)
    for nodes in (
        [("MatMul", ["x", "w"], ["p"], {}), ("Add", ["b", "p"], ["y"], {})],
        [("Gemm", ["x", "w", "b"], ["y"], {})],
        [("Identity", ["w"], ["v"], {}), ("Flatten", ["x"], ["f"], {}), ("Gemm", ["f", "v", "b"], ["y"], {})],
    ):
        model = minidl.from_onnx(write(path, nodes, {"w": W, "b": B}))
        assert [record.kind for record in model.spec()] == ["Linear"]
        np.testing.assert_allclose(minidl.predict(model, x), expected, rtol=1e-6)


SOFTPLUS = [
    ("Mul", ["x", "beta"], ["z"], {}),
    ("Softplus", ["z"], ["s"], {}),
    ("Div", ["s", "beta"], ["d"], {}),
    ("Greater", ["z", "threshold"], ["above"], {}),
    ("Where", ["above", "x", "d"], ["y"], {}),
]


def test_a_softplus_with_the_threshold_of_torch_is_read(path):
    (record,) = minidl.from_onnx(write(path, SOFTPLUS, {"beta": 2.0, "threshold": 20.0})).spec()
    assert (record.kind, record.options) == ("Softplus", (("beta", 2.0),))
    refused(write(path, SOFTPLUS, {"beta": 2.0, "threshold": 5.0}), r"\(Where\): it is no Softplus")
    other = {"beta": 2.0, "threshold": 200.0, "steep": 20.0}
    steeper = [("Mul", ["x", "steep"], ["w"], {}), *SOFTPLUS[:3], ("Greater", ["w", "threshold"], ["above"], {})]
    write(path, [*steeper, SOFTPLUS[4]], other)
    assert minidl.from_onnx(path).spec()[0].options == (("beta", 2.0),)  # 2 x above 20 as well
    refused(write(path, [*steeper, SOFTPLUS[4]], {**other, "threshold": 20.0}), r"\(Where\): it is no Softplus")
    plain = [("Softplus", ["x"], ["s"], {}), ("Greater", ["x", "t"], ["a"], {}), ("Where", ["a", "x", "s"], ["y"], {})]
    (record,) = minidl.from_onnx(write(path, plain, {"t": 20.0})).spec()
    assert record.options == (("beta", 1.0),)
    other = [("Tanh", ["x"], ["h"], {}), *plain[:2], ("Where", ["a", "h", "s"], ["y"], {})]
    refused(write(path, other, {"t": 20.0}), r"\(Where\): it is no Softplus")


@pytest.mark.parametrize("other", ["Softplus", "Greater"])
def test_an_operator_of_others_is_none_of_the_standard(path, other):
    nodes = [("Softplus", ["x"], ["s"], {}), ("Greater", ["x", "t"], ["a"], {}), ("Where", ["a", "x", "s"], ["y"], {})]
    nodes = [(*node[:3], {"domain": "others"} if node[0] == other else {}) for node in nodes]
    file = onnx.load(write(path, nodes, {"t": 20.0}))
    file.opset_import.append(helper.make_opsetid("others", 1))
    path.write_bytes(file.SerializeToString())
    refused(path, rf"\((Where|others.{other})\): ")


def test_dropout_does_nothing_in_inference(path):
    node = [("Dropout", ["x", "ratio"], ["y"], {})]
    (record,) = minidl.from_onnx(write(path, node, {"ratio": 0.25})).spec()
    assert (record.kind, record.options) == ("Dropout", (("p_drop", 0.25),))
    training = [("Dropout", ["x", "ratio", "training"], ["y"], {})]
    refused(write(path, training, {"ratio": 0.25, "training": True}), r"\(Dropout\): it drops units in inference")


def test_what_changes_nothing_is_no_layer(path, rng):
    x = rng.standard_normal((5, 3)).astype(np.float32)
    nodes = [
        ("Reshape", ["x", "rows"], ["a"], {}),
        ("Reshape", ["a", "same"], ["b"], {}),
        ("Flatten", ["b"], ["c"], {}),
        ("Cast", ["c"], ["y"], {"to": onnx.TensorProto.FLOAT}),
    ]
    model = minidl.from_onnx(write(path, nodes, {"rows": [-1, 3], "same": [0, -1]}))
    np.testing.assert_array_equal(minidl.predict(model, x), x)
    for shape in ([-1, 1], [1, -1], [-1, 3, 1]):
        refused(write(path, nodes[:1], {"rows": shape}, outputs=("a",)), "")
    refused(write(path, [("Flatten", ["x"], ["y"], {"axis": 0})]), r"\(Flatten\): it changes the shape")


def test_a_normalization_by_the_batch_is_none_by_running_statistics(path):
    row = {name: [1.0, 1.0, 1.0] for name in "wbmv"}
    norm = ("BatchNormalization", ["x", *"wbmv"], ["y", "mean", "var"], {"training_mode": 1})
    refused(write(path, [norm], row), r"\(BatchNormalization\): it normalizes by the batch")


def test_branches_of_which_one_is_no_layer(path):
    joined = ("Concat", ["a", "b"], ["y"], {"axis": -1})
    sine = [("Relu", ["x"], ["h"], {}), ("Tanh", ["h"], ["a"], {}), ("Sin", ["h"], ["b"], {}), joined]
    refused(write(path, sine), r"\(Sin\): minidl has no such layer")
    fine = [("Relu", ["x"], ["h"], {}), ("Tanh", ["h"], ["a"], {}), ("Sigmoid", ["x"], ["b"], {}), joined]
    model = minidl.from_onnx(write(path, fine))
    assert [[layer.kind for layer in branch.spec()] for branch in model[0].branches] == [["ReLU", "Tanh"], ["Sigmoid"]]
    refused(write(path, [("Concat", ["x", "c"], ["y"], {"axis": -1})], {"c": [[1.0]]}), r"\(Concat\)")


GRAPHS = {
    "operator": ([("Sin", ["x"], ["y"], {})], {}, r"\(Sin\): minidl has no such layer"),
    "after one": ([("Relu", ["x"], ["h"], {}), ("Sin", ["h"], ["y"], {})], {}, r"\(Sin\).*; output='h' reads what"),
    "two tensors": ([("Sin", ["x"], ["h"], {}), ("Mul", ["x", "h"], ["y"], {})], {}, r"\(Mul\): it is no SiLU"),
    "unequal": ([("Relu", ["x"], ["a"], {}), ("Tanh", ["x"], ["b"], {}), ("Add", ["a", "b"], ["y"], {})], {},
        r"\(Add\): none of its inputs is computed from the other"),
    "inside": ([("Sin", ["x"], ["a"], {}), ("Add", ["x", "a"], ["y"], {})], {}, r"\(Sin\)"),
    "constant": ([("Add", ["x", "b"], ["y"], {})], {"b": [1.0, 2, 3]}, r"\(Add\): it adds constants to something else"),
    "scale": ([("Gemm", ["x", "w"], ["y"], {"alpha": 2.0})], {"w": W}, r"\(Gemm\): it is more than x Wᵀ"),
    "computed weights": ([("Gemm", ["x", "x"], ["y"], {"transB": 1})], {}, r"\(Gemm\): its input 'x' is no constant"),
    "biases": ([("MatMul", ["x", "w"], ["p"], {}), ("Add", ["p", "b"], ["y"], {})], {"w": W, "b": [[1.0, 2], [3, 4]]},
        r"its biases have the shape \(2, 2\)"),
    "axis": ([("Concat", ["x", "x"], ["y"], {"axis": 0})], {}, r"\(Concat\): minidl joins layers, along the last"),
    "batch": ([("BatchNormalization", ["x", "s", "s", "s", "s"], ["y"], {"training_mode": 1})], {"s": [1.0, 1, 1]}, ""),
    "cast": ([("Cast", ["x"], ["h"], {"to": onnx.TensorProto.INT64}), ("Cast", ["h"], ["y"], {"to": 1})], {}, "int64"),
    "layer norm": ([("LayerNormalization", ["x", "s"], ["y"], {"axis": 0})], {"s": [[1.0, 1, 1]]}, "over the last"),
    "divided": ([("Div", ["x", "s"], ["y"], {})], {"s": [2.0]}, r"\(Div\): it is no Softplus"),
    "divided by x": ([("Div", ["s", "x"], ["y"], {})], {"s": [2.0]}, r"\(Div\)"),
    "divided tensors": ([("Relu", ["x"], ["h"], {}), ("Div", ["x", "h"], ["y"], {})], {}, r"\(Div\): minidl has no"),
    "sharpness": ([("Mul", ["x", "s"], ["m"], {}), ("Softplus", ["m"], ["p"], {}), ("Div", ["p", "t"], ["y"], {})],
        {"s": [2.0], "t": [3.0]}, r"\(Div\): it is no Softplus"),
    "chosen": ([("Greater", ["x", "t"], ["c"], {}), ("Relu", ["x"], ["h"], {}), ("Where", ["c", "x", "h"], ["y"], {})],
        {"t": [30.0]}, r"\(Where\): it is no Softplus"),
    "slopes": ([("PRelu", ["s", "x"], ["y"], {})], {"s": [2.0]}, "PRelu"),
    "function of others": ([("Relu", ["x"], ["y"], {"domain": "others"})], {}, ""),
    "widths": ([("Gemm", ["x", "w"], ["h"], {}), ("Gemm", ["h", "w"], ["y"], {})], {"w": W}, ""),
    "cycle": ([("Relu", ["y"], ["h"], {}), ("Relu", ["h"], ["y"], {})], {}, "no valid ONNX file"),
    "missing": ([("Relu", ["z"], ["y"], {})], {}, "no valid ONNX file"),
    "twice": ([("Relu", ["x"], ["y"], {}), ("Tanh", ["x"], ["y"], {})], {}, "no valid ONNX file"),
}  # fmt: skip


@pytest.mark.parametrize(("nodes", "arrays", "words"), GRAPHS.values(), ids=GRAPHS)
def test_the_first_node_that_is_no_layer_is_named(path, nodes, arrays, words):
    refused(write(path, nodes, arrays), words)


def test_inputs_and_outputs_must_be_clear(path):
    relu = [("Relu", ["x"], ["y"], {})]
    refused(write(path, relu, inputs=("x", "z")), "expected one input, got x, z")
    refused(write(path, relu, inputs=()), "")
    both = [*relu, ("Tanh", ["x"], ["z"], {})]
    refused(write(path, both, outputs=("y", "z")), "expected one output, got y, z: say which by output=")
    assert [record.kind for record in minidl.from_onnx(path, output="z").spec()] == ["Tanh"]
    refused(path, "expected output to be the name of a tensor, such as y, z, got 'w'", output="w")
    refused(write(path, relu, kind=onnx.TensorProto.INT32), "")
    refused(write(path, relu, kind=onnx.TensorProto.BFLOAT16), "float16, float32 and float64, got bfloat16")


def test_rows_of_more_axes_are_refused(path):
    x = helper.make_tensor_value_info("x", 1, ["n", 4, 3])
    y = helper.make_tensor_value_info("y", 1, ["n", 4, 3])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "graph", [x], [y])
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    path.write_bytes(file.SerializeToString())
    refused(path, r"expected an input of shape \(batch, features\), got one of 3 axes")


def test_no_other_file_is_read(path):
    file = onnx.load(write(path, [("Gemm", ["x", "w"], ["y"], {})], {"w": W}))
    tensor = file.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    path.write_bytes(file.SerializeToString())
    refused(path, "")


def test_another_function_of_the_name_is_refused(path):
    minidl.to_onnx(minidl.Sequential([minidl.Linear(3, 3, dtype="float64"), minidl.ELU()]), path)
    file = onnx.load(path)
    next(node for node in file.functions[0].node if node.op_type == "Tanh").op_type = "Sin"
    path.write_bytes(file.SerializeToString())
    refused(path, r"\(minidl\.ELU\): the file has another function of that name")


def test_replicates_are_told_to_unstack(path):
    model = minidl.replicate(
        lambda rng: minidl.Sequential([minidl.Linear(3, 3, rng=rng), minidl.LayerNorm(3)]), range(2)
    )
    minidl.to_onnx(model, path)
    refused(path, "unstack")


def test_branches_one_behind_the_other_and_one_in_the_other(path):
    behind, nested = [], []
    for i in range(300):
        behind += [("Relu", [f"a{i}"], [f"r{i}"], {}), ("Add", [f"a{i}", f"r{i}"], [f"a{i + 1}"], {})]
        nested += [("Relu", [f"a{i}"], [f"r{i}"], {}), ("Add", ["a0", f"r{i}"], [f"a{i + 1}"], {})]
    few = write(path, behind[:80], inputs=("a0",), outputs=("a40",))
    assert [record.kind for record in minidl.from_onnx(few).spec()] == ["Residual"] * 40
    few = write(path, nested[:8], inputs=("a0",), outputs=("a4",))
    assert str(minidl.from_onnx(few).spec()).count("Residual") == 4
    write(path, nested, inputs=("a0",), outputs=("a300",))
    refused(path, "branches are nested too deeply")


def test_a_file_that_is_missing_or_empty(path):
    with pytest.raises(FileNotFoundError):
        minidl.from_onnx(path)
    for content in (b"", b"PK\x03\x04", b"\xff" * 100, b"{}"):
        path.write_bytes(content)
        refused(path, "")


def test_damaged_files_raise_nothing_but_value_errors(path, every_kind):
    rng = np.random.default_rng(0)
    minidl.to_onnx(every_kind(), path)
    whole = path.read_bytes()
    for _ in range(150):
        content = bytearray(whole)
        for place in rng.integers(0, len(content), rng.integers(1, 4)):
            content[place] = rng.integers(256)
        path.write_bytes(content[: rng.integers(1, len(content)) if rng.random() < 0.3 else None])
        with contextlib.suppress(ValueError):
            minidl.from_onnx(path)
