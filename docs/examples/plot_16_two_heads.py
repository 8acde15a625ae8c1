r"""
Two heads and two losses
========================

A network may answer two questions about the same input: layers that both need, the *trunk*, and on top of them one
*head* for each answer. ``Concat`` puts the outputs of the heads side by side, and a loss of one's own adds two losses.

scikit-learn's wine data are 13 chemical measurements of 178 wines from three cultivars. One head names the cultivar,
which is classification, and the other one predicts the share of alcohol from the other 12 measurements, which is
regression.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.linear_model import LinearRegression

import minidl

SEEDS, EPOCHS, TRAIN = list(range(30)), 150, 120
wine = load_wine()
CLASSES = len(wine.target_names)

# %%
# The targets of both heads are the columns of one array: the cultivar as a one-hot row, then alcohol, standardized.
# Each seed has its own training set and test set.


def split(seed):
    """Return inputs and targets of a training and a test set, standardized by the training set."""
    order = np.random.default_rng(seed).permutation(len(wine.data))
    train = order[:TRAIN]
    scaled = (wine.data - wine.data[train].mean(axis=0)) / wine.data[train].std(axis=0)
    targets = np.hstack([np.eye(CLASSES)[wine.target], scaled[:, :1]])
    return [part[rows] for rows in (train, order[TRAIN:]) for part in (scaled[:, 1:], targets)]


x, y, x_test, y_test = (np.stack(parts).astype(np.float32) for parts in zip(*map(split, SEEDS), strict=True))
print("training sets", x.shape, y.shape, " test sets", x_test.shape, y_test.shape)

# %%
# **The loss.** :math:`L = (1 - a) L_\text{class} + a L_\text{alcohol}`. Each of the two losses sees its own columns of
# the prediction, so the gradient of the sum is the two gradients side by side, each with its factor.


class ClassAndNumber(minidl.Loss):
    """Cross-entropy of the first columns and squared error of the last one, with the shares 1 - a and a."""

    def __init__(self, a):
        super().__init__("mean")
        self.a, self.classes, self.number = a, minidl.CrossEntropyLoss("mean"), minidl.MSELoss("mean")

    def forward(self, prediction, target, *, replicate_axes=0):
        """Return (1 - a) * cross-entropy + a * squared error."""
        self.check(prediction, target, replicate_axes)
        first = self.classes(prediction[..., :-1], target[..., :-1], replicate_axes=replicate_axes)
        second = self.number(prediction[..., -1:], target[..., -1:], replicate_axes=replicate_axes)
        return self.save_for_backward((1 - self.a) * first + self.a * second)

    def backward(self):
        """Return the gradients of both, side by side."""
        self.saved()  # raises before the first forward
        parts = [(1 - self.a) * self.classes.backward(), self.a * self.number.backward()]
        return np.concatenate(parts, axis=-1)


# %%
# **The network.** Both heads are linear layers on the 16 outputs of the trunk.


def build(rng):
    """Build a trunk of one hidden layer with two heads."""
    trunk = [minidl.Linear(12, 16, rng=rng), minidl.ReLU()]
    heads = [minidl.Linear(16, CLASSES, init="lecun", rng=rng), minidl.Linear(16, 1, init="lecun", rng=rng)]
    return minidl.Sequential([*trunk, minidl.Concat(heads)])


print(minidl.summary(build(np.random.default_rng(0))))

# %%
# The networks are trained with several values of a, 30 networks for each. With a = 0 only the first head is trained,
# with a = 1 only the second one, so at both ends there is a network for one task alone.

SHARES, SHOWN = (0, 0.1, 0.3, 0.5, 0.7, 0.9, 1), 0.1
accuracy, explained = {}, {}
for a in SHARES:
    model = minidl.replicate(build, SEEDS)
    optimizer = minidl.Adam(model, lr=0.003, weight_decay=0.01)
    minidl.fit(model, ClassAndNumber(a), optimizer, x, y, epochs=EPOCHS, batch_size=20, rng=0)
    predicted = minidl.predict(model, x_test)
    right = predicted[..., :-1].argmax(axis=-1) == y_test[..., :-1].argmax(axis=-1)
    accuracy[a] = 100 * right.mean(axis=-1)
    rest, alcohol = predicted[..., -1] - y_test[..., -1], y_test[..., -1]
    explained[a] = 1 - np.square(rest).mean(axis=-1) / alcohol.var(axis=-1)
    if a == SHOWN:
        shown = predicted[0], y_test[0]
    print(f"a = {a:3}: accuracy {accuracy[a].mean():5.1f} %, R² of alcohol {explained[a].mean():6.2f}")

line = []
for seed in SEEDS:
    regression = LinearRegression().fit(x[seed], y[seed, :, -1])
    line.append(regression.score(x_test[seed], y_test[seed, :, -1]))
print(f"linear regression:        R² of alcohol {np.mean(line):6.2f}")

# %%
# The second head gains from the first one: the network for alcohol alone is worse than linear regression, and with a
# small share a it is better. The likely reason is that a trunk that has to tell the cultivars apart has less freedom to
# overfit the alcohol of these few wines. The accuracy hardly depends on a, unless the class has almost no share.
#
# Left and middle: mean over the seeds with its standard error; the end at which a head is not trained at all is left
# out. Right: the test wines of the first seed, from the second head.


def error_bars(axes, results, shares, style):
    """Draw the mean and the standard error of results by share."""
    means = [results[a].mean() for a in shares]
    errors = [results[a].std(ddof=1) / len(SEEDS) ** 0.5 for a in shares]
    axes.errorbar(shares, means, errors, fmt=style, capsize=3)


figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.8))
error_bars(left, accuracy, SHARES[:-1], "C0o-")
left.set(xlabel="a, share of the alcohol loss", ylabel="accuracy of the cultivar, test set (%)", xlim=(-0.05, 1.05))
error_bars(middle, explained, SHARES[1:], "C1s-")
middle.axhline(np.mean(line), color="black", ls="--", lw=1, label="linear regression")
middle.set(xlabel="a, share of the alcohol loss", ylabel="R² of alcohol, test set", xlim=(-0.05, 1.05))
middle.legend()
predicted, measured = shown
for k, marker in enumerate("os^"):
    rows = measured[:, k] == 1
    right.plot(measured[rows, -1], predicted[rows, -1], marker, color=f"C{k}", alpha=0.7, label=f"cultivar {k + 1}")
right.axline((0, 0), slope=1, color="black", lw=1)
right.set(xlabel="alcohol measured (standard deviations)", ylabel="alcohol predicted (standard deviations)")
right.set(title=f"a = {SHOWN}", aspect="equal", xlim=(-3, 3), ylim=(-3, 3))
right.legend()
plt.show()
