"""Issue A, "Bad input", for arrays: an error that names the module, what it expected and what came; nothing changes."""

from itertools import permutations

import numpy as np
import pytest

import minidl

F4, F8 = np.float32, np.float64


def ran(module, shape=(4, 3)):
    """Return a module behind a forward and a backward, with gradients and something saved."""
    y = module.forward(np.linspace(-1, 1, np.prod(shape), dtype=F4).reshape(shape))
    module.zero_grad()
    module.backward(np.ones_like(y))
    return module


@pytest.mark.parametrize("method", ["forward", "infer"])
def test_what_is_no_floating_array_is_refused_by_layers(every_layer, no_float, method, unchanged):
    name, make = every_layer
    (kind, bad), layer = no_float, ran(make())
    words = rf"{name}.*expected x to be .*got {kind}"
    with unchanged(layer), pytest.raises(TypeError, match=words):
        getattr(layer, method)(bad)


def test_what_is_no_floating_array_is_refused_by_networks(network, no_float, unchanged):
    (kind, bad), model = no_float, ran(network())
    words = rf"Linear\(3 -> 5\): expected x to be .*got {kind}"
    with unchanged(model), pytest.raises(TypeError, match=words):
        model.forward(bad)
    for infer in (model.infer, lambda x: minidl.predict(model, x)):
        with unchanged(model), pytest.raises(TypeError, match=rf"expected x to be .*got {kind}"):
            infer(bad)


@pytest.mark.parametrize("method", ["forward", "infer"])
@pytest.mark.parametrize("shape", [(4, 2), (4, 4), (3, 4), (3, 0), (2,), (), (0, 2)], ids=str)
def test_another_width_is_refused(network, method, shape, unchanged):
    for module, who in ((minidl.Linear(3, 2), r"Linear\(3 -> 2\)"), (network(), r"Linear\(3 -> 5\)")):
        ran(module)
        words = rf"{who}: expected x of shape \(\.\.\., 3\), got \({', '.join(map(str, shape))},?\)"
        with unchanged(module), pytest.raises(ValueError, match=words):
            getattr(module, method)(np.ones(shape, F4))


@pytest.mark.parametrize(("own", "other"), [*permutations(["float16", "float32", "float64"], 2)])
def test_another_dtype_is_refused(own, other, unchanged):
    layer = minidl.Linear(3, 2, dtype=own, rng=0)
    words = rf"Linear\(3 -> 2\): expected x .*{own}.*got {other} \(4, 3\)"
    with unchanged(layer), pytest.raises(TypeError, match=words):
        layer(np.ones((4, 3), other))


@pytest.mark.parametrize("shape", [(4, 5, 3), (1, 5, 3), (5, 3, 3), (4, 2, 5, 3)], ids=str)
def test_data_of_another_number_of_replicates_is_refused(network, shape, unchanged):
    model = ran(minidl.replicate(network, range(3)))
    words = rf"Linear\(3 -> 5\): expected x .* or \(3, \.\.\., sample, 3\), got \({shape[0]}, {shape[1]}"
    with unchanged(model), pytest.raises(ValueError, match=words):
        model(np.ones(shape, F4))


@pytest.mark.parametrize(
    ("shape", "dtype", "error"), [((1, 2), F4, ValueError), ((4, 1), F4, ValueError), (None, F8, TypeError)]
)
def test_dy_of_another_shape_or_dtype_is_refused(every_layer, shape, dtype, error, unchanged):
    name, make = every_layer
    layer = make()
    y = layer.forward(np.ones((4, 3), F4))
    bad = np.ones(shape or y.shape, dtype)
    who = name
    words = (
        rf"{who}.*expected dy like .* float32 \(4, {y.shape[1]}\), got {bad.dtype} \({bad.shape[0]}, {bad.shape[1]}\)"
    )
    with unchanged(layer, bad), pytest.raises(error, match=words):
        layer.backward(bad)
    layer.backward(np.ones_like(y))


def test_dy_that_is_no_floating_array_is_refused(every_layer, no_float, unchanged):
    name, make = every_layer
    (kind, bad), layer = no_float, ran(make())
    words = rf"{name}.*expected dy to be .*{kind}"
    with unchanged(layer), pytest.raises(TypeError, match=words):
        layer.backward(bad)


@pytest.mark.parametrize(
    "bad", [np.ones((4, 1), F4), np.ones((6, 2), F8), np.ones((6, 2), int)], ids=lambda a: str(a.dtype)
)
def test_a_bad_dy_changes_nothing_in_a_whole_network(network, samples, bad, unchanged):
    model = network()
    model(samples[0])
    with unchanged(model), pytest.raises((ValueError, TypeError), match="Sigmoid: expected dy"):
        model.backward(bad)


def test_backward_before_forward_is_refused(every_layer, unchanged):
    name, make = every_layer
    layer, words = make(), rf"{name}.*: backward before forward: call forward\(x\) first"
    with unchanged(layer), pytest.raises(ValueError, match=words):
        layer.backward(np.ones((4, 3), F4))
    layer.infer(np.ones((4, 3), F4))
    with unchanged(layer), pytest.raises(ValueError, match=words):
        layer.backward(np.ones((4, 3), F4))


@pytest.mark.parametrize("replicates", [1, 5])
def test_dy_with_a_replicate_axis_too_many_is_refused(every_layer, replicates, unchanged):
    name, make = every_layer
    module = minidl.replicate(lambda rng: make(rng=rng), range(replicates))
    y = module.forward(np.ones((replicates, 7, 3), F4))
    words = rf"{name}.*expected dy like the output of forward, float32 \({replicates}, 7, .\), got"
    with unchanged(module), pytest.raises(ValueError, match=words):
        module.backward(np.ones((replicates, *y.shape), F4))


@pytest.mark.parametrize("make", [lambda rng: minidl.Linear(5, 3, rng=rng), lambda rng: minidl.Dropout(0.5, rng=rng)])
def test_one_axis_is_too_few_for_replicates(make, unchanged):
    """Also where as many features come as there are replicates."""
    module = minidl.replicate(make, range(5))
    with unchanged(module), pytest.raises(ValueError, match=r"expected x of shape \(sample, .*got \(5,\)"):
        module.forward(np.ones(5, F4))


@pytest.mark.parametrize("kind", [minidl.Dropout, minidl.LeakyReLU])
def test_other_replicates_are_refused_before_anything_is_drawn(kind, unchanged, build_layer):
    module, name = minidl.replicate(lambda rng: build_layer(kind, rng=rng), range(3)), kind.__name__
    words = rf"{name}.*expected x of shape \(sample, feature\), shared .* \(3, \.\.\., sample, .* got \(5, 4, 2\)"
    with unchanged(module), pytest.raises(ValueError, match=words):
        module.forward(np.ones((5, 4, 2), F4))
