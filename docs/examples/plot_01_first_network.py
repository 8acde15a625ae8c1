"""
First network
=============

Data, a network, a loss, an optimizer and ``fit`` on one page. The task is that of the report: which points of the unit
square lie inside a disk?
"""

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

# %%
# The training set has 1000 points, the test set 1000 others. One generator draws all random numbers of this page, so
# each run gives the same result.

rng = np.random.default_rng(0)
(x, y), (x_test, y_test) = minidl_data.load_disk(rng)
print("points", x.shape, x.dtype, " classes", np.unique(y))

# %%
# The network has two hidden layers of 25 units and two outputs, one score per class. ``CrossEntropyLoss`` applies the
# softmax that turns scores into probabilities.

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
# The training has 50 epochs with batches of 20 points. The test set is measured after each epoch.

loss, optimizer = minidl.CrossEntropyLoss(), minidl.Adam(model, lr=0.003)
history = minidl.fit(model, loss, optimizer, x, y, epochs=50, batch_size=20, validation=(x_test, y_test), rng=rng)
print(history)

# %%
# Loss and accuracy per epoch. Those of the training set are averages over the epoch, while the parameters change. Those
# of the test set belong to the parameters at the end of the epoch.

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
# The predicted probability at every point of the square, and the misclassified test points.

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
