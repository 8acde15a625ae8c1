"""What was measured, and what can be said about it: medians, ratios of pairs, and their spread."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

ENOUGH = 0.9  # of a core; with less of it something else was running


class Spread(NamedTuple):
    """A median, and the quartiles between which half of the measurements lie."""

    low: float
    median: float
    high: float


class Key(NamedTuple):
    race: str
    size: int
    contestant: str
    threads: int = 1


class Timing(NamedTuple):
    seconds: list  # per unit of work, one for each round
    cores: float  # processor time over time
    first: float  # what the first call took, compiling included, in seconds


@dataclass
class Records:
    timings: dict[Key, Timing] = field(default_factory=dict)
    missing: dict[Key, str] = field(default_factory=dict)
    facts: dict[str, list] = field(default_factory=dict)  # measured values that are no race

    def ratio(self, over, under):
        """Return the spread of the ratios of two contestants of a race, round by round."""
        pairs = zip(self.timings[over].seconds, self.timings[under].seconds, strict=True)
        return spread([a / b for a, b in pairs])

    def robbed(self):
        """Return what had less than `ENOUGH` of a core on one thread; of more threads some may wait for the others."""
        return [key for key, timing in self.timings.items() if key.threads == 1 and timing.cores < ENOUGH]

    def sizes(self, race, contestant, threads=1):
        """Return the sizes at which a contestant was timed, and its median seconds per unit."""
        wanted = (race, contestant, threads)
        found = {k.size: t for k, t in self.timings.items() if (k.race, k.contestant, k.threads) == wanted}
        return list(found), [spread(timing.seconds).median for timing in found.values()]


def spread(values):
    return Spread(*map(float, np.quantile(values, [0.25, 0.5, 0.75])))
