"""What a claim measures: the ratio of two times, the gain by a second thread, a time, or a fact."""

from typing import NamedTuple

from benchmarks.records import Key, spread

BEST, TWO_BEST = "as one large product", "two of these products at once"


class Ratio(NamedTuple):
    """The ratio of two contestants' times in the same race."""

    over: Key
    under: Key

    def measure(self, records):
        timed = self.over in records.timings and self.under in records.timings
        return records.ratio(self.over, self.under) if timed else None


class Gain(NamedTuple):
    """The gain of a contestant by a second thread, over what two large products at once gain in the same race."""

    one: Key
    two: Key

    def measure(self, records):
        products = [self.one._replace(contestant=BEST), self.one._replace(contestant=TWO_BEST, threads=2)]
        times = [records.timings.get(key) for key in (self.one, self.two, *products)]
        if None in times:
            return None
        rounds = zip(*(timing.seconds for timing in times), strict=True)
        return spread([(one / two) / (2 * product / both) for one, two, product, both in rounds])


class Time(NamedTuple):
    """The time of a contestant for a number of units of its race."""

    key: Key
    units: float
    second: float  # one second in the unit of the claim: 1e3 for milliseconds

    def measure(self, records):
        timing = records.timings.get(self.key)
        return timing and spread([self.units * self.second * seconds for seconds in timing.seconds])


class Fact(NamedTuple):
    """A value that is measured outside races."""

    name: str

    def measure(self, records):
        return spread(records.facts[self.name]) if self.name in records.facts else None
