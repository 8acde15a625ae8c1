"""What a real training needs beside the report's network, in minidl: options, callbacks, streams, single samples."""

import numpy as np

import minidl as md
import minidl_data
from benchmarks import tasks
from benchmarks.rivals.minidl_training import fit_with, loss_of, network

ENGINE = {"engine": "native", "threads": 1}
STREAM = minidl_data.DiskStream(0)


def everything(task):
    """Train with clipping, weight decay, a schedule and weights of samples."""
    model = network(task)
    schedule = md.CosineSchedule(tasks.LEARNING_RATE, steps=1000 * task.epochs * task.steps)
    weight = np.random.default_rng(0).uniform(0.5, 1.5, len(task.x)).astype(np.float32)
    optimizer = md.AdamW(model, schedule, clip=1.0)
    return fit_with(task, loss_of(task), optimizer, sample_weight=weight, **ENGINE)


def huber(task):
    """Train with the Huber loss, whose delta lies within the errors."""
    return fit_with(task, md.HuberLoss(delta=0.5), md.Adam(network(task), tasks.LEARNING_RATE), **ENGINE)


def validated(task, *, stopping):
    """Train with a validation set of the samples themselves, and with early stopping that never stops."""
    callbacks = {"callbacks": lambda: [md.EarlyStopping(patience=task.epochs)]} if stopping else {}
    optimizer = md.Adam(network(task), tasks.LEARNING_RATE)
    return fit_with(task, loss_of(task), optimizer, validation=(task.x, task.y), **callbacks, **ENGINE)


def one_sample(task):
    """Make a step by `minidl.train_step` for each sample."""
    model, loss = network(task), loss_of(task)
    optimizer = md.Adam(model, tasks.LEARNING_RATE)
    samples = [(task.x[[row]], task.y[[row]]) for row in task.orders[0]]

    def run():
        return np.array([md.train_step(model, loss, optimizer, *sample) for sample in samples])

    return run


def epoch_over(points, batches):
    """Train for an epoch over points of the disk: from arrays, in slices of them, or made on the way."""
    x, y = STREAM[:points]
    size = tasks.BATCH
    samples = {
        "arrays": {"x": x, "y": y, "batch_size": size, "shuffle": False},
        "slices": {"batches": lambda: ((x[i : i + size], y[i : i + size]) for i in range(0, points, size))},
        "made": {"batches": lambda: STREAM.batches(0, points, size)},
    }[batches]
    loss = md.CrossEntropyLoss("mean")

    def run():
        model = network(tasks.report_task(epochs=1, samples=size))
        return np.array(md.fit(model, loss, md.SGD(model, 0.01), epochs=1, threads=1, **samples).loss)

    return run
