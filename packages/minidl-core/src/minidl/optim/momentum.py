"""The base class of optimizers with momentum: a velocity that remembers the steps before."""

from __future__ import annotations

from typing import Any

from minidl.arrays.backend import Array
from minidl.arrays.checks import DECAY
from minidl.arrays.settings import number
from minidl.optim.optimizer import Optimizer
from minidl.optim.state import OptimizerState


class Momentum(Optimizer):
    """Base class of optimizers that may keep a velocity: ``v = momentum v + value``.

    Attributes
    ----------
    velocity : array, shape (*replicate_shape, size), or None
        The momentum's memory, laid out as the parameters; None without momentum.
    """

    momentum = number("momentum", DECAY, "How much of the velocity is kept; a number, or one per replicate.")
    _velocity: Array | None

    @property
    def velocity(self) -> Array | None:
        """The momentum's memory, laid out as the parameters, or None; assigning copies."""
        return self._velocity

    @velocity.setter
    def velocity(self, array: Array | None) -> None:
        self._velocity = None if array is None else self.as_vector("velocity", array)

    def state(self) -> OptimizerState:
        """Return the optimizer as data."""
        self.velocity_if_any()
        return super().state()

    def velocity_if_any(self) -> Array | None:
        """Return the velocity, which starts at zero when a momentum is set later; None without momentum."""
        if type(self.momentum) is float and not self.momentum:
            return None
        if self._velocity is None:
            self._velocity = self.model.backend.xp.zeros_like(self.model.values)
        return self._velocity

    def remember(self, velocity: Array, value: Array) -> Any:
        """Update the velocity, ``v = momentum v + value``, and return the momentum, shaped to multiply vectors."""
        momentum = self.model.broadcast_setting(self.momentum)
        for v, part, (mu,) in self.model.trained_blocks((velocity, value), (momentum,)):
            v *= mu
            v += part
        return momentum
