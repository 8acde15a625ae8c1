"""Checks of what a training is given."""

from __future__ import annotations

from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer


def check_arguments(who: str, model: Module, loss: Loss, optimizer: Optimizer) -> None:
    """Raise unless model, loss and optimizer are what they should be and belong together.

    Raises
    ------
    TypeError
        If one is of another class.
    ValueError
        If the optimizer is of another model.
    """
    for name, thing, kind in (("model", model, Module), ("loss", loss, Loss), ("optimizer", optimizer, Optimizer)):
        if not isinstance(thing, kind):
            raise TypeError(f"{who}: expected {name} to be a {kind.__name__}, got {thing!r}")
    if optimizer.model is not model:
        raise ValueError(f"{who}: expected an optimizer of this model, {model}, got one of another, {optimizer.model}")
