"""Values that minidl computes for the cases, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

import minidl


def linear(x: Any, dy: Any, weight: Any, bias: Any) -> dict[str, Any]:
    """Return output and gradients of a linear layer, or of several with a leading axis.

    Parameters
    ----------
    x, dy, weight, bias : array

    Returns
    -------
    dict
        With the keys y, dx, dweight and dbias.
    """
    n_out, n_in = weight.shape[-2:]
    layer: Any = minidl.Linear(n_in, n_out, dtype="float64", rng=0)
    if weight.ndim > 2:
        layer = minidl.replicate(lambda rng: minidl.Linear(n_in, n_out, dtype="float64", rng=rng), range(len(weight)))
    layer.weight, layer.bias = weight, bias
    y = layer.forward(x)
    dx = layer.backward(dy)
    dweight, dbias = (param.grad.copy() for param in layer.params())
    return {"y": y, "dx": dx, "dweight": dweight, "dbias": dbias}


def activation(module: Any, x: Any, dy: Any) -> tuple[Any, Any]:
    """Return output and input gradient of a module."""
    return module.forward(x), module.backward(dy)


def loss_of(loss: Any, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Return value and gradient of a loss."""
    return loss.forward(prediction, target), loss.backward()


def parameters(values: Any) -> Any:
    """Return a module whose parameters are a vector, for an optimizer."""
    layer: Any = minidl.Linear(len(values), 1, bias=False, dtype="float64", rng=0)
    layer.weight = values[None, :]
    return layer


def stepped(optimizer: Any, grad: Any) -> Any:
    """Return the parameters of an optimizer's model after a step with a gradient."""
    optimizer.model.grads[...] = grad
    optimizer.step()
    return optimizer.model.values.copy()


def normal(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> np.ndarray:
    """Return normal numbers of a shape."""
    return scale * rng.standard_normal(shape)
