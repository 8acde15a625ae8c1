"""
Looking inside a network
========================

When a network does not learn, its loss does not say why. ``probe`` measures the outputs of each layer, and the gradient
and the next step of each parameter. ``Recorder`` does so after each epoch. This page shows two well-known faults: ReLUs
that die because the learning rate is too large, and gradients that vanish in a deep network of sigmoids.
"""

import warnings
from functools import partial

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

(x, y), (x_test, y_test) = minidl_data.load_disk(0)
x, x_test = 2 * x - 1, 2 * x_test - 1  # around 0: in the first layer no ReLU is dead from the beginning
SEEDS, EPOCHS = 10, 40


def build(activation, depth, gain, rng):
    """Build a network of hidden layers of 25 units, whose initial weights have the deviation gain / sqrt(n)."""
    layers = []
    for n in [2] + [25] * (depth - 1):
        layers += [minidl.Linear(n, 25, std_w=gain * n**-0.5, rng=rng), activation()]
    return minidl.Sequential([*layers, minidl.Linear(25, 2, std_w=25**-0.5, rng=rng)])


# %%
# The table of ``probe`` for one network, before the training. An output is *saturated* where the derivative of the
# activation is below 5 % of its largest value. A ReLU has the derivative 0 or 1, so its outputs are saturated where
# they are 0. A unit is *dead* if it is saturated for all samples: no sample changes its weights.

relus = partial(build, minidl.ReLU, 3, 2**0.5)
loss = minidl.CrossEntropyLoss("mean")
model = relus(np.random.default_rng(0))
print(minidl.probe(model, x, y, loss, optimizer=minidl.Adam(model, lr=0.003)))

# %%
# The column *gradient* is the norm of the gradient of the loss over all samples. The column *update* is the norm of the
# optimizer's next step over the norm of the parameter, nan where the parameter is still 0.
#
# Dead ReLUs
# ----------
#
# The same network is trained by Adam with three learning rates and ten seeds each, all as replicates of one training.
# The recorder probes it with the first 300 points.

RATES = (0.003, 0.03, 0.3)


def train(model, lr):
    """Train a network; return the recorder, and the test accuracy of each replicate in percent."""
    recorder = minidl.Recorder(x[:300], y[:300], loss)
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # a network may diverge
        history = minidl.fit(
            model,
            loss,
            minidl.Adam(model, lr=lr),
            x,
            y,
            epochs=EPOCHS,
            batch_size=50,
            validation=(x_test, y_test),
            rng=0,
            callbacks=[recorder],
        )
    return recorder, 100 * history.curve("val_accuracy")


model = minidl.replicate(relus, np.tile(np.arange(SEEDS), len(RATES)))
recorder, accuracy = train(model, np.repeat(RATES, SEEDS))
dead = {path: recorder.curve(path, "dead").reshape(-1, len(RATES), SEEDS).mean(axis=-1) for path in ("1", "3", "5")}
accuracy = accuracy.reshape(EPOCHS, len(RATES), SEEDS).mean(axis=-1)

# %%
# Means over the seeds. With the largest rate, most ReLUs die within the first epochs, and hardly any come back: the
# gradient of the weights of a dead unit is exactly 0. What is left of the network is too narrow for the disk.

figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), width_ratios=(1, 1, 1.1))
styles = list(zip(RATES, ("-", "--", "-."), strict=True))
for ax, (title, path) in zip(axes[:2], {"second layer": "3", "third layer": "5"}.items(), strict=True):
    for i, (_, dashes) in enumerate(styles):
        ax.plot(recorder.epochs, 100 * dead[path][:, i], dashes)
    ax.set(xlabel="epoch", title=title, ylim=(0, 100))
axes[0].set_ylabel("dead ReLUs (%)")
for i, (rate, dashes) in enumerate(styles):
    axes[2].plot(np.arange(1, EPOCHS + 1), accuracy[:, i], dashes, label=f"learning rate {rate:g}")
axes[2].set(xlabel="epoch", ylabel="test accuracy (%)", title="the whole network")
figure.legend(*axes[2].get_legend_handles_labels(), loc="outside lower center", ncols=3)
plt.show()

for rate, *shares in zip(RATES, *(100 * dead[path][-1] for path in dead), accuracy[-1], strict=True):
    print("rate {:5}: dead ReLUs {:4.1f} %, {:4.1f} %, {:4.1f} %, test accuracy {:.1f} %".format(rate, *shares))
if dead["5"][-1, -1] < 2 * dead["5"][-1, 0]:
    raise AssertionError("a large rate did not kill more ReLUs than a small one")

# %%
# ``recorder.to_frame()`` has all numbers as columns of equal length, which ``pandas.DataFrame`` takes as they are.

print({name: column.shape for name, column in recorder.to_frame().items()})

# %%
# Vanishing gradients
# -------------------
#
# A gradient on its way down is multiplied by the derivative of each activation. That of a sigmoid is at most 1/4, that
# of tanh and ReLU at most 1. In a network of six hidden layers, the factors differ by up to 4⁶ = 4096. The initial
# weights have the deviation 1/sqrt(n), for ReLU sqrt(2/n).

DEEP = {"ReLU": (minidl.ReLU, 2**0.5), "tanh": (minidl.Tanh, 1.0), "sigmoid": (minidl.Sigmoid, 1.0)}
LINEAR = [str(2 * i) for i in range(7)]  # the layers with weights
gradients, accuracies = {}, {}
for name, (activation, gain) in DEEP.items():
    model = minidl.replicate(partial(build, activation, 6, gain), range(SEEDS))
    recorder, accuracies[name] = train(model, 0.003)
    gradients[name] = np.stack([recorder.curve(path, "weight_gradient") for path in LINEAR])

# %%
# Left: the norm of the gradient of each layer's weights before the training. Middle: the same for the sigmoids in each
# epoch, darker for lower layers. Right: the test accuracy. Left and middle are medians over the seeds, right are means.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 3.9), width_ratios=(1, 1.2, 1))
for (name, norms), dashes, marker in zip(gradients.items(), ("-", "--", "-."), "os^", strict=True):
    left.plot(np.arange(1, 8), np.median(norms[:, 0], axis=-1), dashes, marker=marker)
    right.plot(np.arange(1, EPOCHS + 1), accuracies[name].mean(axis=-1), dashes, marker=marker, markevery=8, label=name)
left.set(xlabel="layer (7 is the output)", ylabel="norm of the gradient", yscale="log", title="before the training")
shades = plt.get_cmap("viridis")(np.linspace(0, 0.75, 7))
for layer, (norms, shade) in enumerate(zip(gradients["sigmoid"], shades, strict=True), start=1):
    curve = np.median(norms, axis=-1)
    middle.plot(curve, color=shade)
    middle.text(-1, curve[0], str(layer), ha="right", va="center", color=shade)
middle.set(xlabel="epoch", xlim=(-4, None), yscale="log", title="sigmoids, layers 1 to 7")
right.set(xlabel="epoch", ylabel="test accuracy (%)", title="the whole network")
figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3)
plt.show()

ratios = {name: np.median(norms[-1, 0] / norms[0, 0]) for name, norms in gradients.items()}
for name, ratio in ratios.items():
    accuracy = accuracies[name][-1].mean()
    print(f"{name:8} gradient of the last layer / of the first: {ratio:9,.1f}, test accuracy {accuracy:.1f} %")

# %%
# The gradient of the first sigmoid layer is orders of magnitude smaller than that of the last one. Adam's steps do not
# depend on the size of the gradient, and yet the network stays on a plateau until the gradients of the lower layers
# have grown. ReLU and tanh have no such plateau. The script fails if a change makes the first sentence untrue.

if ratios["sigmoid"] < 100 * max(ratios["ReLU"], ratios["tanh"]):
    raise AssertionError(ratios)
