"""The outputs of each layer, measured batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.arrays.backend import Array, library_of
from minidl.arrays.samples import Samples
from minidl.layers.module import Module


class OutputTally:
    """Mean, spread and saturation of a layer's outputs.

    Parameters
    ----------
    replicate_shape : tuple of int
    """

    def __init__(self, replicate_shape: tuple[int, ...]) -> None:
        self._replicates = replicate_shape
        self._count = 0
        self._mean = np.zeros(replicate_shape)
        self._squares = np.zeros(replicate_shape)  # sum of the squared distances from the mean
        self._flat: np.ndarray | None = None  # number of saturated outputs
        self._dead: np.ndarray | None = None  # of each unit, whether it was saturated for all samples so far

    def add(self, y: Array, saturated: Array | None) -> None:
        """Add the outputs of some samples.

        Two batches with means m and m' are joined as Chan and others do (1979): no sum of squares loses its digits
        where the mean is far from 0::

            Σ (y - mean)² = Σ (y - m)² + Σ (y - m')² + (m - m')² n n' / (n + n')
        """
        rows = self._rows(y).astype(np.float64)
        n, new = self._count, rows.shape[-2] * rows.shape[-1]
        with np.errstate(all="ignore"):  # outputs of a network that has diverged
            mean = rows.mean(axis=(-2, -1))
            squares = ((rows - mean[..., None, None]) ** 2).sum(axis=(-2, -1))
            shift = mean - self._mean
            self._squares = self._squares + squares + shift**2 * (n * new / (n + new))
            self._mean = self._mean + shift * (new / (n + new))
        self._count = n + new
        if saturated is not None:
            self._add_saturated(self._rows(saturated))

    def numbers(self) -> dict[str, Any]:
        """Return mean and spread, and for a layer that saturates the shares of saturated outputs and of dead units."""
        numbers = {"mean": self._mean, "spread": np.sqrt(self._squares / self._count)}
        if self._flat is not None and self._dead is not None:
            numbers |= {"saturated": self._flat / self._count, "dead": self._dead.mean(axis=-1)}
        return {name: value if self._replicates else float(value) for name, value in numbers.items()}

    def _add_saturated(self, rows: np.ndarray) -> None:
        flat, dead = rows.sum(axis=(-2, -1)), np.asarray(rows.all(axis=-2))
        self._flat = flat if self._flat is None else self._flat + flat
        self._dead = dead if self._dead is None else self._dead & dead

    def _rows(self, y: Array) -> np.ndarray:
        """Return an array as (*replicate_shape, row, unit) in NumPy; one of two axes is shared by the replicates."""
        array = library_of(y, "probe").to_numpy(y)
        if array.ndim == 2:
            return np.broadcast_to(array, (*self._replicates, *array.shape))
        return array.reshape(*self._replicates, -1, array.shape[-1])


def measure_outputs(model: Module, samples: Samples, batch_size: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return each layer in words, with the numbers of `OutputTally`, by its path; the model is left as it is."""
    tallies: dict[str, OutputTally] = {}
    words: dict[str, str] = {}
    for start in range(0, samples.count, batch_size):
        x, _ = samples.rows(start, start + batch_size)
        for path, layer, given, y in model.infer_layers(x):
            words[path] = str(layer)
            tally = tallies.setdefault(path, OutputTally(model.replicate_shape))
            tally.add(y, layer.saturated(given))
    return {path: (words[path], tally.numbers()) for path, tally in tallies.items()}
