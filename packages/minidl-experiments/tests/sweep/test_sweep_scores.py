import numpy as np
import pytest

from minidl_experiments.sweep import Grid, Run, score_grid
from minidl_experiments.sweep.scores import score


def test_mean_and_interval(config):
    values = [0.5, 0.7, 0.9, 0.6]
    one = score(config(), values)
    assert (one.seeds, one.diverged) == (4, 0)
    assert one.mean == pytest.approx(0.675)
    assert [one.low, one.high] == pytest.approx(np.quantile(values, [0.05, 0.95]))


def test_diverged_seeds_are_left_out_and_counted(config):
    one = score(config(), [0.5, None, 0.7])
    assert (one.seeds, one.diverged, one.mean) == (3, 1, pytest.approx(0.6))
    none = score(config(), [None])
    assert none.diverged == 1
    assert np.isnan([none.mean, none.low, none.high]).all()


def test_rank_orders_by_diverged_seeds_and_mean(config):
    lucky, good, bad, lost = (
        score(config(), values) for values in ([0.99, None], [0.8, 0.9], [0.5, 0.6], [None, None])
    )
    assert sorted([lost, lucky, bad, good], key=lambda one: one.rank) == [good, bad, lucky, lost]


def test_only_complete_configurations_of_the_grid_are_scored():
    grid = Grid(lr=(1.0, 2.0), seeds=(0, 1))
    first, second = grid.configs
    other = Grid(lr=(3.0,)).configs[0]
    accuracies = {Run(first, 0): 0.1, Run(first, 1): 0.3, Run(first, 2): 0.9, Run(second, 0): 0.5}
    (one,) = score_grid(grid, accuracies | {Run(other, seed): 1.0 for seed in (0, 1)})
    assert (one.config, one.mean) == (first, pytest.approx(0.2))
