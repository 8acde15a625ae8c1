import math

import numpy as np
import pytest

import minidl
from minidl_experiments.data import draw, streams
from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.sweep import Config, Definition, Run, train_batch
from minidl_experiments.sweep.train import MEASURES

DEFINITION = Definition(epochs=4, samples=130)

SHAPES = [
    {"activation": activation, "optimizer": optimizer, "batch_size": batch_size, "width": width}
    for activation, optimizer, batch_size, width in [
        (Activation.RELU, Optimizer.ADAM, 50, 25),
        (Activation.TANH, Optimizer.SGD, 7, 3),
        (Activation.LEAKY_RELU, Optimizer.ADAM, 200, 16),
        (Activation.SIGMOID, Optimizer.SGD, 32, 40),
    ]
]


@pytest.fixture
def alone():
    """Return a function that trains one run without replicates and evaluates it in one batch."""

    def train(run):
        config, (_, weights, order) = run.config, streams(run.seed)
        rng = np.random.default_rng(weights)
        layers, n_in = [], 2
        for _ in range(3):
            layer = {"relu": minidl.ReLU, "leaky-relu": minidl.LeakyReLU, "tanh": minidl.Tanh}.get(config.activation)
            std_w = 1 / math.sqrt(n_in) if config.activation in ("tanh", "sigmoid") else None
            layers += [minidl.Linear(n_in, config.width, std_w=std_w, rng=rng), (layer or minidl.Sigmoid)()]
            layers += [minidl.Dropout(config.p_drop, rng=rng)] if config.p_drop else []
            n_in = config.width
        model = minidl.Sequential([*layers, minidl.Linear(n_in, 2, rng=rng), minidl.Sigmoid()])
        optimizer = {"adam": minidl.Adam, "sgd": minidl.SGD}[config.optimizer](model, config.lr)
        sets = [(x[0], y[0]) for x, y in draw([run.seed], DEFINITION.samples)]
        loss, size = minidl.MSELoss(), config.batch_size
        minidl.fit(model, loss, optimizer, *sets[0], epochs=DEFINITION.epochs, batch_size=size, rng=order)
        measured = [minidl.evaluate(model, loss, *one, batch_size=1000, accuracy=True) for one in sets]
        return dict(zip(MEASURES, [value for one in measured for value in one], strict=True))

    return train


def runs_of(config, shape, p_drops):
    return [
        Run(config(**shape, lr=lr, p_drop=p_drop), seed)
        for lr in (1e-3, 2e-2)
        for p_drop in p_drops
        for seed in (3, 0, 7)
    ]


@pytest.mark.parametrize("p_drops", [(0.0,), (0.1, 0.5)])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_batched_run_equals_the_single_run(config, alone, shape, p_drops):
    """With OpenBLAS the networks agree to the last bit; the batches of the evaluation change the rounding of losses."""
    runs = runs_of(config, shape, p_drops)
    for run, result in zip(runs, train_batch(runs, DEFINITION), strict=True):
        assert result.run == run
        assert result.diverged is None
        for name, value in alone(run).items():
            assert result.ends[name] == pytest.approx(value, rel=1e-6), (run, name)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_does_not_depend_on_its_batch(config, shape):
    """The tolerance is for a BLAS whose batched product rounds differently; with OpenBLAS all bits agree."""
    runs = runs_of(config, shape, (0.1, 0.5))
    together = train_batch(runs, DEFINITION)
    for index in (0, 5, 11):
        (apart,) = train_batch([runs[index]], DEFINITION)
        assert apart.ends == pytest.approx(together[index].ends, rel=1e-6)
        for name in MEASURES:
            assert apart.curves[name] == pytest.approx(together[index].curves[name], rel=1e-6)


def test_the_curves_end_at_the_final_values(config):
    (result,) = train_batch([Run(config(lr=1e-2), 0)], DEFINITION)
    assert {name: len(curve) for name, curve in result.curves.items()} == dict.fromkeys(MEASURES, 4)
    assert result.curves["test_loss"][-1] == result.ends["test_loss"]
    assert result.curves["test_accuracy"][-1] == result.ends["test_accuracy"] == result.test_accuracy
    assert result.curves["train_loss"][-1] < result.curves["train_loss"][0]
    assert result.seconds > 0


def test_every_setting_changes_the_results(config, small):
    """Each setting changes the results, so a batch that mixed up its runs would fail the other tests."""
    changes = [{}, {"lr": 2e-3}, {"p_drop": 0.5}, {"p_drop": 0.6}, {"width": 6}, {"batch_size": 10}]
    changes += [{"activation": Activation.TANH}, {"optimizer": Optimizer.SGD}]
    runs = [Run(config(**change), 0) for change in changes] + [Run(config(), 1)]
    ends = {tuple(train_batch([run], small)[0].ends.values()) for run in runs}
    assert len(ends) == len(runs)


def test_a_diverged_run_does_not_affect_the_others(config):
    runs = [Run(config(lr=lr, width=25), seed) for lr in (1e-3, 1e30) for seed in (0, 1)]
    results = train_batch(runs, DEFINITION)  # warnings are errors here
    assert [result.diverged is None for result in results] == [True, True, False, False]
    assert [result.ends for result in results[2:]] == [None, None]
    assert results[2].test_accuracy is None
    for result in results[2:]:
        epoch, batch = result.diverged
        assert epoch >= 1
        assert batch >= 1
        assert {len(curve) for curve in result.curves.values()} == {epoch - 1}
    assert results[0].ends == pytest.approx(train_batch(runs[:1], DEFINITION)[0].ends, rel=1e-6)


def test_a_batch_in_which_all_runs_diverge_has_results(config):
    runs = [Run(config(lr=1e30, width=25), seed) for seed in (0, 1)]
    together, apart = train_batch(runs, DEFINITION), [train_batch([run], DEFINITION)[0] for run in runs]
    assert [result.ends for result in together] == [None, None]
    assert [(one.diverged, one.curves) for one in together] == [(one.diverged, one.curves) for one in apart]


def test_a_run_that_overflows_in_its_last_step_has_diverged():
    run = Run(Config(1e38, 25, Activation.RELU, Optimizer.SGD, 50, 0.0), seed=0)
    (result,) = train_batch([run], Definition(epochs=1, samples=50))
    assert result.diverged == (1, 1)
    assert result.ends is None
    assert all(values == [] for values in result.curves.values())
