"""The NumPy implementation of an engine: it calls the layers, the loss and the optimizer one by one.

It serves torch tensors as well, since the layers do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np

from minidl.arrays.backend import Array, backend_of, library_of
from minidl.arrays.checks import as_count
from minidl.arrays.samples import rows, sample_axis
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.engine import Engine, Training
from minidl.training.metrics import Evaluation
from minidl.training.survivors import keep, put_back

_ROWS = 4096  # rows of all replicates at a time: a layer of 25 then takes 400 KB, and stays in the cache


class NumpyEngine(Engine):
    """Runs a model by its own `forward`, `backward` and `infer`.

    Parameters
    ----------
    who : str
    model : Module
    why_not : str
        Why it is not the native engine; empty if nobody asked for that.
    step : callable, optional
        ``step(optimizer)`` makes the step of an optimizer in its place; see `NativeSteps`.
    """

    def __init__(
        self, who: str, model: Module, why_not: str = "", step: Callable[[Optimizer], None] | None = None
    ) -> None:
        self.who, self.model, self._step = who, model, step
        self.words = f"numpy ({why_not})" if why_not else "numpy"
        if step is not None:
            self.words += ", steps native"

    def current(self) -> Engine:
        """Return this engine, which runs whatever the model is."""
        return self

    def infer(self, x: Array) -> Array:
        """Compute the output of the model for one batch."""
        return self.model.infer(x)

    def predict(self, x: Array, batch_size: int | None = None) -> Array:
        """Compute the output of the model, batch by batch where x is long."""
        return in_batches(self, x, batch_size)

    def run_epoch(self, training: Training, epoch: int, order: np.ndarray) -> Evaluation:
        """Make a step for each batch; return loss and accuracy on the way."""
        model, loss, optimizer = self.model, training.loss, training.optimizer
        tally, survivors = training.tally, training.survivors
        step = optimizer.step if self._step is None else partial(self._step, optimizer)
        axes = len(model.replicate_shape)
        for batch, (x, y) in enumerate(training.samples.batches(order, training.batch_size), start=1):
            prediction = model.forward(x)
            value = loss.forward(prediction, y, replicate_axes=axes)
            nan = tally.add(value, prediction, y)
            if nan is not None:
                survivors.freeze(nan, epoch, batch)
            model.backward(loss.backward(), need_dx=False)
            step()
            if survivors.kept:
                survivors.restore()
        return tally.take()

    def train_step(self, loss: Loss, optimizer: Optimizer, x: Array, y: Array) -> Any:
        """Make one step; return the loss."""
        model = self.model
        replicates = model.replicate_shape
        model.zero_grad()
        with model.mode_kept():
            model.train()
            value = loss.forward(model.forward(x), y, replicate_axes=len(replicates))
        value = model.backend.to_numpy(value).astype(np.float64) if replicates else float(value)
        nan = np.isnan(value)
        if nan.all():
            return value
        kept = keep(model, optimizer, nan) if replicates and nan.any() else []
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
        put_back(kept, nan)
        return value


def in_batches(engine: Engine, x: Array, batch_size: int | None) -> Array:
    """Compute ``engine.infer(x)`` in batches of samples, so that the memory beside the output is that of one batch."""
    backend_of(x, engine.who)
    model, infer = engine.model, engine.infer
    axis = sample_axis(x, model.replicate_shape) if x.ndim > 1 else 0
    size = batch_rows(engine.who, model, batch_size, x, axis)
    if x.ndim < 2 or x.shape[axis] <= size:
        return infer(x)
    before, samples = len(model.replicate_shape), x.shape[axis]
    first = infer(rows(x, 0, size, axis))
    shape = (*first.shape[:before], samples, *first.shape[before + 1 :])
    output = library_of(first, engine.who).xp.empty(shape, dtype=first.dtype, device=first.device)
    rows(output, 0, size, before)[...] = first
    for start in range(size, samples, size):
        rows(output, start, start + size, before)[...] = infer(rows(x, start, start + size, axis))
    return output


def batch_rows(who: str, model: Module, batch_size: int | None, x: Array, axis: int) -> int:
    """Return the number of samples to predict at a time, when axis `axis` of x counts them."""
    if batch_size is not None:
        return as_count(who, "batch_size", batch_size)
    rows_of_a_sample: int = prod((*model.replicate_shape, *x.shape[axis + 1 : -1]))
    return max(1, _ROWS // max(1, rows_of_a_sample))
