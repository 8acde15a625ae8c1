"""The estimators of minidl_sklearn and of scikit-learn: trainings, predictions of one row, and a grid search."""

import pytest

from benchmarks.tasks import ESTIMATORS, estimator_task

pytest.importorskip("minidl_sklearn")
pytest.importorskip("minidl_native")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_fit(race, name, dtype, threads):
    task = estimator_task(name, dtype)
    # Rounding differs, and grows with the number of steps.
    race(f"estimators, {dtype}", task.parameters, task, units=task.epochs, threads=threads, rtol=1e-2, budget=2)


@pytest.mark.full
@pytest.mark.parametrize("batch", [10, 200, 1000])
def test_batch(race, batch):
    task = estimator_task("disk, 25-25-25", "float32", epochs=max(10, batch // 5), batch=batch)
    race("estimators, batch", batch, task, units=task.epochs, rtol=1e-2, budget=1)


def test_several_networks(race):
    task = estimator_task("disk, 25-25-25", "float32")
    race("several networks", task.parameters, task, units=1, budget=4)


@pytest.mark.parametrize("name", ["disk, 25-25-25", "digits, 100"])
def test_one_row(race, name):
    task = estimator_task(name, "float64", epochs=5)
    race("one row", task.parameters, task, units=1, budget=1)


def test_grid_search(race):
    task = estimator_task("disk, 25-25-25", "float64", epochs=20)
    # Rounding may change the prediction of a sample on the border.
    race("grid search", task.parameters, task, units=1, rtol=1e-2, budget=10)
