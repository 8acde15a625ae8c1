"""Predictions for any number of samples in bounded memory."""

from __future__ import annotations

from math import prod

from minidl.backend import Array, backend_of
from minidl.checks import as_count
from minidl.module import Module
from minidl.samples import room_for, rows, sample_axis

_ROWS = 4096  # rows of all replicates at a time: a layer of 25 then takes 400 KB, and stays in the cache


def predict(model: Module, x: Array, *, batch_size: int | None = None) -> Array:
    """Compute the output of a model in evaluation mode.

    Nothing is saved in the model, so many threads may predict with it at once. Beside the output, the memory needed is
    that of one batch.

    Parameters
    ----------
    model : Module
    x : array, shape (N, ..., F); for replicates (N, F), shared by them, or (*lead, N, ..., F)
    batch_size : int, optional
        Samples at a time; without it as many as are fast.

    Returns
    -------
    array, shape (N, ..., C), for replicates (*lead, N, ..., C)

    Raises
    ------
    ValueError, TypeError
        For a batch_size below 1, and for whatever the layers do not accept.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> minidl.predict(minidl.Linear(2, 3, rng=0), np.zeros((5, 2), np.float32)).shape
    (5, 3)
    """
    size = batch_rows(model, batch_size)
    backend_of(x, "predict")
    lead = model.lead
    axis = sample_axis(x, lead)
    if x.ndim < 2 or x.shape[axis] <= size:
        return model.infer(x)
    samples = x.shape[axis]
    first = model.infer(rows(x, 0, size, axis))
    output = room_for(first, len(lead), samples)
    rows(output, 0, size, len(lead))[...] = first
    for start in range(size, samples, size):
        rows(output, start, start + size, len(lead))[...] = model.infer(rows(x, start, start + size, axis))
    return output


def batch_rows(model: Module, batch_size: int | None) -> int:
    """Return the batch size to predict with."""
    if batch_size is None:
        return max(1, _ROWS // prod(model.lead))
    return as_count("predict", "batch_size", batch_size)
