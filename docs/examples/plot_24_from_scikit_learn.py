"""
From scikit-learn in one line
=============================

``minidl_sklearn`` has scikit-learn's ``MLPClassifier`` and ``MLPRegressor`` with the same parameters and the same
results. A program that uses them changes one import. This page trains the same pipelines with both packages, compares
weights, losses and predictions, and measures the time of both.
"""

import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
import sklearn.neural_network
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minidl
import minidl_data
import minidl_sklearn

# Both packages warn when a training ends at max_iter. Here the number of epochs is fixed on purpose.
warnings.simplefilter("ignore", ConvergenceWarning)

# %%
# The line to change is the import: ``from minidl_sklearn import MLPClassifier`` in place of
# ``from sklearn.neural_network import MLPClassifier``. Whatever else a program does with the class stays as it is.


def train(package, hidden, x, y):
    """Train a pipeline with the classifier of a package; return the classifier, the pipeline and the seconds."""
    classifier = package.MLPClassifier(hidden, max_iter=100, random_state=0)
    pipeline = make_pipeline(StandardScaler(), classifier)
    start = time.perf_counter()
    pipeline.fit(x, y)
    return classifier, pipeline, time.perf_counter() - start


x, y = load_digits(return_X_y=True)
x, x_test, y, y_test = train_test_split(x, y, stratify=y, random_state=0)
theirs, their_pipeline, _ = train(sklearn.neural_network, (25, 25, 25), x, y)
ours, our_pipeline, _ = train(minidl_sklearn, (25, 25, 25), x, y)

# %%
# From the same ``random_state`` the same initial weights and the same orders of the samples are drawn, and each step
# computes the same. The weights differ by rounding, and the test set is classified alike.

difference = max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(ours.coefs_, theirs.coefs_, strict=True))
print(f"epochs: {ours.n_iter_} and {theirs.n_iter_}")
print(f"largest difference of coefs_, relative to the largest weight of a layer: {difference:.1e}")
accuracy = our_pipeline.score(x_test, y_test), their_pipeline.score(x_test, y_test)
print(f"test accuracy: minidl_sklearn {accuracy[0]:.4f}, scikit-learn {accuracy[1]:.4f}")
if difference > 1e-9 or accuracy[0] != accuracy[1]:
    raise AssertionError("the results are not scikit-learn's")

# %%
# The time of ``fit``, for three networks. The two packages take turns, and each ratio is the median over the rounds.

ROUNDS = 3
points, inside = minidl_data.make_disk(1000, rng=0)
tasks = {
    "disk, 25-25-25": ((25, 25, 25), points, inside),
    "digits, 25-25-25": ((25, 25, 25), x, y),
    "cancer, 64-64": ((64, 64), *load_breast_cancer(return_X_y=True)),
}
packages = {"scikit-learn": sklearn.neural_network, "minidl_sklearn": minidl_sklearn}
seconds = {}
for name, task in tasks.items():
    rounds = [[train(package, *task)[2] for package in packages.values()] for _ in range(ROUNDS)]
    seconds[name] = np.array(rounds)  # (round, package)
    ratio = np.median(seconds[name][:, 0] / seconds[name][:, 1])
    theirs_ms, ours_ms = 1000 * np.median(seconds[name], axis=0)
    print(f"{name:18} scikit-learn {theirs_ms:5.0f} ms, minidl_sklearn {ours_ms:5.0f} ms: {ratio:.1f} times as fast")

# %%
# Left: the losses of both trainings on the digits, one on top of the other. Right: the time of one ``fit`` on the
# machine that built this page.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(1, 1), layout="constrained")
left.plot(theirs.loss_curve_, color="C1", lw=6, alpha=0.4, label="scikit-learn")
left.plot(ours.loss_curve_, color="C0", lw=1.5, label="minidl_sklearn")
left.set(xlabel="epoch", ylabel="loss", yscale="log")
left.legend()
places = np.arange(len(tasks))
for number, (package, colour) in enumerate(zip(packages, ("C1", "C0"), strict=True)):
    medians = [1000 * np.median(taken[:, number]) for taken in seconds.values()]
    right.barh(places + 0.2 - 0.4 * number, medians, 0.38, color=colour, label=package)
for place, taken in zip(places, seconds.values(), strict=True):
    ratio = np.median(taken[:, 0] / taken[:, 1])
    right.annotate(
        f"{ratio:.1f} times as fast",
        (1000 * np.median(taken[:, 1]), place - 0.2),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
    )
right.set(xlabel="time of fit (ms)", xlim=(0, None), yticks=places, yticklabels=tasks)
right.legend()
right.grid(visible=False, axis="y")
plt.show()

# %%
# What scikit-learn does not have is one more keyword, here dropout, another activation per layer, and decoupled weight
# decay. The defaults change nothing.

more = minidl_sklearn.MLPClassifier(
    (100, 50), activation=["gelu", "tanh"], dropout=0.2, solver="adamw", alpha=0.01, max_iter=150, random_state=0
)
more = make_pipeline(StandardScaler(), more).fit(x, y)
print(f"test accuracy: {more.score(x_test, y_test):.4f}")

# %%
# With ``n_networks``, several networks with seeds of their own are trained at once, and their probabilities are
# averaged. :ref:`sphx_glr_gallery_plot_15_ensemble.py` does this with minidl alone.

several = minidl_sklearn.MLPClassifier((25, 25, 25), n_networks=10, max_iter=100, random_state=0)
start = time.perf_counter()
several = make_pipeline(StandardScaler(), several).fit(x, y)
print(f"ten networks in {time.perf_counter() - start:.2f} s")
print(f"test accuracy of their mean: {several.score(x_test, y_test):.4f}")

# %%
# ``to_minidl`` gives the network itself, whose every gradient is a line to read.

print(minidl.summary(ours.to_minidl()))
