from collections import Counter
from itertools import chain

import pytest

from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep import Definition, Grid, Run
from minidl_experiments.sweep.batches import MOST_RUNS, MOST_WORK, cost, plan_batches

GRID = Grid(
    lr=(1e-3, 1e-2, 1e-1),
    width=(5, 50),
    activation=(Activation.RELU, Activation.TANH),
    optimizer=(Optimizer.ADAM, Optimizer.SGD),
    batch_size=(20, 50),
    p_drop=(0.0, 0.1, 0.5),
    seeds=tuple(range(20)),
)
SHORT = Definition(epochs=1, samples=100)


@pytest.mark.parametrize("workers", [1, 2, 64, 10_000])
def test_every_run_is_in_exactly_one_batch(workers):
    assert Counter(chain(*plan_batches(GRID.runs, SHORT, workers))) == Counter(GRID.runs)


def test_a_batch_has_one_shape():
    for batch in plan_batches(GRID.runs, SHORT, 1):
        configs = [run.config for run in batch]
        shapes = {(one.width, one.activation, one.optimizer, one.batch_size, one.p_drop > 0) for one in configs}
        assert len(shapes) == 1


def test_a_batch_varies_in_learning_rate_dropout_and_seed():
    batch, _ = plan_batches(Grid(lr=(1.0, 2.0, 3.0), p_drop=(0.1, 0.2), seeds=(0, 1)).runs, SHORT, workers=1)
    assert [{getattr(run.config, axis) for run in batch} for axis in ("lr", "p_drop")] == [{1.0, 2.0}, {0.1, 0.2}]
    assert {run.seed for run in batch} == {0, 1}


def test_the_size_of_a_batch_is_limited():
    sizes = [len(batch) for batch in plan_batches(Grid(seeds=tuple(range(1001))).runs, SHORT, workers=1)]
    assert MOST_RUNS - 10 < min(sizes) <= max(sizes) <= MOST_RUNS


def test_the_work_of_a_batch_is_limited():
    definition = Definition(epochs=100, samples=1000)
    grid = Grid(lr=(1e-3, 3e-3, 1e-2), width=(25, 50), batch_size=(25, 50), seeds=tuple(range(20)))
    work = [cost(batch) * definition.epochs * definition.samples for batch in plan_batches(grid.runs, definition, 2)]
    assert max(work) <= MOST_WORK
    assert sum(work) / len(work) > MOST_WORK / 2


def test_a_long_training_keeps_several_runs_per_batch():
    """A batch shares the fixed overhead of a step among its runs."""
    (batch, *_) = plan_batches(Grid(seeds=tuple(range(100))).runs, Definition(epochs=10_000), workers=2)
    assert 5 < len(batch) < 20


def test_a_batch_holds_few_wide_networks(config):
    def size(width):
        runs = [Run(config(width=width), seed) for seed in range(200)]
        return max(map(len, plan_batches(runs, SHORT, workers=1)))

    assert size(500) < 25
    assert size(10_000) == 1


@pytest.mark.parametrize("workers", [2, 7])
def test_every_worker_gets_a_batch(workers):
    assert len(plan_batches(Grid(seeds=tuple(range(30))).runs, SHORT, workers)) >= workers


def test_the_most_expensive_batches_come_first(config):
    runs = [Run(config(width=width), seed) for width in (5, 80, 20) for seed in range(4)]
    assert [batch[0].config.width for batch in plan_batches(runs, SHORT, 4)][:3] == [80, 80, 20]
