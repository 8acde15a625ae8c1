"""One training step: online learning, or a training loop of one's own."""

from __future__ import annotations

from typing import Any

from minidl.arrays.backend import Array
from minidl.arrays.checks import check_kinds
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.check_samples import check_loss
from minidl.training.distributed.group import Group
from minidl.training.engine import EngineName
from minidl.training.engines import choose_engine_to_train, prepared_step
from minidl.training.penalty import as_penalty


def train_step(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    x: Array,
    y: Array,
    *,
    sample_weight: Array | None = None,
    l2: Any = 0.0,
    engine: EngineName | Group | None = None,
    threads: int | None = None,
) -> Any:
    """Make one training step with one batch: forward, loss, backward, update.

    The layers are in training mode meanwhile. Gradients that were added up before are forgotten.

    Parameters
    ----------
    model : Module
    loss : Loss
    optimizer : Optimizer
        Made for this model.
    x : array, shape (N, ..., F); for replicates (N, F), shared by them, or (*replicate_shape, N, ..., F)
        The batch; one sample is enough.
    y : array
        Targets that suit the loss.
    sample_weight, l2, engine, threads
        As for `fit`.

    Returns
    -------
    float, or array of the shape of the replicate axes
        The loss of the batch before the step, with the penalty of `l2`. A network or a replicate whose loss is nan
        makes no step.

    Raises
    ------
    ValueError, TypeError
        If x and y do not fit each other, the model or the loss, if the optimizer is of another model, or if the native
        engine is asked for and cannot run this training. No parameter has changed then.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> model = minidl.Linear(1, 1, rng=0)
    >>> loss, optimizer = minidl.MSELoss(), minidl.SGD(model, lr=0.1)
    >>> x = np.ones((1, 1), np.float32)
    >>> losses = [minidl.train_step(model, loss, optimizer, x, 3 * x) for _ in range(20)]
    >>> losses[-1] < 1e-6 * losses[0]
    True
    """
    if sample_weight is None and threads is None and type(l2) is float and not l2:
        prepared = prepared_step(model, loss, optimizer, engine)
        value = None if prepared is None else prepared(x, y)
        if value is not None:
            return value
    check_kinds("train_step", ("model", model, Module), ("loss", loss, Loss), ("optimizer", optimizer, Optimizer))
    optimizer.check_for("train_step", model, list(model.modules()))
    penalty = as_penalty("train_step", model, l2)
    samples = Samples("train_step", x, y, model.replicate_shape, sample_weight)
    check_loss("train_step", loss, samples, alone=True)
    chosen = choose_engine_to_train("train_step", model, engine, threads, loss, optimizer, x)
    return chosen.train_step(loss, optimizer, samples, penalty)
