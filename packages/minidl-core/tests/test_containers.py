"""Residual and Concat: values, gradients, names, widths, errors."""

import numpy as np
import pytest

import minidl
from minidl import Concat, Linear, Residual, Sequential


def block(rng=0, **options):
    rng = np.random.default_rng(rng)
    return Residual(Sequential([Linear(3, 5, rng=rng, **options), minidl.Tanh(), Linear(5, 3, rng=rng, **options)]))


def heads(rng=0, **options):
    rng = np.random.default_rng(rng)
    return Concat(
        [
            Linear(3, 2, rng=rng, **options),
            Sequential([Linear(3, 1, rng=rng, **options), minidl.Softplus()]),
            minidl.Tanh(),
        ]
    )


both = pytest.mark.parametrize("make", [block, heads])


@both
@pytest.mark.parametrize("shape", [(4, 3), (3,), (2, 4, 3), (0, 3)])
def test_gradients(make, shape, rng):
    minidl.gradcheck(make(dtype="float64"), rng.standard_normal(shape), rng=rng)


def test_values(rng):
    x, residual, concat = rng.standard_normal((4, 3)), block(dtype="float64"), heads(dtype="float64")
    np.testing.assert_array_equal(residual(x), x + residual.inner(x))
    np.testing.assert_array_equal(concat(x), np.concatenate([branch(x) for branch in concat.branches], axis=-1))
    for module in (residual, concat):
        np.testing.assert_array_equal(module.infer(x), module(x))


@both
@pytest.mark.parametrize("shared", [False, True])
def test_replicates(make, shared, rng):
    model = minidl.replicate(lambda rng: make(rng, dtype="float64"), range(3))
    x = rng.standard_normal((4, 3) if shared else (3, 4, 3))
    singles, y = minidl.unstack(model), model(x)
    dy = rng.standard_normal(y.shape)
    dx = model.backward(dy)
    for r, single in enumerate(singles):
        own = x if shared else x[r]
        np.testing.assert_allclose(y[r], single(own), rtol=1e-12)
        np.testing.assert_allclose(model.infer(x)[r], single(own), rtol=1e-12)
        np.testing.assert_allclose(dx[r], single.backward(dy[r]), rtol=1e-12)
        np.testing.assert_allclose(model.grads[r], single.grads, rtol=1e-12)


@both
def test_the_gradient_of_the_input_may_be_left_out(make, rng):
    x, model, other = rng.standard_normal((4, 3)), make(dtype="float64"), make(dtype="float64")
    dy = rng.standard_normal(model(x).shape)
    assert model.backward(dy, need_dx=False) is None
    other(x)
    other.backward(dy)
    np.testing.assert_array_equal(model.grads, other.grads)


def test_names_and_words():
    assert list(block().state_dict()) == ["inner.0.weight", "inner.0.bias", "inner.2.weight", "inner.2.bias"]
    assert list(heads().state_dict()) == ["0.weight", "0.bias", "1.0.weight", "1.0.bias"]
    assert (str(block()), str(heads())) == ("Residual(3 -> 3)", "Concat(3 -> 6)")
    assert repr(block()) == (
        "Residual(\n  inner: Sequential(\n    0: Linear(3 -> 5)\n    1: Tanh\n    2: Linear(5 -> 3)\n  )\n)"
    )
    assert repr(heads()).startswith("Concat(\n  0: Linear(3 -> 2)\n  1: Sequential(\n    0: Linear")
    (record,) = block().spec()
    assert [child.path for child in record.children] == ["inner.0", "inner.1", "inner.2"]
    assert record.size == 38


def test_summary_lists_the_layers_inside():
    lines = minidl.summary(Sequential([block(), minidl.LayerNorm(3)])).splitlines()
    assert [line.split() for line in lines[1:6]] == [
        ["0", "Residual(3", "->", "3)", "0"],
        ["0.inner.0", "Linear(3", "->", "5)", "20"],
        ["0.inner.1", "Tanh", "0"],
        ["0.inner.2", "Linear(5", "->", "3)", "18"],
        ["1", "LayerNorm(3", "->", "3,", "eps=1e-05)", "6"],
    ]
    assert lines[6].split() == ["total", "44"]


def test_widths():
    assert Sequential([block(), Linear(3, 2)]).out_features == 2
    with pytest.raises(ValueError, match=r"expected 3 features, got 6 from layers\[0\]: Concat\(3 -> 6\)"):
        Sequential([heads(), block()])
    assert Concat([minidl.Tanh(), minidl.ReLU()]).out_features is None
    assert Residual(minidl.Tanh()).keeps_width
    assert Sequential([Linear(2, 4), Residual(minidl.Tanh()), Linear(4, 1)]).out_features == 1


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: Residual(Linear(3, 2)), ValueError, r"an inner module that keeps the width, got Linear\(3 -> 2\)"),
        (lambda: Residual([Linear(3, 3)]), TypeError, "Residual: expected inner to be a Module, got"),
        (lambda: Concat([]), ValueError, "Concat: expected at least one branch, got none"),
        (lambda: Concat(Linear(3, 2)), TypeError, "Concat: expected a list of branches, got Linear"),
        (lambda: Concat([Linear(3, 2), 5]), TypeError, r"Concat: expected branches\[1\] to be a Module, got 5"),
        (lambda: Concat([Linear(3, 2), Linear(2, 2)]), ValueError, "inputs of one width, got Linear.*, Linear"),
        (lambda: Concat([Linear(3, 2), Linear(3, 2, dtype="float64")]), ValueError, "one backend, dtype"),
    ],
)
def test_what_cannot_be_built(build, error, words):
    with pytest.raises(error, match=words):
        build()


def test_one_module_in_two_places():
    layer = Linear(3, 3)
    with pytest.raises(ValueError, match=r"branches\[1\].* is the same module as branches\[0\]"):
        Concat([layer, layer])
    Residual(layer)
    inner = Residual(layer := Linear(3, 3))
    with pytest.raises(ValueError, match="is already part of another module"):
        Residual(layer)
    assert inner.inner is layer


@both
@pytest.mark.parametrize("method", ["forward", "infer"])
def test_errors_name_the_place(make, method, unchanged):
    model = Sequential([make()])
    with unchanged(model), pytest.raises(ValueError, match=r"Linear\(3 -> .\): expected x of shape") as caught:
        getattr(model, method)(np.ones((4, 2), np.float32))
    notes = " ".join(caught.value.__notes__)
    assert "in inner: " in notes or "in branches[0]: " in notes
    model(np.ones((4, 3), np.float32))
    with pytest.raises(ValueError, match=r"(Residual|Concat)\(3 -> .\): expected dy like"):
        model.backward(np.ones((4, 1), np.float32))


def test_an_inner_module_that_changes_the_shape_is_refused():
    class Narrow(minidl.Module):
        def forward(self, x):
            return self.save_for_backward(x[..., :1])

        def backward(self, dy, *, need_dx=True):  # noqa: ARG002 - it is never called
            return dy

    with pytest.raises(
        ValueError, match=r"Residual: expected the inner module to keep the shape \(4, 3\), got \(4, 1\)"
    ):
        Residual(Narrow())(np.ones((4, 3)))


def test_dropout_draws_in_training_alone_and_predict_is_safe():
    model = Residual(Sequential([Linear(3, 3, rng=0), minidl.Dropout(0.5, rng=1)]))
    x = np.ones((50, 3), np.float32)
    assert (model(x) != model(x)).any()
    np.testing.assert_array_equal(model.infer(x), model.eval()(x))


def test_a_network_with_both_learns(rng):
    x = rng.uniform(-1, 1, (200, 3)).astype(np.float32)
    y = np.stack([x[:, 0] * x[:, 1], x[:, 2] ** 2], axis=1)
    generator = np.random.default_rng(0)
    hidden = Sequential([Linear(16, 16, rng=generator), minidl.Tanh()])
    two = Concat([Linear(16, 1, rng=generator), Linear(16, 1, rng=generator)])
    model = Sequential([Linear(3, 16, rng=generator), minidl.LayerNorm(16), minidl.GELU(), Residual(hidden), two])
    history = minidl.fit(model, minidl.MSELoss("mean"), minidl.Adam(model, 0.01), x, y, epochs=40, batch_size=20, rng=0)
    assert history.loss[-1] < 0.1 * history.loss[0]
