"""
Early stopping, network by network
==================================

A network that is trained for too long learns the noise of its samples. ``EarlyStopping`` ends the training when the
loss on a validation set no longer falls, and gives back the best parameters. Replicates are stopped and restored one by
one, as each would be alone.
"""

import matplotlib.pyplot as plt
import numpy as np

import minidl

SEEDS, EPOCHS = list(range(30)), 600
rng = np.random.default_rng(1)


def noisy_sine(n):
    """Return n points of a sine with noise."""
    x = rng.uniform(-1, 1, (n, 1)).astype(np.float32)
    return x, np.sin(4 * x) + rng.normal(0, 0.4, x.shape).astype(np.float32)


x, y = noisy_sine(60)
test = noisy_sine(2000)


def build(rng):
    """Build a network that is large for 60 samples."""
    return minidl.Sequential(
        [
            minidl.Linear(1, 50, std_b=1, rng=rng),
            minidl.Tanh(),
            minidl.Linear(50, 50, rng=rng),
            minidl.Tanh(),
            minidl.Linear(50, 1, rng=rng),
        ]
    )


def train(*callbacks):
    """Train 30 networks; each holds out a third of the samples, drawn from its own seed."""
    model = minidl.replicate(build, SEEDS)
    history = minidl.fit(
        model,
        minidl.MSELoss("mean"),
        minidl.Adam(model, lr=0.01),
        x,
        y,
        epochs=EPOCHS,
        batch_size=10,
        validation_split=1 / 3,
        metrics=["r2"],
        rng=SEEDS,
        callbacks=callbacks,
    )
    return history, minidl.evaluate(model, minidl.MSELoss("mean"), *test).loss


# %%
# The callback is an object: ``fit`` gives it the model, and afterwards it knows the best epoch of each network. A
# network that has stopped is not trained any more, and its curves are nan from then on. ``History.stopped`` has its
# last epoch.

stopping = minidl.EarlyStopping(patience=40)
history, stopped_loss = train(stopping)
print(history)
print("best epochs:", stopping.best_epoch)
print("last epochs:", np.array([history.stopped[seed] for seed in SEEDS]))

# %%
# The same networks without the callback, to the last epoch:

whole, whole_loss = train()
print(
    f"test loss, median of {len(SEEDS)}: stopped {np.median(stopped_loss):.3f}, not stopped {np.median(whole_loss):.3f}"
)
print(f"better for having stopped: {(stopped_loss < whole_loss).sum()} of {len(SEEDS)}")
if np.median(stopped_loss) > np.median(whole_loss):
    raise AssertionError("early stopping did not help")

# %%
# Left: the validation loss of three networks; the dots are their best epochs, whose parameters they keep. Right: the
# test loss of all networks.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4), width_ratios=(3, 2))
epochs = np.arange(1, EPOCHS + 1)
for number, seed in enumerate(SEEDS[:3]):
    best = stopping.best_epoch[seed]
    left.plot(epochs, whole.curve("val_loss")[:, seed], color=f"C{number}", lw=0.8, alpha=0.35)
    left.plot(epochs[: len(history)], history.curve("val_loss")[:, seed], color=f"C{number}", label=f"seed {seed}")
    left.plot(best, history.curve("val_loss")[best - 1, seed], "o", color=f"C{number}")
left.set(xlabel="epoch", ylabel="validation loss", xscale="log", yscale="log", ylim=(0.08, 1))
left.legend(title="pale: not stopped")
right.scatter(whole_loss, stopped_loss, s=16)
limits = [0.9 * min(stopped_loss.min(), whole_loss.min()), 1.05 * max(stopped_loss.max(), whole_loss.max())]
right.plot(limits, limits, color="black", lw=1, label="the same")
right.axhline(0.16, color="C1", ls="--", label="noise")
right.set(xlabel="test loss, not stopped", ylabel="test loss, stopped", xlim=limits, ylim=limits)
right.locator_params(nbins=5)
right.legend()
plt.show()
