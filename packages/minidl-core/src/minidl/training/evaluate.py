"""How good a model is: loss, accuracy and metrics over a data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minidl.arrays.backend import Array, library_of
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.training.batches import batch_rows
from minidl.training.check_samples import check_loss, check_reduction, check_targets
from minidl.training.distributed.group import Group
from minidl.training.engine import Engine, EngineName
from minidl.training.engines import choose_engine, evaluated_again
from minidl.training.metrics import Evaluation, Tally, new_tally
from minidl.training.scores import Metric, as_metrics, check_weights


def evaluate(
    model: Module,
    loss: Loss,
    x: Array,
    y: Array,
    *,
    batch_size: int | None = None,
    accuracy: bool | None = None,
    sample_weight: Array | None = None,
    metrics: Sequence[str | Callable[[Array, Array], Any]] = (),
    engine: EngineName | Group | None = None,
    threads: int | None = None,
) -> Evaluation:
    """Measure loss, accuracy and metrics of a model in evaluation mode, in the memory of one batch.

    Metrics need all predictions at once, which are kept for them.

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
        What each sample counts in loss, accuracy and metrics, at least 0.
    metrics : sequence of str or callable
        ``"accuracy"``, ``"r2"``, ``"mae"``, ``"auc"``, or callables as in `fit`; they are in ``Evaluation.metrics``.
    engine, threads
        As for `predict`.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError, TypeError
        If x and y do not have as many samples, or none, and for whatever model and loss do not accept.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> model, x = minidl.Linear(1, 1), np.linspace(-1, 1, 9, dtype=np.float32)[:, None]
    >>> model.weight = np.ones((1, 1))
    >>> minidl.evaluate(model, minidl.MSELoss(), x, 2 * x, metrics=["r2", "mae"]).metrics
    {'r2': 0.75, 'mae': 0.5555555555555556}
    """
    options = batch_size, accuracy, sample_weight, metrics or None, threads
    if all(option is None for option in options):
        again = evaluated_again(model, loss, x, y, engine)
        if again is not None:
            return again
    chosen = choose_engine("evaluate", model, engine, threads, loss)
    found, accuracy = as_metrics("evaluate", metrics, accuracy)
    samples = Samples("evaluate", x, y, model.replicate_shape, sample_weight)
    check_loss("evaluate", loss, samples)
    check_weights("evaluate", found, samples)
    tally = new_tally("evaluate", loss, samples, accuracy)
    check_reduction("evaluate", chosen, loss, samples)
    size = batch_rows("evaluate", model, batch_size, x, samples.x_axis)
    return measure(chosen, loss, samples, tally, size, found)


def measure(
    engine: Engine, loss: Loss, samples: Samples, tally: Tally, batch_size: int, metrics: Sequence[Metric] = ()
) -> Evaluation:
    """Measure loss, accuracy and metrics of an engine's model over samples, in the memory of one batch.

    Parameters
    ----------
    engine : Engine
        For the model as it is now.
    loss : Loss
        Left as it is.
    samples : Samples
    tally : Tally
        Empty.
    batch_size : int
    metrics : sequence of Metric
        If there are any, all predictions are kept for them.
    """
    axes = len(samples.replicate_shape)
    if not metrics and engine.measure(loss, samples, tally):
        return tally.take()
    loss, predictions = loss.private_copy(), []
    for start in range(0, samples.count, batch_size):
        (x, y), options = samples.rows(start, start + batch_size), samples.options(start, start + batch_size)
        prediction = engine.infer(x)
        try:
            value = loss.forward(prediction, y, replicate_axes=axes, **options)
        except (TypeError, ValueError):
            check_targets(loss, prediction, samples)
            raise
        tally.add(loss.value(value), prediction, y, **options)
        if metrics:
            predictions.append(prediction)
    result = tally.take()
    return result.with_metrics(_measured(engine, metrics, predictions, samples)) if metrics else result


def _measured(engine: Engine, metrics: Sequence[Metric], predictions: list[Array], samples: Samples) -> dict[str, Any]:
    shape = samples.replicate_shape
    library = library_of(predictions[0], engine.who)
    whole = predictions[0] if len(predictions) == 1 else library.xp.concatenate(predictions, len(shape))
    _, target = samples.rows(0, samples.count)
    return {metric.name: metric.measure(engine.who, whole, target, shape, samples.weight) for metric in metrics}
