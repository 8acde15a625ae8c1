"""
Regression on real data
=======================

Ten measurements of 442 diabetes patients, and how far the disease had gone a year later: the data set of Efron and
others (2004), which scikit-learn ships. The target is a number, not a class, so the loss is the squared error and there
is no accuracy. The data set is small and noisy, so a network has to be held against a straight line.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

import minidl

data = load_diabetes(scaled=False)
x, y = data.data, data.target[:, None]
print("patients and measurements", x.shape, ", progression from", y.min(), "to", y.max())

# %%
# Five folds: each patient is predicted once, by networks that have not seen them. Inputs and target are scaled by the
# mean and the deviation of the training part. A layer of 8 tanh units is enough, and weight decay keeps it smooth. In
# each fold 20 networks of different seeds are trained at once, and their predictions are averaged.

SEEDS, EPOCHS = 20, 120


def build(rng):
    """Build a small network with one linear output; tanh layers start from a deviation of 1/sqrt(n)."""
    return minidl.Sequential(
        [
            minidl.Linear(10, 8, std_w=10**-0.5, rng=rng),
            minidl.Tanh(),
            minidl.Linear(8, 1, std_w=8**-0.5, rng=rng),
        ]
    )


def scale(array, part):
    """Scale by the mean and the deviation of a part, to float32."""
    return ((array - array[part].mean(axis=0)) / array[part].std(axis=0)).astype(np.float32)


network, line = np.zeros(len(y)), np.zeros(len(y))
curves = []
for train, test in KFold(5, shuffle=True, random_state=0).split(x):
    inputs, targets = scale(x, train), scale(y, train)
    model = minidl.replicate(build, range(SEEDS))
    history = minidl.fit(
        model,
        minidl.MSELoss("mean"),
        minidl.Adam(model, lr=0.003, weight_decay=0.01),
        inputs[train],
        targets[train],
        epochs=EPOCHS,
        batch_size=32,
        validation=(inputs[test], targets[test]),
        rng=0,
    )
    curves.append([history.mean("loss"), history.mean("val_loss")])
    mean, deviation = y[train].mean(), y[train].std()
    network[test] = mean + deviation * minidl.predict(model, inputs[test]).mean(axis=0)[:, 0]
    line[test] = LinearRegression().fit(x[train], y[train]).predict(x[test])[:, 0]

# %%
# The share of the variance that each explains in patients it has not seen.


def explained(prediction):
    """Return R², 1 minus the squared errors over those of the mean."""
    return 1 - ((prediction - y[:, 0]) ** 2).sum() / ((y - y.mean()) ** 2).sum()


for name, prediction in (("least squares", line), (f"{SEEDS} networks", network)):
    error = np.abs(prediction - y[:, 0]).mean()
    print(f"{name:14} R² {explained(prediction):.3f}, mean absolute error {error:.1f}")

# %%
# The networks and the straight line explain about the same: these ten measurements hold little that is not linear.
# Left, the loss of both parts, averaged over folds and seeds. Right, what was predicted against what was measured.

training, validation = np.mean(curves, axis=0)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.2))
left.plot(np.arange(1, EPOCHS + 1), training, label="training folds")
left.plot(np.arange(1, EPOCHS + 1), validation, "--", label="fold left out")
left.set(xlabel="epoch", ylabel="squared error / variance of the target", ylim=(0, 1.1))
left.legend()
right.scatter(y[:, 0], line, s=12, marker="s", alpha=0.5, color="C1", label=f"least squares, R² {explained(line):.2f}")
right.scatter(y[:, 0], network, s=12, alpha=0.6, color="C0", label=f"networks, R² {explained(network):.2f}")
right.plot([25, 346], [25, 346], color="black", lw=1, label="as measured")
right.set(xlabel="progression measured (score)", ylabel="progression predicted (score)", aspect="equal")
figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=3)
plt.show()
