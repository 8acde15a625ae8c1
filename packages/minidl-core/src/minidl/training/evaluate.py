"""How good a model is: loss and accuracy over a data set."""

from __future__ import annotations

from minidl.arrays.backend import Array
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.training.batches import batch_rows
from minidl.training.check_samples import check_reduction, check_targets, check_weights_are_taken
from minidl.training.engine import Engine, EngineName
from minidl.training.engines import choose_engine
from minidl.training.metrics import Evaluation, Tally, new_tally


def evaluate(
    model: Module,
    loss: Loss,
    x: Array,
    y: Array,
    *,
    batch_size: int | None = None,
    accuracy: bool | None = None,
    sample_weight: Array | None = None,
    engine: EngineName | None = None,
    threads: int | None = None,
) -> Evaluation:
    """Measure loss and accuracy of a model in evaluation mode, in the memory of one batch.

    Parameters
    ----------
    model : Module
    loss : Loss
        Left as it is: its next `backward` still belongs to the caller's last `forward`.
    x : array, shape (N, ..., F); for replicates (N, F), shared by them, or (*replicate_shape, N, ..., F)
    y : array
        Targets that suit `loss`.
    batch_size : int, optional
        Samples at a time; without it as many as are fast.
    accuracy : bool, optional
        Whether to report accuracy. Without it the loss decides: CrossEntropyLoss reports it, the binary losses do for a
        single column, other losses do not. True needs class indices, one-hot rows, or a column of zeros and ones.
    sample_weight : array, shape (N,), or (*replicate_shape, N), optional
        What each sample counts in loss and accuracy, at least 0.
    engine, threads
        As for `predict`.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError, TypeError
        If x and y do not have as many samples, or none, and for whatever model and loss do not accept.
    """
    chosen = choose_engine("evaluate", model, engine, threads)
    samples = Samples("evaluate", x, y, model.replicate_shape, sample_weight)
    check_weights_are_taken("evaluate", loss, samples)
    tally = new_tally("evaluate", loss, samples, accuracy)
    check_reduction("evaluate", chosen, loss, samples)
    return measure(chosen, loss, samples, tally, batch_rows("evaluate", model, batch_size, x, samples.x_axis))


def measure(engine: Engine, loss: Loss, samples: Samples, tally: Tally, batch_size: int) -> Evaluation:
    """Measure loss and accuracy of an engine's model over samples, in the memory of one batch.

    Parameters
    ----------
    engine : Engine
    loss : Loss
        Left as it is.
    samples : Samples
    tally : Tally
        Empty.
    batch_size : int
    """
    axes, engine = len(samples.replicate_shape), engine.current()
    loss = loss.private_copy()
    for start in range(0, samples.count, batch_size):
        (x, y), options = samples.rows(start, start + batch_size), samples.options(start, start + batch_size)
        prediction = engine.infer(x)
        try:
            value = loss.forward(prediction, y, replicate_axes=axes, **options)
        except (TypeError, ValueError):
            check_targets(loss, prediction, samples)
            raise
        tally.add(loss.value(value), prediction, y, **options)
    return tally.take()
