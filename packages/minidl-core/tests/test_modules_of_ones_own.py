"""What `Module` gives to whoever writes one: views, infer, mode, words, and a place in any container."""

import copy
from abc import abstractmethod
from typing import Protocol, runtime_checkable

import numpy as np
import pytest

import minidl


class Shift(minidl.Module):
    """y = x + shift, without a word about replicates or infer."""

    def __init__(self, features, **options):
        super().__init__({"shift": np.arange(features)}, **options)

    def forward(self, x):
        return self.save_for_backward(x + self.param("shift")[..., None, :] * (1 + self.training), None)

    def backward(self, dy, *, need_dx=True):
        self.saved(dy)
        self.accumulate_grad("shift", np.sum, dy * (1 + self.training), axis=-2)
        return dy if need_dx else None


class Residual(minidl.Module):
    """y = x + scale * inside(x): a container with a parameter of its own in front of those of its child."""

    def __init__(self, inside):
        super().__init__({"scale": np.ones(1)}, {"inside": inside})
        self.inside = inside

    def forward(self, x):
        y = self.inside.forward(x)
        return self.save_for_backward(x + self.param("scale")[..., None, :] * y, y)

    def backward(self, dy, *, need_dx=True):  # noqa: ARG002 - the signature of every module
        (y,) = self.saved(dy)
        self.accumulate_grad("scale", np.sum, (dy * y).sum(axis=-1, keepdims=True), axis=-2)
        return dy + self.inside.backward(dy * self.param("scale")[..., None, :])


class Scale(minidl.Module):
    """y = scale x, as the docstring of `Module` teaches it."""

    def __init__(self, features, rng=None):
        super().__init__({"scale": np.random.default_rng(rng).standard_normal(features)}, dtype="float64")

    def forward(self, x):
        return self.save_for_backward(x * self.broadcast_param("scale", x), x)

    def backward(self, dy, *, need_dx=True):
        (x,) = self.saved(dy)
        self.accumulate_grad("scale", self.sum_samples, dy * x)
        return dy * self.broadcast_param("scale", dy) if need_dx else None


def residual(rng=0, dtype="float64"):
    return Residual(minidl.Linear(3, 3, std_b=1, dtype=dtype, rng=rng))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_parameters_are_laid_out_in_the_dtype_asked_for(dtype):
    module = Shift(4, dtype=dtype)
    assert module.values.dtype == module.grads.dtype == dtype
    assert module.values.tolist() == [0, 1, 2, 3]
    assert Shift(4).dtype == np.float32


def test_gradients_agree_with_differences(rng):
    x = rng.standard_normal((5, 3))
    for module in (Shift(3, dtype="float64"), residual(), minidl.Sequential([residual(), minidl.Tanh(), residual(1)])):
        minidl.gradcheck(module, x, rng=rng)


def test_a_containers_own_parameters_come_before_its_childrens():
    module = residual()
    assert [value.shape for value, _ in module.params()] == [(1,), (3, 3), (3,)]
    assert list(module.state_dict()) == ["scale", "inside.weight", "inside.bias"]
    (record,) = module.spec()
    assert (record.kind, record.size, record.params) == ("Residual", 13, (minidl.ParamSpec("scale", (1,), 0),))
    assert [(p.name, p.start, p.stop) for p in record.children[0].params] == [("weight", 1, 10), ("bias", 10, 13)]
    assert record.children[0].path == "inside"


def test_own_rates_reach_each_parameter_once():
    module = residual()
    module.lr, module.inside.lr = 1.0, 10.0
    module.values[...] = 0
    module.grads[...] = 1
    module.update()
    assert module.values.tolist() == [-1.0] + [-10.0] * 12


@pytest.mark.parametrize("build", [lambda: Shift(3, dtype="float64"), residual], ids=["alone", "container"])
def test_infer_is_forward_in_evaluation_and_saves_nothing(build, rng, unchanged):
    module, x = build(), rng.standard_normal((5, 3))
    y = module(x)
    dy = rng.standard_normal((5, 3))
    expected = copy.deepcopy(module).eval().forward(2 * x)
    with unchanged(module):
        np.testing.assert_array_equal(module.infer(2 * x), expected)
    assert module.training
    module.zero_grad()
    module.backward(dy)
    grads = module.grads.copy()
    np.testing.assert_array_equal(module(x), y)
    module.zero_grad()
    module.backward(dy)
    np.testing.assert_array_equal(module.grads, grads)


def test_modes_reach_every_module():
    model = minidl.Sequential([residual(), minidl.Sequential([minidl.Dropout()])])
    assert model.eval() is model
    assert not any(module.training for module in (model, model[0], model[0].inside, model[1], model[1][0]))
    assert model.train() is model
    assert all(module.training for module in (model, model[0], model[0].inside, model[1], model[1][0]))


def test_replicates_of_ones_own():
    model = minidl.replicate(lambda rng: Residual(minidl.Linear(3, 3, rng=rng, dtype="float64")), range(2))
    x = np.random.default_rng(0).standard_normal((5, 3))
    minidl.gradcheck(model, np.stack([x, -x]), rng=0)
    for r, single in enumerate(minidl.unstack(model)):
        np.testing.assert_allclose(model.infer(x)[r], single.infer(x), rtol=1e-13)


@pytest.mark.parametrize("axes", [(5,), (3, 3, 5), (3, 5), (3, 2, 3, 5)], ids=str)
def test_a_parameter_meets_its_own_replicate_whatever_axes_the_samples_have(axes, rng):
    """Three replicates and a sequence of three: the parameter must not meet the steps of the sequence."""
    model, x = minidl.replicate(lambda rng: Scale(2, rng), range(3)), rng.standard_normal((*axes, 2))
    y = model(x)
    dy = rng.standard_normal(y.shape)
    dx = model.backward(dy)
    for r, single in enumerate(minidl.unstack(model)):
        single.zero_grad()
        np.testing.assert_array_equal(single(x if len(axes) == 1 else x[r]), y[r])
        np.testing.assert_array_equal(single.backward(dy[r]), dx[r])
        np.testing.assert_allclose(single.grads, model.grads[r], rtol=1e-13)


@pytest.mark.parametrize("axes", [(), (0,), (5,), (4, 5)], ids=str)
def test_a_parameter_beside_samples_without_replicates_adds_no_axis(axes, rng):
    module, x = Scale(2, 0), rng.standard_normal((*axes, 2))
    assert module(x).shape == x.shape
    minidl.gradcheck(module, x, rng=0)


def test_words():
    assert repr(Shift(3)) == "Shift"
    assert str(residual()) == "Residual"
    assert repr(minidl.Sequential([residual()])) == "Sequential(\n  0: Residual\n)"


def test_a_module_without_forward_or_backward_cannot_be_made():
    for missing in ("forward", "backward"):
        half = type(
            "Half", (minidl.Module,), {name: getattr(Shift, name) for name in {"forward", "backward"} - {missing}}
        )
        with pytest.raises(TypeError, match=missing):
            half()


def test_a_layer_that_would_infer_something_else_than_it_trains_is_refused():
    with pytest.raises(TypeError, match="Residual: it has its own forward but infers as Sequential"):

        class Residual(minidl.Sequential):
            def forward(self, x):
                return x + super().forward(x)


def test_a_backward_without_need_dx_is_refused_when_it_is_written():
    with pytest.raises(TypeError, match=r"Short: expected backward\(self, dy, \*, need_dx=True\)"):

        class Short(minidl.Module):
            def forward(self, x):
                return x

            def backward(self, dy):
                return dy


def test_a_layer_may_be_of_a_protocol():
    @runtime_checkable
    class Named(Protocol):
        @abstractmethod
        def name(self): ...

    class Twice(minidl.Tanh, Named):
        def name(self):
            return "twice"

    class Nameless(minidl.Tanh, Named):
        pass

    assert isinstance(Twice(), minidl.Module)
    assert isinstance(Twice(), Named)
    assert not isinstance(minidl.ReLU(), Twice)
    with pytest.raises(TypeError, match="abstract"):
        Nameless()
