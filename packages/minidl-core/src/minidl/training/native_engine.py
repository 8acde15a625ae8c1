"""The engine of minidl-native: whole epochs in compiled code."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from minidl.arrays.backend import Array, is_float
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.compiled import compiled, load_native
from minidl.training.engine import Engine, Training
from minidl.training.metrics import Evaluation
from minidl.training.numpy_engine import NumpyEngine, in_batches


class NativeEngine(Engine):
    """Runs a model in minidl-native.

    Whatever the compiled network does not take is computed by NumPy, or refused if the engine was asked for by name.

    Parameters
    ----------
    who : str
    model : Module
        Which `compiled` has a network of.
    threads : int or None
        Over which replicates are spread, and with a number the samples of a prediction. The numbers do not depend on
        it.
    by_name : bool
        Whether the native engine was asked for by name.
    """

    def __init__(self, who: str, model: Module, threads: int | None = None, *, by_name: bool = False) -> None:
        self.who, self.model, self.words = who, model, "native"
        self._by_name, self._threads = by_name, threads
        self._numpy = NumpyEngine(who, model)

    def infer(self, x: Array) -> Array:
        """Compute the output of the model for one batch."""
        # A batch of the replicates' own data is no contiguous array, and little work to copy.
        batch = np.require(x, requirements="CA") if isinstance(x, np.ndarray) else x
        if self._takes(batch):
            return self._infer(batch)
        y = self.model.infer(x)  # raises if anything is wrong with x
        if self._by_name:
            raise unsupported(self.who, f"x {tuple(x.shape)}, which is not samples of one axis")
        return y

    def predict(self, x: Array, batch_size: int | None = None) -> Array:
        """Compute the output of the model; the compiled network takes any number of samples at once."""
        if isinstance(x, np.memmap):
            x = x.view(np.ndarray)  # the same memory, without what belongs to a file
        if self._takes(x) and x.flags.c_contiguous and x.flags.aligned:
            return self._infer(x)
        return in_batches(self, x, batch_size)

    def run_epoch(self, training: Training, epoch: int, order: np.ndarray) -> Evaluation:
        """Make a step for each batch, in one call; return loss and accuracy on the way."""
        network = self._network()
        if network is None:
            return self._numpy.run_epoch(training, epoch, order)
        model, samples, survivors = self.model, training.samples, training.survivors
        steps = -(-samples.count // training.batch_size)
        result = self._train(network, training, order, steps, ~survivors.frozen if model.replicate_shape else None)
        survivors.lose(epoch, {index: int(batch) for index, batch in enumerate(result.diverged.ravel()) if batch})
        hits = None if training.tally.threshold is None else result.hits / samples.count
        if model.replicate_shape:
            return Evaluation(result.loss / samples.count, hits)
        return Evaluation(float(result.loss) / samples.count, None if hits is None else float(hits))

    def train_step(self, loss: Loss, optimizer: Optimizer, x: Array, y: Array) -> Any:
        """Make one step; return the loss."""
        network, native = self._network(), load_native()[0]
        if network is None or not self._takes(x):
            return self._numpy.train_step(loss, optimizer, x, y)
        samples = native.Samples(x, _as_targets(y), None, x.shape[-2])
        result = native.EpochResult.empty(self.model.replicate_shape)
        self.model.zero_grad()
        try:
            self._run(network, samples, _loss_record(loss, None), optimizer, result, None)
        except (ValueError, TypeError):
            # NumPy names the layer or the loss that does not accept its argument.
            loss.forward(self.model.infer(x), y, replicate_axes=len(self.model.replicate_shape))
            raise
        per_sample = x.shape[-2] if loss.reduction == "mean" else 1
        return result.loss / per_sample if self.model.replicate_shape else float(result.loss) / per_sample

    # ---- the compiled network

    def _network(self) -> Any:
        """Return the network with the model's present settings; None if a method of the model was replaced since."""
        made = compiled(self.model)
        if made.network is None:
            if self._by_name:
                raise unsupported(self.who, made.why_not)
            self.words = f"native, then numpy ({made.why_not})"
        return made.network

    def _train(self, network: Any, training: Training, order: np.ndarray, steps: int, active: Any) -> Any:
        """Run an epoch, and count the steps that were made, also where Ctrl-C or an error ends it."""
        native = load_native()[0]
        samples, loss, optimizer = training.samples, training.loss, training.optimizer
        batches = native.Samples(samples.x, _as_targets(samples.y), order, training.batch_size)
        record = _loss_record(loss, training.tally.threshold)
        result = native.EpochResult.empty(self.model.replicate_shape)
        self._run(network, batches, record, optimizer, result, active, steps=steps)
        return result

    def _run(
        self,
        network: Any,
        batches: Any,
        loss: Any,
        optimizer: Optimizer,
        result: Any,
        active: np.ndarray | None,
        *,
        steps: int = 1,
    ) -> None:
        record = optimizer_record(optimizer, steps)
        threads = thread_count(self._threads) if self.model.replicate_shape else 1
        ended = False
        try:
            network.train(self.model.values, batches, loss, record, result, active=active, threads=threads)
            ended = True
        finally:
            made = result.steps if active is None else result.steps[active]
            # After Ctrl-C each replicate is somewhere else: the fewest steps were made by all.
            optimizer.t += int(made.max() if ended else made.min())

    def _takes(self, x: Array) -> bool:
        """Whether the network takes x; if not, `infer` raises, or computes it where x has more axes."""
        model = self.model
        if type(x) is not np.ndarray or x.dtype != model.dtype:
            return False
        shared = x.ndim == 2 or (x.ndim == 3 and x.shape[:-2] == model.replicate_shape)
        return shared and bool(x.shape[-1] == model.in_features)

    def _infer(self, x: np.ndarray) -> np.ndarray:
        model, network = self.model, self._network()
        if network is None:
            return self._numpy.predict(x)
        threads = thread_count(self._threads) if model.replicate_shape or self._threads is not None else 1
        return network.predict(model.values, x, threads=threads)  # type: ignore[no-any-return]  # loaded at run time


class NativeSteps:
    """Makes the steps of an optimizer in minidl-native where NumPy computes the network.

    An optimizer's dozen operations on long vectors read them from memory again and again; the engine passes over them
    once.

    Parameters
    ----------
    model : Module
        Which `compiled` has a network of.
    """

    def __init__(self, model: Module) -> None:
        self._model = model

    def __call__(self, optimizer: Optimizer) -> None:
        """Do what ``optimizer.step()`` does, up to the rounding of its operations."""
        network = compiled(self._model).network
        record = optimizer_record(optimizer, 1)
        if network is None or record.rates is None:
            optimizer.step()
            return
        network.step(self._model.values, self._model.grads_to_read, record)
        optimizer.t += 1
        self._model.zero_grad()


def thread_count(threads: int | None) -> int:
    """Return the number of threads: those asked for, or one per processor that this process may use."""
    if threads is not None:
        return threads
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def unsupported(who: str, why: str) -> ValueError:
    """Return the error for a native engine that was asked for by name and cannot do it."""
    return ValueError(f"{who}: expected something that the native engine can run, got {why}; engine='auto' falls back")


def optimizer_record(optimizer: Optimizer, steps: int) -> Any:
    """Return an optimizer, with the learning rates of its next steps, as minidl-native reads it."""
    state = optimizer.state()
    return load_native()[0].OptimizerRecord(*state, optimizer.next_rates(steps), int(optimizer.t))


def _loss_record(loss: Loss, threshold: float | None) -> Any:
    return load_native()[0].LossRecord(type(loss).__name__, loss.reduction == "mean", threshold)


def _as_targets(y: Array) -> np.ndarray:
    """Return targets as minidl-native reads them: class indices are int64."""
    return y if is_float(y) else np.asarray(y, np.int64)
