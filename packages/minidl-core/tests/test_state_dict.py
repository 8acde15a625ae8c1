"""State dicts: torch's names, copies both ways, and all complaints at once."""

import numpy as np
import pytest

import minidl


def test_names_are_those_of_torch(network):
    state = network().state_dict()
    shapes = {name: array.shape for name, array in state.items()}
    assert list(shapes.items()) == [
        ("0.weight", (5, 3)),
        ("0.bias", (5,)),
        ("2.0.weight", (4, 5)),
        ("4.weight", (2, 4)),
        ("4.bias", (2,)),
    ]
    assert list(minidl.Linear(2, 3).state_dict()) == ["weight", "bias"]
    assert minidl.Sequential([minidl.ReLU()]).state_dict() == {}


def test_what_is_handed_out_is_a_copy(network):
    model = network()
    state, before = model.state_dict(), model.values.copy()
    for array in state.values():
        array[...] = np.nan
    np.testing.assert_array_equal(model.values, before)
    state = model.state_dict()
    model.values[...] = 0
    np.testing.assert_array_equal(np.concatenate([array.ravel() for array in state.values()]), before)


def test_what_is_handed_in_is_copied(network):
    model, other = network(0), network(1)
    state = other.state_dict()
    buffer = model.values
    model.load_state_dict(state)
    np.testing.assert_array_equal(model.values, other.values)
    for array in state.values():
        array[...] = np.nan
    assert np.isfinite(model.values).all()
    assert np.shares_memory(model.values, buffer)
    np.testing.assert_array_equal(model[4].weight, other[4].weight)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_round_trip_keeps_every_bit_and_the_dtype(network, dtype):
    state, twin = network(3, dtype).state_dict(), network(4, dtype)
    assert {array.dtype for array in state.values()} == {np.dtype(dtype)}
    twin.load_state_dict(state)
    for name, array in twin.state_dict().items():
        np.testing.assert_array_equal(array, state[name])


def test_any_floating_dtype_and_layout_is_taken_in_the_own(network):
    model, other = network(0), network(1, "float64")
    state = {name: np.asfortranarray(array) for name, array in other.state_dict().items()}
    model.load_state_dict(state)
    assert model.dtype == model[0].weight.dtype == np.float32
    np.testing.assert_array_equal(model.values, other.values.astype(np.float32))


def test_views_of_the_network_itself_can_be_loaded():
    model = minidl.Sequential([minidl.Linear(2, 2, rng=0), minidl.Linear(2, 2, rng=1)])
    before = model.state_dict()
    swapped = {"0.weight": model[1].weight.mT, "0.bias": model[1].bias}
    model.load_state_dict({**swapped, "1.weight": model[0].weight, "1.bias": model[0].bias})
    np.testing.assert_array_equal(model[0].weight, before["1.weight"].T)
    np.testing.assert_array_equal(model[1].weight, before["0.weight"])


def test_replicates_have_the_same_names(network):
    model = minidl.replicate(network, range(3))
    state = model.state_dict()
    assert state["2.0.weight"].shape == (3, 4, 5)
    other = minidl.replicate(network, range(3, 6))
    other.load_state_dict(state)
    np.testing.assert_array_equal(other.values, model.values)


def test_all_complaints_come_at_once(network, unchanged):
    model = network()
    state = {name: array + 1 for name, array in model.state_dict().items() if name != "0.bias"}
    state |= {"4.weight": np.zeros((4, 2)), "4.bias": np.zeros(()), "5.scale": np.zeros(3)}
    with unchanged(model, state), pytest.raises(ValueError, match="does not fit") as caught:
        model.load_state_dict(state)
    words = str(caught.value)
    assert words.startswith("Sequential(6 layers)")
    assert "missing '0.bias'" in words
    assert "unknown '5.scale'" in words
    assert "'4.weight' of shape (2, 4) got (4, 2)" in words
    assert "'4.bias' of shape (2,) got ()" in words
    assert "2.0.weight" not in words


@pytest.mark.parametrize("wrong", [np.zeros(5, int), np.zeros(5, complex), np.zeros(5, bool), [0.0] * 5], ids=repr)
def test_an_entry_that_is_no_floating_array_changes_nothing(network, unchanged, wrong):
    model = network()
    state = {name: array + 1 for name, array in model.state_dict().items()} | {"0.bias": wrong}
    got = type(wrong).__name__ if isinstance(wrong, list) else str(wrong.dtype)
    with unchanged(model), pytest.raises(TypeError, match=rf"bias.*{got}"):
        model.load_state_dict(state)


def test_a_prefix_names_the_part_of_another_network(network, unchanged):
    model, other = network(0), network(1)
    state = other.state_dict(prefix="net.")
    assert list(state) == [f"net.{name}" for name in other.state_dict()]
    model.load_state_dict({**state, "head.weight": np.zeros((7, 7)), "0.bias": np.zeros(9)}, prefix="net.")
    np.testing.assert_array_equal(model.values, other.values)
    with unchanged(model), pytest.raises(ValueError, match=r"missing 'net\.0\.bias'; unknown 'net\.x'$"):
        model.load_state_dict({"net.x" if name == "net.0.bias" else name: a for name, a in state.items()}, "net.")
    with unchanged(model), pytest.raises(ValueError, match=r"missing 'other\.0\.weight'"):
        model.load_state_dict(state, "other.")
