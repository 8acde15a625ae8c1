"""Stochastic gradient descent (report, section II-D1)."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.arrays.checks import DECAY
from minidl.arrays.settings import flag, number
from minidl.layers.module import Module
from minidl.optim.momentum import Momentum
from minidl.optim.torch_state import Spelling


def _check_nesterov(nesterov: Any, momentum: Any) -> None:
    if nesterov and not np.any(momentum):
        raise ValueError(f"SGD: expected a momentum above 0 with nesterov, got {momentum!r}")


class SGD(Momentum):
    """Stochastic gradient descent, with momentum if asked for.

    Parameters
    ----------
    model : Module
    lr : float, array of shape replicate_shape, or schedule, optional
        Without it, and without `kappa` and `eta`, each layer uses its own learning rate.
    kappa, eta : float or array of shape replicate_shape, optional
        Both, instead of `lr`: the learning rate of step t is ``eta * t**-kappa`` (eq. 13), as of a `PowerSchedule`.
    momentum : float or array of shape replicate_shape
        In [0, 1): the velocity is v = momentum v + g, and the step lr v.
    nesterov : bool
        Step by g + momentum v instead.
    weight_decay, clip, decay_biases
        As for `Optimizer`.

    Attributes
    ----------
    velocity : array, shape (*replicate_shape, size), or None
        The momentum's memory, laid out as the parameters; None without momentum.

    Raises
    ------
    ValueError, TypeError
        As for `Optimizer`; also for a momentum outside [0, 1), and for nesterov without momentum.

    Examples
    --------
    >>> import minidl
    >>> optimizer = minidl.SGD(minidl.Linear(2, 1), kappa=1, eta=0.1)
    >>> rates = optimizer.adaptive_lr()
    >>> next(rates), next(rates)
    (0.1, 0.05)
    """

    settings = ("momentum", "nesterov", "weight_decay", "clip", "decay_biases")
    vectors = ("velocity",)
    spelling = Spelling({"velocity": "momentum_buffer"}, fixed={"dampening": 0, "maximize": False})
    momentum = number(
        "momentum",
        DECAY,
        "How much of the velocity is kept; a number, or one per replicate.",
        check=lambda sgd, momentum: _check_nesterov(getattr(sgd, "nesterov", False), momentum),
    )
    nesterov = flag(
        "nesterov",
        "Whether to step by g + momentum v.",
        check=lambda sgd, nesterov: _check_nesterov(nesterov, sgd.momentum),
    )

    def __init__(
        self,
        model: Module,
        lr: Any = None,
        *,
        kappa: Any = None,
        eta: Any = None,
        momentum: Any = 0.0,
        nesterov: bool = False,
        weight_decay: Any = 0.0,
        clip: Any = None,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            model, lr, kappa=kappa, eta=eta, weight_decay=weight_decay, clip=clip, decay_biases=decay_biases
        )
        self.momentum = momentum
        self.nesterov = nesterov
        self._velocity = None
        self.velocity_if_any()

    def step(self) -> None:
        """Change the parameters by ``-lr g``; with momentum by ``-lr v``, or ``-lr (g + momentum v)`` (Nesterov).

        The velocity is ``v = momentum v + g``.
        """
        rate, g, v = self.next_rate(), self.gradient(), self.velocity_if_any()
        if v is not None:
            momentum = self.remember(v, g)
            g = g + momentum * v if self.nesterov else v
        self.model.update(rate, g)
        self._t += 1
