"""Which layers `probe` finds, and what each kind of activation says of its flat parts."""

import numpy as np
import pytest

import minidl


def network():
    """Return a network with a dropout, which must not draw."""
    rng = np.random.default_rng(0)
    options = {"dtype": "float64", "rng": rng}
    layers = [minidl.Linear(3, 5, **options), minidl.ReLU(), minidl.Dropout(0.5, rng=rng)]
    return minidl.Sequential([*layers, minidl.Linear(5, 2, **options)])


def data():
    rng = np.random.default_rng(1)
    return rng.standard_normal((40, 3)), rng.standard_normal((40, 2))


FLAT = [kind for name in minidl.__all__ if getattr(kind := getattr(minidl, name), "steepest", None) is not None]


def test_the_activations_with_flat_parts():
    names = {kind.__name__ for kind in FLAT}
    assert names >= {"ReLU", "Tanh", "Sigmoid", "ELU", "Softplus", "SiLU", "GELU"}
    assert not names & {"LeakyReLU", "Identity"}


@pytest.mark.parametrize("kind", FLAT)
def test_the_largest_derivative_is_the_steepest(kind):
    x = np.linspace(-12, 12, 2001)
    layer = kind()
    y = layer.forward(x)
    slopes = layer.backward(np.ones_like(y))
    assert slopes.max() == pytest.approx(kind.steepest, abs=1e-4)
    np.testing.assert_array_equal(layer.saturated(x), np.abs(slopes) < 0.05 * kind.steepest)
    assert layer.saturated(x)[0]


@pytest.mark.parametrize("replicates", [0, 3])
def test_the_last_layer_puts_out_what_the_whole_does(every_module, replicates):
    model = (
        minidl.replicate(lambda rng: every_module("float32", rng), range(3))
        if replicates
        else every_module("float32", 0)
    )
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    *_, (_, _, _, y) = model.infer_layers(x)
    np.testing.assert_array_equal(y, model.infer(x))


def test_the_layers_inside_residuals_and_branches_come_before_them():
    rng = np.random.default_rng(0)
    inner = minidl.Sequential([minidl.Linear(3, 3, dtype="float64", rng=rng), minidl.ReLU()])
    heads = minidl.Concat([minidl.Linear(3, 1, dtype="float64", rng=rng), minidl.Sequential([minidl.Tanh()])])
    model, (x, _) = minidl.Sequential([minidl.Residual(inner), heads]), data()
    found = minidl.probe(model, x)
    assert [layer.path for layer in found.layers] == ["0.inner.0", "0.inner.1", "0", "1.0", "1.1.0", "1"]
    assert list(found["0.inner.0"].parameters) == ["weight", "bias"]
    assert not found["0"].parameters
    h = x + inner.infer(x)
    np.testing.assert_allclose(found["0"].outputs["mean"], h.mean())
    np.testing.assert_allclose(found["1.1.0"].outputs["spread"], np.tanh(h).std())
    assert found["0.inner.1"].outputs["saturated"] == (inner[0].infer(x) <= 0).mean()


@pytest.mark.parametrize("kind", [minidl.Residual, minidl.Sequential, minidl.Concat])
def test_a_subclass_that_computes_something_else_is_a_layer_itself(kind):
    class Double(kind):
        def infer(self, x):
            return 2 * super().infer(x)

    inner = minidl.Linear(3, 3, dtype="float64", rng=0)
    model, (x, _) = Double(inner if kind is minidl.Residual else [inner]), data()
    found = minidl.probe(model, x)
    assert [layer.path for layer in found.layers] == [""]
    np.testing.assert_allclose(found[""].outputs["mean"], model.infer(x).mean())


def test_running_statistics_are_read_and_not_moved():
    model, (x, y) = minidl.Sequential([minidl.BatchNorm1d(3, dtype="float64"), network()]), data()
    optimizer, loss = minidl.Adam(model), minidl.MSELoss()
    minidl.train_step(model, loss, optimizer, x, y)
    before = model.state_dict()
    found = minidl.probe(model, x, y, loss, optimizer=optimizer)
    assert found["0"].parameters["weight"]["gradient"] > 0
    np.testing.assert_allclose(found["0"].outputs["mean"], model[0].infer(x).mean())
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_module_of_ones_own_is_one_layer_with_all_its_parameters():
    class Twice(minidl.Module):
        def __init__(self, inner):
            super().__init__(children={"inner": inner})

        def forward(self, x):
            return 2 * self._children["inner"].forward(x)

        def backward(self, dy, *, need_dx=True):
            return self._children["inner"].backward(2 * dy, need_dx=need_dx)

    inner = minidl.Sequential([minidl.Linear(3, 2, dtype="float64", rng=0), minidl.ReLU()])
    model, (x, _) = minidl.Sequential([Twice(inner), minidl.ReLU()]), data()
    found = minidl.probe(model, x)
    assert [layer.path for layer in found.layers] == ["0", "1"]
    assert set(found["0"].numbers()) == {"mean", "spread", "inner.0.weight_norm", "inner.0.bias_norm"}


def test_a_chain_in_a_subclass_is_one_layer():
    class Chain(minidl.Sequential):
        pass

    model, (x, _) = Chain([minidl.Linear(3, 2, dtype="float64"), minidl.ReLU()]), data()
    found = minidl.probe(model, x)
    assert [layer.path for layer in found.layers] == [record.path for record in model.spec()] == [""]
    assert list(found[""].parameters) == ["0.weight", "0.bias"]
