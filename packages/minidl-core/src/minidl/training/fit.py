"""The training loop."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.checks import as_count, as_generators, check_kinds
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.batches import batch_rows
from minidl.training.callbacks.callback import Callback, Run
from minidl.training.check_samples import check_samples
from minidl.training.engine import EngineName, Training
from minidl.training.engines import choose_engine, choose_engine_to_train
from minidl.training.evaluate import measure
from minidl.training.history import History
from minidl.training.metrics import Evaluation, new_tally
from minidl.training.survivors import Survivors


def fit(  # noqa: PLR0915 - the training from its checks to its end, to be read in one piece
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    x: Array,
    y: Array,
    *,
    epochs: int,
    batch_size: int,
    sample_weight: Array | None = None,
    validation: tuple[Array, ...] | None = None,
    accuracy: bool | None = None,
    rng: Any = None,
    callbacks: Sequence[Callable[[int, History], object]] = (),
    progress: bool = False,
    engine: EngineName | None = None,
    threads: int | None = None,
) -> History:
    """Train a model: each epoch goes once through the samples, in a new order.

    Epoch by epoch ``rng.permutation(N)`` is cut into batches, of which the last may be short; batch by batch the loss
    is computed, its gradient passed back, and the optimizer takes a step.

    Parameters
    ----------
    model : Module
        In training mode while it is trained; the mode of each of its layers is restored at the end.
    loss : Loss
    optimizer : Optimizer
        Made for this model.
    x : array, shape (N, ..., F); for replicates (N, F), shared by them, or (*replicate_shape, N, ..., F)
    y : array
        Targets that suit the loss.
    epochs, batch_size : int
    sample_weight : array, shape (N,), or (*replicate_shape, N), optional
        What each sample counts in loss, gradient and accuracy, at least 0. A mean is divided by the sum of the weights
        of the batch. `class_weights` makes them for classes of different sizes.
    validation : tuple of (x, y) or (x, y, sample_weight), optional
        A data set to measure at the end of each epoch.
    accuracy : bool, optional
        Whether to report accuracy. Without it the loss decides: CrossEntropyLoss reports it, the binary losses do for a
        single column, other losses do not. True needs class indices, one-hot rows, or a column of zeros and ones.
    rng : None, int, SeedSequence or Generator, or a list of them, optional
        Where the orders come from. A list has one for each replicate, which then goes through the samples in the order
        in which it would alone; otherwise all replicates share one order.
    callbacks : sequence of callable
        Each is called as ``callback(epoch, history)`` after each epoch, counted from 1; the training ends early when
        one of them returns True.
    progress : bool
        Whether to print a line per epoch on the standard error stream.
    engine : {"auto", "numpy", "native"}, optional
        The engine that runs the epochs: the NumPy implementation, or the compiled engine of minidl-native. ``"auto"``
        takes the compiled engine where it is installed, knows everything in this training and is expected to be faster.
        ``History.engine`` says which engine ran, and why. Without it, the environment variable ``MINIDL_ENGINE``
        decides, and without that, ``"auto"``.
    threads : int, optional
        Over which the native engine spreads replicates; without it one for each processor. The numbers do not depend
        on it.

    Returns
    -------
    History

    Raises
    ------
    DivergenceError
        If the loss becomes nan, or the last step makes parameters that are not finite. The error names epoch and batch
        and has the history so far. Of replicates, those that diverge are frozen, usually with parameters that are of
        no use any more, with a RuntimeWarning, and noted in ``History.diverged``; the error comes when none is left.
    ValueError, TypeError
        If x and y do not fit each other, the model or the loss, the optimizer holds another model, epochs < 0 or
        batch_size < 1, or the native engine is asked for and cannot run this training.
    KeyboardInterrupt
        On Ctrl-C; the error has the history so far in its attribute ``history``.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-1, 1, (100, 1)).astype(np.float32)
    >>> model = minidl.Linear(1, 1, rng=rng)
    >>> optimizer = minidl.SGD(model, lr=0.05)
    >>> history = minidl.fit(model, minidl.MSELoss(), optimizer, x, 3 * x, epochs=10, batch_size=10, rng=rng)
    >>> print(f"{model.weight.item():.2f}")
    3.00
    """
    check_kinds("fit", ("model", model, Module), ("loss", loss, Loss), ("optimizer", optimizer, Optimizer))
    _check_callbacks(callbacks)
    as_count("fit", "epochs", epochs, low=0)
    batch_size = as_count("fit", "batch_size", batch_size)
    rngs = as_generators("fit", rng, model.replicate_shape)
    samples = Samples("fit", x, y, model.replicate_shape, sample_weight)
    chosen = choose_engine_to_train("fit", model, engine, threads, loss=loss, optimizer=optimizer, x=x)
    check_samples("fit", chosen, loss, samples)
    accuracy = loss.targets_are_classes(samples.y) if accuracy is None else accuracy
    validate = None if validation is None else _validation(model, loss, validation, accuracy, engine, threads)
    callbacks = [_print_epoch, *callbacks] if progress else callbacks
    history = History(engine=chosen.words)
    batch_size, tally = min(batch_size, samples.count), new_tally("fit", loss, samples, accuracy)
    batches = math.ceil(samples.count / batch_size)
    optimizer.check_for("fit", model, list(model.modules()))
    if not epochs:
        return history
    with model.mode_kept() as modules, Survivors(model, optimizer, history, samples) as survivors:
        model.zero_grad()  # an interrupted step may have left something there
        own = loss.private_copy()  # what its forward saves is this training's alone
        _start(callbacks, Run(model, optimizer, history, epochs))
        try:
            for epoch in range(1, epochs + 1):
                for module in modules:
                    module.training = True
                order = _order(rngs, samples.count)
                training = Training(own, optimizer, samples, batch_size, tally, survivors)
                chosen = chosen.current(training)  # a callback may have changed the model, or a method
                history.append(chosen.run_epoch(training, epoch, order), validate() if validate else None)
                loss.adopt(own)
                if validate:
                    survivors.check_validation(epoch, batches)
                if callbacks and _is_stopped_by(callbacks, epoch, history):
                    break
                if callbacks:  # they may have changed the loss, or assigned a layer's rate
                    optimizer.check_for("fit", model, modules)
                    own = loss.private_copy()
        except KeyboardInterrupt as interrupt:
            interrupt.history = history  # type: ignore[attr-defined]  # documented in `Raises`
            raise
        finally:
            history.engine = chosen.words
        survivors.check_end(epoch, batches)
    return history


def _check_callbacks(callbacks: Any) -> None:
    if not isinstance(callbacks, Iterable) or not all(map(callable, callbacks)):
        raise TypeError(f"fit: expected callbacks to be a list of callables, got {callbacks!r}")


def _start(callbacks: Iterable[object], run: Run) -> None:
    for callback in callbacks:
        if isinstance(callback, Callback):
            callback.start(run)


def _is_stopped_by(callbacks: Sequence[Callable[[int, History], object]], epoch: int, history: History) -> bool:
    """Call all callbacks; return whether one of them returned True."""
    answers = [callback(epoch, history) for callback in callbacks]
    return any(map(_is_true, answers))


def _is_true(answer: object) -> bool:
    """Whether an answer is True or 1, also as a number or an array of one element of either library."""
    if hasattr(answer, "shape") and hasattr(answer, "item") and math.prod(answer.shape) == 1:
        answer = answer.item()
    return isinstance(answer, bool | int) and answer == 1


def _validation(
    model: Module,
    loss: Loss,
    data: tuple[Array, ...],
    accuracy: bool | None,  # noqa: FBT001 - three values
    name: EngineName | None,
    threads: int | None,
) -> Callable[[], Evaluation]:
    """Return the function that measures the validation set, once that is known to suit model and loss."""
    who = "fit: validation"
    if not isinstance(data, Sequence) or len(data) not in (2, 3):
        raise ValueError(f"{who}: expected inputs and targets, (x, y), or (x, y, sample_weight)")
    x, y, weight = (*data, None)[:3]
    samples = Samples(who, x, y, model.replicate_shape, weight)
    engine = choose_engine(who, model, name, threads)
    check_samples(who, engine, loss, samples)
    cause = samples.not_finite()
    if cause and all(samples.not_finite(r) for r in range(math.prod(model.replicate_shape))):  # or some diverge
        raise ValueError(f"{who}: expected finite samples, got others: {cause}")
    tally = new_tally(who, loss, samples, accuracy)
    size = batch_rows(who, model, None, samples.x, samples.x_axis)

    def validate() -> Evaluation:
        return measure(engine, loss, samples, tally, size)

    return validate


def _order(rngs: list[np.random.Generator] | np.random.Generator, samples: int) -> np.ndarray:
    """Return a new order of the samples, (N,), or one per replicate, (R, N)."""
    if isinstance(rngs, list):
        small = np.int32 if samples < 2**31 else np.int64  # R orders of N samples: the only memory that grows so
        return np.stack([rng.permutation(samples).astype(small) for rng in rngs])
    return rngs.permutation(samples)


def _print_epoch(epoch: int, history: History) -> None:
    """Print a line per epoch; a standard error stream that is missing, closed or full does not end the training."""
    if sys.stderr is not None:  # as under pythonw
        with suppress(OSError, ValueError):
            sys.stderr.write(f"epoch {epoch}: {history!r}\n")
