"""A view of a parameter that a module keeps fails loudly when the parameters move; a cached one is made anew."""

import copy
import pickle

import numpy as np
import pytest

import minidl


class Keeps(minidl.Module):
    """Keeps something of its parameter as an attribute, which its author should not do."""

    def __init__(self, kept):
        super().__init__({"scale": np.ones(3)}, dtype="float64")
        self.kept = kept(self)

    def forward(self, x):
        return self.save_for_backward(x * self.param("scale"), x)

    def backward(self, dy, *, need_dx=True):  # noqa: ARG002 - it costs next to nothing
        (x,) = self.saved(dy)
        self.accumulate_grad("scale", self.sum_samples, dy * x)
        return dy * self.param("scale")


class Caches(Keeps):
    """Keeps the view where it is made anew."""

    def __init__(self):
        super().__init__(lambda _: None)

    def cache_views(self):
        self.scale = self.param("scale")

    def forward(self, x):
        return self.save_for_backward(x * self.scale, x)


VIEWS = {
    "value": lambda module: module.param("scale"),
    "gradient": lambda module: module.params()[0].grad,
    "all parameters": lambda module: module.values,
    "a part": lambda module: module.param("scale")[1:],
    "in a list": lambda module: [module.param("scale")],
    "in a dict": lambda module: {"scale": (module.param("scale"),)},
    "a named pair": lambda module: module.params()[0],
}
MOVES = {
    "into a network": lambda module: minidl.Sequential([module]),
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "replicate": lambda module: minidl.replicate(lambda _: module, [0]),
    "deeper": lambda module: minidl.Sequential([minidl.Sequential([module])]),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_kept_view_is_refused_when_the_parameters_move(view, move):
    with pytest.raises(ValueError, match=r"Keeps: its attribute 'kept' is a view of parameters.*self\.param\(name\)"):
        move(Keeps(view))


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize(
    "kept", [lambda _: np.ones(3), lambda m: m.param("scale").copy(), lambda _: None, lambda _: []]
)
def test_arrays_of_its_own_may_be_kept(kept, move):
    move(Keeps(kept))


def test_a_refused_module_works_on():
    module = Keeps(VIEWS["value"])
    with pytest.raises(ValueError, match="kept"):
        minidl.Sequential([module])
    module.kept = None
    model = minidl.Sequential([module])
    model.values[...] = 2
    np.testing.assert_array_equal(model(np.ones((1, 3))), 2 * np.ones((1, 3)))


@pytest.mark.parametrize("move", [minidl.Sequential, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_cached_view_follows_the_parameters(move):
    moved = move([Caches()])
    module = moved[0]
    model = moved if isinstance(moved, minidl.Module) else module
    model.values[...] = 3
    np.testing.assert_array_equal(module(np.ones((1, 3))), 3 * np.ones((1, 3)))
    assert minidl.gradcheck(module, np.ones((2, 3))) < 1e-8


def test_a_view_of_a_childs_parameter_is_refused():
    class Keeping(minidl.Module):
        def __init__(self, part):
            self.part = part
            self.weight = part.weight
            super().__init__(children={"part": part})

        def forward(self, x):
            return self.part.forward(x)

        def backward(self, dy, *, need_dx=True):
            return self.part.backward(dy, need_dx=need_dx)

    with pytest.raises(ValueError, match="Keeping: its attribute 'weight' is a view of parameters"):
        Keeping(minidl.Linear(2, 3, rng=0))


def test_a_cached_view_may_be_declared_before_it_is_made():
    class Declares(Caches):
        def __init__(self):
            self.scale = None
            super().__init__()

    module = copy.deepcopy(minidl.Sequential([Declares()]))[0]
    np.testing.assert_array_equal(module.scale, np.ones(3))


def test_an_unknown_parameter_is_named():
    with pytest.raises(ValueError, match=r"Keeps: expected one of the parameters scale, got 'slope'"):
        Keeps(lambda _: None).param("slope")
