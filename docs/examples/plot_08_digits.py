"""
Handwritten digits
==================

The data set has 1797 handwritten digits, images of 8 by 8 pixels with 17 grey levels, and is part of scikit-learn. A
quarter of the images is the test set.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import minidl

digits = load_digits()
x = (digits.data / 16).astype(np.float32)
y = digits.target
x, x_test, y, y_test = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
print("training set", x.shape, " test set", x_test.shape)

# %%
# The network has two hidden layers, each followed by dropout, and ten outputs.

rng = np.random.default_rng(0)
model = minidl.Sequential(
    [
        minidl.Linear(64, 128, rng=rng),
        minidl.ReLU(),
        minidl.Dropout(0.2, rng=rng),
        minidl.Linear(128, 64, rng=rng),
        minidl.ReLU(),
        minidl.Dropout(0.2, rng=rng),
        minidl.Linear(64, 10, rng=rng),
    ]
)
loss = minidl.CrossEntropyLoss()
history = minidl.fit(
    model,
    loss,
    minidl.Adam(model, lr=0.002),
    x,
    y,
    epochs=60,
    batch_size=32,
    validation=(x_test, y_test),
    rng=rng,
)
accuracy = minidl.evaluate(model, loss, x_test, y_test).accuracy
print(f"test accuracy: {100 * accuracy:.2f} %")
if accuracy <= 0.96:
    raise RuntimeError("expected a test accuracy above 96 %")

# %%
# The training curve is measured with dropout, the test curve without. In the first epochs the test error is therefore
# the smaller one.

epochs = np.arange(1, len(history) + 1)
figure, axes = plt.subplots(figsize=(6.4, 3.8))
axes.plot(epochs, 100 * (1 - history.curve("accuracy")), label="training set, with dropout")
axes.plot(epochs, 100 * (1 - history.curve("val_accuracy")), "--", label="test set")
axes.set(xlabel="epoch", ylabel="misclassified (%)", ylim=(0, 60))
axes.set_yscale("symlog", linthresh=1)  # logarithmic above 1 %, linear below: the training error can be 0
axes.set_yticks([0, 0.5, 1, 2, 5, 10, 20, 50], labels=["0", "0.5", "1", "2", "5", "10", "20", "50"])
axes.minorticks_off()
axes.legend()
plt.show()

# %%
# The confusion matrix. Its colours show the misclassified digits only, so the diagonal has none.

said = minidl.predict(model, x_test).argmax(axis=-1)
counts = np.zeros((10, 10), int)
np.add.at(counts, (y_test, said), 1)
errors = counts - np.diag(np.diag(counts))
figure, axes = plt.subplots(figsize=(5.4, 4.8))
image = axes.imshow(errors, cmap="Blues", vmin=0, vmax=max(errors.max(), 3))
for (true, answer), count in np.ndenumerate(counts):
    if count:
        axes.text(answer, true, count, ha="center", va="center", color="#777777" if true == answer else "black")
axes.set(xlabel="predicted digit", ylabel="true digit", xticks=range(10), yticks=range(10))
axes.set_title(f"{errors.sum()} of {len(y_test)} test digits are misclassified")
axes.grid(visible=False)
figure.colorbar(image, label="misclassified digits", ticks=range(max(errors.max(), 3) + 1), shrink=0.8)
plt.show()

# %%
# The first ten misclassified digits:

wrong = np.flatnonzero(said != y_test)[:10]
figure, axes = plt.subplots(2, 5, figsize=(7.2, 3.6), squeeze=False)
for ax in axes.flat:
    ax.axis("off")
for ax, index in zip(axes.flat, wrong, strict=False):
    ax.imshow(x_test[index].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"{y_test[index]}, predicted {said[index]}", fontsize=10)
plt.show()
