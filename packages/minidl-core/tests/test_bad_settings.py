"""Issue A, "Bad input", for settings: an error that names the module, what it expected and what came."""

import math

import numpy as np
import pytest

import minidl

NAN, INF = math.nan, math.inf


def layer():
    return minidl.Linear(2, 3, rng=0)


def many():
    return minidl.replicate(lambda rng: minidl.Linear(2, 3, rng=rng), range(3))


# What is built with a setting, the setting's name, values that are refused, and words for those that are not.
SETTINGS = [
    ("Dropout", "p_drop", minidl.Dropout, [-0.1, 1.1, -1e-9, NAN, INF], r"in \[0, 1\]"),
    ("LeakyReLU", "alpha", minidl.LeakyReLU, [NAN, INF, -INF], "finite"),
    ("ELU", "alpha", minidl.ELU, [NAN, INF, -INF], "finite"),
    ("LayerNorm", "eps", lambda eps: minidl.LayerNorm(2, eps=eps), [-0.1, NAN, INF], ">= 0"),
    ("BatchNorm1d", "eps", lambda eps: minidl.BatchNorm1d(2, eps=eps), [-0.1, NAN, INF], ">= 0"),
    ("BatchNorm1d", "momentum", lambda m: minidl.BatchNorm1d(2, momentum=m), [-0.1, 1.1, NAN], r"in \[0, 1\]"),
    ("Linear", "std_w", lambda std_w: minidl.Linear(2, 3, std_w=std_w), [-0.1, NAN, INF], ">= 0"),
    ("Linear", "std_b", lambda std_b: minidl.Linear(2, 3, std_b=std_b), [-0.1, NAN, INF], ">= 0"),
    ("Linear", "lr", lambda lr: minidl.Linear(2, 3, lr=lr), [-0.1, NAN, INF], ">= 0"),
    ("SGD", "lr", lambda lr: minidl.SGD(layer(), lr), [-0.1, NAN, INF], ">= 0"),
    ("SGD", "eta", lambda eta: minidl.SGD(layer(), kappa=1, eta=eta), [-0.1, NAN, INF], ">= 0"),
    ("SGD", "kappa", lambda kappa: minidl.SGD(layer(), kappa=kappa, eta=1), [NAN, INF], "finite"),
    ("SGD", "momentum", lambda mu: minidl.SGD(layer(), 0.1, momentum=mu), [-0.1, 1, 1.5, NAN], r"in \[0, 1\)"),
    ("SGD", "weight_decay", lambda pull: minidl.SGD(layer(), 0.1, weight_decay=pull), [-0.1, NAN, INF], ">= 0"),
    ("Adam", "lr", lambda lr: minidl.Adam(layer(), lr), [-0.1, NAN, INF], ">= 0"),
    ("Adam", "beta1", lambda beta: minidl.Adam(layer(), beta1=beta), [-0.1, 1, 1.5, NAN], r"in \[0, 1\)"),
    ("Adam", "beta2", lambda beta: minidl.Adam(layer(), beta2=beta), [-0.1, 1, 1.5, NAN], r"in \[0, 1\)"),
    ("Adam", "eps", lambda eps: minidl.Adam(layer(), eps=eps), [-1e-8, NAN, INF], ">= 0"),
    ("Adam", "weight_decay", lambda pull: minidl.Adam(layer(), weight_decay=pull), [-0.1, NAN, INF], ">= 0"),
]
OUT_OF_RANGE = [(who, name, make, bad, words) for who, name, make, values, words in SETTINGS for bad in values]


@pytest.mark.parametrize(("who", "name", "make", "bad", "words"), OUT_OF_RANGE)
def test_a_number_out_of_range_is_refused(who, name, make, bad, words):
    with pytest.raises(ValueError, match=rf"{who}: expected {name} to be .*{words}, got {bad}"):
        make(bad)


@pytest.mark.parametrize(("who", "name", "make"), [setting[:3] for setting in SETTINGS])
@pytest.mark.parametrize("bad", ["0.1", True, 1j, list, np.array(True), np.array("1")], ids=repr)
def test_a_setting_that_is_no_number_is_refused(who, name, make, bad):
    with pytest.raises(TypeError, match=rf"{who}: expected {name} to be a number, got ") as caught:
        make(bad)
    assert repr(bad) in str(caught.value)


@pytest.mark.parametrize(("who", "name", "make"), [setting[:3] for setting in SETTINGS])
def test_the_ends_of_a_range_and_numpys_numbers_are_taken(who, name, make):
    for good in (0, 0.0, np.float32(0.5), np.int64(0), np.array(0.5)):
        assert make(good), (who, name, good)
    assert minidl.Dropout(1).p_drop == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda lr: minidl.SGD(many(), lr),
        lambda eta: minidl.SGD(many(), kappa=1, eta=eta),
        lambda kappa: minidl.SGD(many(), eta=1, kappa=kappa),
        lambda mu: minidl.SGD(many(), 0.1, momentum=mu),
        lambda beta: minidl.Adam(many(), beta1=beta),
        lambda eps: minidl.Adam(many(), eps=eps),
        lambda lr: many().update(lr),
    ],
)
@pytest.mark.parametrize("bad", [[0.1] * 2, [0.1], [[0.1] * 3], [[0.1]] * 3], ids=str)
def test_a_setting_is_one_number_or_one_per_replicate(make, bad):
    make([0.1] * 3)
    with pytest.raises(ValueError, match=r"one number, or one per replicate, shape \(3,\), got shape \("):
        make(bad)


def test_one_bad_number_among_those_of_the_replicates_is_refused():
    with pytest.raises(ValueError, match=r"SGD: expected lr to be finite and >= 0, got \[0\.1, -0\.1, 0\.1\]"):
        minidl.SGD(many(), [0.1, -0.1, 0.1])
    with pytest.raises(ValueError, match=r"SGD: expected lr to be one number, got shape \(3,\)"):
        minidl.SGD(layer(), [0.1] * 3)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda: minidl.SGD(layer(), kappa=1),
            ValueError,
            "SGD: expected kappa and eta both or neither, got kappa=1, eta=None",
        ),
        (
            lambda: minidl.SGD(layer(), eta=1),
            ValueError,
            "SGD: expected kappa and eta both or neither, got kappa=None, eta=1",
        ),
        (
            lambda: minidl.SGD(layer(), 0.1, kappa=1, eta=1),
            ValueError,
            "SGD: expected lr, or kappa and eta, got lr=0.1",
        ),
        (
            lambda: minidl.SGD(layer(), 0.1, nesterov=True),
            ValueError,
            "SGD: expected a momentum above 0 with nesterov, got 0",
        ),
        (
            lambda: minidl.SGD(minidl.Sequential([]), 0.1),
            ValueError,
            r"SGD: expected a model with parameters, got Sequential",
        ),
        (lambda: minidl.Adam(minidl.Tanh()), ValueError, "Adam: expected a model with parameters, got Tanh with none"),
        (lambda: minidl.Adam([layer()]), TypeError, "Adam: expected a Module, got list"),
        (lambda: minidl.Adam(layer().params()), TypeError, "Adam: expected a Module, got list"),
        (
            lambda: minidl.Linear(2, 3, bias=False, std_b=1),
            ValueError,
            "Linear: expected std_b to be None without a bias, got 1",
        ),
        (lambda: minidl.Linear(0, 3), ValueError, "Linear: expected in_features to be at least 1, got 0"),
        (lambda: minidl.Linear(2, -1), ValueError, "Linear: expected out_features to be at least 1, got -1"),
        (lambda: minidl.Linear(2.0, 3), TypeError, "Linear: expected in_features to be an integer, got 2.0"),
        (lambda: minidl.Linear(2, True), TypeError, "Linear: expected out_features to be an integer, got True"),
        (lambda: minidl.Linear(2, 3, rng=-1), ValueError, "Linear: expected rng to be None, an int >= 0, .* got -1"),
        (lambda: minidl.Linear(2, 3, rng="0"), TypeError, "Linear: expected rng to be None, .* got '0'"),
        (lambda: minidl.Dropout(rng=0.5), TypeError, "Dropout: expected rng to be None, .* got 0.5"),
        (
            lambda: minidl.Linear(2, 3, dtype="int32"),
            TypeError,
            "expected dtype float16, float32 or float64, got 'int32'",
        ),
        (lambda: minidl.Linear(2, 3, dtype=complex), TypeError, "float32 or float64, got <class 'complex'>"),
        (lambda: minidl.Linear(2, 3, dtype="bfloat16"), TypeError, "float32 or float64, got 'bfloat16'"),
        (lambda: minidl.Linear(2, 3, backend="jax"), ValueError, "expected backend 'numpy', 'torch' .* got 'jax'"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def ready(model):
    """Return a model with something in its gradients."""
    model.grads[...] = 1
    model.zero_grad()
    model.forward(np.ones((4, 2), np.float32))
    model.backward(np.ones((*model.replicate_shape, 4, 3), np.float32))
    return model


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({}, ValueError, r"Linear\(2 -> 3\): no learning rate: give update one, or the layer its own"),
        ({"lr": -0.1}, ValueError, r"Linear\(2 -> 3\): expected lr to be finite and >= 0, got -0\.1"),
        ({"lr": NAN}, ValueError, "expected lr to be finite and >= 0, got nan"),
        ({"lr": INF}, ValueError, "expected lr to be finite and >= 0, got inf"),
        ({"lr": "0.1"}, TypeError, "expected lr to be a number, got '0.1'"),
        (
            {"lr": 0.1, "values": np.ones(8, np.float32)},
            ValueError,
            r"values like .* float32 \(9,\), got float32 \(8,\)",
        ),
        ({"lr": 0.1, "values": np.ones((3, 3), np.float32)}, ValueError, r"float32 \(9,\), got float32 \(3, 3\)"),
        ({"lr": 0.1, "values": np.ones(9)}, TypeError, r"float32 \(9,\), got float64 \(9,\)"),
        ({"lr": 0.1, "values": np.ones(9, int)}, TypeError, r"expected values to be .* got int64 \(9,\)"),
        ({"lr": 0.1, "values": [1.0] * 9}, TypeError, "expected values to be .* got list"),
    ],
)
def test_an_update_that_cannot_be_made_changes_nothing(options, error, words, unchanged):
    model = ready(layer())
    with unchanged(model), pytest.raises(error, match=words):
        model.update(**options)


def test_one_layer_without_a_rate_keeps_all_from_their_update(unchanged):
    model = minidl.Sequential([minidl.Linear(2, 2, lr=0.1, rng=0), minidl.Linear(2, 3, rng=1)])
    words = r"Linear\(2 -> 3\): no learning rate"
    for momentum in (0, 0.9):
        optimizer = minidl.SGD(model, momentum=momentum)
        ready(model)
        with unchanged(model, optimizer), pytest.raises(ValueError, match=words):
            optimizer.step()
    with unchanged(model), pytest.raises(ValueError, match=words):
        model.update()


@pytest.mark.parametrize(
    ("name", "bad", "error", "words"),
    [
        ("weight", np.ones((2, 3)), ValueError, r"Linear\(2 -> 3\): expected weight of shape \(3, 2\), got \(2, 3\)"),
        ("bias", np.ones((3, 1)), ValueError, r"Linear\(2 -> 3\): expected bias of shape \(3,\), got \(3, 1\)"),
        ("bias", 0.0, ValueError, r"expected bias of shape \(3,\), got \(\)"),
        ("bias", np.ones(3, int), TypeError, r"expected bias to hold floating point numbers, got int64 \(3,\)"),
        ("bias", [1.0] * 3, TypeError, "expected bias to be a NumPy array or a torch tensor, got list"),
    ],
)
def test_a_parameter_of_another_shape_or_kind_is_not_assigned(name, bad, error, words, unchanged):
    model = ready(layer())
    with unchanged(model), pytest.raises(error, match=words):
        setattr(model, name, bad)


@pytest.mark.parametrize(
    "make",
    [
        lambda model: minidl.Adam(model, None),
        lambda model: minidl.SGD(model, momentum=0.9),
        lambda model: spoil(minidl.Adam(model), lr=None),
        lambda model: spoil(minidl.SGD(model, kappa=1, eta=0.1), eta=None),
        lambda model: spoil(minidl.SGD(model, kappa=1, eta=0.1), kappa=None),
    ],
)
def test_a_step_without_a_learning_rate_changes_nothing(make, unchanged):
    model = minidl.Linear(2, 3, rng=0)
    model.grads[...] = 1
    optimizer = make(model)
    with unchanged(model, optimizer), pytest.raises(ValueError, match=r"lr|learning rate|kappa and eta both"):
        optimizer.step()


def spoil(thing, **settings):
    for name, value in settings.items():
        setattr(thing, name, value)
    return thing


@pytest.mark.parametrize("settings", [{"dtype": "int32"}, {"lr": -1}, {"backend": "tf"}])
def test_a_layer_that_cannot_be_made_draws_nothing(settings, unchanged):
    rng = np.random.default_rng(0)
    with unchanged(rng), pytest.raises((TypeError, ValueError), match=r"^Linear: "):
        minidl.Linear(2, 3, rng=rng, **settings)


def test_a_bias_that_is_not_there_cannot_be_assigned():
    with pytest.raises(ValueError, match=r"Linear\(2 -> 3, bias=False\): has no bias to assign to"):
        minidl.Linear(2, 3, bias=False).bias = np.ones(3)
