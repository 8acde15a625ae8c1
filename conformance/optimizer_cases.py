"""The optimizers, as data: how to build each here and in torch, and how far apart one step may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch.optim import lr_scheduler

import minidl as md


@dataclass(frozen=True)
class OptimizerCase:
    """An optimizer here and in torch.

    `schedule` makes torch's scheduler of the learning rate; torch clips the gradient to the norm `clip`. `state` names
    our memory and torch's. `ulp` is the tolerance of one step from equal state, `drift` that of 300 steps on a
    real network, both of the largest element of the vector.
    """

    name: str
    ours: Callable
    theirs: Callable
    ulp: float
    drift: float
    state: Mapping[str, str] = field(default_factory=dict)
    schedule: Callable | None = None
    clip: float | None = None

    def __str__(self):
        return self.name


def power(optimizer):
    return lr_scheduler.LambdaLR(optimizer, lambda epoch: (epoch + 1) ** -0.6)


def warm_up_and_cosine(optimizer):
    rise = lr_scheduler.LinearLR(optimizer, start_factor=1 / 21, total_iters=20)
    fall = lr_scheduler.CosineAnnealingLR(optimizer, T_max=280, eta_min=1e-4)
    return lr_scheduler.SequentialLR(optimizer, [rise, fall], milestones=[20])


def weights_and_biases(parameters):
    """Return the parameters in two of torch's groups, of which the second does not decay."""
    parameters = list(parameters)
    biases = [p for p in parameters if p.ndim < 2]
    return [{"params": [p for p in parameters if p.ndim > 1]}, {"params": biases, "weight_decay": 0.0}]


MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}
SQUARES = {"v": "square_avg"}
VELOCITY = {"velocity": "momentum_buffer"}
DECAY = {"kappa": 0.6, "eta": 0.035}
# Tolerances are about three times the largest seen over a score of seeds, here or in the compiled engine. The learning
# rates are those of a stable training: at its edge a network doubles every rounding error, and two correct programs
# part. With eps = 1e-4 and short memories Adam comes closest to that.
# A step of SGD is three operations. Adam's first moment is kept here as eq. 14 has it, and by torch as
# m + (1 - beta1) (g - m), which rounds otherwise where m and g cancel.
# The norm of a clipped gradient is summed in another order than torch's, which takes the norm of the parameters' norms;
# all elements are off by the same factor, also the largest, which may cancel the velocity.
# torch's AdamW multiplies the parameters by 1 - lr weight_decay, whose rounding error is the same in every step; here
# the decay is added to the step.
SGD_ULP, CLIPPED_ULP, ADAM_ULP = 3, 36, 9

OPTIMIZERS = (
    OptimizerCase("SGD", lambda m: md.SGD(m, 0.002), lambda p: torch.optim.SGD(p, 0.002), SGD_ULP, 10),
    OptimizerCase(
        "SGD decaying",
        lambda m: md.SGD(m, **DECAY),
        lambda p: torch.optim.SGD(p, 0.035),
        SGD_ULP,
        10,
        schedule=power,
    ),
    OptimizerCase(
        "SGD momentum",
        lambda m: md.SGD(m, 2e-4, momentum=0.9),
        lambda p: torch.optim.SGD(p, 2e-4, momentum=0.9),
        SGD_ULP,
        50,
        VELOCITY,
    ),
    OptimizerCase(
        "SGD Nesterov",
        lambda m: md.SGD(m, 2e-4, momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, 2e-4, momentum=0.9, nesterov=True),
        SGD_ULP,
        50,
        VELOCITY,
    ),
    OptimizerCase(
        "SGD weight decay",
        lambda m: md.SGD(m, 0.002, weight_decay=0.01),
        lambda p: torch.optim.SGD(p, 0.002, weight_decay=0.01),
        SGD_ULP,
        10,
    ),
    OptimizerCase(
        "SGD decaying, Nesterov, weight decay",
        lambda m: md.SGD(m, **DECAY, momentum=0.5, nesterov=True, weight_decay=0.01),
        lambda p: torch.optim.SGD(p, 0.035, momentum=0.5, nesterov=True, weight_decay=0.01),
        SGD_ULP,
        320,
        VELOCITY,
        schedule=power,
    ),
    OptimizerCase(
        "SGD clipped, biases not decayed",
        lambda m: md.SGD(m, 0.002, momentum=0.5, weight_decay=0.1, clip=2.0, decay_biases=False),
        lambda p: torch.optim.SGD(weights_and_biases(p), 0.002, momentum=0.5, weight_decay=0.1),
        CLIPPED_ULP,
        90,
        VELOCITY,
        clip=2.0,
    ),
    OptimizerCase("Adam", md.Adam, torch.optim.Adam, ADAM_ULP, 80, MOMENTS),
    OptimizerCase(
        "Adam, other settings",
        lambda m: md.Adam(m, 0.01, beta1=0.8, beta2=0.9, eps=1e-4),
        lambda p: torch.optim.Adam(p, 0.01, betas=(0.8, 0.9), eps=1e-4),
        ADAM_ULP,
        7400,
        MOMENTS,
    ),
    OptimizerCase(
        "Adam weight decay",
        lambda m: md.Adam(m, weight_decay=0.01),
        lambda p: torch.optim.Adam(p, weight_decay=0.01),
        ADAM_ULP,
        40,
        MOMENTS,
    ),
    OptimizerCase(
        "Adam clipped",
        lambda m: md.Adam(m, beta2=0.9, clip=5.0, weight_decay=0.01, decay_biases=False),
        lambda p: torch.optim.Adam(weights_and_biases(p), betas=(0.9, 0.9), weight_decay=0.01),
        ADAM_ULP,
        80,
        MOMENTS,
        clip=5.0,
    ),
    OptimizerCase("AdamW", md.AdamW, torch.optim.AdamW, ADAM_ULP, 1700, MOMENTS),
    OptimizerCase(
        "AdamW, other settings",
        lambda m: md.AdamW(m, 0.01, beta1=0.8, beta2=0.9, eps=1e-4, weight_decay=0.1, decay_biases=False),
        lambda p: torch.optim.AdamW(weights_and_biases(p), 0.01, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.1),
        ADAM_ULP,
        3500,
        MOMENTS,
    ),
    OptimizerCase(
        "RMSprop", lambda m: md.RMSprop(m, 1e-3), lambda p: torch.optim.RMSprop(p, 1e-3), ADAM_ULP, 1500, SQUARES
    ),
    OptimizerCase(
        "RMSprop, momentum, weight decay, clipped",
        lambda m: md.RMSprop(m, 1e-4, alpha=0.9, eps=0.01, momentum=0.5, weight_decay=0.001, clip=5.0),
        lambda p: torch.optim.RMSprop(p, 1e-4, alpha=0.9, eps=0.01, momentum=0.5, weight_decay=0.001),
        ADAM_ULP,
        750,
        SQUARES | VELOCITY,
        clip=5.0,
    ),
    OptimizerCase(
        "SGD, step schedule",
        lambda m: md.SGD(m, md.StepSchedule(0.002, every=100, factor=0.5), momentum=0.5),
        lambda p: torch.optim.SGD(p, 0.002, momentum=0.5),
        SGD_ULP,
        100,
        VELOCITY,
        schedule=lambda optimizer: lr_scheduler.StepLR(optimizer, 100, 0.5),
    ),
    OptimizerCase(
        "SGD, piecewise schedule",
        lambda m: md.SGD(m, md.PiecewiseSchedule({1: 0.002, 100: 0.001, 200: 0.0005})),
        lambda p: torch.optim.SGD(p, 0.002),
        SGD_ULP,
        10,
        schedule=lambda optimizer: lr_scheduler.MultiStepLR(optimizer, [99, 199], 0.5),
    ),
    OptimizerCase(
        "RMSprop, power schedule",
        lambda m: md.RMSprop(m, md.PowerSchedule(0.001, 0.6)),
        lambda p: torch.optim.RMSprop(p, 0.001),
        ADAM_ULP,
        40,
        SQUARES,
        schedule=power,
    ),
    OptimizerCase(
        "Adam, exponential schedule",
        lambda m: md.Adam(m, md.ExponentialSchedule(0.002, 0.99)),
        lambda p: torch.optim.Adam(p, 0.002),
        ADAM_ULP,
        80,
        MOMENTS,
        schedule=lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.99),
    ),
    OptimizerCase(
        "AdamW, cosine schedule with warm-up",
        lambda m: md.AdamW(m, md.CosineSchedule(0.002, 300, warmup=20, final=1e-4)),
        lambda p: torch.optim.AdamW(p, 0.002),
        ADAM_ULP,
        600,
        MOMENTS,
        schedule=warm_up_and_cosine,
    ),
    OptimizerCase(
        "Adam, one-cycle schedule",
        lambda m: md.Adam(m, md.OneCycleSchedule(0.002, 300)),
        lambda p: torch.optim.Adam(p, 0.002),
        ADAM_ULP,
        650,
        MOMENTS,
        schedule=lambda optimizer: lr_scheduler.OneCycleLR(optimizer, 0.002, total_steps=300, cycle_momentum=False),
    ),
)
