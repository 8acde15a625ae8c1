"""Files of models that somebody has damaged or made up: an error names the file and the layer or the entry."""

import json
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl
from minidl.files import safetensors

MANY, DEEP = 20_000, 400


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def network():
    layers = [minidl.Linear(2, 3, rng=0), minidl.BatchNorm1d(3), minidl.LeakyReLU(0.1)]
    return minidl.Sequential([*layers, minidl.Residual(minidl.Linear(3, 3, rng=1)), minidl.Dropout(0.5)])


def written(path, model=None):
    """Return arrays and description of a file of a good model."""
    minidl.save(model or network(), path)
    arrays, metadata = safetensors.read(path)
    return arrays, json.loads(metadata["minidl"])


def write(path, arrays, description):
    safetensors.write(path, arrays, {"minidl": json.dumps(description)})


def change(data, where, value):
    """Set an entry of nested objects; "a/b" is the b in a."""
    *path, last = where.split("/")
    for name in path:
        data = data[name]
    if value is None:
        del data[last]
    else:
        data[last] = value


LAYER = "network/children/0"
CHANGES = {
    "format": ("format", 2, "expected a description in format 1, got 2 of minidl '0.1.0'"),
    "no format": ("format", None, "expected a description in format 1, got None"),
    "no version": ("minidl", None, r"expected a description with .*got \['format', 'dtype'"),
    "more": ("more", 1, r"expected a description with"),
    "dtype": ("dtype", "int8", "expected dtype float16, float32, float64, got 'int8'"),
    "dtype no text": ("dtype", ["float32"], "expected dtype"),
    "another dtype": ("dtype", "float64", r"'0.weight': expected an array float64 \(3, 2\), got float32 \(3, 2\)"),
    "replicates": ("replicate_shape", [2], r"'0.weight': expected an array float32 \(2, 3, 2\), got float32 \(3, 2\)"),
    "replicates no list": ("replicate_shape", 3, "expected replicate_shape to be a list of integers > 0, got 3"),
    "replicates of 0": ("replicate_shape", [0], r"expected replicate_shape .*got \[0\]"),
    "replicates of a half": ("replicate_shape", [0.5], r"expected replicate_shape .*got \[0.5\]"),
    "replicates of true": ("replicate_shape", [True], r"expected replicate_shape .*got \[True\]"),
    "many replicates": ("replicate_shape", [10**6], r"expected at most 100000 replicates, got .*\[1000000\]"),
    "many axes": ("replicate_shape", [1] * 40, "expected an array"),
    "network no object": ("network", [], r"the network: expected an object of kind, .*got \[\]"),
    "no kind": (f"{LAYER}/kind", None, "layer '0': expected an object of kind"),
    "another field": (f"{LAYER}/code", "x", "layer '0': expected an object of kind"),
    "kind no text": (f"{LAYER}/kind", 3, "layer '0': expected another kind than 3"),
    "unknown kind": (f"{LAYER}/kind", "Conv", "layer '0': 'Conv' of 'minidl' is not known: minidl has no such layer"),
    "abstract": (f"{LAYER}/kind", "Activation", "layer '0': Activation cannot be built"),
    "an optimizer": (f"{LAYER}/kind", "Adam", "layer '0': 'Adam' of 'minidl' is not known"),
    "a path": (f"{LAYER}/kind", "os.system", "layer '0': 'os.system' of 'minidl' is not known"),
    "another origin": (f"{LAYER}/origin", "os", "layer '0': 'Linear' of 'os' is not known: hand in its class"),
    "another layer": (f"{LAYER}/kind", "LayerNorm", "layer '0': expected what its class builds, LayerNorm"),
    "a layer without": (f"{LAYER}/kind", "Tanh", "expected what its class builds, Tanh with parameters {}, got Tanh.2"),
    "a container": (f"{LAYER}/kind", "Concat", "layer '0': Concat cannot be built .*at least one branch"),
    "no inner": ("network/children/3/children", None, "layer '3': "),
    "inner of another name": ("network/children/3/children", {"outer": {"kind": "Tanh"}}, "layer '3': Residual cannot"),
    "more inside": (f"{LAYER}/children", {"0": {"kind": "Tanh"}}, "layer '0'"),
    "children no object": (f"{LAYER}/children", [], r"layer '0': expected another children than \[\]"),
    "a path for a child": (f"{LAYER}/children", {"a.b": {"kind": "Tanh"}}, "layer '0': expected another children than"),
    "a child without a name": (
        f"{LAYER}/children",
        {"": {"kind": "Tanh"}},
        "layer '0': expected another children than",
    ),
    "a long name": (f"{LAYER}/kind", "x" * 10_000, r"xxx \.\.\.$"),
    "a child no object": (f"{LAYER}/children", {"a": 1}, r"layer '0.a': expected an object of kind"),
    "width": (f"{LAYER}/in_features", 7, "layer '0': expected parameters of its widths, got Linear.7 -> 3"),
    "huge width": (f"{LAYER}/out_features", 10**18, "layer '0': expected parameters of its widths"),
    "swapped width": (f"{LAYER}/in_features", 3, r"layer '0': Linear cannot be built .*expected a weight \(3, 3\)"),
    "no width": (f"{LAYER}/in_features", None, "layer '0': Linear cannot be built"),
    "width no int": (f"{LAYER}/in_features", 2.0, "layer '0': expected another in_features than 2.0"),
    "width of true": (f"{LAYER}/in_features", True, "layer '0': expected another in_features than True"),
    "width of 0": (f"{LAYER}/in_features", 0, "layer '0': expected another in_features than 0"),
    "no params": (f"{LAYER}/params", None, "layer '0': expected parameters of its widths"),
    "params no object": (f"{LAYER}/params", [1], r"layer '0': expected another params than \[1\]"),
    "shape": (
        f"{LAYER}/params/weight",
        [2, 3],
        r"'0.weight': expected an array float32 \(2, 3\), got float32 \(3, 2\)",
    ),
    "shape no list": (f"{LAYER}/params/weight", 6, "layer '0': expected another params than {'bias': .3., 'weight': 6"),
    "negative shape": (f"{LAYER}/params/weight", [-3, -2], "layer '0': expected another params than"),
    "unknown parameter": (f"{LAYER}/params/scale", [3], r"'0.scale': expected an array float32 \(3,\), got none"),
    "bias missing": (f"{LAYER}/params/bias", None, "layer '0': expected what its class builds"),
    "norm without": ("network/children/1/params", None, "layer '1': expected parameters of its widths"),
    "statistics of others": ("network/children/1/kind", "LayerNorm", "layer '1': expected what its class builds"),
    "option of another": (f"{LAYER}/options", {"alpha": 0.1}, "layer '0': expected what its class builds"),
    "initial weights": (f"{LAYER}/options", {"init": "he"}, "layer '0'"),
    "a seed": ("network/children/4/options", {"p_drop": 0.5, "rng": 3}, "layer '4': expected what its class builds"),
    "option no number": ("network/children/2/options", {"alpha": "x"}, "layer '2': LeakyReLU cannot be built"),
    "option of true": ("network/children/2/options", {"alpha": True}, "layer '2': LeakyReLU cannot be built"),
    "option beyond": ("network/children/4/options", {"p_drop": 2}, "layer '4': Dropout cannot be built .*in .0, 1"),
    "infinite option": ("network/children/2/options", {"alpha": float("inf")}, "Infinity is no number of JSON"),
    "options of replicates": ("network/children/2/options", {"alpha": [0.1, 0.2]}, "expected alpha to be one number"),
    "no option": ("network/children/2/options", {"alpha": []}, "layer '2': LeakyReLU cannot be built"),
    "object": ("network/children/2/options", {"alpha": {}}, "layer '2': expected another options than {'alpha': {}}"),
    "missing option": ("network/children/2/options", None, "layer '2': expected what its class builds"),
    "frozen no bool": (f"{LAYER}/frozen", 1, "layer '0': expected another frozen than 1"),
    "frozen nothing": ("network/children/2/frozen", True, "layer '2': expected what its class builds"),
    "a layer less": ("network/children/0", None, "layer '0': missing in the module around it"),
    "widths that do not meet": ("network/children/1", {"kind": "Identity"}, "unknown '1.weight'"),
}


@pytest.mark.parametrize(("where", "value", "words"), CHANGES.values(), ids=CHANGES)
def test_another_description_is_refused(path, where, value, words):
    arrays, description = written(path)
    change(description, where, value)
    write(path, arrays, description)
    with pytest.raises(ValueError, match=words) as caught:
        minidl.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < 1500


TEXTS = {
    "no JSON": ("{", "expected JSON"),
    "no object": ("[]", r"expected a description in format 1, got \[\]"),
    "twins": ('{"format": 1, "format": 1}', "'format' stands there twice"),
    "deep": ("[" * 100_000, "recursion"),
    "deep network": (
        '{"format": 1, "minidl": "", "dtype": "float32", "replicate_shape": [], "network": '
        + '{"kind": "Sequential", "children": {"0": ' * DEEP + '{"kind": "Tanh"}' + "}}" * DEEP + "}",
        "at most 100 modules inside each other",
    ),
    "wide network": (
        '{"format": 1, "minidl": "", "dtype": "float32", "replicate_shape": [], "network": {"kind": "Sequential", '
        '"children": {' + ", ".join(f'"{i}": {{"kind": "Tanh"}}' for i in range(MANY)) + "}}}",
        "at most 10000 modules",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), TEXTS.values(), ids=TEXTS)
def test_a_text_that_describes_nothing_is_refused(path, text, words):
    safetensors.write(path, {}, {"minidl": text})
    with pytest.raises(ValueError, match=words) as caught:
        minidl.load(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_file_of_others_is_told_from_a_model(path):
    safetensors.write(path, network().state_dict(), {"format": "pt"})
    with pytest.raises(
        ValueError, match=r"expected metadata under 'minidl', as minidl.save writes them, got \['format'\]"
    ):
        minidl.load(path)


ARRAYS = {
    "missing": ("0.weight", None, "'0.weight': expected an array .*got none"),
    "statistic missing": ("1.running_mean", None, r"'1.running_mean': expected an array float32 \(3,\), got none"),
    "more": ("5.weight", np.ones(3), "unknown '5.weight'"),
    "shape": ("0.bias", np.ones(4, np.float32), r"'0.bias': expected an array float32 \(3,\), got float32 \(4,\)"),
    "dtype": ("0.bias", np.ones(3, np.float64), r"'0.bias': expected an array float32 \(3,\), got float64 \(3,\)"),
    "integers": ("0.bias", np.ones(3, np.int32), "'0.bias': expected an array float32"),
    "statistic": ("1.running_var", np.ones(2, np.float32), "'1.running_var': expected an array"),
    "count": (
        "1.num_batches_tracked",
        np.ones((), np.float32),
        r"'1.num_batches_tracked': expected an array int64 \(\)",
    ),
}


@pytest.mark.parametrize(("name", "array", "words"), ARRAYS.values(), ids=ARRAYS)
def test_other_arrays_are_refused(path, name, array, words):
    arrays, description = written(path)
    change(arrays, name, array)
    write(path, arrays, description)
    with pytest.raises(ValueError, match=words) as caught:
        minidl.load(path)
    assert str(caught.value).startswith(f"{path}: ")


def peak(path):
    """Return the memory that a refused file takes, in bytes."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"model\.safetensors"):
            minidl.load(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


HUGE = {
    "weight": {"kind": "Linear", "in_features": 10**6, "out_features": 10**6, "params": {"weight": [10**6, 1]}},
    "no weight": {"kind": "Linear", "in_features": 10**6, "out_features": 10**6},
    "other weight": {"kind": "Linear", "in_features": 10**6, "out_features": 10**6, "params": {"scale": [10**6]}},
    "norm": {"kind": "LayerNorm", "in_features": 10**9, "out_features": 10**9},
    "norm with children": {
        "kind": "BatchNorm1d", "in_features": 10**9, "out_features": 10**9, "children": {"0": {"kind": "Tanh"}},
    },
    "width as an option": {"kind": "LayerNorm", "options": {"features": 10**9}},
    "width as an option of a Linear": {"kind": "Linear", "options": {"in_features": 10**9, "out_features": 10**9}},
}  # fmt: skip


@pytest.mark.parametrize("layer", HUGE.values(), ids=HUGE)
def test_no_file_makes_a_layer_that_is_larger_than_itself(path, layer):
    arrays, description = written(path)
    arrays = {f"0.{name}": np.zeros(shape, np.float32) for name, shape in layer.get("params", {}).items()}
    write(path, arrays, {**description, "network": {"kind": "Sequential", "children": {"0": layer}}})
    assert peak(path) < 4 * path.stat().st_size + 1_000_000


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_file_with_other_bytes_is_a_model_or_an_error_in_words(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "model.safetensors"
    minidl.save(network(), path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path.write_bytes(content)
    with suppress(ValueError):  # and no other error
        assert isinstance(minidl.load(path), minidl.Module)
