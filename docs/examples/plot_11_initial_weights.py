"""
Choosing initial weights
========================

A network starts as a random function, and training has to replace that function by the target. How far the random
function reaches depends on the initial weights. This example compares the rules of ``Linear`` on Friedman's regression
problem, each with twenty seeds.
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np

import minidl

SEEDS, EPOCHS, SAMPLES = range(20), 60, 1000


def friedman1(n, rng):
    """Draw inputs from the unit cube of ten dimensions; the target (Friedman, 1991) depends on five of them."""
    x = rng.random((n, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return x, y[:, None]


rng = np.random.default_rng(0)
x, y = friedman1(SAMPLES, rng)
x_test, y_test = friedman1(SAMPLES, rng)
x_test, y_test = (x_test - x.mean(axis=0)) / x.std(axis=0), (y_test - y.mean()) / y.std()
x, y = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std()
x, y, x_test, y_test = (array.astype(np.float32) for array in (x, y, x_test, y_test))

# %%
# Inputs and target have mean 0 and variance 1, so an error of 1 is that of a constant prediction. A rule may also be a
# function of a generator and a shape: this one draws the rows or columns of a matrix at right angles.


def orthogonal(rng, shape):
    """Return a random matrix whose rows, or columns if there are more rows, are orthonormal."""
    q, _ = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    return q if q.shape == shape else q.T


RULES = {"he": "he", "lecun": "lecun", "glorot": "glorot", "orthogonal": orthogonal, "torch": "torch"}


def build(init, rng):
    """Build a network with two hidden layers of 64 units."""
    return minidl.Sequential(
        [
            minidl.Linear(10, 64, init=init, rng=rng),
            minidl.ReLU(),
            minidl.Linear(64, 64, init=init, rng=rng),
            minidl.ReLU(),
            minidl.Linear(64, 1, init=init, rng=rng),
        ]
    )


start, training, test = {}, {}, {}
for name, init in RULES.items():
    model = minidl.replicate(partial(build, init), SEEDS)
    start[name] = minidl.predict(model, x_test).std(axis=(1, 2))
    history = minidl.fit(
        model,
        minidl.MSELoss("mean"),
        minidl.Adam(model),
        x,
        y,
        epochs=EPOCHS,
        batch_size=50,
        validation=(x_test, y_test),
        rng=0,
    )
    training[name], test[name] = history.curve("loss"), history.curve("val_loss")

print("rule        spread at the start   training error   test error (mean and deviation over the seeds)")
for name in RULES:
    last = test[name][-1]
    print(
        f"{name:12}{start[name].mean():19.2f}{training[name][-1].mean():17.4f}"
        f"{last.mean():13.4f} ± {last.std(ddof=1):.4f}"
    )

# %%
# He's rule is the default, as in the report. It keeps the size of a signal through layers of ReLUs, which deep networks
# need in order to train at all. This network is shallow, and its output starts as spread out as the target itself. All
# rules reach a small error on the training set. But training changes the function where there are samples, and between
# them a part of the random start remains: the larger it was, the larger the test error. The script fails if a change
# makes this untrue.

if not test["torch"][-1].mean() < test["glorot"][-1].mean() < 0.6 * test["he"][-1].mean():
    raise AssertionError(test)

# %%
# Left: test error per epoch, mean over the seeds and one standard deviation on both sides. Right: after the last epoch,
# each network as a point, with mean and standard deviation beside it.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4), width_ratios=(3, 2))
epochs = np.arange(1, EPOCHS + 1)
for place, (name, curve) in enumerate(test.items()):
    mean, deviation = curve.mean(axis=1), curve.std(axis=1, ddof=1)
    left.plot(epochs, mean, label=name, color=f"C{place}")
    left.fill_between(epochs, mean - deviation, mean + deviation, alpha=0.2, lw=0, color=f"C{place}")
    right.plot(np.full(len(SEEDS), place - 0.15), curve[-1], "o", ms=3, alpha=0.5, color=f"C{place}")
    right.errorbar(place + 0.15, mean[-1], deviation[-1], fmt="s", ms=5, capsize=4, color=f"C{place}")
left.set(xlabel="epoch", ylabel="test error (of the variance)", yscale="log")
left.legend(title="initial weights")
right.set(ylabel="test error after the last epoch", ylim=(0, None), xlim=(-0.5, len(RULES) - 0.5))
right.set_xticks(range(len(RULES)), RULES, rotation=30)
plt.show()
