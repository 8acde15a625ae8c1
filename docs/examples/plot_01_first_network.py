"""
First network
=============

Data, a network, a loss, an optimizer, ``fit``: the whole of it on one page. The task is the one of the report, to tell
which points of the unit square lie inside a disk.
"""

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

# %%
# A thousand points to learn from, a thousand others to test on, drawn from a generator. Everything random below is
# drawn from the same one, so the page comes out the same each time.

rng = np.random.default_rng(0)
(x, y), (x_test, y_test) = minidl_data.load_disk(rng)
print("points", x.shape, x.dtype, " classes", np.unique(y))

# %%
# Two hidden layers of 25 units. The network ends in two scores, one per class, which ``CrossEntropyLoss`` makes
# probabilities of.

model = minidl.Sequential(
    [
        minidl.Linear(2, 25, rng=rng),
        minidl.ReLU(),
        minidl.Linear(25, 25, rng=rng),
        minidl.ReLU(),
        minidl.Linear(25, 2, rng=rng),
    ]
)
print(minidl.summary(model))

# %%
# Fifty times through the data, twenty points at a time. The test set is measured after each epoch.

loss, optimizer = minidl.CrossEntropyLoss(), minidl.Adam(model, lr=0.003)
history = minidl.fit(model, loss, optimizer, x, y, epochs=50, batch_size=20, validation=(x_test, y_test), rng=rng)
print(history)

# %%
# Loss and accuracy per epoch. Those of the training set are gathered while an epoch runs, so the first of them belongs
# to a network that still knows little.

epochs = np.arange(1, len(history) + 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
left.plot(epochs, history.loss, label="training set")
left.plot(epochs, history.val_loss, "--", label="test set")
left.set(xlabel="epoch", ylabel="cross-entropy per sample (nat)", ylim=(0, None))
right.plot(epochs, 100 * history.curve("accuracy"), label="training set")
right.plot(epochs, 100 * history.curve("val_accuracy"), "--", label="test set")
right.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(None, 100))
right.legend(loc="lower right")
plt.show()

# %%
# What the network says of every point of the square, and the test points that it gets wrong.

side = np.linspace(0, 1, 201, dtype=np.float32)
grid = np.stack(np.meshgrid(side, side), axis=-1)
scores = minidl.predict(model, grid.reshape(-1, 2)).reshape(201, 201, 2)
probability = 1 / (1 + np.exp(scores[..., 0] - scores[..., 1]))
wrong = minidl.predict(model, x_test).argmax(axis=-1) != y_test

figure, axes = plt.subplots(figsize=(5.2, 4.4))
image = axes.pcolormesh(side, side, probability, cmap="PuOr_r", vmin=0, vmax=1, rasterized=True)
axes.scatter(*x_test[wrong].T, s=26, color="#009e73", edgecolor="white", linewidth=0.6, label="misclassified")
angle = np.linspace(0, 2 * np.pi, 361)
circle = [
    center + minidl_data.RADIUS * f(angle) for center, f in zip(minidl_data.CENTER, (np.cos, np.sin), strict=True)
]
axes.plot(*circle, "--", color="black", lw=1.2, label="true circle")
axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", title=f"{wrong.sum()} of {len(wrong)} test points are wrong")
figure.colorbar(image, label="predicted probability of class 1")
figure.legend(loc="outside lower center", ncols=2)
plt.show()
