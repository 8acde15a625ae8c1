"""The NumPy implementation of an engine: it calls the layers, the loss and the optimizer one by one.

It serves torch tensors as well, since the layers do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.batches import in_batches
from minidl.training.check_samples import check_targets
from minidl.training.engine import Engine, Part, Training
from minidl.training.penalty import Penalty
from minidl.training.survivors import Snapshot, Statistics


class NumpyEngine(Engine):
    """Runs a model by its own `forward`, `backward` and `infer`.

    Parameters
    ----------
    who : str
    model : Module
    why_not : str
        Reason why the native engine does not run; empty if NumPy was asked for.
    step : callable, optional
        ``step(optimizer)`` replaces ``optimizer.step()``; see `NativeSteps`.
    """

    def __init__(
        self, who: str, model: Module, why_not: str = "", step: Callable[[Optimizer], None] | None = None
    ) -> None:
        self.who, self.model, self._step = who, model, step
        self.words = f"numpy ({why_not})" if why_not else "numpy"
        if step is not None:
            self.words += ", steps native"

    def current(self, training: Training | None = None) -> Engine:  # noqa: ARG002 - it runs every training
        """Return this engine, which runs whatever the model is."""
        return self

    def infer(self, x: Array) -> Array:
        """Compute the output of the model for one batch."""
        return self.model.infer(x)

    def predict(self, x: Array, batch_size: int | None = None) -> Array:
        """Compute the output of the model, batch by batch where x is long."""
        return in_batches(self, x, batch_size)

    def run(self, training: Training, part: Part) -> None:
        """Make a step for each batch; loss and accuracy on the way are added to the tally."""
        model, loss, optimizer = self.model, training.loss, training.optimizer
        tally, survivors, penalty = training.tally, training.survivors, training.penalty
        step = optimizer.step if self._step is None else partial(self._step, optimizer)
        axes, done = len(model.replicate_shape), training.position.done
        if survivors.frozen.any():
            survivors.hold()  # as they are now, after what a callback may have done to them
        batches = part.samples.batches(part.order, part.batch_size)
        for batch, (x, y, options) in enumerate(batches, start=part.before + 1):
            survivors.before.take()
            prediction = model.forward(x)
            value = loss.forward(prediction, y, replicate_axes=axes, **options)
            extra = None if penalty is None else penalty.value(loss)
            nan = tally.add(loss.value(value), prediction, y, **options, penalty=extra)
            if nan is not None:
                survivors.freeze(nan, part.epoch, batch)
            model.backward(loss.backward(), need_dx=False)
            if penalty is not None:
                penalty.add_gradient(loss)
            step()
            if survivors.held is not None:
                survivors.held.restore()
            done[~survivors.frozen] = batch
            training.interrupt.check()

    def train_step(self, loss: Loss, optimizer: Optimizer, samples: Samples, penalty: Penalty | None = None) -> Any:
        """Make one step; return the loss."""
        model, own = self.model, loss.private_copy()
        replicates = model.replicate_shape
        optimizer.next_rate()
        before = Statistics(model)
        with model.mode_kept():
            model.train()
            value = self._loss_or_nothing(own, optimizer, samples, penalty)
            loss.adopt(own)
            nan = np.isnan(value)
            if nan.any():
                before.restore(nan)
            model.zero_grad()
            if not nan.all():
                lost = Snapshot(model, optimizer, nan) if nan.any() else None
                model.backward(own.backward(), need_dx=False)
                if penalty is not None:
                    penalty.add_gradient(own)
                optimizer.step()
                if lost is not None:
                    lost.restore()
        return value if replicates else float(value)

    def _loss_or_nothing(
        self, loss: Loss, optimizer: Optimizer, samples: Samples, penalty: Penalty | None
    ) -> np.ndarray:
        """Return the loss of the samples; after an error everything is as before, also what dropout has drawn."""
        model, replicates = self.model, samples.replicate_shape
        before, prediction = Snapshot(model, optimizer, np.ones(replicates, bool)), None
        try:
            prediction = model.forward(samples.x)
            options = samples.options(0, samples.count)
            value = loss.value(loss.forward(prediction, samples.y, replicate_axes=len(replicates), **options))
            extra = None if penalty is None else penalty.value(loss)
        except Exception:
            before.restore()
            if prediction is not None:
                check_targets(loss, prediction, samples)
            raise
        data = np.asarray(model.backend.to_numpy(value), np.float64)
        return data if extra is None else data + extra
