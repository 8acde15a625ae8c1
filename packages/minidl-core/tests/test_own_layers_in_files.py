"""Layers of one's own in files of models: their classes are handed in, and nothing else stands for them."""

import numpy as np
import pytest

import minidl


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def again(model, path, **options):
    minidl.save(model, path)
    return minidl.load(path, **options)


class Own(minidl.Module):
    def backward(self, dy, *, need_dx=True):
        return dy if need_dx else None


class Scale(Own):
    settings = ("factor", "lr")

    def __init__(self, features, factor, *, shift=(0.0, 1.0), dtype=None, backend=None):
        super().__init__({"scale": np.full(features, 2.0)}, dtype=dtype, backend=backend)
        self.in_features = self.out_features = features
        self.factor, self.shift = factor, shift

    def options(self):
        return {**super().options(), "shift": self.shift}

    def forward(self, x):
        return self.save_for_backward(x * self.broadcast_param("scale", x) * self.broadcast_setting(self.factor, x))


class Two(Own):
    def __init__(self, left, right):
        super().__init__(children={"left": left, "right": right})

    def forward(self, x):
        return self.save_for_backward(self._children["left"](x) + self._children["right"](x))


class Tanh(Own):
    """Another one than minidl's."""

    def forward(self, x):
        return self.save_for_backward(x)


class Pair(minidl.Sequential):
    def __init__(self, width):
        super().__init__([minidl.Linear(width, width, rng=0), minidl.Tanh()])

    @classmethod
    def from_record(cls, record, _children, **_more):
        return cls(record.in_features)


KINDS = {kind.__name__: kind for kind in (Scale, Two, Tanh, Pair)}


def own(rng=0):
    rng = np.random.default_rng(rng)
    branches = Two(minidl.Linear(3, 2, rng=rng), minidl.Sequential([minidl.Linear(3, 2, rng=rng), Tanh()]))
    return minidl.Sequential([Scale(3, rng.uniform(), shift=(0.5, -1.0)), Pair(3), branches])


def test_layers_of_ones_own_come_back(path):
    for model in (own(), minidl.replicate(own, range(3))):
        twin = again(model, path, kinds=KINDS)
        assert twin.record() == model.record()
        assert [type(module) for module in twin.modules()] == [type(module) for module in model.modules()]
        np.testing.assert_array_equal(twin.values, model.values)
        assert twin[0].shift == (0.5, -1.0)


def test_the_class_of_a_layer_may_have_moved(path):
    class Renamed(Scale):
        pass

    twin = again(Scale(3, 0.5), path, kinds={"Scale": Renamed})
    assert type(twin) is Renamed
    assert twin.factor == 0.5


@pytest.mark.parametrize("kinds", [None, {}, {"tanh": Tanh}, {"Linear": Tanh}])
def test_a_layer_of_ones_own_must_be_handed_in(path, kinds):
    minidl.save(minidl.Sequential([minidl.Linear(2, 2, rng=0), Tanh()]), path)
    with pytest.raises(ValueError, match=r"layer '1': 'Tanh' of '\w+' is not known: hand in its class, kinds={'Tanh'"):
        minidl.load(path, kinds=kinds)


def test_a_class_that_is_handed_in_never_stands_for_one_of_minidl(path):
    twin = again(minidl.Sequential([minidl.Tanh()]), path, kinds={"Tanh": Tanh})
    assert type(twin[0]) is minidl.Tanh


@pytest.mark.parametrize("kinds", [{"Tanh": 3}, {"Tanh": int}, {3: Tanh}, {"Tanh": Tanh()}])
def test_only_modules_are_kinds(path, kinds):
    minidl.save(minidl.Tanh(), path)
    with pytest.raises(TypeError, match="load: expected kinds to have names and subclasses of Module"):
        minidl.load(path, kinds=kinds)


def test_a_class_that_builds_something_else_is_named(path):
    class Wide(Scale):
        def __init__(self, features, factor, **more):
            super().__init__(features + 1, factor, **more)

    class Lonely(Own):
        forward = Tanh.forward

    minidl.save(minidl.Sequential([Scale(3, 0.5)]), path)
    for kind in (Wide, Tanh):
        with pytest.raises(ValueError, match=r"model\.safetensors: layer '0': expected what its class builds"):
            minidl.load(path, kinds={"Scale": kind})
    minidl.save(Two(minidl.ReLU(), minidl.ReLU()), path)
    with pytest.raises(ValueError, match="layer 'left': not expected in the module around it"):
        minidl.load(path, kinds={"Two": Lonely})
    with pytest.raises(ValueError, match=r"the network: Two cannot be built from its record: .*features"):
        minidl.load(path, kinds={"Two": Scale})


@pytest.mark.parametrize("shift", [np.float32(1), float("nan"), float("inf"), [1.0], {"a": 1}, b""], ids=repr)
def test_an_option_that_has_no_place_in_the_file_is_named(path, shift):
    with pytest.raises(
        ValueError, match=r"save: layer '0': Scale.*expected shift to be finite numbers, words or tuples"
    ):
        minidl.save(minidl.Sequential([Scale(3, 1.0, shift=shift)]), path)
    assert not path.exists()


def test_two_classes_of_one_name_are_refused(path):
    other = type("Tanh", (Tanh,), {})
    with pytest.raises(ValueError, match="save: expected one class of the name Tanh, got"):
        minidl.save(minidl.Sequential([Tanh(), other()]), path)
