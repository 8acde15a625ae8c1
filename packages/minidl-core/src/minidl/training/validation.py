"""The validation set of a training, measured after each epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from minidl.arrays.backend import Array
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.training.batches import batch_rows
from minidl.training.check_samples import check_samples, check_weights_are_taken
from minidl.training.engine import EngineName
from minidl.training.engines import choose_engine
from minidl.training.evaluate import measure
from minidl.training.metrics import Evaluation, new_tally
from minidl.training.scores import Metric, check_metrics

_WHO = "fit: validation"


def validator(
    model: Module,
    loss: Loss,
    data: tuple[Array, ...],
    *,
    accuracy: bool | None,
    metrics: Sequence[Metric],
    engine: EngineName | None,
    threads: int | None,
) -> Callable[[], Evaluation]:
    """Return the function that measures the validation set, once that is known to suit model, loss and metrics."""
    if not isinstance(data, Sequence) or len(data) not in (2, 3):
        raise ValueError(f"{_WHO}: expected inputs and targets, (x, y), or (x, y, sample_weight)")
    x, y, weight = (*data, None)[:3]
    samples = Samples(_WHO, x, y, model.replicate_shape, weight)
    chosen = choose_engine(_WHO, model, engine, threads)
    check_weights_are_taken(_WHO, loss, samples, metrics)
    check_samples(_WHO, chosen, loss, samples)
    check_metrics(_WHO, metrics, chosen, samples)
    cause = samples.not_finite()
    if cause and all(samples.not_finite(r) for r in range(math.prod(model.replicate_shape))):  # or some diverge
        raise ValueError(f"{_WHO}: expected finite samples, got others: {cause}")
    tally = new_tally(_WHO, loss, samples, accuracy)
    size = batch_rows(_WHO, model, None, samples.x, samples.x_axis)
    return lambda: measure(chosen, loss, samples, tally, size, metrics)
