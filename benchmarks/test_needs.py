"""What real trainings need: options and callbacks in the native engine, single samples, normalization."""

import pytest

from benchmarks.tasks import EPOCHS, report_task


def test_options_and_callbacks(race):
    pytest.importorskip("minidl_native")
    race("needs", EPOCHS, report_task(), units=1, afresh=True, budget=6)


def test_one_sample(race):
    race("one sample", 1, report_task(epochs=1, samples=200, batch=1), units=200, afresh=True)


@pytest.mark.parametrize("width", [25, 64])
@pytest.mark.parametrize("norm", ["LayerNorm", "BatchNorm1d"])
def test_normalization(race, norm, width):
    task = report_task(epochs=1, widths=(2, width, width, width, 2))
    race(norm, width, task, units=task.steps, rtol=1e-2, afresh=True)
