"""
A hundred seeds at once
=======================

One training says little: another seed, and the number is another. ``replicate`` joins a network per seed into one
module, and one call of ``fit`` trains them all.
"""

import time
from importlib.util import find_spec

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

SEEDS = range(100)
(x, y), test = minidl_data.load_disk(3)


def build(rng):
    """Build a network whose weights are drawn from rng."""
    return minidl.Sequential(
        [
            minidl.Linear(2, 25, rng=rng),
            minidl.Tanh(),
            minidl.Linear(25, 25, rng=rng),
            minidl.Tanh(),
            minidl.Linear(25, 2, rng=rng),
        ]
    )


def train(model, rng, engine="numpy"):
    """Train for 40 epochs; return the history and the seconds that it took."""
    start = time.perf_counter()
    optimizer = minidl.Adam(model, lr=0.003)
    history = minidl.fit(
        model,
        minidl.CrossEntropyLoss(),
        optimizer,
        x,
        y,
        epochs=40,
        batch_size=50,
        validation=test,
        rng=rng,
        engine=engine,
    )
    return history, time.perf_counter() - start


# %%
# A list of seeds for ``rng`` gives each network its own order of the data. On NumPy most of a small step is overhead,
# which a hundred networks share: they take the time of far fewer, trained one after another.

history, together = train(minidl.replicate(build, SEEDS), list(SEEDS))
alone, single = train(build(np.random.default_rng(7)), 7)
print(f"100 networks: {together:.1f} s, one: {single:.2f} s, so a hundred for {together / single:.0f} times one")

# %%
# The compiled engine, which ``engine="auto"`` chooses where it is installed, has no such overhead to share. What
# replicates give there is one call for all seeds, spread over the cores of the processor.

if find_spec("minidl_native"):
    _, together = train(minidl.replicate(build, SEEDS), list(SEEDS), engine="native")
    _, single = train(build(np.random.default_rng(7)), 7, engine="native")
    print(f"with the engine, 100 networks: {together:.2f} s, one: {single:.3f} s")

# %%
# Network 7 of the hundred is the network of seed 7. Its accuracies are the same, up to the rounding of sums in another
# order.

difference = np.abs(history.curve("val_accuracy")[:, 7] - alone.curve("val_accuracy"))
print(f"largest difference of test accuracy in any epoch: {100 * difference.max():.2f} points")

# %%
# Median and bands over the seeds, and where the hundred networks end.

accuracy = 100 * history.curve("val_accuracy")
epochs = np.arange(1, len(history) + 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.8), width_ratios=(3, 2))
for low, high, alpha, label in ((0.05, 0.95, 0.2, "5 % to 95 % of the seeds"), (0.25, 0.75, 0.35, "the middle half")):
    left.fill_between(epochs, *np.quantile(accuracy, [low, high], axis=1), color="C0", alpha=alpha, lw=0, label=label)
left.plot(epochs, np.median(accuracy, axis=1), label="median")
left.set(xlabel="epoch", ylabel="test accuracy (%)")
left.legend(loc="lower right")
right.hist(accuracy[-1], bins=np.arange(accuracy[-1].min() - 0.1, 100, 0.2), color="C0")
right.axvline(np.median(accuracy[-1]), color="C1", ls="--", label=f"median {np.median(accuracy[-1]):.1f} %")
right.set(xlabel="test accuracy after the last epoch (%)", ylabel="networks")
right.legend()
plt.show()
