"""The disk data set, from ten thousand points to ten million."""

import pytest

full = pytest.mark.full
SIZES = [10_000, pytest.param(100_000, marks=full), 1_000_000, pytest.param(10_000_000, marks=full)]


@pytest.mark.parametrize("points", SIZES)
@pytest.mark.parametrize("work", ["make", "batches", "standardise"])
def test_points(race, work, points):
    race(work, points, points, units=points, budget=2.5, rtol=1e-4)
