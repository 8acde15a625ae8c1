"""The best state of each replicate: its parameters, and whatever else its state dict has."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from minidl.arrays.backend import Array
from minidl.layers.module import Module


class BestState:
    """A copy of the state of a model, taken replicate by replicate.

    Parameters
    ----------
    model : Module

    Attributes
    ----------
    has_more : bool
        Whether the state dict has more than the parameters, such as running statistics.
    """

    def __init__(self, model: Module) -> None:
        self.model = model
        state = model.state_dict()
        sizes = sum(math.prod(array.shape) for array in state.values())
        # Copying the one vector is faster than all arrays one by one, and is everything if nothing else is there.
        self.has_more = sizes != math.prod(model.values.shape)
        self._kept = self._state()

    def keep(self, replicates: np.ndarray) -> None:
        """Copy the state of some replicates, an array of bool; without axes for a single network."""
        state = self._state()
        if np.count_nonzero(replicates) == replicates.size:
            self._kept = state
            return
        for kept, now in zip(self._kept.values(), state.values(), strict=True):
            kept[replicates] = now[replicates]

    def state(self) -> dict[str, Array]:
        """Return the copies, by their names."""
        return self._kept

    def take_over(self, state: Mapping[str, Array]) -> None:
        """Take over what `state` has returned.

        Raises
        ------
        ValueError
            For other names or shapes.
        """
        shapes = {name: tuple(array.shape) for name, array in self._kept.items()}
        if {name: np.shape(array) for name, array in state.items()} != shapes:
            raise ValueError(
                f"expected arrays {shapes}, got { ({name: np.shape(array) for name, array in state.items()}) }"
            )
        for name, array in self._kept.items():
            array[...] = self.model.backend.asarray(state[name], array.dtype)

    def restore(self, replicates: np.ndarray) -> None:
        """Give some replicates their state back."""
        if not replicates.any():
            return
        state = self._kept if replicates.all() else self._state()
        if state is not self._kept:
            for kept, now in zip(self._kept.values(), state.values(), strict=True):
                now[replicates] = kept[replicates]
        if self.has_more:
            self.model.load_state_dict(state)
        else:
            self.model.values[...] = state[""]

    def _state(self) -> dict[str, Array]:
        """Return copies: the state dict, or the vector of parameters if that is all."""
        model = self.model
        return model.state_dict() if self.has_more else {"": model.backend.xp.asarray(model.values, copy=True)}
