"""Law 1: all parameters of a network lie in one vector, and modules hold views of it."""

import gc

import numpy as np
import pytest

import minidl


def trio(rng=0):
    """Return a nested network of three layers with 8 + 3 + 4 parameters."""
    rng = np.random.default_rng(rng)
    inner = minidl.Sequential([minidl.Linear(1, 3, bias=False, rng=rng), minidl.Linear(3, 1, std_b=1, rng=rng)])
    return minidl.Sequential([minidl.Linear(3, 2, std_b=1, rng=rng), minidl.Linear(2, 1, rng=rng), inner])


def test_a_buffer_hands_out_views_that_tile_it():
    buffer = minidl.ParamBuffer(10, backend=minidl.get_backend(), dtype="float64", replicate_shape=(2,))
    weight, bias = buffer.view(0, (2, 3)), buffer.view(6, (4,))
    buffer.values[...] = np.arange(20).reshape(2, 10)
    buffer.grads[...] = -buffer.values
    np.testing.assert_array_equal(weight.value, [[[0, 1, 2], [3, 4, 5]], [[10, 11, 12], [13, 14, 15]]])
    np.testing.assert_array_equal(bias.value, [[6, 7, 8, 9], [16, 17, 18, 19]])
    np.testing.assert_array_equal(weight.grad, -weight.value)
    np.testing.assert_array_equal(bias.grad, -bias.value)
    assert buffer.values.dtype == weight.value.dtype == np.float64


def test_a_buffer_starts_at_zero_and_holds_floats_only():
    buffer = minidl.ParamBuffer(3, backend=minidl.get_backend("numpy"), dtype="float16", replicate_shape=(2,))
    assert buffer.values.shape == buffer.grads.shape == (2, 3)
    assert not buffer.values.any()
    assert not buffer.grads.any()
    assert repr(buffer) == "ParamBuffer(3, float16 (numpy, replicates (2,)))"
    with pytest.raises(TypeError, match=r"ParamBuffer: expected dtype float16, float32 or float64, got 'int32'"):
        minidl.ParamBuffer(3, backend=minidl.get_backend(), dtype="int32")


def test_the_vector_holds_all_parameters_depth_first():
    model = trio()
    pairs = model.params()
    assert [param.value.shape for param in pairs] == [(2, 3), (2,), (1, 2), (1,), (3, 1), (1, 3), (1,)]
    for flat, which in ((model.values, 0), (model.grads, 1)):
        flat[...] = np.arange(flat.size)
        np.testing.assert_array_equal(np.concatenate([pair[which].ravel() for pair in pairs]), np.arange(flat.size))


@pytest.mark.parametrize("build", [trio, lambda: minidl.replicate(trio, range(2))], ids=["single", "replicates"])
def test_every_module_is_a_slice_of_its_network(build):
    model = build()
    model.values[...] = np.arange(model.values.size).reshape(model.values.shape)
    model.grads[...] = -model.values
    bounds = [(model[0], 0, 8), (model[1], 8, 11), (model[2], 11, 18), (model[2][0], 11, 14), (model[2][1], 14, 18)]
    for module, start, stop in bounds:
        for own, whole in ((module.values, model.values), (module.grads, model.grads)):
            assert own.strides[-1] == own.itemsize
            assert np.shares_memory(own, whole)
            np.testing.assert_array_equal(own, whole[..., start:stop])


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_assigning_copies_into_the_view(name):
    model = trio()
    layer, others = model[0], np.concatenate([model[1].values, model[2].values])
    array = np.full(getattr(layer, name).shape, 7, np.float64)
    setattr(layer, name, array)
    array[...] = 0
    assert (getattr(layer, name) == 7).all()
    assert (model.values == 7).sum() == array.size
    assert getattr(layer, name).dtype == np.float32
    np.testing.assert_array_equal(model.values[8:], others)
    setattr(layer, name, getattr(layer, name) * 2)
    assert (model.values == 14).sum() == array.size


def test_updating_a_layer_alone_changes_its_slice_alone(rng):
    model = trio()
    model.grads[...] = rng.standard_normal(model.grads.shape)
    before, slope = model.values.copy(), model.grads.copy()
    model[1].update(0.5)
    step = np.where(np.isin(np.arange(18), [8, 9, 10]), slope, 0)
    np.testing.assert_array_equal(model.values, before - np.float32(0.5) * step)
    np.testing.assert_array_equal(model.grads, slope - step)


def test_updating_a_network_is_updating_each_layer(rng):
    together, apart = trio(), trio()
    together.grads[...] = apart.grads[...] = rng.standard_normal(together.grads.shape)
    together.update(0.1)
    for layer in (apart[0], apart[1], apart[2][0], apart[2][1]):
        layer.update(0.1)
    np.testing.assert_array_equal(together.values, apart.values)
    assert not together.grads.any()
    assert not apart.grads.any()


def test_without_a_rate_each_layer_uses_its_own():
    model = minidl.Sequential([minidl.Linear(1, 2, lr=0.5), minidl.Sequential([minidl.Linear(2, 1, lr=2.0)])])
    model.values[...] = 0
    model.grads[...] = 1
    model.update()
    np.testing.assert_array_equal(model.values, [-0.5] * 4 + [-2] * 3)
    model.update(values=np.arange(7, dtype=np.float32))
    np.testing.assert_array_equal(model.values, [-0.5, -1, -1.5, -2, -10, -12, -14])


def test_values_replace_the_gradient():
    layer = minidl.Linear(1, 2)
    layer.values[...] = 1
    layer.grads[...] = 100
    values = np.array([2, 4, 6, 8], np.float32)
    values.flags.writeable = False
    layer.update(0.5, values)
    np.testing.assert_array_equal(layer.values, [0, -1, -2, -3])
    assert not layer.grads.any()


def test_moving_into_a_network_keeps_values_and_gradients(rng):
    first, second = minidl.Linear(3, 2, std_b=1, rng=1), minidl.Linear(2, 4, std_b=1, rng=2)
    second.grads[...] = rng.standard_normal(second.grads.shape)
    old = first.values, second.values.copy(), second.grads.copy()
    model = minidl.Sequential([first, second])
    np.testing.assert_array_equal(model.values, np.concatenate(old[:2]))
    np.testing.assert_array_equal(model.grads[8:], old[2])
    model.values[...] = 0
    assert not first.weight.any()
    assert not second.bias.any()
    assert old[0].any()


def test_what_an_engine_compiled_is_dropped_when_the_parameters_move():
    layer = minidl.Linear(2, 2, rng=0)
    layer.compiled = object()
    minidl.Sequential([layer])
    assert layer.compiled is None


def test_a_module_has_one_place(unchanged):
    layer, other = minidl.Linear(2, 2, rng=0), minidl.Linear(2, 2, rng=1)
    with unchanged(layer, other), pytest.raises(ValueError, match=r"2\]?: Linear\(2 -> 2\) is the same module as"):
        minidl.Sequential([layer, other, layer])
    model = minidl.Sequential([layer])
    for again in ([other, layer], [other, model, layer]):
        with unchanged(model, other), pytest.raises(ValueError, match=r"Linear\(2 -> 2\) is already part of another"):
            minidl.Sequential(again)
    with unchanged(model, other), pytest.raises(ValueError, match=r"Sequential\(1 layers\) is the same module as"):
        minidl.Sequential([model, model])
    assert layer.values.base is model.values.base


def test_a_module_is_free_again_when_its_network_is_gone():
    layer = minidl.Linear(2, 2, rng=0)
    values = layer.values.copy()
    minidl.Sequential([minidl.Linear(2, 2), layer])
    gc.collect()
    model = minidl.Sequential([layer])
    np.testing.assert_array_equal(model.values, values)
    np.testing.assert_array_equal(layer.values, values)


def test_layers_of_one_network_are_alike(unchanged):
    layer, double = minidl.Linear(2, 2), minidl.Linear(2, 2, dtype="float64")
    many = minidl.replicate(lambda rng: minidl.Linear(2, 2, rng=rng), range(3))
    with unchanged(layer, double), pytest.raises(ValueError, match=r"Linear.* has float32.*Linear.* has float64"):
        minidl.Sequential([layer, double])
    with unchanged(layer, many), pytest.raises(ValueError, match=r"has float32 \(numpy, replicates \(3,\)\)"):
        minidl.Sequential([layer, many])


def test_a_parameter_may_be_one_number():
    class Shift(minidl.Module):
        def __init__(self):
            super().__init__({"shift": np.array(2.0)}, dtype="float64")

        def forward(self, x):
            return self.save_for_backward(x + self.param("shift")[..., None, None])

        def backward(self, dy, *, need_dx=True):  # noqa: ARG002 - the signature of every module
            self.saved(dy)
            self.accumulate_grad("shift", lambda out=None: dy.sum(axis=(-2, -1), out=out))
            return dy

    assert minidl.gradcheck(Shift(), np.ones((4, 3))) < 1e-8
    assert minidl.gradcheck(minidl.replicate(lambda _: Shift(), range(3)), np.ones((3, 4, 3))) < 1e-8
