"""
A rare class
============

Where one sample in eight is positive, a network that always says no is right most of the time. ``class_weights`` gives
both classes the same total weight. The data set has 30 measurements of the cells of each of several hundred breast
tumours and is part of scikit-learn. Most of the malignant tumours are left out of the training sets, so that about one
in eight is malignant.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import logit
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

import minidl

SEEDS, EPOCHS, PATIENCE, FIXED = list(range(12)), 300, 20, 50
HIDDEN, RATE, BATCH = 16, 0.003, 16
BENIGN, MALIGNANT = 250, 34  # in each training set
data = load_breast_cancer()
malignant = np.flatnonzero(data.target == 0)
benign = np.flatnonzero(data.target == 1)
print(f"{len(benign)} benign and {len(malignant)} malignant tumours")

# %%
# Each seed draws its own training set. All other tumours are its test set, in which malignant ones are frequent: this
# makes the estimates precise, and neither the area under the ROC curve (AUC) nor the two error rates below depend on
# the ratio of the classes. The arrays have one axis for the seeds, so one training takes all of them as replicates.


def split(seed):
    """Return inputs and labels of a training and a test set, standardized by the training set; 1 is malignant."""
    rng = np.random.default_rng(seed)
    no, yes = rng.permutation(benign), rng.permutation(malignant)
    train, test = np.r_[no[:BENIGN], yes[:MALIGNANT]], np.r_[no[BENIGN:], yes[MALIGNANT:]]
    mean, deviation = data.data[train].mean(axis=0), data.data[train].std(axis=0)
    return [
        part
        for rows in (train, test)
        for part in ((data.data[rows] - mean) / deviation, (data.target[rows] == 0)[:, None])
    ]


x, y, x_test, y_test = (np.stack(parts).astype(np.float32) for parts in zip(*map(split, SEEDS), strict=True))
print(f"training sets {x.shape}, {100 * y.mean():.1f} % malignant; test sets {x_test.shape}")

# %%
# A fifth of each training set is held out for early stopping. The loss of the held-out samples is weighted like that of
# the others. Metrics count each sample once, so ``fit`` refuses them on a weighted validation set; the AUC of the test
# set comes from ``evaluate``. For a comparison, networks are also trained for a fixed number of epochs, without weights
# and with all samples.


def build(rng):
    """Build a network with one hidden layer and one logit."""
    return minidl.Sequential(
        [minidl.Linear(30, HIDDEN, rng=rng), minidl.ReLU(), minidl.Linear(HIDDEN, 1, init="lecun", rng=rng)]
    )


def train(weight, *, epochs=None):
    """Train a network for each seed, with early stopping or for some epochs; return test logits and AUC."""
    model = minidl.replicate(build, SEEDS)
    stopping = minidl.EarlyStopping(patience=PATIENCE)
    held_out = {"validation_split": 0.2, "callbacks": [stopping]} if epochs is None else {}
    minidl.fit(
        model,
        minidl.BCEWithLogitsLoss("mean"),
        minidl.Adam(model, lr=RATE),
        x,
        y,
        sample_weight=weight,
        epochs=epochs or EPOCHS,
        batch_size=BATCH,
        rng=SEEDS,
        **held_out,
    )
    test = minidl.evaluate(model, minidl.BCEWithLogitsLoss("mean"), x_test, y_test, metrics=["auc"])
    return minidl.predict(model, x_test)[..., 0], test.metrics["auc"]


weights = minidl.class_weights(y)
print(f"weight of a benign sample {weights.min():.2f}, of a malignant one {weights.max():.2f}")
logits, auc = {}, {}
for name, weight in {"not weighted": None, "weighted": weights}.items():
    logits[name], auc[name] = train(weight)
logits[f"{FIXED} epochs"], auc[f"{FIXED} epochs"] = train(None, epochs=FIXED)

# %%
# scikit-learn's ``MLPClassifier`` is trained on the same samples, without weights, with the same layers, learning rate
# and batch size: once with its own early stopping, which watches the accuracy on a tenth of the samples, and once for
# the fixed number of epochs.


def train_classifier(seed, **options):
    """Return the logits of a classifier on the test set of a seed."""
    classifier = MLPClassifier(HIDDEN, alpha=0, batch_size=BATCH, learning_rate_init=RATE, random_state=seed, **options)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # the end of the fixed epochs
        classifier.fit(x[seed].astype(np.float64), y[seed, :, 0])
    probability = classifier.predict_proba(x_test[seed].astype(np.float64))[:, 1]
    return logit(np.clip(probability, 1e-12, 1 - 1e-12))


for name, options in {
    "sklearn, stopped": {"early_stopping": True, "n_iter_no_change": PATIENCE, "max_iter": EPOCHS},
    f"sklearn, {FIXED} epochs": {"n_iter_no_change": FIXED, "max_iter": FIXED},
}.items():
    logits[name] = np.stack([train_classifier(seed, **options) for seed in SEEDS])
    auc[name] = np.array([roc_auc_score(y_test[seed], logits[name][seed]) for seed in SEEDS])

# %%
# Means over the seeds, and the standard error of the AUC:

positive = y_test[..., 0] == 1
missed, alarms = {}, {}
print("                       AUC              malignant missed   benign called malignant")
for name, scores in logits.items():
    says = scores > 0
    missed[name] = 100 * (~says & positive).sum(axis=-1) / positive.sum(axis=-1)
    alarms[name] = 100 * (says & ~positive).sum(axis=-1) / (~positive).sum(axis=-1)
    error = auc[name].std(ddof=1) / len(SEEDS) ** 0.5
    print(f"{name:19}{auc[name].mean():10.4f} ± {error:.4f}{missed[name].mean():13.1f} %{alarms[name].mean():20.1f} %")

# %%
# The weights hardly change the AUC, which depends on the order of the samples only. They move the threshold: fewer
# malignant tumours are missed, and more benign ones are called malignant. Which of the two is better depends on what
# the errors cost.
#
# With a fixed number of epochs, the AUC is that of scikit-learn's networks within the standard errors. With early
# stopping it is larger than theirs, because the stopping rules differ: scikit-learn's looks at few malignant samples,
# and only at whether they are on the right side of the threshold, while the loss changes with every epoch.
#
# Left: the AUC of each seed on its test set, the mean as a line. Right: the two error rates for every threshold, mean
# over the seeds. The markers are at a probability of one half, and weights move the marker along nearly the same
# curve. A marker lies above its curve because it is a mean of points that are spread along a convex curve.

DASHES = "--", "-", (0, (8, 2)), ":", "-."
figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4), width_ratios=(2, 3))
allowed = np.linspace(0, 100, 1001)  # benign called malignant, %
for place, ((name, rows), marker, dashes) in enumerate(zip(logits.items(), "osv^D", DASHES, strict=True)):
    left.plot(place + np.linspace(-0.2, 0.2, len(SEEDS)), auc[name], marker, ms=4, alpha=0.6)
    left.hlines(auc[name].mean(), place - 0.3, place + 0.3, color="black")
    lost = []
    for scores, yes in zip(rows, positive, strict=True):
        threshold = np.quantile(scores[~yes], 1 - allowed / 100)
        lost.append(100 * (scores[yes] <= threshold[:, None]).mean(axis=1))
    right.plot(allowed, np.mean(lost, axis=0), ls=dashes, color=f"C{place}")
    point = alarms[name].mean(), missed[name].mean()
    right.plot(*point, marker, ms=8, color=f"C{place}", ls=dashes, label=name)
left.set(ylabel="AUC, test set", xlim=(-0.5, 4.5))
left.set_xticks(range(5), list(logits), rotation=35, ha="right", rotation_mode="anchor")
right.set(xlabel="benign called malignant (%)", ylabel="malignant missed (%)", xlim=(0, 12), ylim=(0, 32))
right.legend()
plt.show()
