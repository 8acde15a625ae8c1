"""Parameters and gradients by torch's names: views, with the replicate axes in front."""

import copy
import pickle

import numpy as np
import pytest

import minidl


def network(rng=0, backend=None):
    rng = np.random.default_rng(rng)
    inner = minidl.Sequential([minidl.Linear(4, 4, bias=False, backend=backend, rng=rng), minidl.Tanh()])
    return minidl.Sequential([minidl.Linear(3, 4, backend=backend, rng=rng), minidl.ReLU(), inner])


def test_the_names_are_those_of_the_state_dict_and_the_order_that_of_params():
    model = network()
    names, values = zip(*model.named_parameters(), strict=True)
    assert names == ("0.weight", "0.bias", "2.0.weight") == tuple(model.state_dict())
    assert names == tuple(name for name, _ in model.named_gradients())
    for value, param in zip(values, model.params(), strict=True):
        assert np.shares_memory(value, param.value)


def test_a_lone_layer_and_one_inside_a_network_name_their_own():
    model = network()
    assert [name for name, _ in model[0].named_parameters()] == ["weight", "bias"]
    assert [name for name, _ in model[2].named_gradients()] == ["0.weight"]
    assert list(minidl.ReLU().named_parameters()) == list(minidl.ReLU().named_gradients()) == []


def test_both_are_views_that_may_be_written_to():
    model = network()
    for _, value in model.named_parameters():
        value[...] = 2
    for _, grad in model.named_gradients():
        grad[...] = 1
    model.update(0.5)
    assert (model.values == 1.5).all()


def test_a_gradient_that_was_written_to_is_added_to_by_backward():
    model, x = network(), np.ones((2, 3), np.float32)
    model.forward(x)
    model.backward(np.ones((2, 4), np.float32))
    once = {name: grad.copy() for name, grad in model.named_gradients()}
    model.zero_grad()
    gradients = dict(model.named_gradients())
    for grad in gradients.values():
        grad += 1
    model.backward(np.ones((2, 4), np.float32))
    for name, grad in gradients.items():
        np.testing.assert_allclose(grad, once[name] + 1, rtol=1e-6)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_has_views_of_its_own(copied):
    model = network()
    twin = copied(model)
    for (name, value), (other, own) in zip(model.named_parameters(), twin.named_parameters(), strict=True):
        assert name == other
        assert (value == own).all()
        assert not np.shares_memory(value, own)


def test_replicates_are_in_front():
    model = minidl.replicate(network, range(3))
    assert {name: value.shape for name, value in model.named_parameters()} == {
        "0.weight": (3, 4, 3),
        "0.bias": (3, 4),
        "2.0.weight": (3, 4, 4),
    }
    assert [grad.shape for _, grad in model.named_gradients()] == [(3, 4, 3), (3, 4), (3, 4, 4)]


def test_tensors_have_torch_names():
    torch = pytest.importorskip("torch", reason="torch is installed on Python 3.11 only")
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Sequential(torch.nn.Linear(4, 4, bias=False), torch.nn.Tanh())
    )
    model = network(backend="torch")
    ours, expected = dict(model.named_parameters()), dict(theirs.named_parameters())
    assert list(ours) == list(expected)
    for name, value in ours.items():
        assert isinstance(value, torch.Tensor)
        assert value.shape == expected[name].shape
