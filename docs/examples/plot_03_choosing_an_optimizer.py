"""
Choosing an optimizer
=====================

Four optimizers train the same networks, from the same weights and on the same batches, with 16 learning rates each. An
optimizer is easy to use if many learning rates are nearly as good as the best one.

The loss is a sum over the batch, the default of minidl. Good learning rates of SGD are therefore smaller than for a
mean, by a factor of the batch size, 50. Adam's steps do not depend on the scale of the loss.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

(x, y), test = minidl_data.load_disk(2)
RATES, SEEDS = np.geomspace(1e-5, 1, 16), 10
rates = np.repeat(RATES, SEEDS)
seeds = np.tile(np.arange(SEEDS), len(RATES))


def build(rng):
    """Build the network of the first example."""
    return minidl.Sequential(
        [
            minidl.Linear(2, 25, rng=rng),
            minidl.ReLU(),
            minidl.Linear(25, 25, rng=rng),
            minidl.ReLU(),
            minidl.Linear(25, 2, rng=rng),
        ]
    )


# %%
# Each pair of a learning rate and a seed is one replicate, so the sweep of an optimizer is a single training. Some
# networks with large learning rates diverge. ``fit`` warns, freezes these networks and trains the others on. Here they
# count as accuracy 0.

OPTIMIZERS = {
    "SGD": lambda model: minidl.SGD(model, lr=rates),
    "SGD, momentum 0.9": lambda model: minidl.SGD(model, lr=rates, momentum=0.9),
    "SGD, decaying": lambda model: minidl.SGD(model, eta=rates, kappa=0.6),
    "Adam": lambda model: minidl.Adam(model, lr=rates),
}

accuracies = {}
for name, make in OPTIMIZERS.items():
    model = minidl.replicate(build, seeds)
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning), np.errstate(all="ignore"):
        history = minidl.fit(
            model,
            minidl.CrossEntropyLoss(),
            make(model),
            x,
            y,
            epochs=30,
            batch_size=50,
            validation=test,
            rng=0,
        )
    accuracy = 100 * np.nan_to_num(history.curve("val_accuracy"))
    accuracies[name] = np.median(accuracy.reshape(30, len(RATES), SEEDS), axis=-1)

# %%
# Left: the accuracy of each learning rate after 30 epochs. Right: the accuracy per epoch with the best learning rate of
# each optimizer, which the legend names. Both are medians over the seeds.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.6), sharey=True)
for (name, accuracy), marker, dashes in zip(accuracies.items(), "os^D", ("-", "--", "-.", "-"), strict=True):
    best = int(accuracy[-1].argmax())
    left.plot(RATES, accuracy[-1], dashes, marker=marker, markersize=5, label=f"{name} (best: {RATES[best]:.2g})")
    right.plot(np.arange(1, 31), accuracy[:, best], dashes)
left.set(xscale="log", xlabel="learning rate (for the decaying one: $\\eta$)", ylabel="test accuracy (%)")
left.set_title("after 30 epochs")
right.set(xlabel="epoch", title="with the best learning rate of each")
figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
plt.show()

# %%
# The number of learning rates that come within two points of the best result of all optimizers:

best = max(accuracy[-1].max() for accuracy in accuracies.values())
good = {name: int((accuracy[-1] > best - 2).sum()) for name, accuracy in accuracies.items()}
for name, accuracy in accuracies.items():
    print(f"{name:18} best {accuracy[-1].max():.1f} %, within two points of {best:.1f} % at {good[name]} of 16 rates")

# %%
# Adam succeeds with more learning rates than the others, because its steps have about the same size whatever the scale
# of the gradients. Plain SGD fluctuates from epoch to epoch and comes within two points with none of the rates. The
# script checks both statements and fails if a change makes them untrue.

if good["SGD"] or good["Adam"] <= 2 * max(good["SGD, momentum 0.9"], good["SGD, decaying"]):
    raise AssertionError(good)
