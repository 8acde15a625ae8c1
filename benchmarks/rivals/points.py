"""The disk data set, drawn, batched and standardised by minidl_data and by NumPy alone.

A task is a number of points.
"""

import numpy as np

import minidl_data

BATCH = 1000
PIECE = 65_536


def make_disk(count):
    return lambda: minidl_data.make_disk(count, rng=0)[0][-10:]


def draw(count):
    """Draw the points without labels, which is the lower bound of the time."""
    return lambda: np.random.default_rng(0).random((count, 2), np.float32)[-10:]


def stream(count):
    return lambda: minidl_data.DiskStream(0)[:count][0][-10:]


def batches(count):
    x, y = minidl_data.make_disk(count, rng=0)

    def run():
        for points, _labels in minidl_data.batches(x, y, BATCH, rng=0):
            last = points
        return last

    return run


def batches_by_hand(count):
    x, y = minidl_data.make_disk(count, rng=0)

    def run():
        order = np.random.default_rng(0).permutation(count)
        for start in range(0, count, BATCH):
            rows = order[start : start + BATCH]
            last, _labels = x[rows], y[rows]
        return last

    return run


def standardise_stream(count):
    """Sum over one pass of batches and standardise in a second pass, with one batch in memory."""
    stream = minidl_data.DiskStream(0)

    def run():
        sums = np.zeros((2, 2))
        for x, _ in stream.batches(0, count, PIECE):
            sums += x.sum(axis=0, dtype=np.float64), np.einsum("ij,ij->j", x, x, dtype=np.float64)
        mean, square = sums / count
        mean, std = mean.astype(np.float32), np.sqrt(square - mean**2).astype(np.float32)
        for x, _ in stream.batches(0, count, PIECE):
            np.subtract(x, mean, out=x)
            np.divide(x, std, out=x)
        return x[-10:]

    return run


def standardise_in_memory(count):
    """Draw all points of the stream at once and standardise them in place."""

    def run():
        x, _ = minidl_data.DiskStream(0)[:count]
        x -= x.mean(axis=0, dtype=np.float64).astype(np.float32)
        x /= x.std(axis=0, dtype=np.float64).astype(np.float32)
        return x[-10:]

    return run
