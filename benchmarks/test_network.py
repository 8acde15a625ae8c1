"""The report's network: a step, a whole training, forward only, and batches of all sizes."""

import pytest

from benchmarks.tasks import BATCH, EPOCHS, report_task

full = pytest.mark.full


def test_step(race):
    race("step", BATCH, report_task(epochs=1), units=20, afresh=True)


def test_training(race):
    # After 1,000 steps of Adam in float32 the results agree to a few percent only.
    race("training", EPOCHS, report_task(), units=1, rtol=0.1, afresh=True, budget=20)


def test_training_with_fit(race):
    race("fit", EPOCHS, report_task(), units=1, rtol=0.1, afresh=True, budget=10)


@pytest.mark.parametrize("batch", [pytest.param(1, marks=full), 50, 1000, pytest.param(10_000, marks=full)])
def test_forward(race, batch):
    race("forward", batch, report_task(epochs=1, samples=batch, batch=batch), units=batch)


@pytest.mark.parametrize("batch", [pytest.param(1, marks=full), 10, 100, 1000, pytest.param(10_000, marks=full)])
def test_batch(race, batch):
    steps = 2 if batch == 10_000 else 10
    task = report_task(epochs=1, samples=batch * steps, batch=batch)
    race("batch", batch, task, units=steps, afresh=True, budget=2.5)
