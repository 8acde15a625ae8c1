"""The engine of minidl-native: whole epochs in compiled code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import Any

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.optim.schedule import Schedule, as_record
from minidl.training.batches import in_batches
from minidl.training.check_samples import check_samples
from minidl.training.compiled import Compiled, compiled, is_plain
from minidl.training.engine import Engine, EpochResults, Part, Training
from minidl.training.metrics import Tally
from minidl.training.native_steps import optimizer_record
from minidl.training.numpy_engine import NumpyEngine
from minidl.training.penalty import Penalty
from minidl.training.prepared import as_targets, prepare, prepare_evaluation
from minidl.training.threads import thread_count

_STRETCH = 2**26  # products of inputs and weights in one call: what another thread changes meanwhile is seen soon
_ORDERS = 2**17  # samples in the orders of one call


class NativeEngine(Engine):
    """Runs a model in minidl-native.

    NumPy computes inputs that the network does not accept; with ``engine="native"`` they are an error.

    Parameters
    ----------
    who : str
    model : Module
    made : Compiled
        With a network.
    threads : int or None
        Over which replicates are spread, and with a number the samples of a prediction. The numbers do not depend on
        it.
    by_name : bool
        Whether the native engine was asked for by name.
    measures : type or None
        The class of losses that it may compute of samples that are only measured.
    """

    joins_batches = True

    def __init__(
        self,
        who: str,
        model: Module,
        made: Compiled,
        threads: int | None = None,
        *,
        by_name: bool = False,
        measures: type[Loss] | None = None,
    ) -> None:
        self.who, self.model, self.words = who, model, "native"
        self._made, self._by_name, self._threads, self._measures = made, by_name, threads, measures
        self._pool: Any = None

    def current(self, training: Training | None = None) -> Engine:
        """Return this engine, with the model compiled anew if a setting changed; NumPy's if a method was replaced."""
        self._made = compiled(self.model)
        why_not = self._made.why_not
        if training is not None and not why_not:
            why_not = self._made.why_not_train(self.model, training.loss, training.optimizer)
        if not why_not:
            return self
        if self._by_name:
            raise unsupported(self.who, why_not)
        engine = NumpyEngine(self.who, self.model)
        engine.words = f"native, then numpy ({why_not})"
        return engine

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Return a block in which threads and memory live as long as the training."""
        with self._made.native.Pool() as self._pool:
            try:
                yield
            finally:
                self._pool = None

    def infer(self, x: Array) -> Array:
        """Compute the output of the model for one batch."""
        x = _without_file(x)
        if self._takes(x):
            # A batch of the replicates' own data is no contiguous array, and little work to copy.
            return self._infer(x if is_plain(x) else np.array(x, order="C"))
        y = self.model.infer(x)  # raises if anything is wrong with x
        if self._by_name:
            array = f"x {tuple(x.shape)}, which is not samples of one axis"
            raise unsupported(self.who, array if type(x) is np.ndarray else f"x of type {type(x).__name__}")
        return y

    def predict(self, x: Array, batch_size: int | None = None) -> Array:
        """Compute the output of the model; the compiled network takes any number of samples at once."""
        x = _without_file(x)
        if self._takes(x) and is_plain(x):
            return self._infer(x)
        return in_batches(self, x, batch_size)

    def measure(self, loss: Loss, samples: Samples, tally: Tally) -> bool:
        """Set the tally to loss and hits of all samples; what the engine does not take, is NumPy's to do or refuse."""
        made, records = self._made, self.to_validate(loss, samples, tally.threshold)
        if records is None:
            return False
        result = made.native.EpochResult.empty(self.model.replicate_shape)
        try:
            made.network.evaluate(self.model.values, *records, result, **self._in_evaluation())
        except (ValueError, TypeError):
            return False
        tally.set_sums(result.loss, result.hits, np.asarray(samples.mass))
        if self.who == "evaluate" and samples.weight is None and self._threads is None:
            made.evaluation = prepare_evaluation(made, loss, records[1], samples.y)
        return True

    def to_validate(self, loss: Loss, samples: Samples, threshold: float | None) -> Any:
        """Return samples and loss as the network measures them; None where one of them is not for the engine."""
        made, x, y = self._made, _without_file(samples.x), _without_file(samples.y)
        if type(loss) is not self._measures or not made.measures(loss):
            return None
        if type(y) is not np.ndarray or not self._takes(x):
            return None
        try:
            loss.check_values(y, self.model.out_features or 0)
        except (ValueError, TypeError):
            return None
        batches = made.native.Samples(x, as_targets(y), None, samples.count, samples.weight)
        return batches, self._loss_record(loss, threshold, None)

    def permutations(self, rngs: list[np.random.Generator], count: int) -> np.ndarray:
        """Return an order of each generator, drawn on the threads; NumPy draws what the engine does not."""
        native = self._made.native
        try:
            orders: np.ndarray = native.permutations(rngs, count, threads=self._thread_count, pool=self._pool)
        except native.UnsupportedError:
            return super().permutations(rngs, count)
        return orders

    def run(self, training: Training, part: Part) -> None:
        """Make a step for each batch, in one call; loss and accuracy on the way are added to the tally."""
        if self._refuses(part.last):
            NumpyEngine(self.who, self.model).run(training, part)  # raises what the layer says of the batch
            return
        made, tally, end = self._made, training.tally, part.before + part.batches
        model, loss, samples, survivors = self.model, training.loss, part.samples, training.survivors
        batches = made.native.Samples(samples.x, as_targets(samples.y), part.order, part.batch_size, samples.weight)
        loss_record = self._loss_record(loss, tally.threshold, training.penalty)
        active = ~survivors.frozen if model.replicate_shape else None
        result, done = made.native.EpochResult.empty(model.replicate_shape), training.position.done
        # The sums go on from those before: however an epoch is cut into parts, they have the same bits.
        before = tally.sums()
        result.loss[...], result.hits[...] = before.loss, before.hits
        try:
            records = loss_record, optimizer_record(made, training.optimizer, end - part.before)
            self._train(batches, records, training.optimizer, result, active, adds=True, training=training)
        except KeyboardInterrupt:  # each replicate is somewhere else
            np.copyto(done, part.before + result.steps, where=~survivors.frozen)
            tally.set_sums(result.loss, result.hits, part.mass_in(result.steps, before.samples))
            raise
        done[... if active is None else active] = end
        diverged = {index: part.before + batch for index, batch in enumerate(result.diverged.ravel().tolist()) if batch}
        if diverged:
            survivors.lose(part.epoch, diverged)
        tally.set_sums(result.loss, result.hits, part.mass_in(result.steps, before.samples))

    def epochs_at_once(self, optimizer: Optimizer, count: int, validated: int) -> int:
        """Return how many epochs are short enough together; one where a user's function gives each learning rate."""
        lr = optimizer.lr
        unknown = callable(lr) and not (isinstance(lr, Schedule) and as_record(lr))
        if self.model.replicate_shape or unknown or (optimizer.kappa or 0) < 0:
            return 1
        most: int = _STRETCH // ((count + validated) * self.model.values.size)
        return min(most, _ORDERS // count)

    def run_epochs(self, training: Training, first: Part, orders: np.ndarray, results: EpochResults) -> bool:
        """Make the steps of several epochs in one call; return False if each must be run alone."""
        samples, loss, optimizer = first.samples, training.loss, training.optimizer
        y, size = as_targets(samples.y), first.batch_size
        batches = self._made.native.Samples(samples.x, y, orders, size, samples.weight)
        record = self._loss_record(loss, training.tally.threshold, training.penalty)
        try:
            records = record, optimizer_record(self._made, optimizer, len(orders) * first.batches)
        except ValueError:  # a rate that grows beyond all numbers, perhaps after the loss has
            return False
        self._train(batches, records, optimizer, results, training=training)
        return True

    def train_step(self, loss: Loss, optimizer: Optimizer, samples: Samples, penalty: Penalty | None = None) -> Any:
        """Make one step; return the loss."""
        x, y, replicates = _without_file(samples.x), _without_file(samples.y), self.model.replicate_shape
        if not (self._takes(x) and type(y) is np.ndarray) or self._refuses(samples.count):
            if self._by_name and self._takes(x) and type(y) is not np.ndarray:
                raise unsupported(self.who, f"targets of type {type(y).__name__}")
            return NumpyEngine(self.who, self.model).train_step(loss, optimizer, samples, penalty)
        batch = self._made.native.Samples(x, as_targets(y), None, samples.count, samples.weight)
        try:
            loss.check_values(y, self.model.out_features or 0)
            result = self._made.native.EpochResult.empty(self.model.replicate_shape)
            records = self._loss_record(loss, None, penalty), optimizer_record(self._made, optimizer, 1)
            self._train(batch, records, optimizer, result)
        except (ValueError, TypeError):
            check_samples(self.who, NumpyEngine(self.who, self.model), loss, samples)  # names what does not fit
            raise
        self.model.zero_grad()
        mass = np.where(samples.mass > 0, samples.mass, 1)  # the loss of a batch without weight is 0
        value = result.loss / mass if loss.reduction != "sum" else result.loss
        if penalty is None:
            self._made.prepared = prepare(self._made, loss, optimizer, records, "native" if self._by_name else "auto")
        return value if replicates else float(value)

    # ---- the compiled network

    @cached_property
    def _thread_count(self) -> int:
        return thread_count(self._threads)

    def _train(
        self,
        batches: Any,
        records: tuple[Any, Any],
        optimizer: Optimizer,
        result: Any,
        active: np.ndarray | None = None,
        *,
        adds: bool = False,
        training: Training | None = None,
    ) -> None:
        """Make a step for each batch, and count the steps that were made, also where Ctrl-C or an error ends it.

        The result is filled, and that of the validation set of a training, if there is one. The engine looks for
        signals where a training lets them through.
        """
        model, made, threads, pool = self.model, self._made, self._thread_count, self._pool
        # Modules replace their statistics and never write to them: the engine writes to copies.
        measured = [{name: array.copy() for name, array in module.statistics.items()} for module in made.measuring]
        options: dict[str, Any] = {"statistics": measured, "active": active, "threads": threads, "pool": pool}
        gate: AbstractContextManager[None] = nullcontext()
        if training is not None:
            gate, held_out = training.interrupt.let_through, training.validation
            if held_out is not None:
                options["validation"] = made.native.Validation(*held_out.records, held_out.results)
        ended = False
        try:
            with gate:
                made.network.train(model.values, batches, *records, result, adds=adds, **options)
            ended = True
        finally:
            for module, statistics in zip(made.measuring, measured, strict=True):
                module.statistics = statistics
            if model.replicate_shape:  # after Ctrl-C each is somewhere else: the fewest steps were made by all
                each = (result.steps if active is None else result.steps[active]).tolist()
                optimizer.t += max(each) if ended else min(each)
            else:
                optimizer.t += sum(result.steps.ravel().tolist())  # of all epochs

    def _loss_record(self, loss: Loss, threshold: float | None, penalty: Penalty | None) -> Any:
        kind, reduction, l2 = type(loss).__name__, loss.reduction, 0.0 if penalty is None else penalty.l2
        per_sample = reduction == "batchmean"
        return self._made.native.LossRecord(kind, reduction != "sum", threshold, loss.numbers(), per_sample, l2)

    def _takes(self, x: Array) -> bool:
        """Return whether the network accepts x."""
        model = self.model
        if type(x) is not np.ndarray or x.dtype != model.dtype:
            return False
        shared = x.ndim == 2 or (x.ndim == 3 and x.shape[:-2] == model.replicate_shape)
        return shared and bool(x.shape[-1] == model.in_features)

    def _refuses(self, count: int) -> bool:
        """Return whether a batch is too small to train on, as a single sample is for `BatchNorm1d`."""
        return bool(count < self._made.network.least_batch)

    def _infer(self, x: np.ndarray) -> Any:
        return self._made.network.predict(self.model.values, x, **self._in_evaluation())

    def _in_evaluation(self) -> dict[str, Any]:
        """Return the running statistics and the number of threads, as the network takes them."""
        threads = self._thread_count if self.model.replicate_shape or self._threads is not None else 1
        return {"statistics": [module.statistics for module in self._made.measuring], "threads": threads}


def unsupported(who: str, why: str) -> ValueError:
    """Return the error for a native engine that was asked for by name and cannot do it."""
    return ValueError(f"{who}: expected something that the native engine can run, got {why}; engine='auto' falls back")


def _without_file(x: Array) -> Array:
    """Return a memory-mapped array as a plain one of the same memory; all else as it is."""
    return x.view(np.ndarray) if type(x) is np.memmap else x
