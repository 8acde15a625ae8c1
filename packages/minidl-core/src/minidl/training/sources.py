"""Where the batches of an epoch come from: here, arrays in an order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.checks import Interval, as_number
from minidl.arrays.samples import Samples
from minidl.training.engine import Part

_FRACTION = Interval("between 0 and 1", lambda value: (value > 0) & (value < 1))


class Source(ABC):
    """The batches of each epoch.

    Attributes
    ----------
    samples : Samples
        All samples, or those of the first batch: what is checked before the first step.
    """

    samples: Samples

    @abstractmethod
    def parts(self, epoch: int, *, joined: bool) -> Iterator[Part]:
        """Iterate over an epoch.

        Parameters
        ----------
        epoch : int
            Counted from 1.
        joined : bool
            Whether small batches are to come many at a time.
        """

    @abstractmethod
    def not_finite(self, replicate: int | None = None) -> str:
        """Return words for the first sample that is nan or infinite; empty if there is none."""


class Arrays(Source):
    """Samples in arrays: each epoch goes once through them.

    Parameters
    ----------
    samples : Samples
    batch_size : int
    rngs : Generator, or list of one per replicate
        Where the orders come from.
    shuffle : bool
        Whether each epoch has a new order.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        rngs: list[np.random.Generator] | np.random.Generator,
        *,
        shuffle: bool,
    ) -> None:
        self.samples, self._batch_size, self._rngs, self._shuffle = samples, batch_size, rngs, shuffle
        self._index: np.ndarray | None = None  # of the samples to train on, (M,) or (R, M), where it is not all

    def hold_out(self, fraction: Any) -> tuple[Array, Array]:
        """Draw samples that are not trained on, for each replicate its own where each has a generator.

        Parameters
        ----------
        fraction : float
            Between 0 and 1, of the number of samples.

        Returns
        -------
        tuple of (x, y)
            Copies.

        Raises
        ------
        TypeError, ValueError
            If the fraction is no number between 0 and 1, or leaves nothing to train on. Nothing is drawn then.
        """
        count = self.samples.count
        share = as_number("fit", "validation_split", fraction, _FRACTION)
        held = max(1, round(float(share) * count))
        if held >= count:
            raise ValueError(f"fit: expected more than {count} samples for validation_split={fraction}")
        order = permutation(self._rngs, count)
        self._index = np.sort(order[..., held:], axis=-1)
        (validation,) = self.samples.batches(np.sort(order[..., :held], axis=-1), held)
        return validation

    def parts(self, epoch: int, *, joined: bool) -> Iterator[Part]:  # noqa: ARG002 - they are one part anyway
        """Iterate over the only part."""
        order = self._order()
        count = self.samples.count if order is None else order.shape[-1]
        yield Part(epoch, self.samples, order, min(self._batch_size, count))

    def not_finite(self, replicate: int | None = None) -> str:
        """Return words for the first sample that is nan or infinite; empty if there is none."""
        return self.samples.not_finite(replicate)

    def _order(self) -> np.ndarray | None:
        """Return the samples of the next epoch in order, (M,), or one order per replicate, (R, M)."""
        if not self._shuffle:
            return self._index
        if self._index is None:
            return permutation(self._rngs, self.samples.count)
        order = permutation(self._rngs, self._index.shape[-1])
        return np.asarray(np.take_along_axis(self._index, order, axis=-1))


def permutation(rngs: list[np.random.Generator] | np.random.Generator, count: int) -> np.ndarray:
    """Return the numbers below a count in a new order, (count,), or in one per replicate, (R, count)."""
    if isinstance(rngs, list):
        small = np.int32 if count < 2**31 else np.int64  # R orders of N samples: the only memory that grows so
        return np.stack([rng.permutation(count).astype(small) for rng in rngs])
    return rngs.permutation(count)
