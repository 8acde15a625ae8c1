"""The measurements of a run, with their medians, ratios and spreads."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

ENOUGH = 0.9  # share of a core; below it, another process was running


class Spread(NamedTuple):
    """A median with its quartiles, between which half of the measurements lie."""

    low: float
    median: float
    high: float


class Key(NamedTuple):
    race: str
    size: int
    contestant: str
    threads: int = 1


class Timing(NamedTuple):
    seconds: list  # per unit of work, one value per round
    cores: float  # processor time over wall time
    first: float  # seconds of the first call, compilation included


@dataclass
class Records:
    timings: dict[Key, Timing] = field(default_factory=dict)
    missing: dict[Key, str] = field(default_factory=dict)
    facts: dict[str, list] = field(default_factory=dict)  # values measured outside races
    scores: dict[str, dict] = field(default_factory=dict)  # by data set and package

    def ratio(self, over, under):
        """Return the spread over rounds of the ratio of two contestants' times."""
        pairs = zip(self.timings[over].seconds, self.timings[under].seconds, strict=True)
        return spread([a / b for a, b in pairs])

    def robbed(self):
        """Return the one-thread timings with less than `ENOUGH` of a core; several threads may wait for each other."""
        return [key for key, timing in self.timings.items() if key.threads == 1 and timing.cores < ENOUGH]

    def sizes(self, race, contestant, threads=1):
        """Return the sizes at which a contestant was timed, and the median seconds per unit."""
        wanted = (race, contestant, threads)
        found = {k.size: t for k, t in self.timings.items() if (k.race, k.contestant, k.threads) == wanted}
        return list(found), [spread(timing.seconds).median for timing in found.values()]


def spread(values):
    return Spread(*map(float, np.quantile(values, [0.25, 0.5, 0.75])))
