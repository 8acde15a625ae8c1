"""ELU, Softplus, SiLU and GELU: right to a few ulp against decimals, settings per replicate, words."""

from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import pytest

import minidl
from minidl import ELU, GELU, SiLU, Softplus


def sigmoid(x):
    return 1 / (1 + (-x).exp())


def log1p(x):
    return (1 + x).ln()


@cache
def pi():
    """Return π by Machin's formula."""

    def arctan_of_inverse(n):
        total, term, k = Decimal(0), Decimal(1) / n, 1
        while abs(term) > Decimal(10) ** -420:
            total, term, k = total + term / k, -term / n / n, k + 2
        return total

    return 16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239)


@cache
def normal(x):
    """Return Φ(x) = 1/2 + φ(x) (x + x³/3 + x⁵/15 + ...): in 400 digits it may cancel."""
    total, term, k = Decimal(0), x, 1
    while abs(term) > Decimal(10) ** -400:
        total, term, k = total + term, term * x * x / (k + 2), k + 2
    return Decimal("0.5") + (-x * x / 2).exp() / (2 * pi()).sqrt() * total


# How to build it, the function of decimals, the points, and a bound of the error in ulp: roundings of exponentials add
# up and, in GELU, those of a polynomial. By tanh the cube stands in an exponent, where its error grows with x. NumPy's
# expm1 of float32, in ELU, is right to 2.3 ulp where it uses AVX-512.
WIDE, TAIL = np.linspace(-80, 80, 161), np.linspace(-36.9, 9, 25)
NEAR = np.concatenate([10.0 ** np.arange(-6, 0), -(10.0 ** np.arange(-6, 0))])
CASES = {
    "elu": (lambda: ELU(0.75), lambda x: x if x > 0 else Decimal("0.75") * (x.exp() - 1), WIDE, 3),
    "softplus": (lambda: Softplus(2), lambda x: log1p((2 * x).exp()) / 2, WIDE, 4),
    "silu": (SiLU, lambda x: x * sigmoid(x), WIDE, 4),
    "gelu": (GELU, lambda x: x * normal(x), TAIL, 7),
    "gelu by tanh": (
        lambda: GELU("tanh"),
        lambda x: x * sigmoid((8 / pi()).sqrt() * (x + Decimal("0.044715") * x**3)),
        np.linspace(-4, 9, 60),
        30,
    ),
}
every = pytest.mark.parametrize(("make", "formula", "points", "ulp"), CASES.values(), ids=CASES)


@every
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_right_to_a_few_ulp(make, formula, points, ulp, dtype, backend):
    x = np.concatenate([points, NEAR]).astype(dtype)
    y = make()(pytest.importorskip("torch").from_numpy(x)).numpy() if backend == "torch" else make()(x)
    assert y.dtype == dtype
    with localcontext(prec=420):
        exact = [formula(Decimal(float(v))) for v in x]
        least = 200 * float(np.finfo(dtype).tiny)  # times x, so that no factor is subnormal
        units = [Decimal(float(np.spacing(y.dtype.type(max(abs(float(e)), least))))) for e in exact]
        errors = [abs(Decimal(float(v)) - e) / u for v, e, u in zip(y, exact, units, strict=True)]
    assert max(errors) < ulp, x[np.argmax(errors)]


@pytest.mark.parametrize("make", [ELU, lambda: ELU(-0.5), lambda: Softplus(3), SiLU, GELU, lambda: GELU("tanh")])
def test_derivatives_agree_with_differences(make, differences):
    rng = np.random.default_rng(0)
    x, dy, activation = 3 * rng.standard_normal((4, 5)), rng.standard_normal((4, 5)), make()
    slopes = differences(lambda point: float((activation(point) * dy).sum()), x)
    activation(x)
    np.testing.assert_allclose(activation.backward(dy), slopes, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("kind", "name"), [(ELU, "alpha"), (Softplus, "beta")])
def test_each_replicate_has_its_own_setting(kind, name, rng):
    numbers = iter([0.5, 1.0, 2.0])
    model = minidl.replicate(lambda _: kind(next(numbers)), range(3))
    assert getattr(model, name).tolist() == [0.5, 1, 2]
    assert repr(model) == f"{kind.__name__}({name}=(0.5, 1.0, 2.0))"
    x, dy = rng.standard_normal((4, 5)), rng.standard_normal((3, 4, 5))
    y, dx = model(x), model.backward(dy)
    for r, single in enumerate(minidl.unstack(model)):
        np.testing.assert_array_equal(single(x), y[r])
        np.testing.assert_array_equal(single.backward(dy[r]), dx[r])
    with pytest.raises(ValueError, match=rf"{kind.__name__}: expected {name} to be one number, or one per replicate"):
        setattr(model, name, [1, 2])


@pytest.mark.parametrize("bad", [0, -1, np.inf, np.nan])
def test_beta_is_above_zero(bad):
    with pytest.raises(ValueError, match="Softplus: expected beta to be finite and > 0"):
        Softplus(bad)


def test_the_threshold_of_torch_is_not_needed():
    x = np.array([20.5, 30.0, 1e4])
    np.testing.assert_array_equal(Softplus()(x), np.logaddexp(0, x))
    assert Softplus()(x)[0] > 20.5


class TestWord:
    def test_is_checked_whenever_it_is_assigned(self, unchanged):
        gelu = GELU()
        with unchanged(gelu), pytest.raises(ValueError, match="GELU: expected approximate 'none' or 'tanh', got 'erf'"):
            gelu.approximate = "erf"
        with pytest.raises(ValueError, match="GELU: expected approximate 'none' or 'tanh', got None"):
            GELU(None)
        gelu.approximate = "tanh"
        assert gelu(np.array([2.0])) == GELU("tanh")(np.array([2.0])) != GELU()(np.array([2.0]))

    def test_is_in_the_spec(self):
        assert GELU("tanh").spec()[0].options == (("approximate", "tanh"),)
        assert repr(GELU()) == "GELU(approximate=none)"

    def test_is_shared_by_replicates(self):
        words = iter(["none", "tanh"])
        with pytest.raises(ValueError, match="replicate: network 1 differs from network 0"):
            minidl.replicate(lambda _: GELU(next(words)), range(2))
        assert minidl.replicate(lambda _: GELU("tanh"), range(2)).approximate == "tanh"

    def test_that_changes_is_seen_by_the_engine(self):
        pytest.importorskip("minidl_native")
        model = minidl.Sequential([minidl.Linear(2, 3, dtype="float64", rng=0), GELU()])
        x = np.linspace(-2, 2, 8).reshape(4, 2)
        for word in ("none", "tanh", "none"):
            model[1].approximate = word
            predicted = minidl.predict(model, x, engine="native")
            np.testing.assert_allclose(predicted, model(x), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("make", [lambda: ELU(0.5), lambda: Softplus(2.0), SiLU, GELU, lambda: GELU("tanh")])
def test_inference_is_the_output_of_forward(make, rng):
    x = rng.standard_normal((5, 3))
    np.testing.assert_array_equal(make().infer(x), make().forward(x))


def test_the_gradient_of_elu_at_zero_is_alpha():
    elu = ELU(0.5)
    elu.forward(np.zeros((1, 1)))
    assert elu.backward(np.ones((1, 1))).item() == 0.5
