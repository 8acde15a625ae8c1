"""
An ensemble that knows where it has no data
===========================================

Networks with different initial weights agree where they have samples, and disagree where they have none. Fifty
networks are trained as replicates of one training. Each predicts a mean and a variance with ``GaussianNLLLoss``: the
variance is the noise of the data, and the spread of the means is what the networks do not know (Lakshminarayanan and
others, 2017).
"""

import matplotlib.pyplot as plt
import numpy as np

import minidl

NETWORKS, EPOCHS, GAP, NOISE = 50, 400, (-0.5, 0.5), 0.15
rng = np.random.default_rng(0)
x = rng.uniform(-1.5, 1.5, (400, 1))
x = x[(x[:, 0] < GAP[0]) | (x[:, 0] > GAP[1])].astype(np.float32)
y = np.sin(4 * x) + rng.normal(0, NOISE, x.shape).astype(np.float32)
print(f"{len(x)} samples from -1.5 to 1.5, none from {GAP[0]} to {GAP[1]}")


def build(rng):
    """Build a network with two outputs: a mean, and the logarithm of a variance."""
    return minidl.Sequential(
        [
            minidl.Linear(1, 32, std_w=5, std_b=5, rng=rng),
            minidl.Tanh(),
            minidl.Linear(32, 32, init="lecun", rng=rng),
            minidl.Tanh(),
            minidl.Linear(32, 2, init="lecun", rng=rng),
        ]
    )


# %%
# The networks share the samples. Each has its own initial weights and its own order of the samples.

seeds = list(range(NETWORKS))
model = minidl.replicate(build, seeds)
loss = minidl.GaussianNLLLoss("mean")
history = minidl.fit(model, loss, minidl.Adam(model, lr=0.003), x, y, epochs=EPOCHS, batch_size=25, rng=seeds)
print(history)

# %%
# The variance of a prediction is the mean of the predicted variances, which is the noise, plus the variance of the
# means over the networks, which is the spread.

grid = np.linspace(-2, 2, 401, dtype=np.float32)[:, None]
predicted = minidl.predict(model, grid)
means = predicted[..., 0]
mean, spread = means.mean(axis=0), means.std(axis=0, ddof=1)
noise = np.exp(predicted[..., 1]).mean(axis=0) ** 0.5
total = np.hypot(noise, spread)

places = grid[:, 0]
in_gap = (places > GAP[0]) & (places < GAP[1])
outside = np.abs(places) > 1.5
for name, where in {"samples": ~in_gap & ~outside, "gap": in_gap, "outside": outside}.items():
    print(f"{name:8} spread, median {np.median(spread[where]):.3f}, largest {spread[where].max():.3f}")
print(f"predicted noise at the samples, median {np.median(noise[~in_gap & ~outside]):.3f}; true {NOISE}")

# %%
# Among the samples, the networks agree, and the predicted noise is about the true one. In the gap and outside, the
# spread is several times as large. It is a measure of doubt and not a guarantee: networks of one kind have the same
# inclinations, and all of them may be wrong in the same way. Far outside, the truth leaves the band.
#
# Left: the mean of the networks with two standard deviations on both sides, once with the spread alone and once with
# noise and spread; some of the networks as thin lines. The gap is gray. Right: the two parts of the deviation.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), width_ratios=(3, 2))
for axes in (left, right):
    axes.axvspan(*GAP, color="0.93", lw=0)
left.fill_between(places, mean - 2 * total, mean + 2 * total, color="C5", alpha=0.3, lw=0, label="noise and spread")
left.fill_between(places, mean - 2 * spread, mean + 2 * spread, color="C0", alpha=0.35, lw=0, label="spread")
left.plot(places, means[:8].T, color="C0", lw=0.5, alpha=0.6)
left.plot(x, y, ".", ms=4, color="C1", label="samples")
left.plot(places, np.sin(4 * places), "--", color="black", lw=1.2, label="truth")
left.plot(places, mean, color="C0", lw=2, label="mean")
left.set(xlabel="x", ylabel="y", ylim=(-2, 2.6))
left.legend(loc="upper center", ncols=3)
right.plot(places, spread, label="spread of the means")
right.plot(places, noise, "--", label="predicted noise")
right.axhline(NOISE, color="black", lw=1, ls=":", label="true noise")
right.set(xlabel="x", ylabel="standard deviation", ylim=(0, 0.6))
right.legend(loc="upper left")
plt.show()
