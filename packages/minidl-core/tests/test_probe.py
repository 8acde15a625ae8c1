"""`probe`: every number against one computed by hand, and nothing of the model changes."""

import copy
import threading

import numpy as np
import pytest

import minidl

DTYPES = ("float16", "float32", "float64")
RTOL = {"float16": 5e-3, "float32": 1e-5, "float64": 1e-12}


def network(rng=0, dtype="float64", backend=None, slope=0.1):
    rng = np.random.default_rng(rng)
    options = {"std_b": 0.5, "dtype": dtype, "backend": backend, "rng": rng}
    inner = minidl.Sequential([minidl.Sigmoid(), minidl.Linear(6, 5, **options)])
    head = [minidl.LeakyReLU(slope), minidl.Dropout(0.5, rng=rng), minidl.Tanh(), minidl.Linear(5, 2, **options)]
    return minidl.Sequential([minidl.Linear(3, 6, **options), minidl.ReLU(), inner, *head])


def data(n=40, seed=1, dtype="float64"):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 3)).astype(dtype), rng.standard_normal((n, 2)).astype(dtype)


def outputs_by_hand(model, x):
    """Return the output of each layer of `network`, by its path."""
    outputs = {}
    for i, layer in enumerate(model):
        for j, part in enumerate(layer if i == 2 else [layer]):
            x = outputs[f"2.{j}" if i == 2 else str(i)] = part.infer(x)
    return outputs


def full(found):
    """Return all numbers of a probe in one dict."""
    return {(layer.path, name): value for layer in found.layers for name, value in layer.numbers().items()}


@pytest.mark.parametrize("batch_size", [None, 1, 7, 40])
@pytest.mark.parametrize("dtype", DTYPES)
def test_mean_and_spread_are_those_of_all_outputs(dtype, batch_size):
    model, (x, _) = network(dtype=dtype), data(dtype=dtype)
    found = minidl.probe(model, x, batch_size=batch_size)
    assert [layer.path for layer in found.layers] == [record.path for record in model.spec()]
    assert [layer.layer for layer in found.layers] == [str(record) for record in model.spec()]
    for path, y in outputs_by_hand(model, x).items():
        y = y.astype(np.float64)
        np.testing.assert_allclose(found[path].outputs["mean"], y.mean(), rtol=RTOL[dtype], atol=RTOL[dtype])
        np.testing.assert_allclose(found[path].outputs["spread"], y.std(), rtol=RTOL[dtype])


def test_a_spread_beside_a_large_mean_keeps_its_digits():
    layer = minidl.Linear(1, 1, bias=True, dtype="float64")
    layer.weight, layer.bias = np.ones((1, 1)), np.array([1e8])
    x = np.random.default_rng(0).standard_normal((100, 1))
    found = minidl.probe(layer, x, batch_size=9)[""]
    np.testing.assert_allclose(found.outputs["spread"], (x + 1e8).std(), rtol=1e-9)


def test_saturated_and_dead_are_counted_by_the_derivative():
    model, (x, _) = network(), data()
    model[0].bias = np.array([-50.0, 50, 0, 0, 0, 0])  # the first unit is never above 0, the second one always
    model[2][1].bias = np.array([30.0, -400, 0, 0, 0])
    found, y = minidl.probe(model, x, batch_size=9), outputs_by_hand(model, x)
    by_hand = {"1": y["0"] <= 0, "2.0": y["2.0"] * (1 - y["2.0"]) < 0.05 * 0.25, "5": 1 - y["5"] ** 2 < 0.05}
    for path, flat in by_hand.items():
        assert found[path].outputs["saturated"] == flat.mean()
        assert found[path].outputs["dead"] == flat.all(axis=0).mean()
    assert found["1"].outputs["dead"] == 1 / 6
    assert found["2.0"].outputs["dead"] == 1 / 6
    assert found["5"].outputs["dead"] == 2 / 5
    for path in ("0", "2.1", "3", "4", "6"):  # a leaky ReLU passes some gradient everywhere
        assert set(found[path].outputs) == {"mean", "spread"}


@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
@pytest.mark.parametrize("batch_size", [None, 7])
def test_gradients_are_those_of_the_loss_of_all_samples(reduction, batch_size):
    model, (x, y), loss = network().eval(), data(), minidl.MSELoss(reduction)
    found = minidl.probe(model, x, y, loss, batch_size=batch_size)
    loss.forward(model.forward(x), y)
    model.backward(loss.backward())
    for name, gradient in model.named_gradients():
        path, _, own = name.rpartition(".")
        expected = np.sqrt((gradient**2).sum())
        np.testing.assert_allclose(found[path].parameters[own]["gradient"], expected, rtol=1e-12)
    for name, value in model.named_parameters():
        path, _, own = name.rpartition(".")
        np.testing.assert_allclose(found[path].parameters[own]["norm"], np.sqrt((value**2).sum()), rtol=1e-14)


OPTIMIZERS = {
    "SGD": lambda model: minidl.SGD(model, 0.01, momentum=0.9),
    "Adam of a schedule": lambda model: minidl.Adam(model, minidl.CosineSchedule(0.01, 50, warmup=5), clip=1.0),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_the_update_is_the_step_that_the_optimizer_makes_next(make):
    model, (x, y), loss = network().eval(), data(), minidl.MSELoss("mean")
    optimizer = make(model)
    for _ in range(3):
        minidl.train_step(model, loss, optimizer, x, y)
    found = minidl.probe(model, x, y, loss, optimizer=optimizer)
    before = model.state_dict()
    loss.forward(model.forward(x), y)
    model.backward(loss.backward())
    optimizer.step()
    for name, after in model.named_parameters():
        path, _, own = name.rpartition(".")
        expected = np.linalg.norm(after - before[name]) / np.linalg.norm(before[name])
        np.testing.assert_allclose(found[path].parameters[own]["update"], expected, rtol=1e-10)


def test_a_frozen_parameter_has_a_gradient_and_no_update():
    model, (x, y) = network(), data()
    free = minidl.probe(model, x, y, minidl.MSELoss())["0"].parameters
    model[0].freeze()
    found = minidl.probe(model, x, y, minidl.MSELoss(), optimizer=minidl.SGD(model, 0.1))
    assert found["0"].parameters["weight"]["gradient"] == free["weight"]["gradient"]
    assert found["0"].parameters["weight"]["update"] == 0
    assert found["2.1"].parameters["weight"]["update"] > 0


def test_the_update_of_a_parameter_that_is_zero_is_nan():
    layer, (x, y) = minidl.Linear(3, 2, dtype="float64", rng=0), data()
    found = minidl.probe(layer, x, y, minidl.MSELoss(), optimizer=minidl.SGD(layer, 0.1))
    assert np.isnan(found[""].parameters["bias"]["update"])
    assert "nan" in str(found)


@pytest.mark.parametrize("shared", [True, False])
def test_each_replicate_has_the_numbers_that_it_has_alone(shared):
    model = minidl.replicate(lambda rng: network(rng, slope=rng.uniform(0.1, 0.9)), range(3))
    x, y = zip(*(data(seed=seed) for seed in range(3)), strict=True)
    rates = np.array([0.1, 0.01, 0.001])
    x, y = (x[0], y[0]) if shared else (np.stack(x), np.stack(y))
    found = full(minidl.probe(model, x, y, minidl.MSELoss(), optimizer=minidl.SGD(model, rates), batch_size=9))
    for r, alone in enumerate(minidl.unstack(model)):
        own = (x, y) if shared else (x[r], y[r])
        expected = full(minidl.probe(alone, *own, minidl.MSELoss(), optimizer=minidl.SGD(alone, rates[r])))
        assert expected.keys() == found.keys()
        for key, value in expected.items():
            assert found[key].shape == (3,)
            np.testing.assert_allclose(found[key][r], value, rtol=1e-10, atol=1e-14)


def test_an_activation_of_replicates_may_see_an_input_that_they_share():
    def build(rng):
        return minidl.Sequential([minidl.Tanh(), minidl.Linear(3, 2, dtype="float64", rng=rng)])

    x, _ = data()
    found = minidl.probe(minidl.replicate(build, range(3)), x)
    np.testing.assert_allclose(found["0"].outputs["mean"], np.full(3, np.tanh(x).mean()))
    assert found["0"].outputs["dead"].shape == (3,)


def test_more_axes_of_samples_count_as_samples():
    model, (x, _) = network(), data()
    flat, deep = full(minidl.probe(model, x)), full(minidl.probe(model, x.reshape(8, 5, 3), batch_size=3))
    for key, value in flat.items():
        np.testing.assert_allclose(deep[key], value, rtol=1e-12)


def test_tensors_have_the_same_numbers():
    torch = pytest.importorskip("torch", reason="torch is installed on Python 3.11 only")
    (x, y), loss = data(), minidl.MSELoss("mean")
    found = []
    for backend, as_array in ((None, np.asarray), ("torch", torch.from_numpy)):
        model = network(backend=backend)
        optimizer = minidl.Adam(model)
        found.append(full(minidl.probe(model, as_array(x), as_array(y), loss, optimizer=optimizer)))
    for key, value in found[0].items():
        np.testing.assert_allclose(found[1][key], value, rtol=1e-10, atol=1e-14)


def test_nothing_changes(unchanged):
    model, (x, y), loss = network(), data(), minidl.MSELoss()
    optimizer = minidl.Adam(model)
    minidl.train_step(model, loss, optimizer, x, y)
    loss.forward(model.forward(x), y)  # a backward of the caller's is still to come
    twin = copy.deepcopy(model)
    with unchanged(model, loss, optimizer, x, y, *model, *model[2]):
        minidl.probe(model, x, y, loss, optimizer=optimizer, batch_size=7)
    assert model.training
    np.testing.assert_array_equal(model(x), twin(x))  # dropout has drawn nothing
    model.backward(loss.backward())


def test_many_threads_may_probe_one_model():
    model, (x, _) = network(), data(400)
    expected, found = full(minidl.probe(model, x)), [None] * 8

    def work(i):
        found[i] = full(minidl.probe(model, x, batch_size=50))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in found:
        assert one == pytest.approx(expected)


def test_the_table_has_layers_and_parameters():
    model, (x, y) = network(), data()
    lines = str(minidl.probe(model, x, y, minidl.MSELoss())).splitlines()
    assert lines[0].split() == ["layer", "mean", "spread", "saturated", "dead"]
    assert lines[2].startswith("1      ReLU")
    assert lines[2].endswith("%")
    assert lines[9].split() == ["parameter", "norm", "gradient"]
    assert [line.split()[0] for line in lines[10:]] == list(model.state_dict())
    replicates = str(minidl.probe(minidl.replicate(network, range(2)), x)).splitlines()
    assert replicates[-1] == "means of 2 replicates"
    assert str(minidl.probe(minidl.ReLU(), x)).splitlines()[0].startswith("layer")


def test_the_columns_have_one_length():
    x, _ = data()
    single, stacked = network(), minidl.replicate(network, range(3))
    for model, count in ((single, 1), (stacked, 3)):
        frame = minidl.probe(model, x).to_frame()
        assert {column.shape for column in frame.values()} == {(8 * count,)}
        assert list(frame)[:5] == ["layer", "kind", "replicate", "mean", "spread"]
        assert frame["kind"][:count].tolist() == ["Linear"] * count
        assert frame["replicate"].tolist() == [*range(count)] * 8
        assert np.isnan(frame["weight_norm"]).sum() == 5 * count
        assert np.isnan(frame["dead"]).sum() == 5 * count
        assert frame["mean"][0] == np.ravel(minidl.probe(model, x)["0"].outputs["mean"])[0]


X, Y = data()
MODEL = network()
WRONG = {
    "y alone": (lambda: minidl.probe(MODEL, X, Y), TypeError, "y alone"),
    "loss alone": (lambda: minidl.probe(MODEL, X, loss=minidl.MSELoss()), TypeError, "loss alone"),
    "optimizer alone": (lambda: minidl.probe(MODEL, X, optimizer=minidl.SGD(MODEL, 0.1)), TypeError, "y and loss"),
    "no model": (lambda: minidl.probe(X, X), TypeError, "Module"),
    "no loss": (lambda: minidl.probe(MODEL, X, Y, Y), TypeError, "Loss"),
    "wrong width": (lambda: minidl.probe(MODEL, X[:, :2]), ValueError, r"\(\.\.\., 3\)"),
    "wrong targets": (lambda: minidl.probe(MODEL, X, Y[:, :1], minidl.MSELoss()), ValueError, r"\(40, 2\)"),
    "fewer targets": (lambda: minidl.probe(MODEL, X, Y[:5], minidl.MSELoss()), ValueError, "as many targets"),
    "no samples": (lambda: minidl.probe(MODEL, X[:0]), ValueError, "at least one sample"),
    "one axis": (lambda: minidl.probe(MODEL, X[0]), ValueError, "sample"),
    "integers": (lambda: minidl.probe(MODEL, np.ones((4, 3), int)), TypeError, "float"),
    "batch size": (lambda: minidl.probe(MODEL, X, batch_size=0), ValueError, "batch_size"),
    "another model's optimizer": (
        lambda: minidl.probe(MODEL, X, Y, minidl.MSELoss(), optimizer=minidl.SGD(network(), 0.1)),
        ValueError,
        "optimizer of this model",
    ),
    "no optimizer": (lambda: minidl.probe(MODEL, X, Y, minidl.MSELoss(), optimizer=0.1), TypeError, "Optimizer"),
}


@pytest.mark.parametrize(("call", "kind", "words"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_named(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


def test_an_unknown_layer_is_named_with_those_that_there_are():
    with pytest.raises(KeyError, match=r"'2\.1'"):
        minidl.probe(MODEL, X)["7"]


def test_a_network_that_has_diverged_can_be_probed():
    model = network()
    model.values[...] = np.nan
    found = minidl.probe(model, X)
    assert np.isnan(found["0"].outputs["mean"])
    assert np.isnan(found["0"].parameters["weight"]["norm"])
