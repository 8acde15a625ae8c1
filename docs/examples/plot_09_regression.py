"""
Regression on real data
=======================

The data set of Efron and others (2004) has ten measurements of 442 diabetes patients and a score of the progression of
the disease a year later. It is part of scikit-learn. The target is a number rather than a class, so the loss is the
squared error, and there is no accuracy. Linear regression is the baseline, because the data set is small and noisy.
"""

from functools import partial

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
# With five-fold cross-validation each patient is predicted once, by networks that were trained on other patients.
# Inputs and target are standardized with the mean and the standard deviation of the training folds. The networks have
# one hidden layer of 2, 8 or 32 tanh units, and weight decay. In each fold 20 networks with different seeds are trained
# at once, and their predictions are averaged.

SEEDS, EPOCHS, WIDTHS = 20, 120, (2, 8, 32)


def build(width, rng):
    """Build a small network with one linear output; tanh layers start from a deviation of 1/sqrt(n)."""
    return minidl.Sequential(
        [
            minidl.Linear(10, width, std_w=10**-0.5, rng=rng),
            minidl.Tanh(),
            minidl.Linear(width, 1, std_w=width**-0.5, rng=rng),
        ]
    )


def scale(array, part):
    """Standardize with the mean and the deviation of a part, to float32."""
    return ((array - array[part].mean(axis=0)) / array[part].std(axis=0)).astype(np.float32)


line = np.zeros(len(y))
networks = {width: np.zeros(len(y)) for width in WIDTHS}
curves = {width: [] for width in WIDTHS}
for train, test in KFold(5, shuffle=True, random_state=0).split(x):
    inputs, targets = scale(x, train), scale(y, train)
    mean, deviation = y[train].mean(), y[train].std()
    line[test] = LinearRegression().fit(x[train], y[train]).predict(x[test])[:, 0]
    for width in WIDTHS:
        model = minidl.replicate(partial(build, width), range(SEEDS))
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
        curves[width].append([history.mean("loss"), history.mean("val_loss")])
        networks[width][test] = mean + deviation * minidl.predict(model, inputs[test]).mean(axis=0)[:, 0]

# %%
# R², the share of the variance that each model explains, over all patients:


def explained(prediction):
    """Return R²: 1 minus the sum of the squared errors over that of the mean as prediction."""
    return 1 - ((prediction - y[:, 0]) ** 2).sum() / ((y - y.mean()) ** 2).sum()


predictions = {"linear regression": line} | {f"{width} hidden units": networks[width] for width in WIDTHS}
for name, prediction in predictions.items():
    error = np.abs(prediction - y[:, 0]).mean()
    print(f"{name:17} R² {explained(prediction):.3f}, mean absolute error {error:.1f}")

# %%
# None of these networks explains clearly more than linear regression. The result holds for one hidden layer, this
# weight decay and these few patients; it does not show that the relation is linear. The script fails if a change makes
# the first sentence untrue.

best = max(explained(networks[width]) for width in WIDTHS)
if best > explained(line) + 0.02:
    raise AssertionError(best)

# %%
# Left: the losses of the networks with 8 hidden units, averaged over folds and seeds. Right: their predictions against
# the measurements.

training, validation = np.mean(curves[8], axis=0)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.2))
left.plot(np.arange(1, EPOCHS + 1), training, label="training folds")
left.plot(np.arange(1, EPOCHS + 1), validation, "--", label="fold left out")
left.set(xlabel="epoch", ylabel="squared error / variance of the target", ylim=(0, 1.1))
left.legend()
for (name, color), marker in zip({"linear regression": "C1", "8 hidden units": "C0"}.items(), "so", strict=True):
    label = f"{name}, R² {explained(predictions[name]):.2f}"
    right.scatter(y[:, 0], predictions[name], s=12, marker=marker, alpha=0.5, color=color, label=label)
right.plot([25, 346], [25, 346], color="black", lw=1, label="as measured")
right.set(xlabel="progression measured (score)", ylabel="progression predicted (score)", aspect="equal")
figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=3)
plt.show()
