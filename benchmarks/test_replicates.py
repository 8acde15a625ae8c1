"""Many networks at once: against one alone, torch and JAX."""

import pytest

from benchmarks.tasks import SAMPLES, replicated_task

full = pytest.mark.full
SIZES = {1: 10, 10: 2, 100: 1, 1000: 1}  # replicates, and how many epochs they are trained


@pytest.mark.parametrize("replicates", [1, pytest.param(10, marks=full), 100, pytest.param(1000, marks=full)])
def test_replicates(race, replicates):
    task = replicated_task(replicates, epochs=SIZES[replicates])
    steps = task.steps * task.epochs
    assert task.x.shape == (replicates, SAMPLES, 2)
    race("replicates", replicates, task, units=steps * replicates, alone=steps, budget=8, rtol=1e-2)
