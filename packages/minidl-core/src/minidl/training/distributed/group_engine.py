"""An engine of several processes: each computes the gradient of its share of a batch, and all make the same step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import partial
from typing import Any

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.samples import Samples
from minidl.arrays.shares import Share
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.batches import in_batches
from minidl.training.distributed.exchange import Exchange
from minidl.training.distributed.group import Group
from minidl.training.distributed.shards import Shard, shards
from minidl.training.engine import Engine, Part, Training
from minidl.training.metrics import Sums, Tally
from minidl.training.penalty import Penalty
from minidl.training.survivors import Snapshot, Statistics

_EVERY = 100  # steps from one comparison of the parameters to the next


class GroupEngine(Engine):
    """Computes the steps of a model in the processes of a group.

    All processes hold the whole model and optimizer, go through the same batches, and compute, each for its own samples
    S_p of a batch of mass M (the number of samples, or the sum of their weights)::

        sum:   dL/dw = Σ_p Σ_{i in S_p} dl_i/dw
        mean:  dL/dw = Σ_p (M_p / M) dL_p/dw        L_p the mean over S_p, of mass M_p

    The sum over p is one message. Then each process makes the same step, with the gradient of the whole batch:
    clipping, penalty, weight decay and learning rate need no other message, and the parameters stay equal to the last
    bit.

    Parameters
    ----------
    who : str
    model : Module
    group : Group
    step : callable, optional
        ``step(optimizer)`` replaces ``optimizer.step()``; see `NativeSteps`.
    """

    def __init__(self, who: str, model: Module, group: Group, step: Callable[[Optimizer], None] | None = None) -> None:
        self.who, self.model, self.leads, self._group, self._step = who, model, group.leads, group, step
        self.words = f"numpy, {group.size} process{'es' if group.size > 1 else ''}"
        if step is not None:
            self.words += ", steps native"
        self._exchange = Exchange(model, group)

    def current(self, training: Training | None = None) -> Engine:  # noqa: ARG002 - it runs every training
        """Return this engine, which runs whatever the model is."""
        return self

    def infer(self, x: Array) -> Array:
        """Compute the output of the model for one batch, in this process alone."""
        return self.model.infer(x)

    def predict(self, x: Array, batch_size: int | None = None) -> Array:
        """Compute the output of the model, batch by batch where x is long, in this process alone."""
        return in_batches(self, x, batch_size)

    def run(self, training: Training, part: Part) -> None:
        """Make a step for each batch; loss and accuracy of the whole batches are added to the tally."""
        loss, optimizer = training.loss, training.optimizer
        tally, survivors, penalty = training.tally, training.survivors, training.penalty
        step = optimizer.step if self._step is None else partial(self._step, optimizer)
        done = training.position.done
        if survivors.frozen.any():
            survivors.hold()
        mine = shards(part, self._group.rank, self._group.size)
        for batch, shard in enumerate(mine, start=part.before + 1):
            survivors.before.take()
            sums = self._learn(loss, tally, shard, f"in epoch {part.epoch}, batch {batch}", due=batch % _EVERY == 1)
            nan = np.isnan(_add(tally, loss, sums, penalty))
            if nan.any():
                survivors.freeze(nan, part.epoch, batch)
            if penalty is not None:
                penalty.add_gradient(loss)
            step()
            if survivors.held is not None:
                survivors.held.restore()
            done[~survivors.frozen] = batch
            training.interrupt.check()

    def train_step(self, loss: Loss, optimizer: Optimizer, samples: Samples, penalty: Penalty | None = None) -> Any:
        """Make one step with all samples, of which each process computes its share; return the loss."""
        model, own, t = self.model, loss.private_copy(), optimizer.t + 1
        replicates = model.replicate_shape
        optimizer.next_rate()
        before, statistics = Snapshot(model, optimizer, np.ones(replicates, bool)), Statistics(model)
        (shard,) = shards(Part(t, samples, None, samples.count), self._group.rank, self._group.size)
        tally = Tally(own, samples, accuracy=False)
        with model.mode_kept():
            model.train()
            model.zero_grad()
            try:
                sums = self._learn(own, tally, shard, f"in step {t}", due=t % _EVERY == 1)
                value = np.asarray(_add(tally, own, sums, penalty))
            except Exception:
                before.restore()
                model.zero_grad()
                raise
            loss.adopt(own)
            self._finish(optimizer, own, penalty, np.isnan(value), statistics)
        return value if replicates else float(value)

    def _finish(
        self, optimizer: Optimizer, loss: Loss, penalty: Penalty | None, nan: np.ndarray, before: Statistics
    ) -> None:
        """Make a step with the gradients that are there; networks whose loss is nan keep their parameters."""
        model = self.model
        if nan.any():
            before.restore(nan)
        if nan.all():
            model.zero_grad()
            return
        lost = Snapshot(model, optimizer, nan) if nan.any() else None
        if penalty is not None:
            penalty.add_gradient(loss)
        optimizer.step()
        if lost is not None:
            lost.restore()

    def _learn(self, loss: Loss, tally: Tally, shard: Shard, where: str, *, due: bool) -> Sums:
        """Put the gradient of the whole batch into the model, and return the batch's sums; see the class."""
        model, axes = self.model, len(self.model.replicate_shape)
        own, divisor = copy(tally), 0.0
        own.start()
        with self._shared(shard, where):
            prediction = model.forward(shard.x)
            if shard.first == shard.last:
                dy = prediction * 0  # no samples; the layers may still exchange what they average
            else:
                value = loss.forward(prediction, shard.y, replicate_axes=axes, **shard.options)
                own.add(loss.value(value), prediction, shard.y, **shard.options)
                dy, divisor = loss.backward(), _divisor(loss)
                if loss.reduction != "sum":
                    dy = dy * loss.broadcast_setting(shard.part_of_mass, dy, axes)
            model.backward(dy, need_dx=False)
        sums, divisor = self._exchange.add_up(own.sums(), divisor, shard.fingerprint, where, due=due)
        if loss.reduction != "sum":
            loss.divisor = _as_divisor(divisor)
        return sums

    @contextmanager
    def _shared(self, shard: Shard, where: str) -> Iterator[None]:
        """Tell the layers, in a block, which samples of the batch they get."""
        if self._group.size == 1:
            yield
            return
        share = Share(shard.first, shard.last, shard.count, partial(self._total, where))
        modules = list(self.model.modules())
        for module in modules:
            module.share = share
        try:
            yield
        finally:
            for module in modules:
                del module.share

    def _total(self, where: str, array: Array) -> Array:
        """Return the sum of an array over all processes."""
        return self._group.add_up(self.model.backend.asarray(array), where)


def _add(tally: Tally, loss: Loss, sums: Sums, penalty: Penalty | None) -> Any:
    """Add a batch to the tally, and return its loss with the penalty, as `Tally.add` does."""
    times = sums.samples if loss.reduction != "sum" else 1  # the mean of a batch counts once for each sample
    if penalty is not None:
        sums = Sums(sums.loss + penalty.value(loss) * times, *sums[1:])
    tally.start(Sums(*(before + new for before, new in zip(tally.sums(), sums, strict=True))))
    return sums.loss / np.where(np.equal(times, 0), 1, times)


def _divisor(loss: Loss) -> Any:
    """Return the divisor of the last `forward`: 0 for samples without any weight, nan where the loss has none."""
    if loss.divisor is None:
        return np.nan
    return np.where(np.isinf(loss.divisor), 0.0, loss.divisor)


def _as_divisor(total: Any) -> Any:
    """Return the sum of divisors as `Loss.divisor` has it."""
    if np.isnan(total).any():
        return None
    found = np.where(np.equal(total, 0), np.inf, total)
    return found if found.ndim else float(found)
