"""
Choosing an optimizer
=====================

Four optimizers train the same network from the same weights, in the same order, at several learning rates each. What
counts is not only how good the best rate is, but how many rates are nearly as good.

The loss is a sum over the batch, as everywhere in minidl unless ``reduction="mean"`` is asked for: rates of SGD are
smaller here by the batch size, 50, than they would be for a mean. To Adam it makes no difference.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

(x, y), test = minidl_data.load_disk(2)
RATES = np.geomspace(1e-5, 1, 16)


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
# One replicate per learning rate, all from the seed 0: each optimizer's sweep is a single training. Some of the large
# rates diverge. ``fit`` warns of it, freezes those networks and trains the others on.

OPTIMIZERS = {
    "SGD": lambda model: minidl.SGD(model, lr=RATES),
    "SGD, momentum 0.9": lambda model: minidl.SGD(model, lr=RATES, momentum=0.9),
    "SGD, decaying": lambda model: minidl.SGD(model, eta=RATES, kappa=0.6),
    "Adam": lambda model: minidl.Adam(model, lr=RATES),
}

histories = {}
for name, make in OPTIMIZERS.items():
    model = minidl.replicate(build, [0] * len(RATES))
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning), np.errstate(all="ignore"):
        histories[name] = minidl.fit(
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

# %%
# Left, what each rate has come to after 30 epochs. Right, the course of the best rate of each optimizer.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.6), sharey=True)
for (name, history), marker, dashes in zip(histories.items(), "os^D", ("-", "--", "-.", "-"), strict=True):
    accuracy = 100 * history.curve("val_accuracy")
    best = int(np.nanargmax(accuracy[-1]))
    left.plot(RATES, accuracy[-1], dashes, marker=marker, markersize=5, label=name)
    right.plot(np.arange(1, 31), accuracy[:, best], dashes, label=f"{RATES[best]:.2g}")
left.set(xscale="log", xlabel="learning rate (for the decaying one: $\\eta$)", ylabel="test accuracy (%)")
left.set_title("after 30 epochs")
right.set(xlabel="epoch", title="with the best rate of each")
right.legend(loc="lower right", title="learning rate")
figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
plt.show()

# %%
# Adam's steps have about the same size whatever the gradients are, and it does well over the widest range of rates. SGD
# gets as far with a rate that suits it.

for name, history in histories.items():
    final = np.nan_to_num(history.curve("val_accuracy")[-1])
    good = RATES[final > final.max() - 0.02]
    print(
        f"{name:18} best {100 * final.max():.1f} %, within two points of it from {good.min():.1e} to {good.max():.1e}"
    )
