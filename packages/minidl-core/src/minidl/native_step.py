"""A step of an optimizer in the native engine, where the network itself is left to NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minidl.engine import Engine, compiled
from minidl.optim import Adam, Optimizer


def choose_step(optimizer: Optimizer, engine: Engine) -> Callable[[], None]:
    """Return what makes a step of an optimizer: its own `step`, or for Adam on "auto" the engine's.

    Adam's dozen operations on long vectors go through the cache a block at a time, and still take a quarter of a wide
    network's step; in one pass over the vectors they take a quarter of that.
    """
    network = compiled(optimizer.model) if engine == "auto" and type(optimizer) is Adam else None
    return optimizer.step if network is None else NativeStep(optimizer, network)


class NativeStep:
    """Does what `optimizer.step` does, up to the rounding of its operations."""

    def __init__(self, optimizer: Optimizer, network: Any) -> None:
        self._optimizer, self._network = optimizer, network

    def __call__(self) -> None:
        """Make a step, and set the gradients to zero."""
        optimizer, model = self._optimizer, self._optimizer.model
        rates, t = optimizer.next_rates(1), int(optimizer.t)
        self._network.step(model.values, model._grads, optimizer=optimizer.state(), rates=rates, t=t)
        optimizer.t += 1
        model.zero_grad()
