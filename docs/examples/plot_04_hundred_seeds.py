"""
A hundred seeds at once
=======================

The result of a single training depends on its seed. ``replicate`` joins one network per seed into one module, and one
call of ``fit`` trains all of them.
"""

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


def train(model, rng):
    """Train for 40 epochs, and return the history."""
    return minidl.fit(
        model,
        minidl.CrossEntropyLoss(),
        minidl.Adam(model, lr=0.003),
        x,
        y,
        epochs=40,
        batch_size=50,
        validation=test,
        rng=rng,
    )


# %%
# A list of seeds for ``rng`` gives each network its own order of the samples. For small networks most of NumPy's time
# is call overhead, which the replicates share. :doc:`/modules/replicates` explains how, and :doc:`/benchmarks` measures
# the gain.

model = minidl.replicate(build, SEEDS)
history = train(model, list(SEEDS))
print(history)
print("loss per epoch and network:", history.curve("loss").shape)

# %%
# Replicate 7 is the network of seed 7. Trained alone, that network has the same accuracies, up to the rounding of sums
# in another order.

alone = train(build(np.random.default_rng(7)), 7)
difference = np.abs(history.curve("val_accuracy")[:, 7] - alone.curve("val_accuracy"))
print(f"largest difference of test accuracy in any epoch: {100 * difference.max():.2f} points")

# %%
# Left: median and quantiles of the accuracy over the seeds. Right: the distribution of the final accuracies.

accuracy = 100 * history.curve("val_accuracy")
epochs = np.arange(1, len(history) + 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.8), width_ratios=(3, 2))
for low, high, alpha, label in (
    (0.05, 0.95, 0.2, "5 % to 95 % of the seeds"),
    (0.25, 0.75, 0.35, "25 % to 75 % of the seeds"),
):
    left.fill_between(epochs, *np.quantile(accuracy, [low, high], axis=1), color="C0", alpha=alpha, lw=0, label=label)
left.plot(epochs, np.median(accuracy, axis=1), label="median")
left.set(xlabel="epoch", ylabel="test accuracy (%)")
left.legend(loc="lower right")
right.hist(accuracy[-1], bins=np.arange(accuracy[-1].min() - 0.1, 100, 0.2), color="C0")
right.axvline(np.median(accuracy[-1]), color="C1", ls="--", label=f"median {np.median(accuracy[-1]):.1f} %")
right.set(xlabel="test accuracy after the last epoch (%)", ylabel="networks")
right.legend()
plt.show()
