r"""
Your own loss
=============

A loss of your own is a class with two methods: ``forward`` returns its value, and ``backward`` its gradient. This page
derives log-cosh, which is quadratic for small errors and linear for large ones. ``gradcheck`` compares the two methods
with each other, and ``fit`` trains with the loss as with any other.
"""

import matplotlib.pyplot as plt
import numpy as np

import minidl

SEEDS, EPOCHS, SAMPLES = list(range(20)), 150, 300

# %%
# **Value.** With :math:`d = f - y` and a width :math:`s`, each element costs
#
# .. math:: \ell = s^2 \log \cosh (d / s) .
#
# For small :math:`d` this is :math:`d^2 / 2`, and for large ones :math:`s |d|` minus a constant. The hyperbolic cosine
# overflows early, in float32 at 89. With :math:`a = |d / s|`, its logarithm is
#
# .. math::
#
#    \log \cosh a &= \log \frac{e^a + e^{-a}}{2} \\
#    &= a + \log(1 + e^{-2a}) - \log 2 ,
#
# where no exponent is positive.
#
# **Gradient.** The derivative of :math:`\log \cosh` is :math:`\sinh / \cosh = \tanh`, so
#
# .. math:: \frac{\partial \ell}{\partial f} = s \tanh (d / s) .
#
# No sample pulls with more than :math:`s`.


class LogCoshLoss(minidl.Loss):
    """Logarithm of the hyperbolic cosine: ``s² log cosh((f - y) / s)`` for each element."""

    settings = ("s",)  # shown when the loss is printed

    def __init__(self, reduction="sum", *, s=1.0):
        super().__init__(reduction)
        self.s = s

    def forward(self, prediction, target, *, replicate_axes=0, weight=None):
        """Return the sum or the mean of ``s² (a + log(1 + exp(-2a)) - log 2)`` with ``a = |f - y| / s``."""
        self.check(prediction, target, replicate_axes)
        scaled = (prediction - target) / self.s
        a = np.abs(scaled)
        terms = self.s**2 * (a + np.log1p(np.exp(-2 * a)) - np.log(2).astype(a.dtype))
        return self.save_for_backward(self.reduce(terms, replicate_axes, weight), scaled)

    def backward(self):
        """Return ``dL/df = s tanh((f - y) / s)``, times the factor of each term."""
        (scaled,) = self.saved()
        return self.s * np.tanh(scaled) * self.term_weight


# %%
# ``check`` refuses targets that do not fit the prediction, ``reduce`` sums or averages the terms and applies the
# weights of samples, and ``term_weight`` is the factor that this gives each term. The base class does the rest.
#
# ``gradcheck`` compares ``backward`` with central differences of ``forward``, here also with weights. It returns the
# largest error, and raises ``GradientError`` if that is above 1e-6.

rng = np.random.default_rng(0)
prediction, target = 3 * rng.standard_normal((2, 5, 2))
for reduction in ("sum", "mean"):
    loss = LogCoshLoss(reduction, s=0.5)
    error = minidl.gradcheck(loss, prediction, target=target)
    weighted = minidl.gradcheck(loss, prediction, target=target, weight=rng.uniform(0, 2, 5))
    print(f"{loss}: largest error {error:.1e}, with weights {weighted:.1e}")


class Wrong(LogCoshLoss):
    """A gradient whose factor was forgotten."""

    def backward(self):
        """Return the hyperbolic tangent alone."""
        (scaled,) = self.saved()
        return np.tanh(scaled) * self.term_weight


try:
    minidl.gradcheck(Wrong(s=0.5), prediction, target=target)
except minidl.GradientError as error:
    print("GradientError:", error)

# %%
# **Training.** One sample in seven has a target that is too high. Twenty networks are trained with each of three
# losses, as replicates.

x = rng.uniform(-1, 1, (SAMPLES, 1)).astype(np.float32)
y = (np.sin(4 * x) + rng.normal(0, 0.1, x.shape)).astype(np.float32)
high = rng.random(SAMPLES) < 1 / 7
y[high] += rng.uniform(1, 4, (high.sum(), 1)).astype(np.float32)
grid = np.linspace(-1, 1, 201, dtype=np.float32)[:, None]
truth = np.sin(4 * grid)


def build(rng):
    """Build a network with two hidden layers."""
    return minidl.Sequential(
        [
            minidl.Linear(1, 32, std_b=1, rng=rng),
            minidl.Tanh(),
            minidl.Linear(32, 32, init="lecun", rng=rng),
            minidl.Tanh(),
            minidl.Linear(32, 1, init="lecun", rng=rng),
        ]
    )


S = 0.2
LOSSES = {
    "squared error": minidl.MSELoss("mean"),
    "Huber": minidl.HuberLoss("mean", delta=S),
    "log-cosh": LogCoshLoss("mean", s=S),
}
curves = {}
for name, loss in LOSSES.items():
    model = minidl.replicate(build, SEEDS)
    optimizer = minidl.Adam(model, minidl.CosineSchedule(0.01, EPOCHS * SAMPLES // 20))
    history = minidl.fit(model, loss, optimizer, x, y, epochs=EPOCHS, batch_size=20, rng=0)
    curves[name] = minidl.predict(model, grid)[..., 0]
    off = np.sqrt(np.square(curves[name] - truth[:, 0]).mean(axis=-1))
    print(f"{name:13}: distance from the sine (RMS) {off.mean():.3f} ± {off.std(ddof=1):.3f}, engine {history.engine}")

# %%
# The squared error follows the mean of the targets, which the high ones lift. Both other losses stay near the sine, and
# differ little from each other.
#
# A loss that the compiled engine does not know runs on NumPy, together with the layers; the optimizer's steps still run
# in the compiled engine. ``History.engine`` says so.
#
# Left and middle: value and gradient of the losses for one element; of the squared error, half, so that all three agree
# near 0. Right: the mean of the twenty networks.


def of_one_element(loss, errors):
    """Return value and gradient of a loss for single errors."""
    value = [loss(np.array([[error]]), np.zeros((1, 1))) for error in errors]
    loss(errors[:, None], np.zeros((len(errors), 1)))
    return np.array(value), len(errors) * loss.backward()[:, 0]  # the mean has divided by their number


figure, axes = plt.subplots(1, 3, figsize=(11, 4), width_ratios=(1, 1, 1.5))
errors = np.linspace(-1, 1, 401)
axes[2].plot(x, y, ".", color="gray", ms=3, alpha=0.7, label="samples")
axes[2].plot(grid, truth, "k:", lw=2, label="sine")
for (name, loss), style in zip(LOSSES.items(), ("C1--", "C2-.", "C0-"), strict=True):
    value, gradient = of_one_element(loss, errors)
    factor = 0.5 if name == "squared error" else 1.0
    axes[0].plot(errors, factor * value, style, label=name)
    axes[1].plot(errors, factor * gradient, style)
    axes[2].plot(grid, curves[name].mean(axis=0), style, label=name)
axes[0].set(xlabel="error f - y", ylabel="loss", ylim=(0, 0.3))
axes[1].set(xlabel="error f - y", ylabel="gradient", ylim=(-0.6, 0.6))
axes[2].set(xlabel="x", ylabel="y", ylim=(-1.5, 6.5))
axes[2].locator_params(axis="x", nbins=5)
axes[0].legend(loc="upper center")
axes[2].legend(loc="upper center", ncols=2)
plt.show()
