"""The part of a batch that one of several processes computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from minidl.arrays.backend import Array


@dataclass(frozen=True)
class Share:
    """The samples `first` to `last` of a batch of `count`, which several processes compute together.

    Most layers treat each sample alone and need not know of it. A layer that draws a number per sample, or averages
    over the samples, looks at its `Module.share` to compute what it would with the whole batch.

    Attributes
    ----------
    first, last, count : int
    total : callable
        ``total(array)``: the sum of an array over all processes, each of which calls it with an array of this shape.
    """

    first: int
    last: int
    count: int
    total: Callable[[Array], Array]
