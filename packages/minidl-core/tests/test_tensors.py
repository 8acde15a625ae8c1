"""What the two libraries do to each other; skipped without torch. The numbers are compared in conformance/."""

import copy
import pickle

import numpy as np
import pytest

import minidl
from minidl.arrays.samples import Samples

torch = pytest.importorskip("torch")


def network(rng=0, backend="torch", p_drop=0.5):
    rng = np.random.default_rng(rng)
    return minidl.Sequential(
        [
            minidl.Linear(3, 4, std_b=1, backend=backend, rng=rng),
            minidl.Dropout(p_drop, rng=rng),
            minidl.Linear(4, 2, backend=backend, rng=rng),
        ],
    )


def test_a_seed_gives_the_same_network_in_both_libraries():
    ours, theirs = network(backend="numpy"), network()
    np.testing.assert_array_equal(theirs.values.numpy(), ours.values)
    assert (theirs.backend.name, theirs.dtype) == ("torch:cpu", torch.float32)


def test_a_seed_drops_the_same_units_in_both_libraries():
    ours, theirs = minidl.Dropout(0.3, rng=1), minidl.Dropout(0.3, rng=1)
    for dtype in ("float16", "float32", "float64"):
        y = theirs(torch.ones(20, 20, dtype=getattr(torch, dtype)))
        np.testing.assert_array_equal(y.numpy(), ours(np.ones((20, 20), dtype)))


@pytest.mark.parametrize("method", ["forward", "infer"])
def test_the_other_library_is_refused(unchanged, method):
    array, tensor = np.ones((4, 3), np.float32), torch.ones(4, 3)
    ours, theirs = network(backend="numpy"), network()
    words = r"Linear\(3 -> 4\): expected x .* float32 \((numpy|torch:cpu)\), got .* \(4, 3\) \((numpy|torch:cpu)\)"
    with unchanged(ours), pytest.raises(TypeError, match=words):
        getattr(ours, method)(tensor)
    before = theirs.values.clone()
    with pytest.raises(TypeError, match=words):
        getattr(theirs, method)(array)
    assert torch.equal(theirs.values, before)
    assert theirs[0]._saved is None


def test_dy_values_and_targets_of_the_other_library_are_refused():
    theirs, loss = network(), minidl.MSELoss()
    y = theirs(torch.ones(4, 3))
    theirs.zero_grad()
    before = theirs.values.clone()
    with pytest.raises(
        TypeError, match=r"Linear\(4 -> 2\): expected dy .*torch.float32 \(4, 2\), got float32 \(4, 2\)"
    ):
        theirs.backward(np.ones((4, 2), np.float32))
    with pytest.raises(TypeError, match="expected values like the parameters"):
        theirs.update(0.1, np.ones(26, np.float32))
    with pytest.raises(TypeError, match=r"MSELoss\(sum\): expected a target in the library .*, got float32 \(4, 2\)"):
        loss(y, np.ones((4, 2), np.float32))
    with pytest.raises(TypeError, match=r"CrossEntropyLoss\(sum\): expected class indices in the library"):
        minidl.CrossEntropyLoss()(y, np.ones(4, int))
    assert torch.equal(theirs.values, before)
    assert not theirs.grads.any()


def test_a_tensor_that_requires_grad_is_refused_with_what_to_do_instead():
    x = torch.ones(4, 3, requires_grad=True)
    for run in (network().forward, network().infer, minidl.Tanh().forward, lambda x: minidl.predict(network(), x)):
        with pytest.raises(TypeError, match=r"expected x not to require grad; .*x\.detach\(\) and call backward\(dy\)"):
            run(x)
    with pytest.raises(TypeError, match="expected prediction not to require grad"):
        minidl.MSELoss()(x, torch.ones(4, 3))
    with pytest.raises(TypeError, match=r"Tanh: expected x to be float16, .* got torch\.int64 \(4,\)"):
        minidl.Tanh()(torch.ones(4, dtype=torch.int64))


def test_layers_of_two_libraries_do_not_go_together():
    words = r"expected layers of one backend.*float32 \(numpy\).*float32 \(torch:cpu\)"
    with pytest.raises(ValueError, match=words):
        minidl.Sequential([minidl.Linear(2, 2), minidl.Linear(2, 2, backend="torch")])


def test_state_dicts_go_both_ways():
    ours, theirs = network(0, "numpy"), network(1)
    theirs.load_state_dict(ours.state_dict())
    np.testing.assert_array_equal(theirs.values.numpy(), ours.values)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(), torch.nn.Linear(4, 2))
    ours.load_state_dict(module.state_dict())
    np.testing.assert_array_equal(ours[2].weight, module[2].weight.detach().numpy())
    module.load_state_dict(theirs.state_dict())
    assert torch.equal(module[0].bias, theirs[0].bias)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"]
)
def test_copies_keep_library_and_views(duplicate):
    model = network()
    twin, optimizer = duplicate((model, minidl.Adam(model)))
    assert twin.backend is model.backend
    optimizer.model.grads[...] = 1
    optimizer.step()
    assert not torch.equal(twin[0].weight, model[0].weight)
    assert twin[2].weight.data_ptr() == twin.values[16:].data_ptr()


def test_a_whole_training_is_that_of_numpy(rng):
    x, y = rng.standard_normal((30, 3)).astype(np.float32), rng.integers(0, 2, 30)
    histories = []
    for backend, make in (("numpy", np.asarray), ("torch", torch.from_numpy)):
        model = network(backend=backend)
        data = make(x), make(y)
        optimizer, loss = minidl.Adam(model, 0.01), minidl.CrossEntropyLoss("mean")
        history = minidl.fit(model, loss, optimizer, *data, epochs=5, batch_size=8, rng=2, validation=data)
        histories.append(history)
        assert all(type(number) is float for number in history.val_loss)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        # float32 products in another order, seen through Adam
        assert getattr(histories[0], name) == pytest.approx(getattr(histories[1], name), rel=1e-4)


def test_batches_of_replicates_are_those_of_numpy(rng):
    x, y = rng.standard_normal((2, 7, 3)).astype(np.float32), rng.integers(0, 3, (2, 7))
    orders = np.stack([rng.permutation(7) for _ in range(2)])
    ours, theirs = (Samples("test", make(x), make(y), (2,)) for make in (np.asarray, torch.from_numpy))
    for order in (orders, orders[0]):
        for batch, tensors in zip(ours.batches(order, 4), theirs.batches(order, 4), strict=True):
            for array, tensor in zip(batch[:2], tensors[:2], strict=True):
                np.testing.assert_array_equal(tensor.numpy(), array)


def test_the_accuracy_of_replicates_is_that_of_numpy(rng):
    prediction, target = rng.standard_normal((2, 3, 5, 4)), rng.integers(0, 4, (2, 3, 5))
    expected = minidl.accuracy(prediction, target, replicate_axes=1)
    tensors = torch.from_numpy(prediction), torch.from_numpy(target)
    np.testing.assert_allclose(minidl.accuracy(*tensors, replicate_axes=1), expected, rtol=1e-6)


def test_accuracy_of_two_libraries_is_refused():
    with pytest.raises(TypeError, match="accuracy: expected prediction and target in the same library"):
        minidl.accuracy(torch.zeros(2, 3), np.zeros(2, int))


def test_a_device_is_looked_up_by_its_own_name_and_must_exist():
    assert minidl.get_backend("torch:meta").name == "torch:meta"
    with pytest.raises(ValueError, match="expected a device that torch has here, got 'torch:abacus'"):
        minidl.get_backend("torch:abacus")


def test_a_kept_view_is_refused_as_on_numpy():
    class Keeps(minidl.Linear):
        pass

    layer = Keeps(2, 3, backend="torch", rng=0)
    layer.kept = layer.weight[0]
    with pytest.raises(ValueError, match="its attribute 'kept' is a view of parameters"):
        minidl.Sequential([layer])
    layer.kept = layer.weight[0].clone()
    minidl.Sequential([layer])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_labels_of_any_integer_type_train_and_are_counted(dtype):
    model = minidl.Linear(3, 2, backend="torch", rng=0)
    x, y = torch.randn(12, 3), (torch.arange(12) % 2).to(getattr(torch, dtype))
    loss = minidl.CrossEntropyLoss()
    history = minidl.fit(model, loss, minidl.SGD(model, 0.1), x, y, epochs=2, batch_size=5, rng=0, validation=(x, y))
    assert 0 <= history.val_accuracy[-1] <= 1
    assert minidl.evaluate(model, loss, x, y) == minidl.evaluate(model, loss, x, y.long())
    counted = float(minidl.accuracy(minidl.predict(model, x), y))
    assert counted == pytest.approx(minidl.evaluate(model, loss, x, y).accuracy)


def test_replicates_with_shared_data_take_a_last_batch_of_one_sample():
    def build(rng):
        layers = [minidl.Linear(3, 4, rng=rng, backend="torch"), minidl.Tanh()]
        return minidl.Sequential([*layers, minidl.Linear(4, 2, rng=rng, backend="torch")])

    model = minidl.replicate(build, range(5))
    x = torch.randn(21, 3)
    history = minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.01), x, x[:, :2], epochs=1, batch_size=10, rng=0)
    assert np.isfinite(history.loss[0]).all()
