import base64
import json

import numpy as np
import pytest

import minidl

minidl_native = pytest.importorskip("minidl_native", reason="minidl-native is not installed")

# float32, summed in another order by the compiled engine on other instruction sets, over 72 steps and more.
CLOSE = 1e-6


def run(code):
    """Return the names of an exported program."""
    names = {}
    exec(code, names)  # noqa: S102 - it is what is tested
    return names


def test_the_exported_program_trains_to_the_same_losses(trained, capsys):
    result, _ = trained
    history = run(result["python"])["history"]
    assert capsys.readouterr().out.startswith("training loss")
    assert history.engine == "native"
    for ours, name in (("loss", "loss"), ("testLoss", "val_loss")):
        theirs = np.array(getattr(history, name))
        np.testing.assert_allclose(np.array(result[ours]).reshape(theirs.shape), theirs, rtol=CLOSE)
    if history.accuracy:
        np.testing.assert_array_equal(np.ravel(result["accuracy"]), np.ravel(history.accuracy))


def test_the_first_weights_are_those_of_the_seed(trained):
    result, _ = trained
    before, fit, _ = result["python"].partition("history = ")
    assert fit
    np.testing.assert_array_equal(np.float32(result["first"]), run(before)["model"].values.ravel())


def test_the_measured_gradient_is_that_of_the_loss(trained):
    result, config = trained
    names = run(result["python"])
    model, loss, n = names["model"].eval(), names["loss"], config["samples"]
    model.values[...] = np.float32(result["values"]).reshape(model.values.shape)
    loss.forward(model.forward(names["x"][:n]), names["y"][:n], replicate_axes=len(model.replicate_shape))
    model.backward(loss.backward())
    np.testing.assert_allclose(result["gradient"], model.grads.ravel(), rtol=1e-3, atol=2e-6)


def test_safetensors_hold_the_parameters(trained):
    result, _ = trained
    file = base64.b64decode(result["safetensors"])
    length = int.from_bytes(file[:8], "little")
    header, data = json.loads(file[8 : 8 + length]), file[8 + length :]
    header.pop("__metadata__")
    model = run(result["python"])["model"]
    model.values[...] = np.float32(result["values"]).reshape(model.values.shape)
    assert set(header) == set(model.state_dict())
    for name, value in model.state_dict().items():
        start, stop = header[name]["data_offsets"]
        assert (header[name]["dtype"], tuple(header[name]["shape"])) == ("F32", value.shape)
        np.testing.assert_array_equal(np.frombuffer(data[start:stop], np.float32).reshape(value.shape), value)


def test_load_opens_the_file(trained, tmp_path):
    result, _ = trained
    (tmp_path / "playground.safetensors").write_bytes(base64.b64decode(result["safetensors"]))
    loaded = minidl.load(tmp_path / "playground.safetensors")
    model = run(result["python"])["model"]
    assert loaded.spec() == model.spec()
    np.testing.assert_array_equal(loaded.values, np.float32(result["values"]).reshape(model.values.shape))


@pytest.mark.parametrize("index", [0, 1])
def test_draws_are_those_of_numpy(ran, index):
    rng, draws = np.random.default_rng([0, 4294967295][index]), ran["draws"][index]
    normal = rng.standard_normal(20_000)
    np.testing.assert_allclose(draws["normal"], normal, rtol=1e-13)
    np.testing.assert_array_equal(np.float32(draws["normal"]), np.float32(normal))
    assert draws["uniform"] == rng.random(3).tolist()
    assert draws["orders"] == [rng.permutation(n).tolist() for n in (5, 1000, 1, 3)]


def test_the_kernels_have_the_same_kinds(ran):
    kinds = ran["kinds"]
    for group, ours in (("layer", "layers"), ("loss", "losses"), ("optimizer", "optimizers")):
        names = {name: tuple(found["settings"]) for name, found in kinds[group].items()}
        assert names == dict(getattr(minidl_native.KINDS, ours))


def test_every_activation_is_trained_above(ran):
    layers = [layer for config in ran["configs"] for layer in config.get("layers", [])]
    assert {layer["activation"] for layer in layers} == set(ran["kinds"]["activations"]) == set(ran["offered"])
