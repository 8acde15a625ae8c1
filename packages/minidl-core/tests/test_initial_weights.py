"""Rules for initial weights: their distributions, their draws, and what is refused."""

import math

import numpy as np
import pytest

import minidl

IN, OUT = 300, 400
# Per rule the variance of the weights, and for uniform ones their bound.
RULES = {
    "he": (2 / IN, None),
    "lecun": (1 / IN, None),
    "glorot": (2 / (IN + OUT), math.sqrt(6 / (IN + OUT))),
    "torch": (1 / IN / 3, 1 / math.sqrt(IN)),
}


def linear(init, **options):
    return minidl.Linear(IN, OUT, init=init, dtype="float64", rng=3, **options)


@pytest.mark.parametrize("init", RULES)
def test_the_distribution_of_the_weights(init):
    variance, bound = RULES[init]
    weights = linear(init).weight
    n = weights.size
    assert abs(weights.mean()) < 4 * math.sqrt(variance / n)
    kurtosis = 3 if bound is None else 1.8  # the fourth moment over the squared variance
    assert abs(weights.var() / variance - 1) < 4 * math.sqrt((kurtosis - 1) / n)
    assert abs((weights**4).mean() / variance**2 / kurtosis - 1) < 0.05
    if bound is not None:
        assert bound * (1 - 20 / n) < abs(weights).max() < bound


def test_the_default_is_he_with_the_same_draws():
    layer = minidl.Linear(5, 4, dtype="float64", rng=7)
    expected = math.sqrt(2 / 5) * np.random.default_rng(7).standard_normal((4, 5))
    np.testing.assert_array_equal(layer.weight, expected)
    np.testing.assert_array_equal(minidl.Linear(5, 4, init="he", dtype="float64", rng=7).values, layer.values)
    assert not layer.bias.any()


@pytest.mark.parametrize("init", ["he", "lecun", "glorot"])
def test_biases_are_zero_or_normal(init):
    assert not linear(init).bias.any()
    biases = linear(init, std_b=0.5).bias
    assert abs(biases.std() / 0.5 - 1) < 4 / math.sqrt(2 * OUT)


def test_the_biases_of_torch_have_the_bounds_of_its_weights():
    bias, bound = linear("torch").bias, 1 / math.sqrt(IN)
    assert bound * 0.95 < abs(bias).max() < bound
    assert abs(bias.var() / (bound**2 / 3) - 1) < 4 * math.sqrt(0.8 / OUT)
    assert linear("torch", bias=False).bias is None


def test_torch_is_the_distribution_of_torch():
    torch = pytest.importorskip("torch")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs, ours = torch.nn.Linear(IN, OUT), linear("torch")
    tenths = np.linspace(0, 1, 11)
    for name in ("weight", "bias"):
        drawn, there = getattr(ours, name), getattr(theirs, name).detach().numpy()
        np.testing.assert_allclose(np.quantile(drawn, tenths), np.quantile(there, tenths), atol=0.2 / math.sqrt(IN))


def test_a_callable_draws_from_the_generator_of_the_layer():
    asked = []

    def ones(rng, shape):
        asked.append((rng, shape))
        return np.ones(shape)

    rng = np.random.default_rng(0)
    layer = minidl.Linear(3, 2, init=ones, rng=rng)
    assert asked == [(rng, (2, 3))]
    np.testing.assert_array_equal(layer.weight, np.ones((2, 3), np.float32))
    assert not layer.bias.any()
    assert minidl.Linear(2, 1, init=lambda _rng, _shape: [[1, 2]]).weight.tolist() == [[1, 2]]


def test_replicates_draw_as_single_networks():
    model = minidl.replicate(lambda rng: minidl.Linear(3, 2, init="torch", rng=rng), range(4))
    for r in range(4):
        np.testing.assert_array_equal(model.values[r], minidl.Linear(3, 2, init="torch", rng=r).values)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (
            {"init": "xavier"},
            ValueError,
            "expected init to be 'he', 'glorot', 'lecun', 'torch' or a callable, got",
        ),
        ({"init": 0.1}, TypeError, "expected init to be 'he', .* or a callable, got 0.1"),
        ({"init": "he", "std_w": 0.1}, ValueError, "expected std_w or init, got both: std_w=0.1, init='he'"),
        ({"init": "torch", "std_b": 0.1}, ValueError, "expected std_b to be None with init='torch'"),
        ({"init": lambda _, shape: np.ones(shape).T}, ValueError, r"weights of shape \(2, 3\), got \(3, 2\)"),
        ({"init": lambda _, shape: np.ones(shape, bool)}, TypeError, "to return real numbers, got bool"),
        ({"init": lambda *_: None}, TypeError, "to return real numbers, got object"),
    ],
)
def test_what_is_refused(options, error, words):
    with pytest.raises(error, match=f"Linear: .*{words}"):
        minidl.Linear(3, 2, **options)


@pytest.mark.parametrize("options", [{"init": "xavier"}, {"init": "he", "std_w": 1.0}, {"init": "torch", "std_b": 1.0}])
def test_a_refused_rule_draws_nothing(options, unchanged):
    rng = np.random.default_rng(0)
    with unchanged(rng), pytest.raises(ValueError, match="Linear"):
        minidl.Linear(3, 2, rng=rng, **options)
