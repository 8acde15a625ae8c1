"""Networks as C: compiled by gcc and clang without a warning, they compute what predict does."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

import minidl
from minidl.exchange import onnx_writer, torch_writer
from minidl.exchange.c_plan import KINDS

COMPILERS = [
    pytest.param(name, marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed"))
    for name in ("gcc", "clang")
]
FLAGS = ["-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-std=c99", "-pedantic", "-O2", "-shared", "-fPIC"]
TYPES = {"float32": np.float32, "float64": np.float64}
# Computed by operations that are rounded correctly, in NumPy's order.
BITWISE = {"ReLU", "LeakyReLU", "Identity", "Dropout", "BatchNorm1d", "LayerNorm"}


def test_the_formats_have_these_layers():
    layers = {"BatchNorm1d", "Dropout", "LayerNorm", "Linear"}
    layers |= {"ELU", "GELU", "Identity", "LeakyReLU", "ReLU", "SiLU", "Sigmoid", "Softplus", "Tanh"}
    assert {*torch_writer.TO_TORCH} >= layers
    assert {*layers, "Residual", "Concat"} <= KINDS & onnx_writer.KINDS


@pytest.fixture
def compiled(tmp_path):
    """Return a function that writes a network as C, compiles it, and returns a function of rows."""

    def build(model, compiler="gcc", name="predict", **options):
        source, library = tmp_path / "network.c", tmp_path / f"{len([*tmp_path.iterdir()])}.so"
        minidl.to_c(model, source, name=name, **options)
        command = [compiler, *FLAGS, str(source), "-o", str(library), "-lm"]
        subprocess.run(command, check=True)  # noqa: S603 - the compiler, on a file of our own
        function = getattr(ctypes.CDLL(str(library)), name)
        function.restype = None

        def run(x, width):
            y = np.full((len(x), width), np.nan, x.dtype)
            for row, out in zip(np.ascontiguousarray(x), y, strict=True):
                function(*(ctypes.c_void_p(array.ctypes.data) for array in (row, out)))
            return y

        return run

    return build


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("dtype", TYPES)
def test_every_layer_computes_what_predict_does(
    every_layer, compiler, dtype, compiled, alone, lacking, spread_out, assert_close
):
    kind, build = every_layer
    model, x = alone(build, dtype), spread_out(dtype)
    if lacking(kind, KINDS, lambda: compiled(model)):
        return
    expected = minidl.predict(model, x, engine="numpy")
    found = compiled(model, compiler)(x, expected.shape[-1])
    assert_close(found, expected)
    if kind in BITWISE:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("dtype", TYPES)
def test_a_network_of_all_kinds_computes_what_predict_does(
    every_kind, compiler, dtype, compiled, spread_out, assert_close
):
    model, x = every_kind(dtype), spread_out(dtype)
    assert_close(compiled(model, compiler)(x, 2), minidl.predict(model, x, engine="numpy"), 8)


@pytest.mark.parametrize("width", [3, 8, 25, 130, 300])
def test_a_layer_norm_of_any_width_has_the_bits_of_numpy(compiled, width, rng):
    needs_gcc()
    model = minidl.Sequential([minidl.Concat([minidl.LayerNorm(width)])])
    x = rng.standard_normal((20, width)).astype(np.float32)
    np.testing.assert_array_equal(compiled(model)(x, width), minidl.predict(model, x, engine="numpy"))


@pytest.mark.parametrize("kind", ["ReLU", "LeakyReLU", "Sigmoid", "Tanh", "ELU", "GELU", "SiLU", "Softplus"])
def test_limits_and_nan_are_those_of_predict(compiled, kind):
    needs_gcc()
    model = minidl.Sequential([minidl.BatchNorm1d(1, eps=0), getattr(minidl, kind)()])
    x = np.array([[np.inf], [-np.inf], [np.nan], [1e30], [-1e30], [-50], [100], [0]], np.float32)
    with np.errstate(all="ignore"):
        expected = minidl.predict(model, x, engine="numpy")
    np.testing.assert_allclose(compiled(model)(x, 1), expected, rtol=1e-6)


def test_outputs_of_every_container_without_layers(compiled, rng):
    needs_gcc()
    empty = minidl.Sequential([])
    model = minidl.Sequential(
        [
            minidl.Linear(3, 3, rng=0),
            minidl.Concat([minidl.Sequential([]), minidl.Linear(3, 2, rng=1), empty]),
            minidl.Residual(minidl.Dropout()),
        ]
    )
    x = rng.standard_normal((10, 3)).astype(np.float32)
    np.testing.assert_allclose(compiled(model)(x, 8), minidl.predict(model, x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_probabilities_of_logits(compiled, output, spread_out, assert_close):
    needs_gcc()
    model, x = minidl.Linear(3, 4, rng=0), spread_out(np.float32)
    logits = minidl.predict(model, x)
    expected = minidl.softmax(logits) if output == "softmax" else minidl.Sigmoid()(logits)
    assert_close(compiled(model, output=output)(x, 4), expected)


def test_another_dtype_than_that_of_the_parameters(compiled, spread_out, assert_close):
    needs_gcc()
    half, x = minidl.Linear(3, 4, dtype="float16", rng=0), spread_out(np.float32)
    twin = minidl.Linear(3, 4, rng=1)
    twin.load_state_dict(half.state_dict())
    assert_close(compiled(half)(x, 4), minidl.predict(twin, x))
    double = minidl.Linear(3, 4, dtype="float64", rng=0)
    assert_close(compiled(double, dtype="float32")(x, 4), minidl.predict(minidl.Linear(3, 4, rng=0), x))


def test_the_function_is_reentrant_and_has_the_name_asked_for(compiled, tmp_path, spread_out):
    needs_gcc()
    model = minidl.Linear(3, 4, rng=0)
    assert compiled(model, name="score_2")(spread_out(np.float32), 4).shape == (50, 4)
    text = (tmp_path / "network.c").read_text("ascii")
    static = [line for line in text.splitlines() if "static" in line and not line.startswith(" *")]
    assert len(static) == 3  # two constants and a function
    assert all(line.startswith("static const float ") or "(" in line for line in static)


def test_tensors_are_written_too(tmp_path):
    pytest.importorskip("torch")
    for backend in ("numpy", "torch"):
        minidl.to_c(minidl.Linear(3, 4, backend=backend, rng=0), tmp_path / f"{backend}.c")
    assert (tmp_path / "torch.c").read_text("ascii") == (tmp_path / "numpy.c").read_text("ascii")


def test_arrays_that_are_not_needed_at_once_share_a_place(tmp_path):
    layers = [layer for i in range(6) for layer in (minidl.Linear(9 - i, 8 - i, rng=i), minidl.Tanh())]
    minidl.to_c(minidl.Sequential(layers), tmp_path / "network.c")
    text = (tmp_path / "network.c").read_text("ascii")
    assert "float h0[8];\n    float h1[7];\n    /*" in text
    assert "needs 60 bytes of the stack" in text


def needs_gcc():
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")


class Tanh(minidl.Tanh):
    """A kind with minidl's name that may compute anything."""


REFUSED = {
    "own": (lambda: minidl.Sequential([minidl.Linear(2, 2), minidl.Residual(Tanh())]), {}, r"layer 1\.inner: Tanh of"),
    "width": (lambda: minidl.Sequential([minidl.ReLU()]), {}, "that knows the width of its input"),
    "replicates": (lambda: minidl.replicate(lambda rng: minidl.Linear(2, 2, rng=rng), range(2)), {}, "unstack"),
    "dtype": (lambda: minidl.Linear(2, 2), {"dtype": "float16"}, "expected dtype 'float32' or 'float64'"),
    "softmax of one": (lambda: minidl.Linear(2, 1), {"output": "softmax"}, "expected output='sigmoid'"),
    "output": (lambda: minidl.Linear(2, 1), {"output": "tanh"}, "expected output 'softmax', 'sigmoid' or None"),
    **{
        f"name {name!r}": (lambda: minidl.Linear(2, 2), {"name": name}, "expected (a )?name .*got")
        for name in (
            *("", "2a", "a b", "float", "expf", "apply_relu", "layer_2", "_Bool", "__x", "größe", None),
            *("sin", "powl", "isnan", "y0", "free", "main"),
        )
    },
}


@pytest.mark.parametrize(("build", "options", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_written_changes_nothing(tmp_path, build, options, words):
    path = tmp_path / "network.c"
    path.write_text("before")
    with pytest.raises(ValueError, match=rf"^to_c: .*{words}"):
        minidl.to_c(build(), path, **options)
    assert path.read_text() == "before"


@pytest.mark.parametrize("number", [np.inf, np.nan, 1e300])
def test_a_number_that_c_cannot_have_is_named(tmp_path, number):
    model = minidl.Sequential([minidl.Linear(2, 2, dtype="float64")])
    model[0].bias[1] = number
    with pytest.raises(ValueError, match=r"to_c: layer 0: Linear\(2 -> 2\): bias has numbers that are not finite"):
        minidl.to_c(model, tmp_path / "network.c", dtype="float32")
