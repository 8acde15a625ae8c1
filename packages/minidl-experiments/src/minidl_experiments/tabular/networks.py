"""Networks, losses and optimizers for tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

import minidl
from minidl_experiments.network import activation_layer, build_optimizer, std_below
from minidl_experiments.settings import REPORT_SGD, Optimizer, Steps
from minidl_experiments.tabular.choices import Loss, Schedule, Task
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.target import NumberTarget, Target

ADAM_LR, SGD_LR = 3e-3, 3e-2
DECAY, MOST_DECAY = 3.0, 0.01  # over the number of rows, and at most
BATCHES = 64  # of an epoch at most, while a batch has at most 256 rows


def build_network(options: Options, inputs: int, outputs: int, rng: np.random.Generator) -> minidl.Sequential:
    """Build a network with the hidden layers that are asked for, without an activation on the outputs.

    Parameters
    ----------
    options : Options
    inputs, outputs : int
    rng : numpy.random.Generator
        Source of the weights and of the dropout masks.
    """
    last = options.last_activation or options.activation
    activations = [*[options.activation] * (len(options.width) - 1), last]
    layers: list[minidl.Module] = []
    for (n_in, n_out), activation in zip(pairwise((inputs, *options.width)), activations, strict=True):
        layers.append(minidl.Linear(n_in, n_out, std_w=std_below(activation, n_in), rng=rng))
        layers.append(activation_layer(activation, options.alpha))
        if options.p_drop:
            layers.append(minidl.Dropout(options.p_drop, rng=rng))
    layers.append(minidl.Linear(options.width[-1], outputs, init="lecun", rng=rng))
    return minidl.Sequential(layers)


def loss_for(options: Options, task: Task) -> Loss:
    """Return the kind of the loss, which the task decides where it is not given.

    Raises
    ------
    ValueError
        For a loss that does not suit the task.
    """
    if options.loss is None:
        return Loss.CROSS_ENTROPY if task is Task.CLASSES else Loss.MSE
    if (options.loss is Loss.CROSS_ENTROPY) != (task is Task.CLASSES):
        suits = [loss for loss in Loss if (loss is Loss.CROSS_ENTROPY) == (task is Task.CLASSES)]
        raise ValueError(f"--loss: expected {' or '.join(suits)} for the task {task}, got {options.loss}")
    return options.loss


def build_loss(kind: Loss, target: Target) -> minidl.Loss:
    """Build a loss, a mean over the rows of a batch.

    Parameters
    ----------
    kind : Loss
    target : ClassTarget or NumberTarget
    """
    match kind:
        case Loss.CROSS_ENTROPY:
            return minidl.CrossEntropyLoss("mean")
        case Loss.MSE:
            return minidl.MSELoss("mean")
        case Loss.L1:
            return minidl.L1Loss("mean")
        case Loss.HUBER:
            return minidl.HuberLoss("mean")
        case Loss.QUANTILE:
            quantiles = target.quantiles if isinstance(target, NumberTarget) else ()
            return minidl.QuantileLoss("mean", quantiles=quantiles)


def optimizer_for(options: Options, model: minidl.Module, rows: int, steps: int) -> minidl.Optimizer:
    """Build the optimizer of a model.

    Parameters
    ----------
    options : Options
    model : minidl.Module
    rows : int
        Number of training rows; the more there are, the smaller is the weight decay where none is given.
    steps : int
        Number of steps of the whole training, over which a schedule falls.

    Raises
    ------
    ValueError
        If Adam is given a setting of SGD, or a setting is out of range.
    """
    own = _steps_of(options, rows)
    optimizer = build_optimizer(own, model)
    if options.clip is not None:
        optimizer.clip = options.clip
    if options.schedule is Schedule.COSINE:
        optimizer.lr = minidl.CosineSchedule(own.lr, steps=steps)
    return optimizer


def optimizer_for_all(several: Sequence[Options], model: minidl.Module, rows: int, steps: int) -> minidl.Optimizer:
    """Build the optimizer of as many replicates for each of several options, whose kinds of steps are the same.

    Parameters
    ----------
    several : sequence of Options
        Learning rates and weight decays may differ.
    model, rows, steps
        As for `optimizer_for`.
    """
    optimizer = optimizer_for(several[0], model, rows, steps)
    if len(several) == 1:
        return optimizer
    own, times = [_steps_of(one, rows) for one in several], model.replicate_shape[0] // len(several)
    optimizer.weight_decay = np.repeat([one.weight_decay for one in own], times)
    if own[0].lr is not None:
        lr = np.repeat(np.array([one.lr for one in own]), times)
        optimizer.lr = minidl.CosineSchedule(lr, steps=steps) if several[0].schedule is Schedule.COSINE else lr
    return optimizer


def _steps_of(options: Options, rows: int) -> Steps:
    """Return the kind of steps with their settings, of which the data choose those that are not given."""
    decay = min(MOST_DECAY, DECAY / rows) if options.weight_decay is None else options.weight_decay
    own = Steps(options.optimizer, options.lr, options.eta, options.kappa, options.momentum, decay)
    if own.lr is None and own.eta is None and own.kappa is None:
        return replace(own, lr=ADAM_LR if options.optimizer is Optimizer.ADAM else SGD_LR)
    if own.lr is None and options.optimizer is Optimizer.SGD:
        eta, kappa = REPORT_SGD.eta, REPORT_SGD.kappa
        return replace(own, eta=eta if own.eta is None else own.eta, kappa=kappa if own.kappa is None else own.kappa)
    return own


def batch_size_for(options: Options, rows: int) -> int:
    """Return the rows of a batch; where it is not given, a power of two from 8 to 256 that grows with the rows."""
    if options.batch_size is not None:
        return min(options.batch_size, rows)
    size = 8
    while size < 256 and rows > BATCHES * size:
        size *= 2
    return min(size, rows)


def outputs_of(networks: Sequence[minidl.Module], x: np.ndarray) -> np.ndarray:
    """Return the outputs of some networks for encoded rows, in float64, (networks, rows, outputs)."""
    return np.stack([minidl.predict(network, x) for network in networks]).astype(np.float64)
