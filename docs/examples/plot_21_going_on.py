"""
Going on after Ctrl-C
=====================

Ctrl-C ends a training, and nothing is lost: the step in progress is finished, and the error has the history so far.
``fit`` with ``history=`` goes on from there, with the next batch of the same epoch, to the same parameters bit for bit.
The same argument appends more epochs to a training that has ended.
"""

import pickle
import signal

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

EPOCHS, MORE, BATCH, PRESSED = 20, 10, 50, 113
(x, y), (x_test, y_test) = minidl_data.load_disk(0)


def build():
    """Return a network with dropout, which draws at each step, its optimizer, and a generator for the order."""
    rng = np.random.default_rng(1)
    model = minidl.Sequential(
        [
            minidl.Linear(2, 25, rng=rng),
            minidl.ReLU(),
            minidl.Dropout(0.1, rng=rng),
            minidl.Linear(25, 2, init="lecun", rng=rng),
        ]
    )
    return model, minidl.Adam(model, lr=0.01), np.random.default_rng(2)


def train(model, optimizer, rng, epochs, *, kept, **options):
    """Train, and return the history; add a copy of the parameters to ``kept`` after each epoch."""
    return minidl.fit(
        model,
        minidl.CrossEntropyLoss("mean"),
        optimizer,
        x,
        y,
        epochs=epochs,
        batch_size=BATCH,
        validation=(x_test, y_test),
        rng=rng,
        callbacks=[lambda *_: kept.append(model.values.copy())],
        engine="numpy",
        **options,
    )


# %%
# First a training that nobody interrupts, for comparison:

whole, expected_kept = build(), []
expected = train(*whole, EPOCHS + MORE, kept=expected_kept)

# %%
# Now the same with Ctrl-C. So that this page is the same each time it is built, the script presses the key itself, in
# the middle of a step of its choice, and uses NumPy: the compiled engine would be somewhere else each time. On the
# keyboard, Ctrl-C works the same with both.


def press_ctrl_c_at(optimizer, t):
    """Let Ctrl-C be pressed during step t of an optimizer."""
    step = optimizer.step

    def step_and_press():
        if optimizer.t == t - 1:
            signal.raise_signal(signal.SIGINT)
        step()

    optimizer.step = step_and_press


(model, optimizer, rng), kept = build(), []
press_ctrl_c_at(optimizer, PRESSED)
try:
    train(model, optimizer, rng, EPOCHS, kept=kept)
except KeyboardInterrupt as interrupt:
    history = interrupt.history
del optimizer.step  # the method of the class again
batches = optimizer.t - len(history) * len(x) // BATCH
print(f"{len(history)} epochs and {batches} batches of the next one, {optimizer.t} steps")

# %%
# What is needed to go on can be written to a file: model, optimizer, history, and the generator. They are pickled
# together, so that the optimizer is still that of the model.

saved = pickle.dumps((model, optimizer, rng, history))
print(f"{len(saved):,} bytes")

# %%
# The first call finishes the epochs that are left, the second appends ten more. Loss, accuracy and parameters are those
# of the training that was never interrupted, in every bit.

model, optimizer, rng, history = pickle.loads(saved)  # noqa: S301 - the script's own
train(model, optimizer, rng, EPOCHS - len(history), kept=kept, history=history)
train(model, optimizer, rng, MORE, kept=kept, history=history)
print(history)
print(expected)
if not (np.array_equal(model.values, whole[0].values) and history.val_loss == expected.val_loss):
    raise AssertionError("not the same bits")

# %%
# For contrast, the same without the history: the interrupted epoch begins anew, with another order of the samples. A
# second network gets a new optimizer besides, which has forgotten its moments.

contrasts = {}
for name in ("history forgotten", "optimizer forgotten too"):
    model, optimizer, rng, past = pickle.loads(saved)  # noqa: S301 - the script's own
    if name != "history forgotten":
        optimizer = minidl.Adam(model, lr=0.01)
    contrasts[name] = kept[: len(past)]
    train(model, optimizer, rng, EPOCHS + MORE - len(past), kept=contrasts[name])

# %%
# Left: the test loss. Right: the distance of the parameters from those of the training without interruption, over their
# norm.


def distances(parameters):
    """Return the relative distance from the training without interruption, for each epoch."""
    pairs = zip(parameters, expected_kept, strict=True)
    return [np.linalg.norm(own - other) / np.linalg.norm(other) for own, other in pairs]


figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4))
epochs, now = np.arange(1, EPOCHS + MORE + 1), PRESSED * BATCH / len(x)
left.plot(epochs, expected.val_loss, color="C5", lw=6, alpha=0.6, label="not interrupted")
left.plot(epochs[:EPOCHS], history.val_loss[:EPOCHS], "C0.-", label="interrupted and gone on")
left.plot(epochs[EPOCHS - 1 :], history.val_loss[EPOCHS - 1 :], "C1.--", label=f"{MORE} more epochs")
left.set(xlabel="epoch", ylabel="test loss", ylim=(0, None))
right.plot(epochs, distances(kept), "C0.-", label="with history=")
for (name, parameters), style in zip(contrasts.items(), ("C2^--", "C3s-."), strict=True):
    right.plot(epochs, distances(parameters), style, ms=4, markevery=2, label=name)
right.set(xlabel="epoch", ylabel="relative distance of the parameters")
for axes in (left, right):
    axes.axvline(now, color="black", lw=1, ls=":", label="Ctrl-C")
    axes.legend()
plt.show()
