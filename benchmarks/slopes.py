"""The growth of time with size: the exponent, and the marginal cost of a sample, parameter or replicate."""

from typing import NamedTuple

import numpy as np

from benchmarks.rivals.numpy_by_hand import parameters


class Growth(NamedTuple):
    """A race, the quantity counted along it, and functions from a size to its count and to its units per call."""

    race: str
    counted: str
    count: object = staticmethod(lambda size: size)
    calls: object = staticmethod(lambda _size: 1)


GROWTHS = (
    Growth("batch", "sample"),
    Growth("forward", "sample", calls=lambda size: size),
    Growth("width", "parameter", count=lambda width: parameters((784, width, width, 10))),
    Growth("replicates", "replicate", calls=lambda replicates: replicates),
    Growth("make", "point", calls=lambda points: points),
    Growth("batches", "point", calls=lambda points: points),
    Growth("standardise", "point", calls=lambda points: points),
)


class Slope(NamedTuple):
    race: str
    contestant: str
    counted: str
    exponent: float  # slope of log time over log count, in the upper half of the sizes
    marginal: float  # seconds per additional count, between the two largest sizes
    reach: tuple  # first and last count


def slope(growth, contestant, sizes, medians):
    """Return the growth of a contestant's time; None for fewer than two sizes."""
    if len(sizes) < 2:
        return None
    counts = np.array([growth.count(size) for size in sizes], float)
    times = np.array([median * growth.calls(size) for size, median in zip(sizes, medians, strict=True)])
    upper = slice(min(len(counts) // 2, len(counts) - 2), None)
    exponent = np.polyfit(np.log(counts[upper]), np.log(times[upper]), 1)[0]
    marginal = (times[-1] - times[-2]) / (counts[-1] - counts[-2])
    return Slope(growth.race, contestant, growth.counted, float(exponent), float(marginal), (counts[0], counts[-1]))
