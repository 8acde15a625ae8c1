"""Sequential: the chain rule in order, widths that meet, and errors that say where."""

import numpy as np
import pytest

import minidl


def test_forward_applies_the_layers_and_backward_goes_back(network, samples, rng):
    model = network(dtype="float64", p_drop=0)
    x, dy = samples[0].astype(float), rng.standard_normal((6, 2))
    layers = [*model[:2], *model[2], *model[3:]]
    y = x
    for layer in layers:
        y = layer.infer(y)
    np.testing.assert_array_equal(model(x), y)
    np.testing.assert_array_equal(model.infer(x), y)
    dx, grads = model.backward(dy), model.grads.copy()
    model.zero_grad()
    for layer in reversed(layers):
        dy = layer.backward(dy)
    np.testing.assert_array_equal(dx, dy)
    np.testing.assert_array_equal(model.grads, grads)


@pytest.mark.parametrize("shape", [(4, 3), (1, 3), (2, 4, 3), (3,)], ids=str)
def test_gradients_agree_with_differences(network, rng, shape):
    minidl.gradcheck(network(5, "float64", p_drop=0.3), rng.standard_normal(shape), rng=rng)


@pytest.mark.parametrize("below", [[], [minidl.Tanh], [minidl.Dropout, minidl.Tanh], [lambda: minidl.Sequential([])]])
def test_without_need_dx_the_parameters_get_the_same_gradient(samples, rng, below):
    model = minidl.Sequential(
        [
            *(make() for make in below),
            minidl.Sequential([minidl.Linear(3, 4, rng=0), minidl.Tanh()]),
            minidl.Linear(4, 2, rng=1),
        ]
    )
    dy = rng.standard_normal((6, 2)).astype(np.float32)
    model(samples[0])
    assert model.backward(dy).shape == (6, 3)
    grads = model.grads.copy()
    model.zero_grad()
    assert model.backward(dy, need_dx=False) is None
    np.testing.assert_array_equal(model.grads, grads)


def test_without_need_dx_nothing_below_the_parameters_is_run(samples, rng, monkeypatch):
    model = minidl.Sequential([minidl.Tanh(), minidl.Sequential([minidl.ReLU(), minidl.Linear(3, 2, rng=0)])])
    dy = rng.standard_normal((6, 2)).astype(np.float32)
    for idle in (model[0], model[1][0]):
        monkeypatch.setattr(idle, "backward", None)
    model(samples[0])
    assert model.backward(dy, need_dx=False) is None
    assert model.grads.any()
    with pytest.raises(TypeError):
        model.backward(dy)


def test_without_parameters_need_dx_false_gives_nothing():
    model = minidl.Sequential([minidl.Tanh()])
    model(np.ones(2))
    assert model.backward(np.ones(2), need_dx=False) is None


def test_an_empty_chain_is_the_identity(rng):
    model, x = minidl.Sequential([]), rng.standard_normal((4, 3))
    np.testing.assert_array_equal(model(x), x)
    np.testing.assert_array_equal(model.infer(x), x)
    np.testing.assert_array_equal(model.backward(x), x)
    assert (len(model), repr(model), model.values.size, model.spec()) == (0, "Sequential()", 0, ())


def test_infer_saves_and_draws_nothing(network, samples, rng, unchanged):
    model, dy = network(), rng.standard_normal((6, 2)).astype(np.float32)
    model(samples[0])
    with unchanged(model, samples):
        model.infer(2 * samples[0])
    model.zero_grad()
    model.backward(dy)
    grads = model.grads.copy()
    model.infer(np.zeros((1, 3), np.float32))
    model.zero_grad()
    model.backward(dy)
    np.testing.assert_array_equal(model.grads, grads)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtype_stays_inputs_are_kept_and_outputs_not_overwritten(network, rng, unchanged, dtype):
    model = network(dtype=dtype)
    x, dy = rng.standard_normal((6, 3)).astype(dtype), rng.standard_normal((6, 2)).astype(dtype)
    x.flags.writeable = dy.flags.writeable = False
    y, dx, idle = model(x), model.backward(dy), model.infer(x)
    assert {a.dtype for a in (y, dx, idle, model.grads, model.values)} == {np.dtype(dtype)}
    with unchanged(x, dy, y, dx, idle):
        model.update(0.1)
        model(-x)
        model.infer(-x)
        model.backward(-dy)


def test_mode_is_set_for_all_layers():
    layers = [minidl.Dropout(), minidl.Sequential([minidl.Dropout()], training=False)]
    assert not layers[1][0].training
    model = minidl.Sequential(layers)
    assert all(module.training for module in (model, *layers, layers[1][0]))
    model = minidl.Sequential([minidl.Dropout(rng=0)], training=False)
    assert (model(np.ones((5, 5))) == 1).all()


def test_layers_can_be_counted_and_picked(network):
    model = network()
    assert len(model) == 6
    assert model[0] is model.layers[0]
    assert model[-1] is model.layers[5]
    assert model(np.ones((2, 3), np.float32)).shape == (2, 2)


def test_words(network):
    assert str(network()) == "Sequential(6 layers)"
    assert repr(network()).splitlines() == [
        "Sequential(",
        "  0: Linear(3 -> 5)",
        "  1: LeakyReLU(alpha=0.1)",
        "  2: Sequential(",
        "    0: Linear(5 -> 4, bias=False)",
        "    1: Tanh",
        "    2: Dropout(p_drop=0.25)",
        "  )",
        "  3: ReLU",
        "  4: Linear(4 -> 2)",
        "  5: Sigmoid",
        ")",
    ]


def test_widths_of_the_whole(network):
    def widths(*layers):
        model = minidl.Sequential(layers)
        return model.in_features, model.out_features, model.keeps_width

    assert widths(network(), minidl.ReLU()) == (3, 2, False)
    assert widths(minidl.Dropout(), minidl.Linear(3, 4), minidl.Tanh(), minidl.Linear(4, 1)) == (3, 1, False)
    assert widths(minidl.Dropout(), minidl.Sequential([minidl.Tanh()])) == (None, None, True)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (
            [minidl.Linear(2, 3), minidl.ReLU(), minidl.Linear(4, 1)],
            r"layers\[2\]: Linear\(4 -> 1\).*4 .*3.*layers\[0\]",
        ),
        (
            [minidl.Linear(2, 3), minidl.Sequential([minidl.Tanh(), minidl.Linear(2, 1)])],
            r"layers\[1\]: .*2 .*3.*layers\[0\]",
        ),
        ([minidl.Sequential([minidl.Linear(2, 3)]), minidl.Linear(5, 1)], r"layers\[1\]: Linear\(5 -> 1\).*5 .*3"),
    ],
)
def test_widths_that_do_not_meet_are_refused(layers, words, unchanged):
    with unchanged(*layers), pytest.raises(ValueError, match=words):
        minidl.Sequential(layers)
    minidl.Sequential(layers[:1])  # and the layers are still free


@pytest.mark.parametrize("stranger", [np.tanh, None, minidl.ReLU, "ReLU"], ids=str)
def test_something_that_is_no_module_is_refused(stranger):
    with pytest.raises(TypeError, match=r"Sequential: expected layers\[1\] to be a Module, got"):
        minidl.Sequential([minidl.ReLU(), stranger])


def test_an_error_says_where_in_the_tree_it_was_met():
    model = minidl.Sequential([minidl.Tanh(), minidl.Sequential([minidl.ReLU(), minidl.Linear(3, 2)])])
    way = ["in layers[1]: Linear(3 -> 2)", "in layers[1]: Sequential(2 layers)"]
    with pytest.raises(
        ValueError, match=r"Linear\(3 -> 2\): expected x of shape \(\.\.\., 3\), got \(4, 5\)"
    ) as caught:
        model.infer(np.ones((4, 5), np.float32))
    assert caught.value.__notes__ == way
    with pytest.raises(ValueError, match=r"Linear\(3 -> 2\): backward before forward: call forward") as caught:
        model.backward(np.ones((4, 2), np.float32))
    assert caught.value.__notes__ == way
    model = minidl.Sequential([minidl.Dropout(), minidl.Sequential([minidl.Tanh()])])
    with pytest.raises(TypeError, match=r"Tanh: expected x .* got int64 \(2,\)") as caught:
        model.eval().layers[1].forward(np.ones(2, int))
    assert caught.value.__notes__ == ["in layers[0]: Tanh"]


def test_the_layer_that_refuses_is_named_however_deep_it_stands(unchanged):
    inner = minidl.Sequential([minidl.ReLU(), minidl.Linear(2, 3)])
    model = minidl.Sequential([minidl.Dropout(0.5, rng=0), inner])
    with unchanged(model), pytest.raises(ValueError, match=r"^Linear\(2 -> 3\): expected x") as caught:
        model(np.ones((4, 5), np.float32))
    assert caught.value.__notes__ == ["in layers[1]: Linear(2 -> 3)", "in layers[1]: Sequential(2 layers)"]


def test_a_layer_instead_of_a_list_is_refused():
    with pytest.raises(TypeError, match=r"write Sequential\(\[ReLU, ...\]\)"):
        minidl.Sequential(minidl.ReLU())
