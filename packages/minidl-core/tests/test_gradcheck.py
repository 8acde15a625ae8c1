"""gradcheck finds what it is for: wrong signs, factors and axes, lost terms, and gradients that do not add up."""

import numpy as np
import pytest

import minidl


def linear(backward):
    """Return a float64 Linear(3, 3) with another backward."""
    kind = type("Broken", (minidl.Linear,), {"backward": backward})
    return kind(3, 3, std_b=1, dtype="float64", rng=0)


def wrong(dx=lambda dx: dx, grads=lambda grads: grads):
    """Return a backward of which the input gradient or the parameters' gradients are spoilt."""

    def backward(self, dy, *, need_dx=True):
        before = self.grads.copy()
        right = minidl.Linear.backward(self, dy, need_dx=need_dx)
        self.grads[...] = before + grads(self.grads - before)
        return dx(right) if need_dx else None

    return backward


def overwrite(self, dy, *, need_dx=True):
    self.zero_grad()
    return minidl.Linear.backward(self, dy, need_dx=need_dx)


@pytest.fixture
def x(rng):
    return rng.standard_normal((3, 3))


@pytest.mark.parametrize(
    ("backward", "words"),
    [
        (wrong(dx=lambda dx: -dx), r"Broken\(3 -> 3\): dL/dx\[\d, \d\]: backward gives .* differences .* tolerance"),
        (wrong(dx=lambda dx: dx * (1 + 1e-5)), "dL/dx"),
        (wrong(dx=lambda dx: dx.T), "dL/dx"),
        (wrong(dx=lambda dx: np.full_like(dx, np.nan)), r"dL/dx\[0, 0\]: backward gives nan"),
        (wrong(dx=lambda dx: dx[:1]), r"expected backward to return dL/dx of shape \(3, 3\), got \(1, 3\)"),
        (wrong(dx=lambda _: None), "expected backward to return dL/dx of shape"),
        (wrong(grads=lambda g: -g), r"Broken\(3 -> 3\): dL/dparameters\[\d+\]"),
        (wrong(grads=lambda g: g * (np.arange(12) < 9)), r"dL/dparameters\[\d+\]"),
        (wrong(grads=lambda g: np.append(g[:9].reshape(3, 3).T, g[9:])), "dL/dparameters"),
        (overwrite, "expected a second backward to add to the gradients of the first"),
    ],
    ids=[
        "sign",
        "factor",
        "transposed",
        "nan",
        "shape",
        "none",
        "parameters",
        "no bias",
        "transposed weight",
        "overwrites",
    ],
)
def test_a_wrong_gradient_is_found(backward, words, x):
    with pytest.raises(minidl.GradientError, match=words):
        minidl.gradcheck(linear(backward), x, rng=1)


def test_a_right_gradient_is_passed_with_its_error(x):
    error = minidl.gradcheck(linear(wrong()), x, rng=1)
    assert 0 < error < 1e-8
    with pytest.raises(minidl.GradientError, match=r"tolerance 1\.0e-15"):
        minidl.gradcheck(linear(wrong()), x, rng=1, tolerance=1e-15)
    assert issubclass(minidl.GradientError, AssertionError)


def test_the_distance_can_be_chosen():
    x = np.array([[0.5, -0.25]])
    assert minidl.gradcheck(minidl.ReLU(), x, eps=0.1) < 1e-12
    with pytest.raises(minidl.GradientError):
        minidl.gradcheck(minidl.ReLU(), x, eps=0.4)  # reaches over the kink


def test_the_seed_gives_the_upstream_gradient(x):
    errors = [minidl.gradcheck(linear(wrong()), x, rng=seed) for seed in (1, np.random.default_rng(1), 2)]
    assert errors[0] == errors[1] != errors[2]


def test_neither_module_nor_input_is_changed(network, rng, unchanged):
    model, x = network(dtype="float64"), rng.standard_normal((4, 3))
    model(x)
    model.backward(rng.standard_normal((4, 2)))
    with unchanged(model, x):
        minidl.gradcheck(model, x)


@pytest.mark.parametrize(
    ("module", "x"),
    [
        (minidl.Linear(3, 3), np.ones((3, 3))),
        (minidl.Linear(3, 3, dtype="float64"), np.ones((3, 3), np.float32)),
        (minidl.Tanh(), np.ones(3, np.float16)),
    ],
)
def test_less_than_float64_is_refused(module, x):
    with pytest.raises(TypeError, match=rf"gradcheck: expected float64 throughout, got x {x.dtype} \({x.shape[0]},"):
        minidl.gradcheck(module, x)
    with pytest.raises(TypeError, match=r"gradcheck: expected x .* got int64"):
        minidl.gradcheck(module, np.ones((3, 3), int))


class TestLosses:
    def test_every_loss_passes(self, every_loss):
        rng = np.random.default_rng(0)
        loss = every_loss("mean")
        f = rng.uniform(0.1, 0.9, (4, 2))
        y = rng.dirichlet(np.ones(2), 4)[:, : loss.target_shape((4, 2))[-1]]
        assert minidl.gradcheck(loss, f, target=y) < 1e-6

    def test_weights_are_checked_too(self):
        class Forgetful(minidl.Loss):
            def forward(self, prediction, target, *, replicate_axes=0, weight=None):
                diff = prediction - target
                return self.save_for_backward(self.reduce(diff * diff, replicate_axes, weight), diff)

            def backward(self):
                return 2 * self.saved()[0]

        f, y, weight = np.ones((3, 2)), np.zeros((3, 2)), np.array([1.0, 2.0, 0.5])
        assert minidl.gradcheck(minidl.MSELoss("mean"), f, target=y, weight=weight) < 1e-6
        minidl.gradcheck(Forgetful(), f, target=y)
        with pytest.raises(minidl.GradientError, match="Forgetful"):
            minidl.gradcheck(Forgetful(), f, target=y, weight=weight)

    def test_a_wrong_gradient_is_named_and_the_loss_is_not_changed(self):
        class Wrong(minidl.MSELoss):
            def backward(self):
                return -super().backward()

        loss = Wrong()
        with pytest.raises(minidl.GradientError, match=r"Wrong\(sum\): dL/dprediction\[0, 0\]: backward gives"):
            minidl.gradcheck(loss, np.ones((2, 2)), target=np.zeros((2, 2)))
        with pytest.raises(ValueError, match="backward before forward"):
            loss.backward()

    def test_a_gradient_of_another_shape_is_named(self):
        class Flat(minidl.MSELoss):
            def backward(self):
                return super().backward().ravel()

        with pytest.raises(minidl.GradientError, match=r"expected backward to return an array of shape \(2, 2\)"):
            minidl.gradcheck(Flat(), np.ones((2, 2)), target=np.zeros((2, 2)))

    def test_a_target_goes_with_a_loss_alone(self):
        x = np.ones((2, 2))
        for thing, target in ((minidl.MSELoss(), None), (minidl.Tanh(), x)):
            with pytest.raises(TypeError, match="gradcheck: expected a target with a loss"):
                minidl.gradcheck(thing, x, target=target)
        with pytest.raises(TypeError, match="gradcheck: expected float64 throughout"):
            minidl.gradcheck(minidl.MSELoss(), x.astype(np.float32), target=x.astype(np.float32))
