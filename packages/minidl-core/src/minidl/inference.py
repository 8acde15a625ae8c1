"""Predictions for any number of samples in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from minidl.backend import Array, backend_of
from minidl.checks import as_count
from minidl.engine import Engine, Program, choose, takes, thread_count, unsupported
from minidl.module import Module
from minidl.samples import room_for, rows, sample_axis

_ROWS = 4096  # rows of all replicates at a time: a layer of 25 then takes 400 KB, and stays in the cache


def predict(
    model: Module,
    x: Array,
    *,
    batch_size: int | None = None,
    engine: Engine = "auto",
    threads: int | None = None,
) -> Array:
    """Compute the output of a model in evaluation mode.

    Nothing is saved in the model, so many threads may predict with it at once. Beside the output, the memory needed is
    that of one batch, of one sample at least.

    Parameters
    ----------
    model : Module
    x : array, shape (N, ..., F); for replicates (N, F), shared by them, or (*lead, N, ..., F)
    batch_size : int, optional
        Samples at a time; without it as many as are fast.
    engine : {"auto", "numpy", "native"}
        What computes it, as for `fit`.
    threads : int, optional
        Over which the native engine spreads replicates, or with a number the samples of a single network; without it
        one for each processor, and one for a single network.

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
    program = choose(model, engine, "predict")
    if batch_size is not None:
        as_count("predict", "batch_size", batch_size)
    if takes(program, model, x):  # any number of samples at once: its memory is bounded
        return run(program, model, x, threads, "predict")
    backend_of(x, "predict")
    if isinstance(x, np.memmap):
        x = x.view(np.ndarray)  # the same memory, and nothing that only a file has
    infer = inference(model, program, threads, "predict", engine)
    axis = sample_axis(x, model.lead) if x.ndim > 1 else 0
    size = batch_rows(model, batch_size, x, axis)
    if x.ndim < 2 or x.shape[axis] <= size:
        return infer(x)
    lead, samples = len(model.lead), x.shape[axis]
    first = infer(rows(x, 0, size, axis))
    output = room_for(first, lead, samples)
    rows(output, 0, size, lead)[...] = first
    for start in range(size, samples, size):
        rows(output, start, start + size, lead)[...] = infer(rows(x, start, start + size, axis))
    return output


def inference(
    model: Module, program: Program, threads: int | None, who: str, engine: Engine
) -> Callable[[Array], Array]:
    """Return the function that computes the output of a model in evaluation mode."""
    if program.network is None:
        return model.infer

    def infer(x: Array) -> Array:
        # A batch of the replicates' own data is no contiguous array, and little work to copy.
        batch = np.ascontiguousarray(x) if type(x) is np.ndarray else x
        if takes(program, model, batch):
            return run(program, model, batch, threads, who)
        y = model.infer(x)  # which says what is wrong with x, if anything is
        if engine == "native":
            raise unsupported(who, f"x {tuple(x.shape)}, which is not samples of one axis")
        return y

    return infer


def run(program: Program, model: Module, x: Array, threads: int | None, who: str) -> Array:
    """Compute the output in the native engine."""
    workers = thread_count(who, threads) if model.lead or threads is not None else 1
    return program.network.predict(model._values, x, threads=workers)


def batch_rows(model: Module, batch_size: int | None, x: Array, axis: int) -> int:
    """Return the number of samples to predict at a time, when axis `axis` of x counts them."""
    if batch_size is None:
        rows_of_a_sample: int = prod(x.shape[axis + 1 : -1])
        return max(1, _ROWS // max(1, prod(model.lead) * rows_of_a_sample))
    return as_count("predict", "batch_size", batch_size)
