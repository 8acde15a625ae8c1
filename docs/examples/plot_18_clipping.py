"""
Exploding gradients
===================

One outlier among the samples can end a training: its gradient is large, the step that follows makes the network worse
everywhere, and the next gradients are larger still. ``clip=`` limits the norm of the gradient, so that every step has a
bounded length. This page shows the norms, and trains twenty networks with each of several limits.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import minidl

SEEDS, EPOCHS, SAMPLES, BATCH, RATE = 20, 30, 1000, 20, 0.1
LIMITS = (0.1, 0.3, 1.0, 3.0, 10.0, np.inf)
rng = np.random.default_rng(0)


def sine(n):
    """Return n points of a sine."""
    x = rng.uniform(-1, 1, (n, 1)).astype(np.float32)
    return x, np.sin(4 * x)


x, y = sine(SAMPLES)
x_test, y_test = sine(1000)
wrong = rng.choice(SAMPLES, 10, replace=False)
y[wrong] += 100 * rng.choice([-1, 1], (len(wrong), 1)).astype(np.float32)
print(f"{len(wrong)} of {SAMPLES} targets are 100 too large or too small")


def build(rng):
    """Build a network with two hidden layers of 32 leaky ReLUs."""
    return minidl.Sequential(
        [
            minidl.Linear(1, 32, std_b=1, rng=rng),
            minidl.LeakyReLU(0.1),
            minidl.Linear(32, 32, rng=rng),
            minidl.LeakyReLU(0.1),
            minidl.Linear(32, 1, init="lecun", rng=rng),
        ]
    )


# %%
# First, one network step by step. The norm of the gradient is measured before the optimizer sees it, and the length of
# the step afterwards: without momentum, that is the learning rate times the norm of the clipped gradient.


def train_by_hand(clip, steps):
    """Return the norms of the gradients, and the lengths of the steps over the learning rate."""
    model, loss = build(np.random.default_rng(0)), minidl.MSELoss("mean")
    optimizer = minidl.SGD(model, RATE, clip=clip)
    order, norms = np.random.default_rng(0).permutation(SAMPLES), []
    for rows in order.reshape(-1, BATCH)[:steps]:
        loss.forward(model.forward(x[rows]), y[rows])
        model.backward(loss.backward(), need_dx=False)
        gradient, before = np.linalg.norm(model.grads), model.values.copy()
        optimizer.step()
        norms.append((gradient, np.linalg.norm(model.values - before) / RATE))
    return np.array(norms).T


with np.errstate(all="ignore"):  # one of the two diverges
    norms = {clip: train_by_hand(clip, 40) for clip in (None, 1.0)}
for clip, (gradient, step) in norms.items():
    last = np.isfinite(gradient).sum()
    print(
        f"clip={clip}: {last} steps with a finite gradient, its median norm {np.median(gradient[:last]):.1f}; "
        f"longest step / learning rate {step[:last].max():.3g}"
    )

# %%
# Now the whole training. Every limit has twenty networks, and all of them are replicates of one training: ``clip``
# takes one number for each, and infinity stands for no limit. ``History.diverged`` lists those whose loss became nan,
# with epoch and batch.

model = minidl.replicate(build, list(range(SEEDS)) * len(LIMITS))
with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # networks diverge
    history = minidl.fit(
        model,
        minidl.MSELoss("mean"),
        minidl.SGD(model, RATE, clip=np.repeat(LIMITS, SEEDS)),
        x,
        y,
        epochs=EPOCHS,
        batch_size=BATCH,
        validation=(x_test, y_test),
        rng=0,
    )
error = np.sqrt(history.curve("val_loss")[-1]).reshape(len(LIMITS), SEEDS)
alive = np.isfinite(error)
for limit, values, lives in zip(LIMITS, error, alive, strict=True):
    median = np.median(values[lives]) if lives.any() else np.nan
    print(f"limit {limit:4}: {lives.sum():2} of {SEEDS} networks survive, median test error {median:.3f}")
print("the first three that diverged, (epoch, batch):", list(history.diverged.values())[:3])
if not alive[LIMITS.index(1.0)].all() or alive[-1].sum() > SEEDS / 2:
    raise AssertionError("clipping made no difference")

# %%
# Without a limit, almost all networks diverge within the first epoch, and one that survives predicts a constant. With a
# limit all of them survive. A limit of 10 is too large: the outliers still undo what the other samples teach. A limit
# far below the usual norm would make all steps short, which costs epochs. So look at the norms first, and choose a
# limit near their median, which is about 2 here.
#
# Left: the norms of one network. Right: the test error of each network, with crosses at the top for those that
# diverged.

BOUND, TOP = 1e4, 2.0  # of the axes; and where the crosses are
figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.2), width_ratios=(5, 4))
steps = np.arange(1, len(norms[None][0]) + 1)
left.plot(steps, norms[None][0], "C1s--", ms=4, label="gradient, no limit")
left.plot(steps, norms[1.0][0], "C0o-", ms=4, label="gradient, clip=1")
left.plot(steps, norms[1.0][1], "k.:", ms=4, label="step / learning rate, clip=1")
left.set(xlabel="step", ylabel="norm", yscale="log", ylim=(0.005, BOUND))
left.legend(loc="lower right")
for place, (values, lives) in enumerate(zip(error, alive, strict=True)):
    shift = np.linspace(-0.25, 0.25, SEEDS)
    color = "C1" if place == len(LIMITS) - 1 else "C0"
    right.plot(place + shift[lives], values[lives], "o", ms=4, alpha=0.6, color=color)
    right.plot(place + shift[~lives], np.full((~lives).sum(), TOP), "x", ms=6, color=color)
right.axhline(np.std(y_test), color="black", ls="--", lw=1, label="a constant")
right.annotate("diverged", (len(LIMITS) - 1.4, TOP), ha="right", va="center", color="C1")
right.set(xlabel="clip", ylabel="test error (RMS)", yscale="log", ylim=(0.02, 3))
right.set_xticks(range(len(LIMITS)), [f"{limit:g}" for limit in LIMITS[:-1]] + ["none"])
right.legend(loc="lower right")
plt.show()
