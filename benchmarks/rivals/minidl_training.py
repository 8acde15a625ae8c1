"""minidl itself: a training loop written by hand, and `fit`."""

from itertools import pairwise

import numpy as np

import minidl as md
from benchmarks import tasks


def network(task, norm=None):
    """Return the task's network with its first weights; with a replicate axis if the task has one.

    `norm` names a layer that normalizes the input of each activation.
    """
    model = (
        md.replicate(lambda rng: _network(task, rng, norm), range(*task.replicate_shape))
        if task.replicate_shape
        else _network(task, np.random.default_rng(0), norm)
    )
    layers = [layer for layer in model.layers if isinstance(layer, md.Linear)]
    for layer, (weight, bias) in zip(layers, task.weights, strict=True):
        layer.weight, layer.bias = weight, bias
    return model


def _network(task, rng, norm):
    layers = []
    for n_in, n_out in pairwise(task.widths):
        layers += [md.Linear(n_in, n_out, rng=rng), *([getattr(md, norm)(n_out)] if norm else []), md.ReLU()]
    if norm:
        del layers[-2]  # none in front of the output
    return md.Sequential(layers[:-1] if task.classes else [*layers[:-1], md.Sigmoid()])


def loss_of(task):
    return md.CrossEntropyLoss("mean") if task.classes else md.MSELoss()


def own_loop(task):
    """Forward, loss, backward and step, and nothing around them."""
    model, loss, axes = network(task), loss_of(task), len(task.replicate_shape)
    optimizer = md.Adam(model, tasks.LEARNING_RATE)

    def run():
        losses = []
        for x, y in shuffled(task):
            for start in range(0, task.x.shape[-2], task.batch):
                rows = slice(start, start + task.batch)
                losses.append(loss.forward(model.forward(x[..., rows, :]), samples(y, rows, axes), replicate_axes=axes))
                model.backward(loss.backward(), need_dx=False)
                optimizer.step()
        return np.array(losses)

    return run


def fit(task, norm=None, **options):
    """Train by `minidl.fit`, which records loss and accuracy of each epoch; `options` may name an engine."""
    model = network(task, norm)
    return fit_with(task, loss_of(task), md.Adam(model, tasks.LEARNING_RATE), **options)


def fit_with(task, loss, optimizer, **options):
    """Train the model of an optimizer by `minidl.fit`; an option that is a function is called before each training."""
    per_step = task.batch if loss.reduction == "sum" else 1

    def run():
        rng = (
            list(range(*task.replicate_shape)) if task.replicate_shape else 0
        )  # the seeds that the orders of the task were drawn from
        made = {name: option() if callable(option) else option for name, option in options.items()}
        settings = {"epochs": task.epochs, "batch_size": task.batch, "rng": rng, **made}
        return per_step * np.array(md.fit(optimizer.model, loss, optimizer, task.x, task.y, **settings).loss)

    return run


def one_by_one(task):
    """Train the first network alone."""
    return own_loop(tasks.first_alone(task))


def fit_one_by_one(task):
    """Train the first network alone by `fit`."""
    return fit(tasks.first_alone(task), engine="numpy")


def shuffled(task):
    """Yield the samples in the order of each epoch, one copy an epoch."""
    if not task.replicate_shape:
        for order in task.orders:
            yield task.x.take(order, axis=0), task.y.take(order, axis=0)
        return
    flat = [array.reshape(-1, array.shape[-1]) for array in (task.x, task.y)]
    first = task.x.shape[-2] * np.arange(*task.replicate_shape)[:, None]
    for epoch in range(task.epochs):
        rows = task.orders[:, epoch] + first
        yield tuple(array.take(rows, axis=0) for array in flat)


def samples(y, rows, lead):
    return y[:, rows] if lead else y[rows]


def infer(task):
    """Return the output in evaluation mode."""
    model = network(task)
    return lambda: model.infer(task.x)


def predict(task, engine):
    """Return the output in evaluation mode by `minidl.predict`, which splits many samples into batches."""
    model = network(task)
    return lambda: md.predict(model, task.x, engine=engine)


def predict_within(task):
    """Return the output of the native engine, without the checks of `minidl.predict`."""
    import minidl_native  # noqa: PLC0415 - optional: it needs a C++ compiler

    model = network(task)
    engine = minidl_native.Network(model.spec(), dtype="float32", replicate_shape=())
    return lambda: engine.predict(model.values, task.x)
