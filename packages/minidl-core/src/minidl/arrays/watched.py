"""The type of the classes whose changes are counted."""

from __future__ import annotations

from abc import ABCMeta
from typing import Any


class Watched(ABCMeta):
    """The type of layers, losses and optimizers: it counts how often an attribute of these classes is set or deleted.

    A compiled engine computes in the place of their methods. As long as the count stays the same, nobody has replaced
    one, and there is nothing to compare.

    Examples
    --------
    >>> class Layer(metaclass=Watched): ...
    >>> before = Watched.changes
    >>> Layer.forward = abs
    >>> Watched.changes > before
    True
    """

    changes = 0

    def __setattr__(cls, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        Watched.changes += 1  # afterwards: whoever sees the new count sees the change

    def __delattr__(cls, name: str) -> None:
        super().__delattr__(name)
        Watched.changes += 1
