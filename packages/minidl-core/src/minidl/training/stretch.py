"""Several epochs of a single network in one call of an engine, where nobody looks at the training between them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from minidl.arrays.samples import Samples
from minidl.training.engine import EpochResults, Part, Validation
from minidl.training.interruption import Position
from minidl.training.metrics import Sums, Tally
from minidl.training.orders import Drawn, Orders, as_order, in_order


class Stretch:
    """Epochs that an engine goes through in one call, each in an order that is drawn ahead.

    Each epoch has the numbers that it would have alone. Where the call ends within an epoch, the orders of
    the epochs behind it go back to where they come from.

    Parameters
    ----------
    epochs : range
        At least one, counted from 1.
    samples : Samples
    batch_size : int
    draw : Orders
    index : array of int, shape (M,), optional
        The samples to train on, where that is not all.

    Raises
    ------
    Exception
        If an order cannot be drawn, or is none. They are where they were before.

    Attributes
    ----------
    orders : array of int, shape (E, M)
    first : Part
        The whole of the first epoch.
    results : EpochResults
        For the engine to fill.
    validation : Validation or None
        What it also fills, if the validation set is measured in the call.
    """

    def __init__(
        self,
        epochs: range,
        samples: Samples,
        batch_size: int,
        draw: Orders,
        index: np.ndarray | None = None,
    ) -> None:
        self._draw, self._count = draw, samples.count if index is None else len(index)
        self._is_weighted = samples.weight is not None
        self._before = draw.state()
        try:
            orders = np.stack([np.array(draw()) for _ in epochs])  # a function may return the same array again
            if not isinstance(draw, Drawn):
                orders = as_order(orders, self._count, (len(epochs),)).astype(np.int64)
        except BaseException:
            draw.restore(self._before)
            raise
        self.orders = orders if index is None else in_order(index, orders)
        self.first = Part(epochs[0], samples, self.orders[0], min(batch_size, self._count))
        self.results = EpochResults.zeros((len(epochs),))
        self.validation: Validation | None = None

    def keep_states(self, values: np.ndarray) -> None:
        """Have the engine keep the parameters, an array like these, at the end of each epoch."""
        self.results = EpochResults(*self.results[:4], np.empty((len(self), values.size), values.dtype))

    def validate(self, validation: Validation | None) -> None:
        """Have a validation set measured after each epoch, if there is one."""
        if validation is not None:
            self.validation = Validation(validation.records, EpochResults.zeros((len(self),)))

    def keep(self, epochs: int) -> None:
        """Go back to where the orders of so many epochs have been drawn."""
        self._draw.restore(self._before)
        for _ in range(epochs):
            self._draw()

    def __len__(self) -> int:
        return len(self.orders)

    def tell(self, tally: Tally, index: int) -> None:
        """Set a tally to what the steps of an epoch have added up to."""
        loss, hits, steps = self._numbers[index]
        mass = self._count
        if self._is_weighted or steps < self.first.batches:
            mass = replace(self.first, order=self.orders[index]).mass_in(np.asarray(steps), 0).item()
        tally.start(Sums(loss, hits, mass, mass))

    @cached_property
    def _numbers(self) -> list[tuple[float, float, int]]:
        """The results of each epoch as plain numbers; looked at when they are there."""
        loss, hits, steps = (array.tolist() for array in self.results[:3])
        return list(zip(loss, hits, steps, strict=True))

    def finished(self, *, ended: bool) -> int:
        """Return how many epochs are finished.

        Parameters
        ----------
        ended : bool
            Whether the call has ended by itself: with the last epoch, with one whose validation loss is nan, or before
            a loss of nan. Otherwise the epoch of the last step is not finished, even if that was its last.
        """
        lost, begun = self.lost(), int(np.count_nonzero(self.results.steps))
        if not ended:
            return max(0, begun - 1)
        return lost[0] - self.first.epoch if lost else begun

    def lost(self) -> tuple[int, int] | None:
        """Return the epoch and the batch whose loss was nan; None if there was none."""
        diverged = self.results.diverged
        index = int(diverged.argmax())
        return (self.first.epoch + index, int(diverged[index])) if diverged[index] else None

    def place(self, position: Position, index: int) -> None:
        """Set a position, which is that of the beginning, to where the training stands within an epoch."""
        self.keep(index + 1)
        position.epoch, position.order = self.first.epoch + index, self.orders[index]
        position.t += index * self.first.batches
        position.done[...] = self.results.steps[index]
