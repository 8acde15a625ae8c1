"""One network beside the matrix products that it needs, and on two threads."""

from itertools import pairwise

import pytest

from benchmarks.claims import SHAPES
from benchmarks.contestants import CORES
from benchmarks.tasks import network_task


@pytest.mark.parametrize("shape", SHAPES)
def test_one_network(race, shape):
    if CORES < 2:
        pytest.skip("1 core: not enough for two threads")
    widths = tuple(map(int, shape.split("-")))
    batch = {2: 50, 64: 200}.get(widths[0], 128)
    steps = min(600, max(20, 100_000_000 // (batch * sum(n * m for n, m in pairwise(widths)))))
    task = network_task(widths, steps=steps, batch=batch)
    assert sum((n + 1) * m for n, m in pairwise(widths)) == SHAPES[shape]
    race("one network", SHAPES[shape], task, units=steps)
