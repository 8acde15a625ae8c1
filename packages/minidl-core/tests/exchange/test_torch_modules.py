"""Networks as modules of torch.nn and back: the same numbers, the same settings; skipped without torch."""

import numpy as np
import pytest

import minidl
from minidl.exchange.torch_writer import TO_TORCH

torch = pytest.importorskip("torch")


def output_of(module, x):
    with torch.no_grad():
        return module(torch.from_numpy(x)).numpy()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_layer_goes_there_and_back(every_layer, dtype, trained, lacking, spread_out, assert_close):
    kind, build = every_layer
    model = trained(build, dtype)
    if lacking(kind, TO_TORCH, lambda: minidl.to_torch(model)):
        return
    x = spread_out(dtype)
    twin = minidl.to_torch(model)
    assert twin.training == model.training
    assert_close(minidl.predict(model, x, engine="numpy"), output_of(twin.eval(), x))
    back = minidl.from_torch(twin.train(model.training))
    assert back.spec() == model.spec()
    assert back.training == model.training
    for (name, ours), (other, theirs) in zip(model.state_dict().items(), back.state_dict().items(), strict=True):
        assert name == other
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(minidl.predict(model, x), minidl.predict(back, x))


def test_a_network_keeps_names_nesting_and_mode(network, rng, assert_close):
    model = network().eval()
    twin = minidl.to_torch(model)
    assert list(twin.state_dict()) == list(model.state_dict())
    assert isinstance(twin[2], torch.nn.Sequential)
    assert not twin.training
    back = minidl.from_torch(twin)
    assert repr(back) == repr(model)
    assert not back.training
    x = rng.standard_normal((20, 3)).astype(np.float32)
    assert_close(minidl.predict(model, x, engine="numpy"), output_of(twin, x))


def test_an_empty_network_inside_keeps_its_neighbours_in_place():
    model = minidl.Sequential([minidl.Linear(3, 2, rng=0), minidl.Sequential([]), minidl.Linear(2, 1, rng=1)])
    assert list(minidl.to_torch(model).state_dict()) == list(model.state_dict())
    assert minidl.from_torch(torch.nn.Sequential()).layers == ()


def test_the_parameters_are_copies_on_both_sides(network):
    model = network()
    twin = minidl.to_torch(model)
    back = minidl.from_torch(twin)
    before = back.values.copy()
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.fill_(0)
    np.testing.assert_array_equal(back.values, before)
    np.testing.assert_array_equal(model.values, before)


def test_no_random_number_of_torch_is_drawn(network):
    before = torch.random.get_rng_state()
    minidl.to_torch(network())
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_tensors_and_arrays_are_told_apart(network, backend):
    model = network()
    tensors = minidl.from_torch(minidl.to_torch(model), backend=backend)
    assert tensors.backend is minidl.get_backend(backend)
    np.testing.assert_array_equal(np.asarray(tensors.values), model.values)
    again = minidl.from_torch(minidl.to_torch(tensors))
    np.testing.assert_array_equal(again.values, model.values)


def test_frozen_layers_stay_frozen(network):
    model = network()
    model[2].freeze()
    twin = minidl.to_torch(model)
    assert [name for name, p in twin.named_parameters() if not p.requires_grad] == ["2.0.weight"]
    assert minidl.from_torch(twin).spec() == model.spec()


@pytest.mark.parametrize("kind", ["LayerNorm", "BatchNorm1d"])
def test_a_normalization_without_weights_has_ones_that_are_not_trained(kind, rng, spread_out, assert_close):
    options = {"elementwise_affine": False} if kind == "LayerNorm" else {"affine": False}
    norm = getattr(torch.nn, kind)(3, **options)
    module = torch.nn.Sequential(torch.nn.Linear(3, 3), norm).double()
    torch.nn.init.eye_(module[0].weight)
    module(torch.from_numpy(rng.standard_normal((8, 3))))  # moves the running statistics
    model = minidl.from_torch(module.eval())
    assert [layer.frozen for layer in model.layers] == [False, True]
    x = spread_out(np.float64)
    assert_close(minidl.predict(model, x), output_of(module, x))


def test_dropout_draws_from_the_generator_that_is_handed_in():
    module = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Dropout(0.25))
    ours, twin = (minidl.from_torch(module, rng=3) for _ in range(2))
    x = np.ones((20, 20), np.float32)
    assert [layer.p_drop for layer in ours.layers] == [0.5, 0.25]
    np.testing.assert_array_equal(ours(x), twin(x))
    assert (ours(x) == 0).any()


def test_a_large_softplus_is_right_in_float64(assert_close):
    model = minidl.Sequential([minidl.Softplus(2)])
    x = np.linspace(-30, 30, 101)[:, None]
    assert_close(minidl.predict(model, x), output_of(minidl.to_torch(model), x))


class Mine(minidl.Module):
    def forward(self, x):
        return self.save_for_backward(x)

    def backward(self, dy, *, need_dx=True):
        return dy if need_dx else None


class Tanh(minidl.Tanh):
    """A kind with minidl's name that may compute anything."""


def test_what_torch_does_not_have_is_named(every_module, lacking):
    model = minidl.Sequential([minidl.ReLU(), every_module(dtype="float32", rng=0)])
    kind = type(model[1]).__name__
    assert lacking(kind, {*TO_TORCH, "Sequential"}, lambda: minidl.to_torch(model)) or minidl.to_torch(model)


@pytest.mark.parametrize("layer", [Mine, Tanh])
def test_a_layer_of_ones_own_is_named(layer):
    model = minidl.Sequential([minidl.Linear(3, 3), minidl.Sequential([layer()])])
    with pytest.raises(ValueError, match=rf"^to_torch: layer 1\.0: {layer.__name__} of .* cannot be exported"):
        minidl.to_torch(model)


def test_a_replaced_method_is_named(monkeypatch):
    monkeypatch.setattr(minidl.ReLU, "infer", minidl.Identity.infer)
    with pytest.raises(ValueError, match=r"to_torch: .*ReLU\.infer is not minidl's own"):
        minidl.to_torch(minidl.Sequential([minidl.ReLU()]))


def test_replicates_are_told_to_unstack(network):
    model = minidl.replicate(network, range(3))
    with pytest.raises(ValueError, match=r"^to_torch: .*replicates \(3,\).*unstack"):
        minidl.to_torch(model)
    assert minidl.to_torch(minidl.unstack(model)[1])[4].bias.shape == (2,)


@pytest.mark.parametrize("thing", [None, [], np.ones(3), torch.nn.ReLU()], ids=repr)
def test_something_else_than_a_model_is_refused(thing):
    with pytest.raises(TypeError, match="to_torch: expected model to be a Module"):
        minidl.to_torch(thing)


class Doubled(torch.nn.ReLU):
    """A subclass, which may compute anything."""


def hooked():
    module = torch.nn.Tanh()
    module.register_forward_hook(lambda *_: None)
    return module


def replaced():
    module = torch.nn.Tanh()
    module.forward = lambda x: 2 * x
    return module


def shared():
    layer = torch.nn.Linear(3, 3)
    return torch.nn.Sequential(layer, torch.nn.ReLU(), layer)


REFUSED = {
    "unknown": (lambda: torch.nn.Softmax(1), r"Softmax\(dim=1\) is no layer that minidl has"),
    "subclass": (Doubled, r"Doubled\(\) is no layer"),
    "hook": (hooked, "has hooks"),
    "forward": (replaced, "has a forward that was replaced"),
    "shape": (lambda: torch.nn.LayerNorm((2, 3)), r"over the shape \(2, 3\)"),
    "no bias": (lambda: torch.nn.LayerNorm(3, bias=False), "a weight and no bias"),
    "no statistics": (lambda: torch.nn.BatchNorm1d(3, track_running_stats=False), "no running statistics"),
    "plain mean": (lambda: torch.nn.BatchNorm1d(3, momentum=None), "momentum is None"),
    "threshold": (lambda: torch.nn.Softplus(1, 5), "threshold is 5"),
    "weight norm": (lambda: torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(3, 3)), "is no layer"),
    "three dimensions": (lambda: torch.nn.Conv1d(3, 3, 1), "is no layer"),
}


@pytest.mark.parametrize(("build", "words"), REFUSED.values(), ids=REFUSED)
def test_the_first_layer_that_minidl_does_not_have_is_named(build, words):
    module = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Sequential(torch.nn.Tanh(), build()))
    with pytest.raises(ValueError, match=rf"(?s)^from_torch: layer 1\.1: .*{words}"):
        minidl.from_torch(module)


def test_a_parameter_in_two_places_is_refused():
    with pytest.raises(ValueError, match=r"from_torch: 2\.weight is the same parameter as 0\.weight"):
        minidl.from_torch(shared())


def test_parameters_of_two_dtypes_are_refused():
    """Else those of the second would be rounded without a word."""
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1).double())
    with pytest.raises(
        ValueError, match=r"expected parameters of one dtype, got 0\.bias in float32, 1\.bias in float64"
    ):
        minidl.from_torch(module)


def test_an_activation_in_two_places_is_read_twice():
    relu = torch.nn.ReLU()
    assert len(minidl.from_torch(torch.nn.Sequential(relu, torch.nn.Linear(2, 2), relu))) == 3


@pytest.mark.parametrize("thing", [None, 3, minidl.ReLU()], ids=repr)
def test_something_else_than_a_module_of_torch_is_refused(thing):
    with pytest.raises(TypeError, match=r"from_torch: expected a module of torch\.nn"):
        minidl.from_torch(thing)


def test_another_dtype_is_refused():
    with pytest.raises(TypeError, match="from_torch: expected dtype float16, float32 or float64"):
        minidl.from_torch(torch.nn.Linear(2, 2).bfloat16())
    with pytest.raises(ValueError, match="from_torch: expected backend"):
        minidl.from_torch(torch.nn.Linear(2, 2), backend="jax")
