"""How good a model is: loss and accuracy over a data set."""

from __future__ import annotations

import copy

from minidl.arrays.backend import Array
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.training.engine import Engine, EngineName
from minidl.training.engines import choose_engine
from minidl.training.metrics import Evaluation, Tally
from minidl.training.numpy_engine import batch_rows


def evaluate(
    model: Module,
    loss: Loss,
    x: Array,
    y: Array,
    *,
    batch_size: int | None = None,
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
        Targets that suit `loss`; accuracy is reported for class indices, one-hot rows, and a column of zeros and ones.
    batch_size : int, optional
        Samples at a time; without it as many as are fast.
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
    samples = Samples("evaluate", x, y, model.replicate_shape)
    return measure(chosen, loss, samples, batch_rows("evaluate", model, batch_size, x, samples.x_axis))


def measure(engine: Engine, loss: Loss, samples: Samples, batch_size: int) -> Evaluation:
    """Measure loss and accuracy of an engine's model over samples, in the memory of one batch.

    Parameters
    ----------
    engine : Engine
    loss : Loss
        Left as it is.
    samples : Samples
    batch_size : int
    """
    axes, engine = len(samples.replicate_shape), engine.current()
    loss, tally = copy.copy(loss), Tally(loss, samples)
    for start in range(0, samples.count, batch_size):
        x, y = samples.rows(start, start + batch_size)
        prediction = engine.infer(x)
        tally.add(loss.forward(prediction, y, replicate_axes=axes), prediction, y)
    return tally.take()
