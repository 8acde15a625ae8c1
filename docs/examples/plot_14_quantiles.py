"""
Quantiles
=========

A prediction without its uncertainty is of little use where the noise differs from place to place. ``QuantileLoss``
trains one network for several quantiles at once, one output for each. Two quantiles are the ends of a band: between
those for 5 % and 95 % there should be 90 % of the targets.
"""

import matplotlib.pyplot as plt
import numpy as np

import minidl

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SAMPLES, TEST, EPOCHS = 3000, 20000, 100
rng = np.random.default_rng(0)


def draw(n):
    """Draw n points of a sine whose noise grows with x."""
    x = rng.uniform(0, 1, (n, 1))
    y = np.sin(6 * x) + rng.normal(0, 0.05 + 0.6 * x**2)
    return x.astype(np.float32), y.astype(np.float32)


x, y = draw(SAMPLES)
x_test, y_test = draw(TEST)


def train(loss, outputs):
    """Train a network with the given number of outputs; the learning rate falls to 0."""
    rng = np.random.default_rng(1)
    model = minidl.Sequential(
        [
            minidl.Linear(1, 32, std_b=1, rng=rng),
            minidl.Tanh(),
            minidl.Linear(32, 32, init="lecun", rng=rng),
            minidl.Tanh(),
            minidl.Linear(32, outputs, init="lecun", rng=rng),
        ]
    )
    rate = minidl.CosineSchedule(0.01, EPOCHS * SAMPLES // 50)
    minidl.fit(model, loss, minidl.Adam(model, lr=rate), x, y, epochs=EPOCHS, batch_size=50, rng=rng)
    return model


model = train(minidl.QuantileLoss("mean", quantiles=QUANTILES), len(QUANTILES))
predicted = minidl.predict(model, x_test)

# %%
# The share of the test targets below each quantile, and between the outermost two:

below = (y_test <= predicted).mean(axis=0)
for quantile, share in zip(QUANTILES, below, strict=True):
    print(f"quantile {quantile:.2f}: {100 * share:5.1f} % of the targets below")
inside = (predicted[:, 0] < y_test[:, 0]) & (y_test[:, 0] <= predicted[:, -1])
print(f"band: {100 * inside.mean():.1f} % inside, nominal {100 * (QUANTILES[-1] - QUANTILES[0]):.0f} %")
crossed = (np.diff(predicted, axis=1) < 0).any(axis=1)
print(f"quantiles that cross each other: at {100 * crossed.mean():.1f} % of the inputs")

# %%
# For comparison, a network is trained with the squared error, and its band has the same width everywhere: the quantiles
# of its errors on the training set, added to its prediction.

center = train(minidl.MSELoss("mean"), 1)
low, high = np.quantile(y - minidl.predict(center, x), [QUANTILES[0], QUANTILES[-1]])
error = (y_test - minidl.predict(center, x_test))[:, 0]
inside_constant = (low < error) & (error <= high)
print(f"band of constant width: {100 * inside_constant.mean():.1f} % inside")

# %%
# Both bands contain about the nominal share of all targets. The difference is where: the band of constant width is too
# wide at the left, where nothing lies outside, and too narrow at the right. Left: the band of the quantiles, and the
# band of constant width as dotted lines, with some test points. Middle: the share inside the bands by the input. Right:
# the share of the targets below each quantile; on the line it is the nominal one.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 4), width_ratios=(4, 3, 3))
grid = np.linspace(0, 1, 200, dtype=np.float32)[:, None]
q = minidl.predict(model, grid)
left.plot(x_test[:600], y_test[:600], ".", ms=3, color="gray", alpha=0.6)
left.fill_between(grid[:, 0], q[:, 0], q[:, -1], color="C0", alpha=0.2, lw=0, label="5 % to 95 %")
left.fill_between(grid[:, 0], q[:, 1], q[:, -2], color="C0", alpha=0.35, lw=0, label="25 % to 75 %")
left.plot(grid, q[:, 2], color="C0", label="median")
constant = minidl.predict(center, grid)
left.plot(grid, constant + low, ":", color="C1", lw=2, label="constant width")
left.plot(grid, constant + high, ":", color="C1", lw=2)
left.set(xlabel="x", ylabel="y")
left.legend(loc="lower left")
edges = np.linspace(0, 1, 11)
bins = np.digitize(x_test[:, 0], edges[1:-1])
for hits, style, label in ((inside, "C0o-", "quantiles"), (inside_constant, "C1s:", "constant width")):
    share = np.bincount(bins, hits) / np.bincount(bins)
    middle.plot((edges[1:] + edges[:-1]) / 2, 100 * share, style, ms=4, label=label)
middle.axhline(100 * (QUANTILES[-1] - QUANTILES[0]), color="black", ls="--", lw=1, label="nominal")
middle.set(xlabel="x", ylabel="test targets inside (%)", ylim=(50, 102))
middle.legend(loc="lower left")
right.plot([0, 100], [0, 100], "k--", lw=1, label="nominal")
right.plot(100 * np.array(QUANTILES), 100 * below, "o", color="C0", label="measured")
right.set(xlabel="quantile (%)", ylabel="test targets below (%)", aspect="equal")
right.legend()
plt.show()
