"""The order of the samples in each epoch, as scikit-learn draws it."""

from __future__ import annotations

from typing import Any

import numpy as np


class Orders:
    """Orders of the samples: each is the one before, shuffled.

    Parameters
    ----------
    rng : RandomState
    count : int
        Number of samples.

    Attributes
    ----------
    last : array of int, shape (count,)
        The order of the last epoch.
    """

    def __init__(self, rng: np.random.RandomState, count: int) -> None:
        self._rng, self.last = rng, np.arange(count)

    def __call__(self) -> np.ndarray:
        """Return the order of a new epoch."""
        self.last = self.last[self._rng.permutation(len(self.last))]
        return self.last

    def state(self) -> Any:
        """Return what the next orders depend on."""
        return self.last, self._rng.get_state(legacy=False)

    def restore(self, state: Any) -> None:
        """Go back to a state."""
        self.last, drawn_from = state
        self._rng.set_state(drawn_from)
