"""
Fine-tuning
===========

A network that was trained with many samples of one task knows features that are useful for a similar task with few
samples. Its layers are taken over and frozen, and a new last layer is trained on top of them. ``freeze()`` takes a
layer out of the training, and ``unfreeze()`` puts it back.

The data are scikit-learn's handwritten digits. The first task is to name the digit, with half of the images. The second
task is to say whether the digit has a closed loop, as 0, 6, 8 and 9 have, and only few images have that label.
"""

import copy

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import minidl

SEEDS, EPOCHS, LABELLED = list(range(20)), 60, (10, 20, 40, 80)
digits = load_digits()
order = np.random.default_rng(0).permutation(len(digits.target))
x, digit = (digits.data / 16).astype(np.float32)[order], digits.target[order]
loop = np.isin(digit, (0, 6, 8, 9))[:, None].astype(np.float32)
first, pool, test = slice(0, 900), slice(900, 1200), slice(1200, None)
print(f"first task: {len(x[first])} images; second task: {LABELLED} of {len(x[pool])}, tested with {len(x[test])}")


def hidden(rng):
    """Build the hidden layers."""
    return minidl.Sequential(
        [minidl.Linear(64, 64, rng=rng), minidl.ReLU(), minidl.Linear(64, 32, rng=rng), minidl.ReLU()]
    )


# %%
# The first task is an ordinary training. Of the network, only the hidden layers are used from here on.

rng = np.random.default_rng(0)
body = hidden(rng)
model = minidl.Sequential([body, minidl.Linear(32, 10, rng=rng)])
loss = minidl.CrossEntropyLoss("mean")
minidl.fit(model, loss, minidl.Adam(model), x[first], digit[first], epochs=30, batch_size=32, rng=rng)
accuracy = minidl.evaluate(model, loss, x[test], digit[test]).accuracy
print(f"first task: test accuracy {100 * accuracy:.1f} %")

# %%
# The second task has a network for each seed, with its own images and its own new last layer, as replicates of one
# training. ``build`` copies the hidden layers, so that the networks do not share them.


def build(rng):
    """Build a network for the second task on the hidden layers of the first one."""
    return minidl.Sequential([copy.deepcopy(body), minidl.Linear(32, 1, init="lecun", rng=rng)])


def build_anew(rng):
    """Build the same network with random hidden layers."""
    return minidl.Sequential([hidden(rng), minidl.Linear(32, 1, init="lecun", rng=rng)])


def draw(count, seed):
    """Return some images of the pool with the label of the second task."""
    rows = np.random.default_rng(seed).choice(len(x[pool]), count, replace=False)
    return x[pool][rows], loop[pool][rows]


def train(model, data, epochs, lr):
    """Train the networks further, and return the test accuracy of each epoch in percent."""
    history = minidl.fit(
        model,
        minidl.BCEWithLogitsLoss("mean"),
        minidl.Adam(model, lr=lr),
        *data,
        epochs=epochs,
        batch_size=10,
        validation=(x[test], loop[test]),
        rng=SEEDS,
    )
    return 100 * history.curve("val_accuracy")


# %%
# Three ways to train it:
#
# - *all layers anew*: the hidden layers start at random, so only the few images teach them;
# - *frozen*: the layers of the first task stay as they are, bit for bit, and only the new last layer is trained;
# - *frozen, then unfrozen*: in the second half all layers are trained with a small learning rate. The new layer has
#   found its place by then, so its first gradients, which are large, do not spoil the others.

curves = {}
for count in LABELLED:
    data = tuple(map(np.stack, zip(*(draw(count, seed) for seed in SEEDS), strict=True)))
    model = minidl.replicate(build_anew, SEEDS)
    curves["all layers anew", count] = train(model, data, EPOCHS, 0.003)

    model = minidl.replicate(build, SEEDS)
    model[0].freeze()
    before = model[0].values.copy()
    half = train(model, data, EPOCHS // 2, 0.01)
    if not np.array_equal(model[0].values, before):
        raise AssertionError("a frozen layer has changed")
    unfrozen = copy.deepcopy(model)
    curves["frozen", count] = np.concatenate([half, train(model, data, EPOCHS // 2, 0.01)])

    unfrozen[0].unfreeze()
    curves["frozen, then unfrozen", count] = np.concatenate([half, train(unfrozen, data, EPOCHS // 2, 0.001)])

for (name, count), curve in curves.items():
    print(f"{count:3} images, {name:23} {curve[-1].mean():.1f} ± {curve[-1].std(ddof=1) / len(SEEDS) ** 0.5:.1f} %")
if not curves["frozen", 20][-1].mean() > curves["all layers anew", 20][-1].mean() + 2:
    raise AssertionError("the layers of the first task did not help")

# %%
# With few images, the frozen layers are worth several percent, and training them further gains nothing. With 80 images,
# there is enough to improve them, and the networks that were unfrozen are the best ones. The more images there are, the
# less is gained over networks that start anew.
#
# Left: the test accuracy by the number of images of the second task, mean over the seeds with its standard error.
# Middle: the accuracy by epoch with the most images; the layers are unfrozen at the vertical line. Right: images of the
# second task.

STYLES = {"all layers anew": "C1s--", "frozen": "C0o-", "frozen, then unfrozen": "C2^-."}
figure = plt.figure(figsize=(11, 4))
places = [["left"] * 4 + ["middle"] * 4 + [f"{row}{column}" for column in range(3)] for row in ("loop", "no loop")]
axes = figure.subplot_mosaic(places, width_ratios=[1] * 8 + [0.75] * 3)
for name, style in STYLES.items():
    last = [curves[name, count][-1] for count in LABELLED]
    means, errors = np.mean(last, axis=1), np.std(last, axis=1, ddof=1) / len(SEEDS) ** 0.5
    axes["left"].errorbar(LABELLED, means, errors, fmt=style, capsize=3, label=name)
    curve = curves[name, LABELLED[-1]].mean(axis=1)
    axes["middle"].plot(np.arange(1, EPOCHS + 1), curve, style, ms=4, markevery=6)
axes["middle"].axvline(EPOCHS // 2 + 0.5, color="gray", lw=1)
axes["left"].set(xlabel="images of the second task", ylabel="test accuracy (%)", xscale="log")
axes["left"].set_xticks(LABELLED, LABELLED, minor=False)
axes["left"].minorticks_off()
axes["left"].legend()
axes["middle"].set(xlabel="epoch", ylabel="test accuracy (%)", title=f"{LABELLED[-1]} images", ylim=(80, 94))
for name, shown in {"loop": (0, 6, 9), "no loop": (2, 5, 7)}.items():
    for column, row in enumerate(np.flatnonzero(digit == one)[0] for one in shown):
        axes[f"{name}{column}"].imshow(x[row].reshape(8, 8), cmap="gray_r")
        axes[f"{name}{column}"].set_axis_off()
    axes[f"{name}1"].set_title(name)
plt.show()
