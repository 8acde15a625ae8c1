"""A test of `backward` for whoever writes a module or a loss: it must agree with central differences."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.arrays.backend import Array, backend_of, describe, dtype_name
from minidl.arrays.checks import as_generator
from minidl.layers.module import Module
from minidl.losses.loss import Loss


class GradientError(AssertionError):
    """A gradient from `backward` is not that of `forward`."""


def gradcheck(
    module: Module | Loss,
    x: Array,
    *,
    target: Array | None = None,
    weight: Array | None = None,
    eps: float = 1e-6,
    tolerance: float = 1e-6,
    rng: Any = None,
) -> float:
    """Compare `backward` with central differences of `forward`, for the input and for every parameter.

    The loss of a module is ``sum(dy * forward(x))`` with a random dy: with ones, a transposed or permuted gradient can
    look right. The module itself is not changed; a module that draws (dropout) draws the same each time.

    Parameters
    ----------
    module : Module or Loss
        In float64: the differences lose half of the digits, and float32 has only seven.
    x : array of float64
        The input, or the prediction of a loss. Away from kinks: at 0 a ReLU has no derivative that differences could
        find.
    target : array, optional
        For a loss, and only then.
    weight : array, optional
        Weights of samples for the `forward` of a loss.
    eps : float
        Half the distance between the two points of a difference.
    tolerance : float
        Largest error, relative to the gradient where that is above 1.
    rng : None, int, SeedSequence or Generator, optional
        Where dy comes from.

    Returns
    -------
    float
        The largest error.

    Raises
    ------
    GradientError
        If a gradient is off, has another shape than its input, or a second `backward` does not add to the first.
    TypeError
        If x or the parameters are not float64; for a loss without target, or a module with one.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> layer = minidl.Linear(3, 2, dtype="float64", rng=0)
    >>> minidl.gradcheck(layer, np.ones((4, 3)), rng=0) < 1e-8
    True
    """
    backend = backend_of(x, "gradcheck")
    if isinstance(module, Loss) != (target is not None):
        raise TypeError(f"gradcheck: expected a target with a loss, and with nothing else, got {module}")
    if isinstance(module, Loss):
        return _check_loss(module, x, target, weight, eps, tolerance)
    if dtype_name(x.dtype) != "float64" or (module.values.shape[-1] and dtype_name(module.dtype) != "float64"):
        own = dtype_name(module.dtype)
        raise TypeError(f"gradcheck: expected float64 throughout, got x {describe(x)} and {module} in {own}")
    module = copy.deepcopy(module).unfreeze()  # the gradient of a frozen parameter is checked, too
    point, theta = backend.to_numpy(x).copy(), module.backend.to_numpy(module.values).copy()
    dy = as_generator("gradcheck", rng).standard_normal(tuple(copy.deepcopy(module).forward(x).shape))

    def loss(point: np.ndarray, theta: np.ndarray) -> float:
        twin = copy.deepcopy(module)  # with its generators as they are now
        twin.values[...] = twin.backend.asarray(theta)
        return float((backend.to_numpy(twin.forward(backend.asarray(point))) * dy).sum())

    dx, dtheta = _by_backward(module, x, backend.asarray(dy))
    errors = [
        _compare(f"{module}: dL/dx", dx, _by_differences(lambda p: loss(p, theta), point, eps), tolerance),
        _compare(f"{module}: dL/dparameters", dtheta, _by_differences(lambda t: loss(point, t), theta, eps), tolerance),
    ]
    return max(errors)


def _check_loss(loss: Loss, x: Array, target: Array, weight: Array | None, eps: float, tolerance: float) -> float:
    backend = backend_of(x, "gradcheck")
    if dtype_name(x.dtype) != "float64":
        raise TypeError(f"gradcheck: expected float64 throughout, got x {describe(x)}")
    twin, options = copy.deepcopy(loss), {} if weight is None else {"weight": weight}

    def value(point: np.ndarray) -> float:
        return float(twin.forward(backend.asarray(point), target, **options))

    point = backend.to_numpy(x).copy()
    value(point)
    slopes = backend.to_numpy(twin.backward())
    if slopes.shape != point.shape:
        raise GradientError(f"{loss}: expected backward to return an array of shape {point.shape}, got {slopes.shape}")
    return _compare(f"{loss}: dL/dprediction", slopes, _by_differences(value, point, eps), tolerance)


def _by_backward(module: Module, x: Array, dy: Array) -> tuple[np.ndarray, np.ndarray]:
    to_numpy, twin = module.backend.to_numpy, copy.deepcopy(module)
    twin.zero_grad()
    twin.forward(x)
    dx = to_numpy(twin.backward(dy))
    if dx.ndim > x.ndim and module.replicate_shape:
        dx = dx.sum(axis=tuple(range(len(module.replicate_shape))))  # an x that replicates share
    if dx.shape != tuple(x.shape):
        raise GradientError(f"{module}: expected backward to return dL/dx of shape {tuple(x.shape)}, got {dx.shape}")
    once = to_numpy(twin.grads).copy()
    twin.backward(dy, need_dx=False)
    if not np.allclose(to_numpy(twin.grads), 2 * once, rtol=1e-12, equal_nan=True):
        raise GradientError(f"{module}: expected a second backward to add to the gradients of the first")
    return dx, once


def _by_differences(loss: Callable[[np.ndarray], float], point: np.ndarray, eps: float) -> np.ndarray:
    gradient = np.empty_like(point)
    for index in np.ndindex(point.shape):
        center = point[index]
        point[index] = center + eps
        above = loss(point)
        point[index] = center - eps
        gradient[index] = (above - loss(point)) / (2 * eps)
        point[index] = center
    return gradient


def _compare(what: str, ours: np.ndarray, numeric: np.ndarray, tolerance: float) -> float:
    """Return the largest error; GradientError, naming the element, if it is above the tolerance or nan."""
    if not ours.size:
        return 0.0
    error = np.abs(ours - numeric) / np.maximum(1, np.abs(numeric))
    worst = np.unravel_index(np.argmax(error), error.shape)  # argmax takes nan for the largest
    if not error[worst] <= tolerance:
        where = ", ".join(str(int(i)) for i in worst)
        raise GradientError(
            f"{what}[{where}]: backward gives {ours[worst]:.9g}, central differences {numeric[worst]:.9g} "
            f"(error {error[worst]:.1e}, tolerance {tolerance:.1e})",
        )
    return float(error[worst])
