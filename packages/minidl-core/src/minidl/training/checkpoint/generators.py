"""The generators of a training, each with the places that draw from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minidl.layers.module import Module

_LAST = {"pos": 624, "buffer_pos": 4}  # the ends of the blocks of MT19937 and Philox, which NumPy does not check


class Generators:
    """The generators of a training.

    Places may share one. The state of each is taken and set once, in place, so that whoever holds the generator goes on
    with it.

    Parameters
    ----------
    places : mapping of str to Generator
    """

    def __init__(self, places: Mapping[str, np.random.Generator]) -> None:
        numbers: dict[int, int] = {}
        self._places = {name: numbers.setdefault(id(one), len(numbers)) for name, one in places.items()}
        self._unique = list({id(one): one for one in places.values()}.values())

    def take(self) -> dict[str, Any]:
        """Return the state of each generator, and which one each place draws from."""
        return {"places": dict(self._places), "states": [one.bit_generator.state for one in self._unique]}

    def put(self, state: Any) -> None:
        """Set the states.

        Raises
        ------
        ValueError
            If other places share a generator, or a generator is of another kind.
        """
        if state["places"] != self._places:
            raise ValueError(_sharing(state["places"], self._places))
        for one, its in zip(self._unique, state["states"], strict=True):
            kind = type(one.bit_generator).__name__
            if its["bit_generator"] != kind:
                raise ValueError(f"expected generators of kind {its['bit_generator']}, as in the file, got {kind}")
            for name, last in _LAST.items():
                place = {**its, **its["state"]}.get(name, 0)
                if type(place) is not int or not 0 <= place <= last:
                    raise ValueError(f"expected {name} from 0 to {last} in a state of {kind}, got {place!r}")
            one.bit_generator.state = its


def places_of(model: Module, orders: Sequence[np.random.Generator]) -> dict[str, np.random.Generator]:
    """Return the generators of a training by their places.

    Parameters
    ----------
    model : Module
    orders : sequence of Generator
        Where the orders of the samples come from.
    """
    found = {f"order {number}": one for number, one in enumerate(orders)}
    for number, module in enumerate(module for module in model.modules() if module.generators):
        name = f"{type(module).__name__} {number}"
        found |= {f"{name}, replicate {index}": one for index, one in enumerate(module.generators)}
    return found


def _sharing(theirs: Any, ours: Mapping[str, int]) -> str:
    """Return words for the first place that shares a generator with others than in the file."""
    if set(theirs) != set(ours):
        return f"expected generators of {', '.join(theirs) or 'nothing'}, as in the file, got {', '.join(ours)}"
    for name in ours:
        before, now = ({other for other in each if each[other] == each[name]} - {name} for each in (theirs, ours))
        if before != now:
            expected, got = (
                f"one that draws for {', '.join(sorted(each)) or 'nothing else'}" for each in (before, now)
            )
            return f"{name}: expected a generator shared as in the file, {expected}, got {got}"
    return "expected generators in the order of the file"
