"""
A learning-rate sweep as replicates
===================================

Settings of an optimizer may be arrays with one number per replicate. The grid of this page, 21 learning rates by 8
seeds, is one module, and one call of ``fit`` trains it.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

RATES, SEEDS = np.geomspace(1e-5, 1e-1, 21), 8
rates = np.repeat(RATES, SEEDS)
seeds = np.tile(np.arange(SEEDS), len(RATES))

(x, y), test = minidl_data.load_disk(4)


def build(rng):
    """Build the network of the report, three hidden layers of 25."""
    hidden = []
    for n_in in (2, 25, 25):
        hidden += [minidl.Linear(n_in, 25, rng=rng), minidl.ReLU()]
    return minidl.Sequential([*hidden, minidl.Linear(25, 2, rng=rng)])


model = minidl.replicate(build, seeds)
print(f"{model.replicate_shape[0]} networks of {model.values.shape[-1]} parameters in one vector {model.values.shape}")

# %%
# All replicates train on the same batches, so they differ in learning rate and initial weights only.

with warnings.catch_warnings(action="ignore", category=RuntimeWarning), np.errstate(all="ignore"):
    history = minidl.fit(
        model,
        minidl.CrossEntropyLoss(),
        minidl.Adam(model, lr=rates),
        x,
        y,
        epochs=20,
        batch_size=50,
        validation=test,
        rng=0,
    )

# %%
# The loss after some epochs, against the learning rate. Small learning rates are slow. Large learning rates are fast at
# first and stop improving early, for some seeds more than for others. The best learning rate therefore decreases as the
# training goes on.

loss = history.curve("val_loss").reshape(20, len(RATES), SEEDS)
figure, axes = plt.subplots(figsize=(6.8, 4.2))
for epoch, marker in zip((2, 5, 10, 20), "os^D", strict=True):
    low, middle, high = np.nanquantile(loss[epoch - 1], [0, 0.5, 1], axis=-1)
    axes.plot(RATES, middle, marker=marker, markersize=4, label=f"after epoch {epoch}")
    axes.fill_between(RATES, low, high, alpha=0.15, lw=0)
axes.axhline(np.log(2), color="#777777", ls=":", label="guessing, log 2")
axes.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="test cross-entropy per sample (nat)")
axes.set_yticks([0.1, 0.2, 0.3, 0.5, 0.7, 1], labels=["0.1", "0.2", "0.3", "0.5", "0.7", "1"])
axes.yaxis.set_tick_params(which="minor", left=False, labelleft=False)
axes.set_title(f"median and range of {SEEDS} seeds")
axes.legend()
plt.show()

# %%
# The best learning rate, and one of its networks. ``unstack`` returns the replicates as separate networks.

best = int(np.nanmedian(loss[-1], axis=-1).argmin())
network = minidl.unstack(model)[best * SEEDS]
print(f"best rate {RATES[best]:.2g}")
print("seed 0 at that rate:", minidl.evaluate(network, minidl.CrossEntropyLoss(), *test))
