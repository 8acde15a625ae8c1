"""Which rows of a stream are trained on, validated on and tested on: decided by a row's number alone."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

TEST_ROWS, VALIDATION_ROWS, SAMPLE = 100_000, 50_000, 100_000
"""The most test rows, validation rows and rows of the sample, in the mean; all of them are kept in memory."""


UNUSED = -1
"""In place of the role of a row that is left out."""


class Role(IntEnum):
    """What a row is for."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


class Roles:
    """The roles of rows, drawn for each by itself, so that no piece depends on the ones before.

    Parameters
    ----------
    rows : int
        The number of all rows.
    test, validation : float
        Shares of the rows, and of the training rows; fewer where that would be too many for the memory.
    seed : int
    """

    def __init__(self, rows: int, test: float, validation: float, seed: int) -> None:
        self.test = min(test, TEST_ROWS / rows)
        self.validation = min(validation, VALIDATION_ROWS / rows)
        self._sample = SAMPLE / rows
        self._seeds = np.random.SeedSequence([seed, rows]).spawn(2)

    def of(self, start: int, count: int) -> np.ndarray:
        """Return the roles of consecutive rows."""
        drawn = self._drawn(0, start, count)
        held = self.test + self.validation * (1 - self.test)
        return np.where(drawn < self.test, Role.TEST, np.where(drawn < held, Role.VALIDATION, Role.TRAIN))

    def sampled(self, start: int, count: int) -> np.ndarray:
        """Return which of consecutive rows are in the sample; of few rows all of them are."""
        return self._drawn(1, start, count) < self._sample

    def _drawn(self, which: int, start: int, count: int) -> np.ndarray:
        """Return a number from 0 to below 1 for each row, the same whatever piece it is in."""
        bits = np.random.PCG64(self._seeds[which])
        bits.advance(start)  # each row takes one number of the stream
        return np.random.Generator(bits).random(count)
