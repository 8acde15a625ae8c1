"""Construction of networks and optimizers from settings."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

import minidl
from minidl_experiments.settings import REPORT_ADAM, Activation, Loss, Optimizer, Settings, Steps

INPUTS = OUTPUTS = 2  # a point of the plane, and one unit per class (report, figure 1)
UNUSED_ALPHA = "alpha is a setting of leaky ReLU, and no hidden layer has this activation"

LOSSES: dict[Loss, type[minidl.Loss]] = {
    Loss.MSE: minidl.MSELoss,
    Loss.BCE: minidl.BCELoss,
    Loss.BCE_WITH_LOGITS: minidl.BCEWithLogitsLoss,
    Loss.CROSS_ENTROPY: minidl.CrossEntropyLoss,
}


def build_network(settings: Settings, rng: np.random.Generator) -> minidl.Sequential:
    """Build the network of figure 1: hidden layers, each with its activation, and sigmoids on the outputs.

    Initial weights of hidden layers below a tanh or a sigmoid have the standard deviation 1/sqrt(n), as the report
    recommends. All other weights have the report's default, sqrt(2/n). A network for a loss on logits has no output
    sigmoids.

    Parameters
    ----------
    settings : Settings
    rng : numpy.random.Generator
        Source of the weights and, later, of the dropout masks.

    Returns
    -------
    minidl.Sequential

    Raises
    ------
    ValueError, TypeError
        If a width is below 1, p_drop is outside [0, 1], or alpha is set without a leaky ReLU.
    """
    activations = activations_of(settings)
    if settings.alpha != Settings.alpha and Activation.LEAKY_RELU not in activations:
        raise ValueError(UNUSED_ALPHA)
    layers: list[minidl.Module] = []
    for (n_in, n_out), activation in zip(pairwise((INPUTS, *settings.widths)), activations, strict=True):
        layers.append(minidl.Linear(n_in, n_out, std_w=std_below(activation, n_in), rng=rng))
        if activation is not None:
            layers.append(activation_layer(activation, settings.alpha))
        if settings.p_drop:
            layers.append(minidl.Dropout(settings.p_drop, rng=rng))
    layers.append(minidl.Linear(settings.widths[-1], OUTPUTS, rng=rng))
    if settings.sigmoid_outputs and not settings.loss.takes_logits:
        layers.append(minidl.Sigmoid())
    return minidl.Sequential(layers)


def build_optimizer(steps: Steps, model: minidl.Module) -> minidl.Optimizer:
    """Build the optimizer of a model.

    Parameters
    ----------
    steps : Steps
    model : minidl.Module

    Returns
    -------
    minidl.Optimizer

    Raises
    ------
    ValueError
        If a setting is out of range, a learning rate is 0, or Adam is given a setting of SGD.
    """
    for name in ("lr", "eta"):
        if getattr(steps, name) == 0:
            raise ValueError(f"{name}: expected a number above 0, got 0, with which nothing is trained")
    if steps.optimizer is Optimizer.SGD:
        return minidl.SGD(
            model,
            lr=steps.lr,
            eta=steps.eta,
            kappa=steps.kappa,
            momentum=steps.momentum,
            weight_decay=steps.weight_decay,
        )
    if steps.eta is not None or steps.kappa is not None or steps.momentum:
        raise ValueError("Adam: eta, kappa and momentum are settings of SGD")
    lr = REPORT_ADAM.lr if steps.lr is None else steps.lr
    return minidl.Adam(model, lr, weight_decay=steps.weight_decay)


def activations_of(settings: Settings) -> list[Activation | None]:
    """Return the activation of each hidden layer.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    list of Activation or None

    Raises
    ------
    ValueError
        If there is no hidden layer.
    """
    if not settings.widths:
        raise ValueError("widths: expected at least one hidden layer, got none")
    return [*[settings.activation] * (len(settings.widths) - 1), settings.last_activation]


def activation_layer(activation: Activation, alpha: float) -> minidl.Module:
    """Return a new layer of an activation.

    Parameters
    ----------
    activation : Activation
    alpha : float
        Slope of a leaky ReLU below zero.
    """
    match activation:
        case Activation.RELU:
            return minidl.ReLU()
        case Activation.LEAKY_RELU:
            return minidl.LeakyReLU(alpha)
        case Activation.TANH:
            return minidl.Tanh()
        case Activation.SIGMOID:
            return minidl.Sigmoid()


def std_below(activation: Activation | None, n_in: int) -> float | None:
    """Return the standard deviation of the weights below an activation; None for the default of Linear, sqrt(2/n)."""
    return 1 / math.sqrt(n_in) if activation in (Activation.TANH, Activation.SIGMOID) else None
