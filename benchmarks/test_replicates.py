"""Many networks at once, compared with one network alone, torch and JAX."""

import pytest

from benchmarks.contestants import CORES
from benchmarks.tasks import replicated_task

full = pytest.mark.full
SIZES = {1: (10, 1000), 10: (5, 1000), 100: (5, 1000), 1000: (1, 250)}  # replicates: (epochs, samples per replicate)


@pytest.mark.parametrize("replicates", [1, pytest.param(10, marks=full), 100, pytest.param(1000, marks=full)])
def test_replicates(race, replicates):
    epochs, samples = SIZES[replicates]
    task = replicated_task(replicates, epochs=epochs, samples=samples)
    steps = task.steps * epochs
    race("replicates", replicates, task, units=steps * replicates, alone=steps, budget=6, rtol=1e-2)


def test_replicates_on_two_threads(race):
    if CORES < 2:
        pytest.skip("1 core: not enough for two threads")
    task = replicated_task(100, epochs=5, samples=1000)
    race("replicates, two threads", 100, task, units=5 * task.steps * 100, rtol=1e-2)
