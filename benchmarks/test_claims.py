"""What the claims measure, from times that are given."""

import pytest

from benchmarks.claims import NATIVE, TWO
from benchmarks.measures import BEST, TWO_BEST, Gain
from benchmarks.records import Key, Records, Timing

TIMES = {
    Key("race", 1, NATIVE): 4.0,
    Key("race", 1, TWO, 2): 2.5,
    Key("race", 1, BEST): 1.0,
    Key("race", 1, TWO_BEST, 2): 1.6,
}
CLAIM = Gain(Key("race", 1, NATIVE), Key("race", 1, TWO, 2))


def test_a_gain_is_that_of_the_products_if_the_machine_allows_no_more():
    timings = {key: Timing([seconds, 2 * seconds, seconds / 2], 1.0, 0.0) for key, seconds in TIMES.items()}
    assert CLAIM.measure(Records(timings)).median == pytest.approx((4 / 2.5) / (2 * 1.0 / 1.6))


@pytest.mark.parametrize("missing", TIMES)
def test_without_one_of_its_times_there_is_none(missing):
    timings = {key: Timing([seconds], 1.0, 0.0) for key, seconds in TIMES.items() if key != missing}
    assert CLAIM.measure(Records(timings)) is None
