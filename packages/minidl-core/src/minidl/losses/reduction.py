"""The sum or the mean of a loss's terms (report, section II-C), with weights of samples."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from minidl.arrays.backend import Array, describe, library_of
from minidl.arrays.settings import choice
from minidl.arrays.watched import Watched
from minidl.arrays.weights import as_weights


class Reduction(metaclass=Watched):
    """The part of a loss that adds up its terms; see `Loss`.

    Parameters
    ----------
    reduction : {"sum", "mean", "batchmean"}
    """

    reduction = choice(
        "reduction",
        ("sum", "mean", "batchmean"),
        "The sum over all samples and features, their mean, or the mean over the samples of the sum over the features.",
    )

    def __init__(self, reduction: str) -> None:
        self.reduction = reduction
        self.term_weight: Any = 1.0
        self.divisor: float | np.ndarray | None = None
        self.total: Array | None = None
        self._narrow: Array | None = None  # the total in float16

    def value(self, value: Array) -> Array:
        """Return what `forward` returned, or `total` where `forward` returned that sum itself in float16."""
        return self.total if self.total is not None and value is self._narrow else value

    def reduce(self, terms: Array, replicate_axes: int, weight: Array | None = None) -> Array:
        """Return the sum or the mean of the terms over everything behind the replicate axes.

        `term_weight` and `divisor` are set.

        Parameters
        ----------
        terms : array, shape (*replicates, sample, ..., feature)
        replicate_axes : int
        weight : array, shape (sample,) or (*replicates, sample), optional
            As `forward` gets it.

        Raises
        ------
        ValueError
            For the mean of no terms; for weights that do not fit, are negative or not finite.
        """
        flat_shape = (*terms.shape[:replicate_axes], -1)
        if weight is not None:
            factor = self._weight_of_terms(terms, replicate_axes, weight)
            wide, backend = terms, library_of(terms, self)
            if terms.dtype.itemsize == 2:  # in 16 bits a product of a small weight has few digits
                wide = backend.asarray(terms, backend.xp.float32)
            value = self._sum((wide * backend.asarray(factor, wide.dtype)).reshape(flat_shape), terms.dtype)
            self.term_weight = backend.asarray(factor, terms.dtype)
            return value
        flat = terms.reshape(flat_shape)
        if self.reduction == "sum":
            self.term_weight = self.divisor = 1.0
            return self._sum(flat, flat.dtype)
        count = flat.shape[-1]
        if not count:
            raise ValueError(f"{self}: expected at least one sample, got {describe(terms)}: there is no mean of none")
        if self.reduction == "batchmean":
            count = terms.shape[replicate_axes] if terms.ndim > replicate_axes + 1 else 1
            self.term_weight, self.divisor = 1 / count, float(count)
            return self._sum(flat, flat.dtype, count)
        self.term_weight, self.divisor, self.total = 1 / count, float(count), None
        return flat.mean(axis=-1)

    def _weight_of_terms(self, terms: Array, replicate_axes: int, weight: Array) -> np.ndarray:
        """Return the factor of each term in float64, ``w``, or for a mean ``w / divisor``; set `divisor`.

        The divisor is ``Σ w · terms of a sample``, for "batchmean" ``Σ w``. Where all weights are zero, so is the mean.
        """
        w = as_weights(self, weight, tuple(terms.shape), replicate_axes)
        w = w.reshape(*w.shape, *(1,) * (terms.ndim - replicate_axes - 1))
        self.divisor = 1.0
        if self.reduction != "sum":
            each = prod(terms.shape[replicate_axes + 1 :]) if self.reduction == "mean" else 1
            mass = w.sum(axis=replicate_axes - terms.ndim, keepdims=True) * each
            divisor = np.where(mass > 0, mass, np.inf).reshape(mass.shape[: replicate_axes - terms.ndim])
            self.divisor = divisor if divisor.ndim else float(divisor)
            w = w / np.where(mass > 0, mass, 1)
        return np.asarray(w)

    def _sum(self, flat: Array, dtype: Any, divisor: int = 1) -> Array:
        """Return the sum over the last axis by a divisor, in float16 as `total` too: a sum in 16 bits overflows."""
        self.total = None
        if dtype.itemsize > 2:
            return flat.sum(axis=-1) if divisor == 1 else flat.sum(axis=-1) / divisor
        backend = library_of(flat, self)
        self.total = flat.sum(axis=-1, dtype=backend.xp.float32) / divisor
        with np.errstate(over="ignore"):
            self._narrow = backend.asarray(self.total, dtype)[()]
        return self._narrow
