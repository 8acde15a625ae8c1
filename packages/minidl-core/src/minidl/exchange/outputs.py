"""What an exported network computes from its outputs last, and in which dtype."""

from __future__ import annotations

from collections.abc import Sequence

from minidl.arrays.backend import dtype_name
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


def dtype_to_write(who: str, dtype: str | None, model: Module) -> str:
    """Return the dtype in which an exported network computes: the one that is asked for, or the model's.

    Raises
    ------
    ValueError
        For another one than float32 and float64; float16 becomes float32 if none is asked for.
    """
    chosen = dtype or ("float64" if dtype_name(model.dtype) == "float64" else "float32")
    if chosen not in ("float32", "float64"):
        raise ValueError(f"{who}: expected dtype 'float32' or 'float64', got {dtype!r}")
    return chosen
