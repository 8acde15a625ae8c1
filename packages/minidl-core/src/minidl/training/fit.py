"""Train a model for whole epochs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.checks import as_count, as_generators, check_kinds
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.callbacks.calls import Callbacks
from minidl.training.check_samples import check_samples
from minidl.training.checkpoint.keeper import Keeper
from minidl.training.checkpoint.script import Script
from minidl.training.distributed.group import Group
from minidl.training.engine import Engine, EngineName
from minidl.training.engines import choose_engine_to_train
from minidl.training.history import History
from minidl.training.loop import Loop
from minidl.training.metrics import new_tally
from minidl.training.penalty import as_penalty
from minidl.training.scores import Metric, as_metrics, check_metrics
from minidl.training.sources import Arrays
from minidl.training.stream import Stream
from minidl.training.validation import Validator


def fit(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    x: Array | None = None,
    y: Array | None = None,
    *,
    epochs: int,
    batch_size: int | None = None,
    sample_weight: Array | None = None,
    l2: Any = 0.0,
    batches: Iterable[Sequence[Array]] | Callable[[], Iterable[Sequence[Array]]] | None = None,
    validation: tuple[Array, ...] | None = None,
    validation_split: float | None = None,
    accuracy: bool | None = None,
    metrics: Sequence[str | Callable[[Array, Array], Any]] = (),
    rng: Any = None,
    shuffle: bool | Callable[[], Array] = True,
    rows: Array | None = None,
    callbacks: Sequence[Callable[[int, History], object]] = (),
    progress: bool = False,
    history: History | None = None,
    resume: str | os.PathLike[str] | None = None,
    engine: EngineName | Group | None = None,
    threads: int | None = None,
) -> History:
    """Train a model: each epoch goes once through the samples, in a new order.

    Epoch by epoch ``rng.permutation(N)`` is cut into batches, of which the last may be short; batch by batch the loss
    is computed, its gradient passed back, and the optimizer takes a step. Instead of x and y, `batches` may be given.

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
    epochs : int
        How many to train; beside `history`, how many more.
    batch_size : int
        Samples per batch; not given beside `batches`.
    sample_weight : array, shape (N,), or (*replicate_shape, N), optional
        What each sample counts in loss, gradient and accuracy, at least 0. A mean is divided by the sum of the weights
        of the batch. `class_weights` makes them for classes of different sizes.
    l2 : float or array of shape replicate_shape
        Strength of a penalty, ``l2 / 2`` times the sum of the squared weights, at least 0, which is added to each
        batch's sum of losses: a mean divides it by what it divides that sum by. Parameters with fewer than two axes,
        such as biases, and frozen ones are no part of it. The training loss of `History` contains the penalty of the
        weights before each step; the losses of the validation set and of `evaluate` do not. The `weight_decay` of an
        optimizer is added to the gradient alone.
    batches : iterable of (x, y) or (x, y, sample_weight), or callable that returns one, optional
        The batches of an epoch, instead of x, y and batch_size: a list, a data loader, a generator function, slices of
        a file. It is gone through anew in each epoch, or called, in the memory of few batches, which may differ in
        their number of samples. All have weights, or none. Tensors in the memory of the CPU become NumPy arrays for a
        model of NumPy.
    validation : tuple of (x, y) or (x, y, sample_weight), optional
        A data set to measure at the end of each epoch.
    validation_split : float, optional
        Share of the samples to validate on instead of training on them. They are drawn from `rng` before the first
        order, for each replicate its own if each has a generator.
    accuracy : bool, optional
        Whether to report accuracy. Without it the loss decides: CrossEntropyLoss reports it, the binary losses do for a
        single column, other losses do not. True needs class indices, one-hot rows, or a column of zeros and ones.
    metrics : sequence of str or callable
        What else to measure on the validation set, over all of it at once: ``"accuracy"``, ``"r2"``, ``"mae"``,
        ``"auc"``, or ``metric(prediction, target)``, which returns one number, or one per replicate. Beside weights of
        the validation set they are weighted, as in scikit-learn; a metric of your own must then take the keyword
        ``sample_weight``. The curves are ``val_`` and the name. The training set has no such curves: its predictions
        change from batch to batch.
    rng : None, int, SeedSequence or Generator, or a list of them, optional
        Where the orders come from. A list has one for each replicate, which then goes through the samples in the order
        in which it would alone; otherwise all replicates share one order.
    shuffle : bool or callable
        Whether each epoch has a new order; without it, the samples come as they lie. A callable returns the order of
        the next epoch, (N,) or (*replicate_shape, N), with each sample once. With ``state()`` and ``restore(state)``,
        which go back, it may be asked ahead, and draws from no generator of the model. Not beside `batches` or a split.
    rows : array of int, shape (M,) or (*replicate_shape, M), optional
        The samples to train on, instead of all: folds of a cross-validation, or rows drawn with replacement. Replicates
        may have samples of their own in one shared x, as many each. A sample may be there several times. N is M then,
        and an order is one of the rows. It does not go with `batches` or `validation_split`.
    callbacks : sequence of Callback or callable
        Each is called as ``callback(epoch, history)`` after each epoch, counted from 1; the training ends early when
        one of them returns True. A `Callback`, such as `EarlyStopping`, is also told the start and the end.
    progress : bool
        Whether to show a bar or lines on the standard error stream, as `Progress` does.
    history : History, optional
        Of a training that goes on: the epochs are counted on, and the same object grows and is returned. Replicates
        that have diverged or stopped in it stay frozen.
    resume : str or path, optional
        The file of a `Checkpoint`, to go on from: the same script runs again, and ends with the same bits. If there is
        no file yet, the training begins. `epochs` counts those before, too. It does not go with `history`.
    engine : {"auto", "numpy", "native"} or minidl.distributed.Group, optional
        The engine that runs the epochs: the NumPy implementation, or the compiled engine of minidl-native. ``"auto"``
        takes the compiled engine where it is installed, knows everything in this training and is expected to be faster;
        the processes of a group share each batch. ``History.engine`` says which engine ran, and why. Without it, the
        environment variable ``MINIDL_ENGINE`` decides, and without that, ``"auto"``.
    threads : int, optional
        Over which the native engine spreads replicates, or the rows and weights of one network that is wide enough;
        without it one for each processor, at most ``OMP_NUM_THREADS``. The numbers do not depend on it.

    Returns
    -------
    History

    Raises
    ------
    DivergenceError
        If the loss becomes nan, or the last step makes parameters that are not finite. The error names epoch and batch
        and has the history so far. Of replicates, those that diverge are frozen, usually with parameters that are of
        no use any more, with a RuntimeWarning, and noted in ``History.diverged``; the error comes when none is left.
        The optimizer's memory of a network that diverged is that from before the batch where a sample is not finite,
        and else zero: huge gradients would throw mended parameters far off.
    ValueError, TypeError
        If x and y do not fit each other, the model or the loss, the optimizer holds another model, epochs < 0 or
        batch_size < 1, or the native engine is asked for and cannot run this training. Also for a batch of `batches`
        that is not like the first, an iterator that has nothing left for the second epoch, and a wrong order
        returned by `shuffle`; the batches before it have been trained on then. For a file to resume from that is none,
        or that is of another training, naming file and entry; nothing has changed then.
    KeyboardInterrupt
        On Ctrl-C; the error has the history so far in its attribute ``history``. With that history, the same samples
        and the same other arguments, `fit` goes on with the next step, to the same parameters bit for bit.

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
    called, epochs = Callbacks(callbacks, progress=progress), as_count("fit", "epochs", epochs, low=0)
    keeper = _keeper(called, resume, history)
    history, penalty = _history(history, model), as_penalty("fit", model, l2)
    wanted, accuracy = as_metrics("fit", metrics, accuracy)
    _check_together(validation, validation_split, wanted, shuffle, batches, rows)
    arrays = {
        "x": x, "y": y, "batch_size": batch_size, "sample_weight": sample_weight, "validation_split": validation_split
    }  # fmt: skip
    source = _arrays(model, rng, shuffle, rows, **arrays) if batches is None else _stream(model, loss, batches, arrays)
    chosen = choose_engine_to_train("fit", model, engine, threads, loss, optimizer, source.samples.x, validation)
    check_samples("fit", chosen, loss, source.samples, penalty, alone=batches is not None)
    accuracy = bool(loss.targets_are_classes(source.samples.y) if accuracy is None else accuracy)
    tally = new_tally("fit", loss, source.samples, accuracy)
    optimizer.check_for("fit", model, list(model.modules()))
    if keeper is not None:
        own = _named(arrays, l2=l2, metrics=metrics, accuracy=accuracy, shuffle=shuffle, rows=rows, valid=validation)
        history, epochs = keeper.begin(Script(model, loss, optimizer, source.samples, own), source, history, epochs)
    runs = bool(epochs or (keeper is not None and keeper.goes_on))
    if runs and isinstance(source, Arrays) and validation_split is not None:
        validation = _held_out(source, validation_split, history, wanted, chosen)
    validate = (
        None
        if validation is None
        else Validator(model, loss, validation, accuracy=accuracy, metrics=wanted, engine=engine, threads=threads)
    )
    history.engine = chosen.words
    if runs:
        history.higher_is_better = _curves(wanted, accuracy=accuracy, has_validation=validate is not None)
        Loop(model, loss, optimizer, source, chosen, tally, history, validate, called, penalty, keeper).run(epochs)
    return history


def _keeper(called: Callbacks, resume: Any, history: History | None) -> Keeper | None:
    """Return who writes checkpoints and reads the one to go on from; None where neither is asked for."""
    if resume is None and not called.checkpoints:
        return None
    if resume is not None and history is not None:
        raise ValueError("fit: expected history or resume, got both")
    return Keeper(called, resume)


def _history(history: History | None, model: Module) -> History:
    """Return a new history, or one that goes on, which must be of such a model."""
    if history is None:
        return History()
    check_kinds("fit", ("history", history, History))
    if len(history) and np.shape(history.loss[-1]) != model.replicate_shape:
        raise ValueError(
            f"fit: expected a history of a model with replicates {model.replicate_shape}, "
            f"got one with {np.shape(history.loss[-1])}"
        )
    return history


def _arrays(
    model: Module,
    rng: Any,
    shuffle: Any,
    rows: Any,
    *,
    x: Array,
    y: Array,
    batch_size: Any,
    sample_weight: Any,
    validation_split: Any,
) -> Arrays:
    """Return samples in arrays as the source of batches."""
    missing = [name for name, value in (("x", x), ("y", y), ("batch_size", batch_size)) if value is None]
    if missing:
        raise TypeError(f"fit: expected x, y and batch_size, or batches, got no {' and no '.join(missing)}")
    batch_size = as_count("fit", "batch_size", batch_size)
    rngs = as_generators("fit", rng, model.replicate_shape)
    samples = Samples("fit", x, y, model.replicate_shape, sample_weight)
    source = Arrays(samples, batch_size, rngs, shuffle=shuffle if callable(shuffle) else bool(shuffle), model=model)
    if rows is not None:
        source.choose(rows)
    if validation_split is None:  # otherwise `hold_out` does
        source.check_batches()
    return source


def _stream(model: Module, loss: Loss, batches: Any, arrays: dict[str, Any]) -> Stream:
    """Return batches that somebody else makes as the source, beside which no arrays are given."""
    given = [name for name, value in arrays.items() if value is not None]
    if given:
        raise TypeError(f"fit: expected batches alone, got {', '.join(given)} beside them")
    return Stream(batches, model, loss)


def _held_out(source: Arrays, split: Any, history: History, metrics: Sequence[Metric], engine: Engine) -> Any:
    """Return the samples that are held out for validation."""
    check_metrics("fit", metrics, engine, source.samples)  # before anything is drawn
    return source.hold_out(split, history)


def _named(arrays: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return the options that a training that goes on must have in common with the one before."""
    return {name: arrays[name] for name in ("batch_size", "validation_split")} | options


def _check_together(
    validation: Any, split: Any, metrics: Sequence[Metric], shuffle: Any, batches: Any, rows: Any
) -> None:
    """Raise for options that do not go together, and a wrong `shuffle`."""
    if not isinstance(shuffle, bool | np.bool) and not callable(shuffle):
        raise TypeError(f"fit: expected shuffle to be True, False or a callable, got {shuffle!r}")
    beside = "batches" if batches is not None else "validation_split" if split is not None else ""
    if callable(shuffle) and beside:
        raise ValueError(f"fit: expected shuffle to be True or False beside {beside}, got {shuffle!r}")
    if rows is not None and beside:
        raise ValueError(f"fit: expected no rows beside {beside}")
    if validation is not None and split is not None:
        raise ValueError("fit: expected validation or validation_split, got both")
    if metrics and validation is None and split is None:
        raise ValueError(
            f"fit: expected a validation set for metrics {', '.join(metric.name for metric in metrics)}, got none"
        )


def _curves(metrics: Sequence[Metric], *, accuracy: bool, has_validation: bool) -> dict[str, bool | None]:
    """Return the curves that a training records, and whether higher is better."""
    curves: dict[str, bool | None] = {"loss": False}
    if accuracy:
        curves["accuracy"] = True
    if has_validation:
        curves |= {f"val_{name}": higher for name, higher in curves.items()}
        curves |= {f"val_{metric.name}": metric.higher_is_better for metric in metrics}
    return curves
