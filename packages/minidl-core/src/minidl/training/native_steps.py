"""Steps of an optimizer in minidl-native, where NumPy computes the network."""

from __future__ import annotations

from typing import Any

from minidl.layers.module import Module
from minidl.optim.optimizer import Optimizer
from minidl.training.compiled import Compiled, compiled
from minidl.training.originals import Methods


class NativeSteps:
    """Makes the steps of an optimizer in minidl-native where NumPy computes the network.

    An optimizer's dozen operations on long vectors read them from memory again and again; the engine passes over them
    once.

    Parameters
    ----------
    model : Module
        That minidl-native has compiled.
    optimizer : Optimizer
        With its original methods; if one of them is replaced later, the optimizer makes its own steps.
    """

    def __init__(self, model: Module, optimizer: Optimizer) -> None:
        self._model, self._methods = model, Methods([type(optimizer)], [optimizer])

    def __call__(self, optimizer: Optimizer) -> None:
        """Do what ``optimizer.step()`` does, up to the rounding of its operations."""
        made = compiled(self._model)
        original = made.network is not None and self._methods.unchanged()
        record = optimizer_record(made, optimizer, 1) if original else None
        if record is None or record.rates is None:
            optimizer.step()
            return
        made.network.step(self._model.values, self._model.grads_to_read, record)
        optimizer.t += 1
        self._model.zero_grad()


def optimizer_record(made: Compiled, optimizer: Optimizer, steps: int) -> Any:
    """Return an optimizer, with the learning rates of its next steps, as minidl-native reads it."""
    state = optimizer.state()
    rates = optimizer.next_rate() if type(optimizer.lr) is float else optimizer.next_rates(steps)
    return made.native.OptimizerRecord(*state, rates, int(optimizer.t))
