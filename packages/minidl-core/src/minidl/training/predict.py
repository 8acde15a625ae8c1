"""Predictions for any number of samples in bounded memory."""

from __future__ import annotations

from minidl.arrays.backend import Array
from minidl.arrays.checks import as_count
from minidl.layers.module import Module
from minidl.training.distributed.group import Group
from minidl.training.engine import EngineName
from minidl.training.engines import choose_engine, predicted_again


def predict(
    model: Module,
    x: Array,
    *,
    batch_size: int | None = None,
    engine: EngineName | Group | None = None,
    threads: int | None = None,
) -> Array:
    """Compute the output of a model in evaluation mode.

    Nothing is saved in the model, so many threads may predict with it at once. Beside the output, the memory needed is
    that of one batch, of one sample at least.

    Parameters
    ----------
    model : Module
    x : array, shape (N, ..., F); for replicates (N, F), shared by them, or (*replicate_shape, N, ..., F)
    batch_size : int, optional
        Samples at a time; without it as many as are fast.
    engine : {"auto", "numpy", "native"}, optional
        The engine that computes it, as for `fit`.
    threads : int, optional
        Over which the native engine spreads replicates, or with a number the samples of a single network; without it
        one for each processor, and one for a single network.

    Returns
    -------
    array, shape (N, ..., C), for replicates (*replicate_shape, N, ..., C)

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
    again = predicted_again(model, x, engine) if threads is None and batch_size is None else None
    if again is not None:
        return again
    chosen = choose_engine("predict", model, engine, threads)
    return chosen.predict(x, None if batch_size is None else as_count("predict", "batch_size", batch_size))
