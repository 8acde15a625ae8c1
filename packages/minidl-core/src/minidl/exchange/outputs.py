"""What an exported network computes from its outputs last."""

from __future__ import annotations

from collections.abc import Sequence

from minidl.exchange.network import Layer, width_behind
from minidl.layers.module import Module

OUTPUTS = {"softmax": "Softmax", "sigmoid": "Sigmoid"}


def with_output(who: str, output: str | None, layers: Sequence[Layer], model: Module) -> tuple[Layer, ...]:
    """Return the layers with a last one that makes probabilities of logits, if it is asked for.

    Parameters
    ----------
    who : str
        The function that asks, for errors.
    output : {"softmax", "sigmoid"} or None
    layers : sequence of Layer
    model : Module

    Raises
    ------
    ValueError
        For another `output`; for a softmax of one output, which is 1.
    """
    if output is None:
        return tuple(layers)
    if output not in OUTPUTS:
        raise ValueError(f"{who}: expected output 'softmax', 'sigmoid' or None, got {output!r}")
    if output == "softmax" and width_behind(layers, model.in_features) == 1:
        raise ValueError(f"{who}: {model}: the softmax of one output is always 1: expected output='sigmoid'")
    return (*layers, Layer(OUTPUTS[output], words=OUTPUTS[output]))
