"""The state dict of an optimizer: what is in it, the way back, and what is refused with nothing changed."""

import copy

import numpy as np
import pytest

import minidl

MAKERS = {
    "SGD": lambda m: minidl.SGD(m, 0.1),
    "SGD momentum": lambda m: minidl.SGD(m, 0.1, momentum=0.9, nesterov=True, clip=1.0),
    "SGD of the layers": minidl.SGD,
    "SGD decaying": lambda m: minidl.SGD(m, kappa=0.5, eta=0.1),
    "Adam": lambda m: minidl.Adam(m, weight_decay=0.1, decay_biases=False, eps_hat=True),
    "AdamW": lambda m: minidl.AdamW(m, minidl.CosineSchedule(0.1, 20)),
    "RMSprop": lambda m: minidl.RMSprop(m, momentum=0.5),
}


def network(rng=0, lr=None):
    rng = np.random.default_rng(rng)
    layers = [minidl.Linear(3, 4, rng=rng, lr=lr), minidl.Tanh(), minidl.Linear(4, 2, rng=rng, lr=lr and lr / 2)]
    return minidl.Sequential(layers)


def made(name, *, steps=3, replicates=False):
    def build(rng):
        return network(rng, 0.1 if name == "SGD of the layers" else None)

    model = minidl.replicate(build, range(2)) if replicates else build(0)
    optimizer = MAKERS[name](model)
    for seed in range(steps):
        model.grads[...] = np.random.default_rng(seed).normal(size=model.values.shape)
        optimizer.step()
    return optimizer


def same(optimizer, other):
    mine, its = optimizer.state(), other.state()
    np.testing.assert_equal([optimizer.t, *mine], [other.t, *its])


@pytest.mark.parametrize("replicates", [False, True])
@pytest.mark.parametrize("name", MAKERS)
def test_there_and_back_is_the_same_optimizer(name, replicates):
    optimizer, other = made(name, replicates=replicates), made(name, steps=0, replicates=replicates)
    other.load_state_dict(optimizer.state_dict())
    same(other, optimizer)
    gradient = np.random.default_rng(9).normal(size=other.model.values.shape)
    other.model.values[...] = optimizer.model.values
    for one in (optimizer, other):
        one.model.grads[...] = gradient
        one.step()
    np.testing.assert_array_equal(other.model.values, optimizer.model.values)


def test_the_names_are_those_of_torch():
    state = made("Adam").state_dict()
    assert [group["params"] for group in state["param_groups"]] == [[0, 1], [2, 3]]  # weights, and biases
    assert [group["weight_decay"] for group in state["param_groups"]] == [0.1, 0.0]
    assert {name: np.shape(value) for name, value in state["state"][1].items()} == {
        "step": (), "exp_avg": (2, 4), "exp_avg_sq": (2, 4),
    }  # fmt: skip
    (group,) = made("SGD momentum").state_dict()["param_groups"]
    assert group == {
        "lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.0, "clip": 1.0, "decay_biases": True,
        "dampening": 0, "maximize": False, "params": [0, 1, 2, 3],
    }  # fmt: skip
    assert made("RMSprop").state_dict()["state"][0].keys() == {"step", "square_avg", "momentum_buffer"}
    assert [group["lr"] for group in made("SGD of the layers").state_dict()["param_groups"]] == [0.1, 0.05]
    schedule = minidl.CosineSchedule(0.1, 20)
    assert made("AdamW").state_dict()["param_groups"][0]["lr"] == schedule(4)


def test_arrays_are_copies():
    optimizer = made("Adam")
    state = optimizer.state_dict()
    state["state"][0]["exp_avg"][...] = 7
    assert not (optimizer.m == 7).any()
    other = made("Adam", steps=0)
    other.load_state_dict(state)
    assert (other.m == 7).any()
    state["state"][0]["exp_avg"][...] = 8
    assert not (other.m == 8).any()


def test_what_torch_has_not_stays_where_a_dict_has_none():
    optimizer = made("Adam")
    state = optimizer.state_dict()
    for group in state["param_groups"]:
        for name in ("clip", "eps_hat", "decay_biases"):
            del group[name]
    other = minidl.Adam(network(), clip=3.0, decay_biases=False)
    other.load_state_dict(state)
    assert (other.clip, other.eps_hat, other.decay_biases, other.weight_decay) == (3.0, False, False, 0.1)


def test_a_rate_is_taken_over_where_there_is_a_number():
    state = made("SGD").state_dict()
    state["param_groups"][0]["lr"] = 0.25
    number, decaying, layers = made("SGD"), made("SGD decaying"), made("SGD of the layers")
    number.load_state_dict(state)
    decaying.load_state_dict(state)
    assert (number.lr, decaying.lr, decaying.eta) == (0.25, None, 0.1)
    with pytest.raises(ValueError, match=r"groups of \[2, 2\] parameters, got \[4\]"):
        layers.load_state_dict(state)


def test_a_memory_that_is_missing_is_zero():
    optimizer = made("Adam")
    state = optimizer.state_dict()
    state["state"] = {}
    optimizer.load_state_dict(state)
    assert not optimizer.m.any()
    assert optimizer.t == 0


def test_frozen_parameters_may_have_made_other_steps():
    optimizer = made("Adam")
    optimizer.model[0].freeze()
    state = optimizer.state_dict()
    for number in (0, 2):  # weight and bias of the first layer
        state["state"][number]["step"] = 1.0
    optimizer.load_state_dict(state)
    assert optimizer.t == 3


def group(**changes):
    def change(state):
        for one in state["param_groups"]:
            one.update(changes)

    return change


def entry(**changes):
    return lambda state: state["state"][0].update(changes)


BAD = {
    "no dict": (lambda state: state.clear(), "expected a dict of 'state' and 'param_groups', got dict"),
    "no groups": (lambda state: state["param_groups"].clear(), "expected a dict of 'state' and 'param_groups'"),
    "amsgrad": (group(amsgrad=True), "expected amsgrad=False, the only one here, got True"),
    "AdamW": (group(decoupled_weight_decay=True), "expected decoupled_weight_decay=False"),
    "no betas": (lambda state: state["param_groups"][1].pop("betas"), "expected 'betas' in each group"),
    "no rate": (lambda state: state["param_groups"][0].pop("lr"), "expected 'lr' and 'params' in each group"),
    "betas": (lambda state: state["param_groups"][1].update(betas=(0.5, 0.5)), "expected one beta1 in all groups"),
    "decay": (lambda state: state["param_groups"][1].update(weight_decay=0.2), "expected one weight_decay, or 0"),
    "a setting": (group(eps=-1.0), "expected eps to be finite and >= 0, got -1.0"),
    "a rate": (group(lr=-1.0), "expected lr to be finite and >= 0, got -1.0"),
    "groups": (lambda state: state["param_groups"][0]["params"].pop(), r"groups of \[2, 2\] parameters, got \[1, 2\]"),
    "memory": (entry(max_exp_avg_sq=np.ones((4, 3))), "expected .*exp_avg.* of parameter 0, got 'max_exp_avg_sq'"),
    "shape": (entry(exp_avg=np.ones((3, 4))), r"exp_avg of parameter 0 of shape \(4, 3\), got \(3, 4\)"),
    "dtype": (entry(exp_avg=np.ones((4, 3), int)), "expected exp_avg to be float16, float32 or float64"),
    "steps": (entry(step=7.0), r"expected one number of steps of all parameters, got \[3.0, 7.0\]"),
}


@pytest.mark.parametrize(("change", "words"), BAD.values(), ids=BAD)
def test_others_are_refused(change, words, unchanged):
    optimizer = made("Adam")
    state = copy.deepcopy(optimizer.state_dict())
    change(state)
    with unchanged(optimizer), pytest.raises((ValueError, TypeError), match=words) as caught:
        optimizer.load_state_dict(state)
    assert str(caught.value).startswith("Adam: ")


OTHERS = [("SGD", "Adam"), ("Adam", "RMSprop"), ("RMSprop", "SGD"), ("AdamW", "Adam")]


@pytest.mark.parametrize(("name", "other"), OTHERS)
def test_another_kind_is_refused(name, other, unchanged):
    optimizer = made(name)
    with unchanged(optimizer), pytest.raises(ValueError, match=f"^{name.split()[0]}: expected"):
        optimizer.load_state_dict(made(other).state_dict())


def test_a_state_of_another_kind_is_refused(unchanged):
    optimizer = made("Adam")
    with unchanged(optimizer), pytest.raises(ValueError, match=r"^Adam: expected .* got AdamW"):
        optimizer.load_state(made("AdamW").state(), t=1)
