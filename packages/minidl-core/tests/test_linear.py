"""Linear: initial values, eq. 1 to 4 over any axes, and what it leaves alone."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl

quick = settings(max_examples=40, deadline=None, derandomize=True)
width = st.integers(1, 5)
axes = st.lists(st.integers(0, 4), max_size=3).map(tuple)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_initial_values_are_drawn_in_float64_from_the_seed(dtype):
    layer = minidl.Linear(4, 3, std_w=0.3, std_b=2, dtype=dtype, rng=7)
    rng = np.random.default_rng(7)
    np.testing.assert_array_equal(layer.weight, (0.3 * rng.standard_normal((3, 4))).astype(dtype))
    np.testing.assert_array_equal(layer.bias, (2 * rng.standard_normal(3)).astype(dtype))
    assert layer.values.dtype == layer.grads.dtype == layer.weight.dtype == layer.bias.dtype == dtype


def test_default_weights_follow_he_and_default_biases_are_zero():
    layer = minidl.Linear(8, 3, dtype="float64", rng=7)
    np.testing.assert_array_equal(layer.weight, math.sqrt(2 / 8) * np.random.default_rng(7).standard_normal((3, 8)))
    np.testing.assert_array_equal(layer.bias, np.zeros(3))
    assert minidl.Linear(8, 3).dtype == np.float32


@pytest.mark.parametrize("bias", [True, False])
def test_a_generator_is_drawn_from_only_for_what_is_random(bias):
    rng = np.random.default_rng(1)
    minidl.Linear(2, 3, bias=bias, rng=rng)
    assert rng.standard_normal() == np.random.default_rng(1).standard_normal(7)[6]


def test_every_kind_of_seed_will_do():
    expected = minidl.Linear(2, 3, rng=5).values
    for rng in (np.int64(5), np.random.SeedSequence(5), np.random.default_rng(5)):
        np.testing.assert_array_equal(minidl.Linear(2, 3, rng=rng).values, expected)
    assert (minidl.Linear(2, 3).weight != minidl.Linear(2, 3).weight).all()


def test_zero_std_is_zero():
    assert not minidl.Linear(2, 3, std_w=0, rng=0).values.any()


@quick
@given(n_in=width, n_out=width, leading=axes, bias=st.booleans(), seed=st.integers(0, 9))
def test_forward_and_backward_are_the_sums_of_eq_1_to_4(n_in, n_out, leading, bias, seed):
    rng = np.random.default_rng(seed)
    layer = minidl.Linear(n_in, n_out, bias=bias, std_b=1 if bias else None, dtype="float64", rng=rng)
    x, dy = rng.standard_normal((*leading, n_in)), rng.standard_normal((*leading, n_out))
    b = layer.bias if bias else np.zeros(n_out)
    close = {"rtol": 1e-13, "atol": 1e-13}  # sums of at most 64 products of order one
    np.testing.assert_allclose(layer(x), np.einsum("...i,oi->...o", x, layer.weight) + b, **close)
    np.testing.assert_allclose(layer.backward(dy), np.einsum("...o,oi->...i", dy, layer.weight), **close)
    grads = [grad for _, grad in layer.params()]
    samples = tuple(range(len(leading)))
    np.testing.assert_allclose(grads[0], np.einsum("...o,...i->...oi", dy, x).sum(axis=samples), **close)
    if bias:
        np.testing.assert_allclose(grads[1], dy.sum(axis=samples), **close)
    assert len(grads) == 1 + bias


@quick
@given(n_in=width, n_out=width, leading=axes, bias=st.booleans(), seed=st.integers(0, 9))
def test_gradients_agree_with_differences(n_in, n_out, leading, bias, seed):
    rng = np.random.default_rng(seed)
    layer = minidl.Linear(n_in, n_out, bias=bias, dtype="float64", rng=rng)
    minidl.gradcheck(layer, rng.standard_normal((*leading, n_in)), rng=rng)


@quick
@given(n=width, n_in=width, n_out=width, replicates=width, shared=st.booleans(), times=st.none() | st.integers(1, 3))
def test_replicates_are_layers_side_by_side(n, n_in, n_out, replicates, shared, times):
    rng = np.random.default_rng(n)
    model = minidl.replicate(
        lambda rng: minidl.Linear(n_in, n_out, std_b=1, dtype="float64", rng=rng), range(replicates)
    )
    between = () if times is None or shared else (times,)
    x = rng.standard_normal((*(() if shared else (replicates,)), *between, n, n_in))
    dy = rng.standard_normal((replicates, *between, n, n_out))
    y, dx = model(x), model.backward(dy)
    for r, layer in enumerate(minidl.unstack(model)):
        layer.zero_grad()
        np.testing.assert_allclose(y[r], layer(x if shared else x[r]), rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(dx[r], layer.backward(dy[r]), rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(model.grads[r], layer.grads, rtol=1e-13, atol=1e-13)
    minidl.gradcheck(model, x, rng=0)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtype_stays_and_inputs_are_not_written_to(rng, unchanged, dtype):
    layer = minidl.Linear(3, 2, dtype=dtype, rng=0)
    x, dy = rng.standard_normal((5, 3)).astype(dtype), rng.standard_normal((5, 2)).astype(dtype)
    x.flags.writeable = dy.flags.writeable = False
    with unchanged(x, dy):
        outputs = [layer(x), layer.infer(x), layer.backward(dy)]
    assert {y.dtype for y in outputs} == {layer.grads.dtype} == {np.dtype(dtype)}
    layer.update(0.1)
    layer.update(0.1, np.ones_like(layer.values))
    assert layer.values.dtype == layer.weight.dtype == dtype


def test_strides_do_not_matter(rng):
    layer = minidl.Linear(3, 2, dtype="float64", rng=0)
    x, dy = rng.standard_normal((3, 8)).T[::-2], rng.standard_normal((4, 4))[:, ::2]
    y, dx, grads = layer(x), layer.backward(dy), layer.grads.copy()
    layer.zero_grad()
    np.testing.assert_allclose(layer(x.copy()), y, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(layer.backward(dy.copy()), dx, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(layer.grads, grads, rtol=1e-13, atol=1e-15)


def test_outputs_are_not_overwritten_later(rng, unchanged):
    layer = minidl.Linear(3, 2, rng=0)
    x, dy = rng.standard_normal((2, 5, 3)).astype(np.float32), rng.standard_normal((2, 5, 2)).astype(np.float32)
    y, dx = layer(x[0]), layer.backward(dy[0])
    with unchanged(y, dx):
        layer(x[1])
        layer.backward(dy[1])
        layer.update(0.1)


def test_without_need_dx_only_the_parameters_get_a_gradient(rng):
    layer = minidl.Linear(3, 2, rng=0)
    x, dy = rng.standard_normal((5, 3)).astype(np.float32), rng.standard_normal((5, 2)).astype(np.float32)
    layer(x)
    layer.backward(dy)
    grads = layer.grads.copy()
    layer.zero_grad()
    assert layer.backward(dy, need_dx=False) is None
    np.testing.assert_array_equal(layer.grads, grads)


def test_no_samples_give_no_gradient():
    layer = minidl.Linear(3, 2, rng=0)
    layer.zero_grad()
    assert layer(np.zeros((0, 3), np.float32)).shape == (0, 2)
    assert layer.backward(np.zeros((0, 2), np.float32)).shape == (0, 3)
    assert not layer.grads.any()


def test_words(network):
    layer = minidl.Linear(3, 2, bias=False, lr=0.5)
    assert repr(layer) == str(layer) == "Linear(3 -> 2, bias=False, lr=0.5)"
    assert repr(minidl.Linear(3, 2)) == "Linear(3 -> 2)"
    assert layer.bias is None
    assert (layer.in_features, layer.out_features) == (3, 2)
    assert layer.options() == {"bias": False, "lr": 0.5}
    assert network()[0].options() == {}
