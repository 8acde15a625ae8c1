"""Activations: values, derivatives, edges, and what they leave alone."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import minidl

quick = settings(max_examples=25, deadline=None, derandomize=True)
shapes = array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5)
ALL = {
    "relu": minidl.ReLU,
    "leaky": minidl.LeakyReLU,
    "tanh": minidl.Tanh,
    "sigmoid": minidl.Sigmoid,
    "identity": minidl.Identity,
    "elu": minidl.ELU,
    "softplus": minidl.Softplus,
    "silu": minidl.SiLU,
    "gelu": minidl.GELU,
    "gelu by tanh": lambda: minidl.GELU("tanh"),
}
SMOOTH = {name: make for name, make in ALL.items() if name not in {"relu", "leaky", "identity"}}
every = pytest.mark.parametrize("make", ALL.values(), ids=ALL)
in_every_dtype = pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
H = 1e-30  # the complex step subtracts nothing, so it may be as small as it likes


@pytest.mark.parametrize(
    ("activation", "formula"),
    [(minidl.Tanh(), np.tanh), (minidl.Sigmoid(), lambda z: 1 / (1 + np.exp(-z)))],
    ids=["tanh", "sigmoid"],
)
@quick
@given(shape=shapes, scale=st.sampled_from([0.1, 1, 10]), seed=st.integers(0, 99))
def test_derivatives_of_analytic_functions_by_complex_step(activation, formula, shape, scale, seed):
    rng = np.random.default_rng(seed)
    x, dy = scale * rng.standard_normal(shape), rng.standard_normal(shape)
    z = formula(x + 1j * H)
    np.testing.assert_allclose(activation(x), z.real, rtol=1e-14)
    # y is known to an ulp of one at best, and so is 1 - y
    np.testing.assert_allclose(activation.backward(dy), dy * z.imag / H, rtol=1e-13, atol=1e-15 * np.abs(dy).max())


@pytest.mark.parametrize("alpha", [-1, 0, 0.01, 0.3, 2])
def test_the_leaky_line_and_its_slopes(rng, alpha):
    x, dy, leaky = rng.standard_normal((4, 5)), rng.standard_normal((4, 5)), minidl.LeakyReLU(alpha)
    assert leaky(x).ravel().tolist() == [v if v > 0 else alpha * v for v in x.flat]
    assert leaky.backward(dy).ravel().tolist() == [
        d if v > 0 else alpha * d for v, d in zip(x.flat, dy.flat, strict=True)
    ]


def test_the_default_slope_is_a_hundredth():
    assert minidl.LeakyReLU()(np.array([-1.0])) == -0.01
    assert minidl.LeakyReLU().options() == {"alpha": 0.01}
    assert repr(minidl.LeakyReLU(0.2)) == "LeakyReLU(alpha=0.2)"


@every
@quick
@given(shape=shapes, seed=st.integers(0, 99))
def test_gradients_agree_with_differences(make, shape, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.1, 3, shape) * rng.choice([-1, 1], shape)  # away from the kink at 0
    minidl.gradcheck(make(), x, rng=rng)


@in_every_dtype
def test_sigmoid_is_right_to_a_few_ulp(dtype):
    near_zero = 10.0 ** np.arange(-6, 0)
    x = np.concatenate([np.linspace(-100, 100, 801), near_zero, -near_zero]).astype(dtype)
    y = minidl.Sigmoid()(x)
    with localcontext(prec=50):
        exact = [1 / (1 + (-Decimal(float(v))).exp()) for v in x]
        ulp = [Decimal(float(np.spacing(y.dtype.type(float(e))))) for e in exact]
        error = max(abs(Decimal(float(v)) - e) / u for v, e, u in zip(y, exact, ulp, strict=True))
    assert error < 3  # two exponentials, a sum and a quotient; measured 2.1


@every
@in_every_dtype
@pytest.mark.parametrize("x", [1e4, -1e4, 0.0, -0.0])
def test_large_inputs_warn_of_nothing(make, dtype, x):
    activation, x = make(), np.array([x], dtype)
    y, dx = activation(x), activation.backward(np.ones(1, dtype))
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()
    assert y.dtype == dx.dtype == dtype


@pytest.mark.parametrize(
    ("activation", "limits", "slopes"),
    [
        (minidl.ReLU(), (0, np.inf), (0, 1)),
        (minidl.LeakyReLU(0.5), (-np.inf, np.inf), (0.5, 1)),
        (minidl.Tanh(), (-1, 1), (0, 0)),
        (minidl.Sigmoid(), (0, 1), (0, 0)),
        (minidl.Identity(), (-np.inf, np.inf), (1, 1)),
        (minidl.ELU(0.5), (-0.5, np.inf), (0, 1)),
        (minidl.Softplus(2), (0, np.inf), (0, 1)),
        (minidl.SiLU(), (0, np.inf), (0, 1)),
        (minidl.GELU(), (0, np.inf), (0, 1)),
        (minidl.GELU("tanh"), (0, np.inf), (0, 1)),
    ],
    ids=ALL,
)
def test_limits_and_slopes_at_infinity(activation, limits, slopes):
    assert activation(np.array([-np.inf, np.inf])).tolist() == list(limits)
    assert activation.backward(np.ones(2)).tolist() == list(slopes)


@pytest.mark.parametrize(
    ("activation", "slope"), [(minidl.ReLU(), 0), (minidl.LeakyReLU(0.5), 0.5)], ids=["relu", "leaky"]
)
def test_the_kink_belongs_to_the_left_and_nan_is_passed_on(activation, slope):
    y = activation(np.array([0.0, -0.0, np.nan, 2.0]))
    assert y[:2].tolist() == [0, 0]
    assert np.isnan(y[2])
    np.testing.assert_array_equal(activation.backward(np.full(4, 3.0)), [3 * slope, 3 * slope, 3 * slope, 3])


@pytest.mark.parametrize("make", SMOOTH.values(), ids=SMOOTH)
def test_smooth_activations_pass_nan_on_both_ways(make):
    activation = make()
    assert np.isnan(activation(np.array([np.nan]))).all()
    assert np.isnan(activation.backward(np.ones(1))).all()


@every
@in_every_dtype
@pytest.mark.parametrize("shape", [(4,), (4, 3), (2, 1, 3), (0, 3)])
def test_shape_and_dtype_stay_and_inputs_are_not_written_to(make, rng, unchanged, dtype, shape):
    activation = make()
    x, dy = rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape).astype(dtype)
    x.flags.writeable = dy.flags.writeable = False
    with unchanged(x, dy):
        outputs = [activation(x), activation.infer(x), activation.backward(dy)]
    assert {(y.shape, y.dtype) for y in outputs} == {(shape, np.dtype(dtype))}
    np.testing.assert_array_equal(outputs[0], outputs[1])


@every
def test_outputs_are_not_overwritten_later(make, rng, unchanged):
    activation = make()
    y, dx = activation(rng.standard_normal(5)), activation.backward(rng.standard_normal(5))
    with unchanged(y, dx):
        activation(rng.standard_normal(5))
        activation.backward(rng.standard_normal(5))


@every
def test_an_activation_has_no_parameters_and_needs_no_rate(make):
    activation = make()
    activation.update()
    assert activation.params() == []
    assert activation.values.shape == (0,)
    assert activation.keeps_width
