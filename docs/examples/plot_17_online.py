"""
Learning online
===============

A stream of measurements may change while it is learned, so there is no data set to go through again. ``train_step``
takes one sample at a time. This page shows networks that follow a drifting target, and what the learning rate decides:
how fast they follow, and how much of the noise they follow.
"""

import matplotlib.pyplot as plt
import numpy as np

import minidl

STEPS, STILL, NOISE = 12000, 4000, 0.3
RATES = np.array([0.001, 0.01, 0.03])
rng = np.random.default_rng(0)


def phase(step):
    """Return the phase of the target: it stands still at first, and drifts from then on."""
    return 2 * np.pi * max(0, step - STILL) / (STEPS - STILL)


def target(x, step):
    """Return the target without noise."""
    return np.sin(3 * x + phase(step))


def build(rng):
    """Build a network with one hidden layer."""
    return minidl.Sequential(
        [
            minidl.Linear(1, 32, std_w=2, std_b=1, rng=rng),
            minidl.Tanh(),
            minidl.Linear(32, 1, init="lecun", rng=rng),
        ]
    )


# %%
# Three replicates start from the same weights, and each has its own learning rate. Every step draws a sample, adds
# noise to its target, and trains with it. ``train_step`` returns the loss before the step, so each sample tests the
# networks before it trains them. A copy of the middle network is set aside when the drift begins.

model = minidl.replicate(build, [0] * len(RATES))
loss, optimizer = minidl.MSELoss(), minidl.SGD(model, lr=RATES)
grid = np.linspace(-1, 1, 101, dtype=np.float32)[:, None]
moments = [STILL, 7000, 10000]
errors, snapshots = np.empty((STEPS, len(RATES))), {}
inputs, targets = np.empty((2, STEPS, 1), np.float32)
for step in range(STEPS):
    if step == STILL:
        frozen = minidl.unstack(model)[1]
    inputs[step] = rng.uniform(-1, 1)
    targets[step] = target(inputs[step], step) + rng.normal(0, NOISE)
    errors[step] = minidl.train_step(model, loss, optimizer, inputs[[step]], targets[[step]])
    if step in moments:
        snapshots[step] = minidl.predict(model, grid)[..., 0]
frozen_errors = np.square(minidl.predict(frozen, inputs) - targets)[:, 0]

# %%
# The mean squared error in the second half of both phases. Noise alone gives the square of its deviation.


def second_half(values, start, stop):
    """Return the mean over the second half of a phase."""
    return values[(start + stop) // 2 : stop].mean(axis=0)


print(f"noise alone: {NOISE**2:.4f}")
before, after = second_half(errors, 0, STILL), second_half(errors, STILL, STEPS)
for rate, first, second in zip(RATES, before, after, strict=True):
    print(f"learning rate {rate:5}: target at rest {first:.4f}, drifting {second:.4f}")
print(f"not trained any more: drifting {second_half(frozen_errors, STILL, STEPS):.4f}")

# %%
# The smallest rate lags behind the target, and the largest one is disturbed by the noise of the last samples. The
# network that is not trained any more is wrong until the target comes round again.
#
# Top: the squared error before each step, as a mean over the last 300 steps. The drift begins at the vertical line.
# Below: the target and the networks, when the drift begins and at two moments of it.

figure = plt.figure(figsize=(10, 6))
axes = figure.subplot_mosaic([["errors"] * 3, ["a", "b", "c"]])
top, window = axes["errors"], np.ones(300) / 300
styles = ("-.", "-", "--")
for i, (rate, dashes) in enumerate(zip(RATES, styles, strict=True)):
    means = np.convolve(errors[:, i], window, "valid")
    top.plot(np.arange(299, STEPS)[::20], means[::20], dashes, label=f"learning rate {rate:g}")
smooth = np.convolve(frozen_errors[STILL:], window, "valid")
top.plot(np.arange(STILL + 299, STEPS)[::20], smooth[::20], ":", color="C3", lw=2, label="not trained any more")
top.axhline(NOISE**2, color="black", lw=1, label="noise")
top.axvline(STILL, color="gray", lw=1)
top.set(xlabel="step", ylabel="squared error", yscale="log", ylim=(0.08, 8))
top.set_yticks([0.1, 0.3, 1], ["0.1", "0.3", "1"])
top.minorticks_off()
top.legend(loc="upper left", ncols=3, frameon=True, edgecolor="none", framealpha=1)
for name, (step, curves) in zip("abc", snapshots.items(), strict=True):
    axes[name].plot(grid, target(grid, step), color="black", lw=3, alpha=0.35, label="target")
    for i, dashes in enumerate(styles):
        axes[name].plot(grid, curves[i], dashes, color=f"C{i}")
    axes[name].set(xlabel="x", title=f"step {step}", ylim=(-1.6, 1.6))
axes["a"].set_ylabel("y")
axes["a"].legend()
plt.show()
