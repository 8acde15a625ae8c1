"""
More data than memory
=====================

``fit`` takes its samples from two arrays, or, with ``batches=``, from whatever makes one batch after another: slices of
a file, or a generator of samples that are never stored. Then only a few batches are in memory, however many samples
there are. This page measures the memory, and shows what samples that never repeat are worth.
"""

import tempfile
import tracemalloc
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl
import minidl_data

BATCH, COUNTS = 100, (3000, 30_000, 300_000)
disk = minidl_data.DiskStream(0)  # a slice of it draws the points of that slice, each time the same
x_test, y_test = minidl_data.DiskStream(1)[:10_000]


def build():
    """Build a network for points of the plane."""
    rng, layers = np.random.default_rng(0), []
    for below in (2, 25, 25):
        layers += [minidl.Linear(below, 25, rng=rng), minidl.ReLU()]
    return minidl.Sequential([*layers, minidl.Linear(25, 2, init="lecun", rng=rng)])


def train(batches=None, **arrays):
    """Train a network for an epoch."""
    model, loss = build(), minidl.CrossEntropyLoss("mean")
    minidl.fit(model, loss, minidl.Adam(model, lr=0.003), epochs=1, batches=batches, **arrays)


# %%
# **A file.** The points are written in pieces. ``numpy.load(mmap_mode="r")`` opens a file without reading it; a slice
# is read when it is used. ``batches`` is a function here, so ``fit`` can ask for the batches again in each epoch. The
# order is that of the file, unlike that of arrays: a file whose samples are sorted must be shuffled once before.

folder = tempfile.TemporaryDirectory()


def write(count):
    """Write points and labels to files; return their paths."""
    paths = [Path(folder.name) / f"{name}_{count}.npy" for name in "xy"]
    x = np.lib.format.open_memmap(paths[0], "w+", np.float32, (count, 2))
    y = np.lib.format.open_memmap(paths[1], "w+", np.int64, (count,))
    for start in range(0, count, 1000):
        rows = slice(start, start + 1000)
        x[rows], y[rows] = disk[rows]
    return paths


def slices_of(paths):
    """Yield the batches of a file."""
    x, y = (np.load(path, mmap_mode="r") for path in paths)
    for start in range(0, len(x), BATCH):
        yield x[start : start + BATCH], y[start : start + BATCH]


# %%
# **A generator.** ``DiskStream.batches`` makes the same points when they are asked for.
#
# The memory of the three ways, for one epoch over more and more points. ``tracemalloc`` counts what Python and NumPy
# allocate. Pages of a mapped file are not counted: the system reads them, and may drop them whenever it needs memory.


def peak_of(work, *arguments):
    """Return the peak of the memory that is allocated during some work, in megabytes."""
    tracemalloc.start()
    work(*arguments)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def from_arrays(paths):
    """Train on arrays that were read from the files as a whole."""
    x, y = map(np.load, paths)
    train(x=x, y=y, batch_size=BATCH)


peaks = {"arrays": [], "slices of a file": [], "a generator": []}
for count in COUNTS:
    paths = write(count)
    peaks["arrays"].append(peak_of(from_arrays, paths))
    peaks["slices of a file"].append(peak_of(train, partial(slices_of, paths)))
    peaks["a generator"].append(peak_of(train, partial(disk.batches, 0, count, BATCH)))
    print(f"{count:7,} points: " + ", ".join(f"{name} {values[-1]:.1f} MB" for name, values in peaks.items()))
if peaks["slices of a file"][-1] > 2 * peaks["slices of a file"][0]:
    raise AssertionError("the memory of a stream grew with its length")
folder.cleanup()

# %%
# **What new samples are worth.** A network is trained on 1000 points, again and again, or on a generator
# that never repeats itself: each epoch continues where the one before has ended. Both make the same number of steps.

PIECE, EPOCHS, FEW = 20_000, 30, 1000


def errors_of(batches, epochs):
    """Return the test error of each epoch in percent."""
    model, loss = build(), minidl.CrossEntropyLoss("mean")
    rate = minidl.CosineSchedule(0.005, epochs * PIECE // BATCH)
    test = (x_test, y_test)
    history = minidl.fit(model, loss, minidl.Adam(model, rate), batches=batches, epochs=epochs, validation=test)
    return 100 * (1 - history.curve("val_accuracy"))


def again_and_again(count):
    """Return batches that go through the same points, in a new order each time, until an epoch is full."""
    rng, (x, y) = np.random.default_rng(0), disk[:count]

    def batches():
        for _ in range(PIECE // count):
            for rows in rng.permutation(count).reshape(-1, BATCH):
                yield x[rows], y[rows]

    return batches


def endless():
    """Return batches of new points: each call goes on behind the last one."""
    starts = iter(range(0, EPOCHS * PIECE, PIECE))

    def batches():
        start = next(starts)
        return disk.batches(start, start + PIECE, BATCH)

    return batches


errors = {f"{FEW:,} points, again and again": errors_of(again_and_again(FEW), EPOCHS)}
errors["new points in every batch"] = errors_of(endless(), EPOCHS)
for name, curve in errors.items():
    print(f"{name:30}: test error {curve[-1]:.2f} %")
if errors["new points in every batch"][-1] > 0.7 * errors[f"{FEW:,} points, again and again"][-1]:
    raise AssertionError("new points made no difference")

# %%
# Left: the peak of the allocated memory. The few megabytes of a stream are the batches that ``fit`` hands to the
# compiled engine together, and do not grow. Right: the test error on 10,000 other points. With points that never repeat
# there is nothing to overfit, and the error falls with the learning rate.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4))
for (name, values), style in zip(peaks.items(), ("C1s--", "C0o-", "C2^-."), strict=True):
    left.plot(COUNTS, values, style, label=name)
left.set(xlabel="points in an epoch", ylabel="peak of memory (MB)", xscale="log", yscale="log", ylim=(0.08, 20))
left.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
left.minorticks_off()
left.legend()
for (name, curve), style in zip(errors.items(), ("C1s--", "C0o-"), strict=True):
    right.plot(np.arange(1, EPOCHS + 1) * PIECE / 1000, curve, style, ms=4, markevery=3, label=name)
right.set(xlabel="points trained on, in thousands", ylabel="test error (%)", yscale="log", ylim=(0.25, 12))
right.set_yticks([0.3, 1, 3, 10], ["0.3", "1", "3", "10"])
right.minorticks_off()
right.legend()
plt.show()
