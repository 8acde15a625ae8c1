"""One epoch of the report's network over many points: arrays, slices of them, and points that are made on the way."""

import pytest


@pytest.mark.parametrize("points", [200_000, pytest.param(1_000_000, marks=pytest.mark.full)])
def test_an_epoch(race, points):
    race("stream", points, points, units=points, rtol=1e-4, budget=points / 1e5)
