"""The optimizers, as data: how to build each here and in torch, and how far apart one step may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

import minidl as md


@dataclass(frozen=True)
class OptimizerCase:
    """An optimizer here and in torch.

    `decay(t)` is the factor of the learning rate at step t = 1, 2, ... for torch's LambdaLR. `state` names our memory
    and torch's. `ulp` is the tolerance of one step from equal state, `drift` that of 300 steps on a real network, both
    of the largest element of the vector.
    """

    name: str
    ours: Callable
    theirs: Callable
    ulp: float
    drift: float
    state: Mapping[str, str] = field(default_factory=dict)
    decay: Callable | None = None

    def __str__(self):
        return self.name


MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}
VELOCITY = {"velocity": "momentum_buffer"}
DECAY = {"kappa": 0.6, "eta": 0.035}
# Tolerances are about three times the largest seen over a score of seeds, here or in the compiled engine. The learning
# rates are those of a stable training: at its edge a network doubles every rounding error, and two correct programs
# part. With eps = 1e-4 and short memories Adam comes closest to that.
# A step of SGD is three operations. Adam's first moment is kept here as eq. 14 has it, and by torch as
# m + (1 - beta1) (g - m), which rounds otherwise where m and g cancel.
SGD_ULP, ADAM_ULP = 3, 9

OPTIMIZERS = (
    OptimizerCase("SGD", lambda m: md.SGD(m, 0.002), lambda p: torch.optim.SGD(p, 0.002), SGD_ULP, 10),
    OptimizerCase(
        "SGD decaying",
        lambda m: md.SGD(m, **DECAY),
        lambda p: torch.optim.SGD(p, 0.035),
        SGD_ULP,
        10,
        decay=lambda t: t**-0.6,
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
        decay=lambda t: t**-0.6,
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
)
