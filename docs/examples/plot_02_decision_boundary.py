"""
The decision boundary during training
=====================================

``fit`` calls each of its callbacks after every epoch. The callback on this page stores the network's output at every
point of the square. The plots show how the decision boundary closes around the disk.
"""

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

rng = np.random.default_rng(1)
(x, y), (x_test, y_test) = minidl_data.load_disk(rng)
model = minidl.Sequential(
    [
        minidl.Linear(2, 25, rng=rng),
        minidl.ReLU(),
        minidl.Linear(25, 25, rng=rng),
        minidl.ReLU(),
        minidl.Linear(25, 1, rng=rng),
    ]
)

# %%
# The network has one output, a logit; a positive logit means class 1. The targets are a column of zeros and ones.

side = np.linspace(0, 1, 121, dtype=np.float32)
points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
looks = {}


def look(epoch, history):
    """Keep the logits of the whole square, and the test accuracy, after some epochs."""
    if epoch in (1, 2, 4, 8, 16, 40):
        looks[epoch] = minidl.predict(model, points).reshape(121, 121), history.val_accuracy[-1]


targets = y[:, None].astype(np.float32)
minidl.fit(
    model,
    minidl.BCEWithLogitsLoss(),
    minidl.Adam(model, lr=0.003),
    x,
    targets,
    epochs=40,
    batch_size=25,
    validation=(x_test, y_test[:, None].astype(np.float32)),
    rng=rng,
    callbacks=[look],
)

# %%
# Purple areas are classified as *outside*, orange areas as *inside*. The black line is the decision boundary, the
# dashed line the true circle.

figure, axes = plt.subplots(2, 3, figsize=(9, 5.8), sharex=True, sharey=True)
for ax, (epoch, (logits, accuracy)) in zip(axes.flat, looks.items(), strict=True):
    image = ax.contourf(side, side, np.clip(logits, -4, 4), levels=np.linspace(-4, 4, 17), cmap="PuOr_r")
    ax.contour(side, side, logits, levels=[0], colors="black", linewidths=1.6)
    ax.add_patch(plt.Circle(minidl_data.CENTER, minidl_data.RADIUS, fill=False, ls="--", ec="#555555"))
    ax.set(title=f"epoch {epoch}: {100 * accuracy:.1f} % correct", aspect="equal")
figure.supxlabel("$x_1$")
figure.supylabel("$x_2$")
figure.colorbar(image, ax=axes, label="logit of class 1, clipped at ±4", ticks=range(-4, 5, 2), shrink=0.8)
plt.show()
