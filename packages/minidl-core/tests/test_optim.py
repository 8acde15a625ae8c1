"""Optimizers: one step of the flat vector is eq. 13 to 16 for every array of its own."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl

quick = settings(max_examples=25, deadline=None, derandomize=True)
EXACT = {"rtol": 1e-14, "atol": 1e-15}  # the same few operations in float64, at most in another order
decay, share = st.sampled_from([0.0, 0.01, 1.0]), st.sampled_from([0.0, 0.5, 0.9])


def layers(seed=0, dtype="float64"):
    rng = np.random.default_rng(seed)
    return minidl.Sequential(
        [minidl.Linear(2, 3, std_b=1, dtype=dtype, rng=rng), minidl.Linear(3, 1, dtype=dtype, rng=rng)]
    )


def walk(optimizer, rng, steps=5):
    """Yield the parameters as separate arrays and their gradients before each step, and the parameters after it."""
    for _ in range(steps):
        gradients = [rng.standard_normal(grad.shape) for _, grad in optimizer.model.params()]
        for (_, grad), drawn in zip(optimizer.model.params(), gradients, strict=True):
            grad[...] = drawn
        before = [value.copy() for value, _ in optimizer.model.params()]
        optimizer.step()
        yield before, gradients, [value.copy() for value, _ in optimizer.model.params()]
        assert not optimizer.model.grads.any()


@quick
@given(lr=st.floats(0, 2), seed=st.integers(0, 99))
def test_plain_sgd_steps_against_the_gradient(lr, seed):
    for before, gradients, after in walk(minidl.SGD(layers(seed), lr), np.random.default_rng(seed)):
        for theta, g, new in zip(before, gradients, after, strict=True):
            np.testing.assert_allclose(new, theta - lr * g, **EXACT)


@quick
@given(kappa=st.sampled_from([-0.5, 0, 0.6, 2]), eta=st.floats(0, 1), seed=st.integers(0, 99))
def test_the_rate_decays_by_eq_13(kappa, eta, seed):
    optimizer = minidl.SGD(layers(seed), kappa=kappa, eta=eta)
    rates = [eta * math.exp(-kappa * math.log(t)) for t in (1, 2, 3, 4, 5)]
    assert list(itertools.islice(optimizer.adaptive_lr(), 5)) == pytest.approx(rates, rel=1e-14)
    for rate, (before, gradients, after) in zip(rates, walk(optimizer, np.random.default_rng(seed)), strict=True):
        for theta, g, new in zip(before, gradients, after, strict=True):
            np.testing.assert_allclose(new, theta - rate * g, **EXACT)
    assert optimizer.t == 5


@quick
@given(mu=st.sampled_from([0.1, 0.9]), nesterov=st.booleans(), pull=decay, seed=st.integers(0, 99))
def test_momentum_nesterov_and_weight_decay(mu, nesterov, pull, seed):
    optimizer = minidl.SGD(layers(seed), 0.1, momentum=mu, nesterov=nesterov, weight_decay=pull)
    velocity = [0.0] * 4
    for before, gradients, after in walk(optimizer, np.random.default_rng(seed)):
        for i, (theta, g, new) in enumerate(zip(before, gradients, after, strict=True)):
            pulled = g + pull * theta
            velocity[i] = mu * velocity[i] + pulled
            step = pulled + mu * velocity[i] if nesterov else velocity[i]
            np.testing.assert_allclose(new, theta - 0.1 * step, **EXACT)
    np.testing.assert_allclose(optimizer.velocity, np.concatenate([v.ravel() for v in velocity]), **EXACT)


@quick
@given(beta1=share, beta2=share, eps=st.sampled_from([1e-8, 0.1]), pull=decay, seed=st.integers(0, 99))
def test_adam_is_eq_14_to_16(beta1, beta2, eps, pull, seed):
    optimizer = minidl.Adam(layers(seed), 0.01, beta1=beta1, beta2=beta2, eps=eps, weight_decay=pull)
    m, v = [0.0] * 4, [0.0] * 4
    for t, (before, gradients, after) in enumerate(walk(optimizer, np.random.default_rng(seed)), start=1):
        for i, (theta, g, new) in enumerate(zip(before, gradients, after, strict=True)):
            pulled = g + pull * theta
            m[i] = beta1 * m[i] + (1 - beta1) * pulled
            v[i] = beta2 * v[i] + (1 - beta2) * pulled**2
            value = m[i] / (1 - beta1**t) / (eps + np.sqrt(v[i] / (1 - beta2**t)))
            np.testing.assert_allclose(new, theta - 0.01 * value, **EXACT)
        assert optimizer.t == t
    np.testing.assert_allclose(optimizer.m, np.concatenate([a.ravel() for a in m]), **EXACT)
    np.testing.assert_allclose(optimizer.v, np.concatenate([a.ravel() for a in v]), **EXACT)


@quick
@given(
    kind=st.sampled_from([minidl.Adam, minidl.AdamW]), beta1=share, beta2=share, eps=st.sampled_from([1e-8, 0.1, 10]),
    backend=st.sampled_from(["numpy", "torch"]), seed=st.integers(0, 99),
)  # fmt: skip
def test_eps_hat_is_added_before_the_bias_correction(kind, beta1, beta2, eps, backend, seed):
    if backend == "torch":
        pytest.importorskip("torch")
    layer = minidl.Linear(3, 4, dtype="float64", backend=backend, rng=seed)
    optimizer = kind(layer, 0.01, beta1=beta1, beta2=beta2, eps=eps, eps_hat=True, weight_decay=0.0)
    rng, theta = np.random.default_rng(seed), layer.backend.to_numpy(layer.values).copy()
    m = v = np.zeros(16)
    for t in range(1, 6):
        g = rng.standard_normal(16)
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        theta = theta - 0.01 * math.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + eps)
        layer.grads[...] = layer.backend.asarray(g)
        optimizer.step()
        np.testing.assert_allclose(layer.backend.to_numpy(layer.values), theta, **EXACT)


def test_eps_hat_is_scikit_learns_eps():
    rivals = pytest.importorskip("sklearn.neural_network._stochastic_optimizers")
    layer, rng = minidl.Linear(3, 4, dtype="float64", rng=0), np.random.default_rng(0)
    ours, theta = minidl.Adam(layer, 0.01, eps=1e-3, eps_hat=True), layer.values.copy()
    theirs = rivals.AdamOptimizer([theta], 0.01, epsilon=1e-3)
    for _ in range(50):
        g = rng.standard_normal(16)
        layer.grads[...] = g
        ours.step()
        theirs.update_params([theta], [g])
        np.testing.assert_allclose(layer.values, theta, **EXACT)


@quick
@given(beta1=share, beta2=share, lr=st.floats(0, 0.1), pull=decay, seed=st.integers(0, 99))
def test_adamw_decays_the_parameters_beside_adams_step(beta1, beta2, lr, pull, seed):
    betas = {"beta1": beta1, "beta2": beta2}
    optimizer = minidl.AdamW(layers(seed), lr, weight_decay=pull, **betas)
    adam = minidl.Adam(layers(seed), lr, **betas)
    gradients, decayed = np.random.default_rng(seed), adam.model.values
    for _ in range(5):
        adam.model.grads[...] = optimizer.model.grads[...] = gradients.standard_normal(13)
        before = decayed.copy()
        optimizer.step()
        adam.step()
        decayed -= lr * pull * before
        np.testing.assert_allclose(optimizer.model.values, decayed, **EXACT)


@quick
@given(alpha=share, eps=st.sampled_from([1e-8, 0.1]), mu=share, pull=decay, seed=st.integers(0, 99))
def test_rmsprop_divides_by_the_root_mean_square(alpha, eps, mu, pull, seed):
    optimizer = minidl.RMSprop(layers(seed), 0.01, alpha=alpha, eps=eps, momentum=mu, weight_decay=pull)
    v, u = [0.0] * 4, [0.0] * 4
    for before, gradients, after in walk(optimizer, np.random.default_rng(seed)):
        for i, (theta, g, new) in enumerate(zip(before, gradients, after, strict=True)):
            pulled = g + pull * theta
            v[i] = alpha * v[i] + (1 - alpha) * pulled**2
            u[i] = mu * u[i] + pulled / (eps + np.sqrt(v[i]))
            np.testing.assert_allclose(new, theta - 0.01 * u[i], **EXACT)
    np.testing.assert_allclose(optimizer.v, np.concatenate([a.ravel() for a in v]), **EXACT)
    if mu:
        np.testing.assert_allclose(optimizer.velocity, np.concatenate([a.ravel() for a in u]), **EXACT)
    else:
        assert optimizer.velocity is None


def test_the_settings_of_the_report_are_adams_defaults():
    optimizer = minidl.Adam(layers())
    assert (optimizer.lr, optimizer.beta1, optimizer.beta2, optimizer.eps) == (1e-3, 0.9, 0.999, 1e-8)
    settings = "beta1=0.9, beta2=0.999, eps=1e-08, eps_hat=False, weight_decay=0.0, decay_biases=True"
    assert repr(optimizer) == f"Adam(lr=0.001, {settings})"
    assert list(itertools.islice(optimizer.adaptive_lr(), 3)) == [1e-3] * 3
    assert repr(minidl.SGD(layers(), kappa=1, eta=2)).startswith("SGD(kappa=1.0, eta=2.0, momentum=0.0")


def test_after_a_restart_adam_is_as_new(rng):
    model = layers()
    optimizer = minidl.Adam(model)
    list(walk(optimizer, rng))
    assert optimizer.m.all()
    optimizer.restart()
    assert optimizer.t == 0
    assert not optimizer.m.any()
    assert not optimizer.v.any()
    fresh, twin = minidl.Adam(layers()), layers()
    fresh.model.values[...] = model.values
    model.grads[...] = fresh.model.grads[...] = twin.values
    optimizer.step()
    fresh.step()
    np.testing.assert_array_equal(model.values, fresh.model.values)


def test_moments_can_be_read_and_set(rng):
    first, second = minidl.Adam(layers()), minidl.Adam(layers())
    list(walk(first, rng))
    moments = first.m.copy(), first.v.copy()
    second.model.values[...] = first.model.values
    second.t, second.m, second.v = first.t, *moments
    moments[0][...] = moments[1][...] = 99
    g = rng.standard_normal(first.m.shape)
    for optimizer in (first, second):
        optimizer.model.grads[...] = g
        optimizer.step()
    np.testing.assert_array_equal(first.model.values, second.model.values)


@pytest.mark.parametrize("name", ["m", "v"])
def test_a_moment_of_another_shape_is_refused(name, unchanged):
    optimizer = minidl.Adam(layers())
    with unchanged(optimizer), pytest.raises(ValueError, match=rf"Adam: expected {name} .*\(13,\), got \(1,\)"):
        setattr(optimizer, name, np.ones(1))


def test_without_a_rate_sgd_leaves_it_to_the_layers():
    model = minidl.Sequential([minidl.Linear(1, 1, lr=1.0), minidl.Linear(1, 1, lr=2.0)])
    optimizer = minidl.SGD(model)
    assert next(optimizer.adaptive_lr()) is None
    model.values[...] = 0
    model.grads[...] = 1
    optimizer.step()
    assert model.values.tolist() == [-1, -1, -2, -2]


def test_an_optimizer_of_ones_own_needs_a_step_and_no_more(rng):
    class Signs(minidl.Optimizer):
        def step(self):
            self.model.update(self.next_rate(), np.sign(self.gradient()))
            self.t += 1

    for options, rates in (({"lr": 0.5}, [0.5] * 5), ({"kappa": 1, "eta": 2}, [2, 1, 2 / 3, 0.5, 0.4])):
        optimizer = Signs(layers(), **options)
        for rate, (before, gradients, after) in zip(rates, walk(optimizer, rng), strict=True):
            for theta, g, new in zip(before, gradients, after, strict=True):
                np.testing.assert_allclose(new, theta - rate * np.sign(g), **EXACT)
        assert repr(optimizer).startswith("Signs(")
    with pytest.raises(TypeError, match="step"):
        minidl.Optimizer(layers(), 0.1)


def test_velocity_is_kept_only_for_momentum():
    assert minidl.SGD(layers(), 0.1).velocity is None
    assert minidl.SGD(layers(), 0.1, momentum=0.5).velocity.tolist() == [0] * 13


def test_an_optimizer_follows_its_layer_into_a_network():
    layer = minidl.Linear(2, 2, rng=0)
    optimizer = minidl.SGD(layer, 1.0, momentum=0.5)
    model = minidl.Sequential([minidl.Linear(2, 2, rng=1), layer])
    model.values[...] = 0
    for _ in range(2):
        model.grads[...] = 1
        optimizer.step()
    assert model.values.tolist() == [0] * 6 + [-2.5] * 6


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_steps_keep_the_dtype(dtype, rng):
    for make in (
        lambda model: minidl.SGD(model, 0.1),
        lambda model: minidl.SGD(model, kappa=0.6, eta=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
        lambda model: minidl.Adam(model, eps=1e-3, weight_decay=0.1),
        lambda model: minidl.AdamW(model, eps=1e-3, clip=0.5, decay_biases=False),
        lambda model: minidl.RMSprop(model, eps=1e-3, momentum=0.9, weight_decay=0.1, clip=0.5, decay_biases=False),
    ):
        optimizer = make(layers(dtype=dtype))
        list(walk(optimizer, rng, steps=2))
        own = [array for array in vars(optimizer).values() if isinstance(array, np.ndarray)]
        assert {array.dtype for array in (*own, optimizer.model.values, optimizer.model.grads)} == {np.dtype(dtype)}


def test_a_new_gradient_after_each_step_never_touches_the_old_moments(rng):
    optimizer = minidl.Adam(layers())
    list(walk(optimizer, rng, steps=1))
    m = optimizer.m.copy()
    optimizer.model.grads[...] = 5
    np.testing.assert_array_equal(optimizer.m, m)
