"""
Save and load
=============

``minidl.save`` writes a model to one file, and ``minidl.load`` builds it again, with the same layers and the same bits.
The file is in the format safetensors: numbers and a description, no code. Other programs, such as torch, open it, and a
file from a stranger cannot run anything.
"""

import json
import struct
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

folder = tempfile.TemporaryDirectory()
path = Path(folder.name, "disk.safetensors")

# %%
# A network is trained and saved:

(x, y), (x_test, y_test) = minidl_data.load_disk(0)
rng = np.random.default_rng(1)
model = minidl.Sequential(
    [
        minidl.Linear(2, 25, rng=rng),
        minidl.BatchNorm1d(25),
        minidl.LeakyReLU(0.1),
        minidl.Dropout(0.1, rng=rng),
        minidl.Residual(minidl.Sequential([minidl.Linear(25, 25, rng=rng), minidl.Tanh()])),
        minidl.Linear(25, 2, init="lecun", rng=rng),
    ]
)
loss, optimizer = minidl.CrossEntropyLoss("mean"), minidl.Adam(model, lr=0.01)
minidl.fit(model, loss, optimizer, x, y, epochs=30, batch_size=50, rng=rng)
minidl.save(model, path)
print(f"{path.stat().st_size:,} bytes for {model.values.size:,} parameters")

# %%
# Elsewhere it is loaded. Nothing but the file is needed, since the layers are minidl's own.

twin = minidl.load(path)
print(repr(twin))
print("accuracy:", minidl.evaluate(model, loss, x_test, y_test).accuracy, end=" ")
print("and again:", minidl.evaluate(twin, loss, x_test, y_test).accuracy)
if not np.array_equal(minidl.predict(twin, x_test), minidl.predict(model, x_test)):
    raise AssertionError("not the same bits")

# %%
# The file begins with the length of a header and the header, which is JSON. The rest is the bytes of the arrays, one
# after the other. The list shows where each array begins; below is the description of one layer.

content = path.read_bytes()
(length,) = struct.unpack("<Q", content[:8])
header = json.loads(content[8 : 8 + length])
description = json.loads(header.pop("__metadata__")["minidl"])
for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
    print(f"{entry['data_offsets'][0]:>5}  {name:<24}{entry['dtype']:<5}{entry['shape']}")
print(json.dumps(description["network"]["children"]["4"]))

# %%
# For a layer of one's own the file has only the name of the class, so the class is handed in. Without it the file is
# refused, and a name in a file never imports anything.


class Wave(minidl.Module):
    """y = sin(rate x), with one rate."""

    keeps_width = True
    settings = ("rate", "lr")

    def __init__(self, rate=1.0):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        """Return ``sin(rate x)``, and save x."""
        return self.save_for_backward(np.sin(self.rate * x), x)

    def backward(self, dy, *, need_dx=True):
        """Return ``dL/dx = dy rate cos(rate x)``."""
        (x,) = self.saved(dy)
        return dy * self.rate * np.cos(self.rate * x) if need_dx else None


own = minidl.Sequential([minidl.Linear(2, 10, rng=0), Wave(3), minidl.Linear(10, 2, rng=1)])
own_path = Path(folder.name, "own.safetensors")
minidl.save(own, own_path)
try:
    minidl.load(own_path)
except ValueError as error:
    print(error.__class__.__name__, str(error).partition(": ")[2])
print(minidl.load(own_path, kinds={"Wave": Wave})[1])

# %%
# A file may be damaged on its way. In each of 500 copies one bit is flipped. Nearly all changes of the header are
# noticed, and the file is refused. A change of the numbers makes another number, so the copy loads with one wrong
# parameter, and only a checksum tells. In the figure each dot is a copy, at the place of its changed byte.

rng = np.random.default_rng(2)
places, outcomes = rng.integers(0, len(content), 500), []
damaged = Path(folder.name, "damaged.safetensors")
for place in places:
    copy = bytearray(content)
    copy[place] ^= 1 << rng.integers(8)
    damaged.write_bytes(copy)
    try:
        changed = minidl.load(damaged)
    except ValueError:
        outcomes.append(0)
    else:
        outcomes.append(1 + np.array_equal(minidl.predict(changed, x_test), minidl.predict(model, x_test)))
outcomes = np.array(outcomes)
words = ["refused, ValueError", "loaded, other predictions", "loaded, same predictions"]
for number, word in enumerate(words):
    print(f"{word:<28}{np.sum(outcomes == number):>5}")

figure, axes = plt.subplots(figsize=(9.6, 3.2))
axes.axvspan(0, 8 + length, color="C5", alpha=0.25, lw=0)
axes.axvspan(8 + length, len(content), color="C4", alpha=0.2, lw=0)
jitter = rng.uniform(-0.3, 0.3, len(places))
for number, color in enumerate(("C1", "C0", "C2")):
    chosen = outcomes == number
    axes.plot(places[chosen], (number + jitter)[chosen], ".", color=color, ms=4, alpha=0.7)
axes.set(xlabel="place of the changed byte", xlim=(0, len(content)), ylim=(-0.5, 3), yticks=range(3), yticklabels=words)
axes.text((8 + length) / 2, 2.6, "header", ha="center")
axes.text((8 + length + len(content)) / 2, 2.6, "numbers", ha="center")
axes.grid(visible=False)
axes.set_title("One changed byte in a file of a model")
folder.cleanup()
plt.show()
