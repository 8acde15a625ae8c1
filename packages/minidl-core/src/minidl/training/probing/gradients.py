"""The gradient over all samples and the step that it leads to, both computed on copies of the model."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer


def with_gradient(model: Module, loss: Loss, samples: Samples, batch_size: int) -> Module:
    """Return a copy of the model in evaluation mode that has the gradient of the loss of all samples.

    The gradients of batches add up; that of a mean counts as many times as the batch has samples::

        dL/dθ = Σ dL_b/dθ                (sum)
        dL/dθ = Σ (n_b / N) dL_b/dθ      (mean)
    """
    twin, own = copy.deepcopy(model).unfreeze().eval(), loss.private_copy()
    axes = len(model.replicate_shape)
    twin.zero_grad()
    for start in range(0, samples.count, batch_size):
        x, y = samples.rows(start, start + batch_size)
        own.forward(twin.forward(x), y, replicate_axes=axes)
        dy = own.backward()
        part = min(batch_size, samples.count - start) / samples.count
        twin.backward(dy * part if loss.reduction != "sum" else dy, need_dx=False)
    return twin


def after_step(optimizer: Optimizer, gradient: Array) -> Module:
    """Return a copy of the optimizer's model after the next step by a gradient, (*replicate_shape, size)."""
    twin = copy.deepcopy(optimizer)
    twin.model.grads[...] = gradient
    twin.step()
    return twin.model


def norms(model: Module, arrays: dict[str, Array]) -> dict[str, Any]:
    """Return the norm of each array, by name: a float, or an array of shape replicate_shape."""
    replicates, to_numpy = model.replicate_shape, model.backend.to_numpy
    flat = {name: to_numpy(array).astype(np.float64).reshape(*replicates, -1) for name, array in arrays.items()}
    found = {name: np.linalg.norm(array, axis=-1) for name, array in flat.items()}
    return {name: norm if replicates else float(norm) for name, norm in found.items()}


def relative_change(model: Module, before: dict[str, Array], after: dict[str, Array]) -> dict[str, Any]:
    """Return ``norm(after - before) / norm(before)`` of each array; nan where an array was zero before."""
    with np.errstate(all="ignore"):
        changes, sizes = norms(model, {name: after[name] - before[name] for name in before}), norms(model, before)
        ratios = {name: np.divide(changes[name], np.where(size := sizes[name], size, np.nan)) for name in sizes}
    return {name: ratio if model.replicate_shape else float(ratio) for name, ratio in ratios.items()}
