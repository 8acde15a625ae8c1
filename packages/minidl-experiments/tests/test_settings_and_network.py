"""Settings determine the network, the loss and the optimizer."""

import math
from dataclasses import replace

import numpy as np
import pytest

import minidl
from minidl_experiments import Activation, Loss, Optimizer, Settings, Steps, build_network, build_optimizer
from minidl_experiments.experiments import ACTIVATIONS, DROPOUT, GENERAL, OPTIMIZERS, RUNS


def kinds(settings):
    return [record.kind for record in build_network(settings, np.random.default_rng(0)).spec()]


def test_the_default_is_the_network_of_figure_1():
    network = build_network(Settings(), np.random.default_rng(0))
    assert kinds(Settings()) == ["Linear", "ReLU"] * 3 + ["Linear", "Sigmoid"]
    widths = [(record.in_features, record.out_features) for record in network.spec() if record.kind == "Linear"]
    assert widths == [(2, 25), (25, 25), (25, 25), (25, 2)]


def test_the_last_hidden_layer_has_its_own_activation():
    settings = Settings(activation=Activation.TANH, last_activation=Activation.LEAKY_RELU, widths=(4, 5, 6), alpha=0.3)
    assert kinds(settings) == ["Linear", "Tanh", "Linear", "Tanh", "Linear", "LeakyReLU", "Linear", "Sigmoid"]
    assert build_network(settings, np.random.default_rng(0)).layers[5].alpha == 0.3


def test_dropout_follows_each_hidden_layer_if_p_drop_is_positive():
    assert kinds(Settings(p_drop=0.2)) == ["Linear", "ReLU", "Dropout"] * 3 + ["Linear", "Sigmoid"]
    assert "Dropout" not in kinds(Settings(p_drop=0.0))


def test_dropout_does_not_change_the_initial_weights_of_a_seed():
    plain, dropout = (build_network(Settings(p_drop=p), np.random.default_rng(3)) for p in (0.0, 0.5))
    np.testing.assert_array_equal(plain.values, dropout.values)


@pytest.mark.parametrize("loss", list(Loss))
def test_a_network_for_a_loss_on_logits_has_no_output_sigmoids(loss):
    assert (kinds(Settings(loss=loss))[-1] == "Sigmoid") is (loss in {Loss.MSE, Loss.BCE})


@pytest.mark.parametrize(
    ("activation", "variance"),
    [(Activation.RELU, 2), (Activation.LEAKY_RELU, 2), (Activation.TANH, 1), (Activation.SIGMOID, 1)],
)
def test_weights_have_the_standard_deviation_of_the_report(activation, variance):
    settings = Settings(activation=activation, last_activation=activation, widths=(400, 400))
    network = build_network(settings, np.random.default_rng(0))
    # The relative error of a standard deviation from 160,000 draws is 0.2 %.
    assert network.layers[2].weight.std() == pytest.approx(math.sqrt(variance / 400), rel=0.01)
    assert build_network(replace(settings, widths=(400,)), np.random.default_rng(0)).layers[2].weight.std() == (
        pytest.approx(math.sqrt(2 / 400), rel=0.1)  # the output layer, with 800 draws
    )


def test_the_reports_optimizers_have_the_reports_settings():
    model = minidl.Linear(2, 2, rng=0)
    adam = build_optimizer(OPTIMIZERS["Adam"].steps, model)
    assert (type(adam), adam.lr, adam.beta1, adam.beta2) == (minidl.Adam, 1e-3, 0.9, 0.999)
    sgd = build_optimizer(OPTIMIZERS["SGD"].steps, model)
    assert (type(sgd), sgd.lr, sgd.eta, sgd.kappa) == (minidl.SGD, None, 0.035, 0.6)


def test_sgd_accepts_all_its_settings():
    sgd = build_optimizer(Steps(Optimizer.SGD, lr=0.1, momentum=0.9, weight_decay=0.01), minidl.Linear(2, 2, rng=0))
    assert (sgd.lr, sgd.momentum, sgd.weight_decay) == (0.1, 0.9, 0.01)


@pytest.mark.parametrize("wrong", [{"eta": 0.1, "kappa": 0.5}, {"momentum": 0.9}])
def test_adam_refuses_the_settings_of_sgd(wrong):
    with pytest.raises(ValueError, match="settings of SGD"):
        build_optimizer(Steps(Optimizer.ADAM, **wrong), minidl.Linear(2, 2, rng=0))


@pytest.mark.parametrize("steps", [Steps(Optimizer.ADAM, lr=0.0), Steps(Optimizer.SGD, eta=0.0, kappa=0.5)])
def test_a_learning_rate_of_0_is_refused(steps):
    with pytest.raises(ValueError, match="expected a number above 0, got 0"):
        build_optimizer(steps, minidl.Linear(2, 2, rng=0))


@pytest.mark.parametrize("activations", [{}, {"activation": Activation.LEAKY_RELU, "widths": (3,)}])
def test_a_slope_without_a_leaky_relu_is_refused(activations):
    with pytest.raises(ValueError, match="alpha is a setting of leaky ReLU"):
        build_network(Settings(alpha=0.2, **activations), np.random.default_rng(0))


def test_a_network_needs_a_hidden_layer():
    with pytest.raises(ValueError, match="at least one hidden layer"):
        build_network(Settings(widths=()), np.random.default_rng(0))


def test_experiments_share_the_runs_that_coincide():
    assert OPTIMIZERS["Adam"] == ACTIVATIONS["ReLU"] == DROPOUT[0.0] == GENERAL
    wanted = [GENERAL, *OPTIMIZERS.values(), *ACTIVATIONS.values(), *DROPOUT.values()]
    assert set(wanted) <= set(RUNS.values())
    assert len(set(RUNS.values())) == len(RUNS)
