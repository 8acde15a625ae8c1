"""Predictions batch by batch, in bounded memory."""

from __future__ import annotations

from math import prod

from minidl.arrays.backend import Array, backend_of, library_of
from minidl.arrays.checks import as_count
from minidl.arrays.samples import rows, sample_axis
from minidl.layers.module import Module
from minidl.training.engine import Engine

_ROWS = 4096  # rows of all replicates at a time: a layer of 25 then takes 400 KB, and stays in the cache


def in_batches(engine: Engine, x: Array, batch_size: int | None) -> Array:
    """Compute ``engine.infer(x)`` in batches of samples, so that the memory beside the output is that of one batch."""
    backend_of(x, engine.who)
    model, infer = engine.model, engine.infer
    axis = sample_axis(x, model.replicate_shape) if x.ndim > 1 else 0
    size = batch_rows(engine.who, model, batch_size, x, axis)
    if x.ndim < 2 or x.shape[axis] <= size:
        return infer(x)
    before, samples = len(model.replicate_shape), x.shape[axis]
    first = infer(rows(x, 0, size, axis))
    shape = (*first.shape[:before], samples, *first.shape[before + 1 :])
    output = library_of(first, engine.who).xp.empty(shape, dtype=first.dtype, device=first.device)
    rows(output, 0, size, before)[...] = first
    for start in range(size, samples, size):
        rows(output, start, start + size, before)[...] = infer(rows(x, start, start + size, axis))
    return output


def batch_rows(who: str, model: Module, batch_size: int | None, x: Array, axis: int) -> int:
    """Return the number of samples to predict at a time, when axis `axis` of x counts them."""
    if batch_size is not None:
        return as_count(who, "batch_size", batch_size)
    rows_of_a_sample: int = prod((*model.replicate_shape, *x.shape[axis + 1 : -1]))
    return max(1, _ROWS // max(1, rows_of_a_sample))
