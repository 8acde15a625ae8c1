"""The settings of the report's experiments (section III-C)."""

from __future__ import annotations

from dataclasses import replace

from minidl_experiments.settings import REPORT_SGD, Activation, Settings

GENERAL = Settings()
"""General performance: ReLU, Adam, no dropout."""

OPTIMIZERS = {"SGD": replace(GENERAL, steps=REPORT_SGD), "Adam": GENERAL}
"""Comparison of the optimizers."""

ACTIVATIONS = {
    "Tanh": replace(GENERAL, activation=Activation.TANH),
    "ReLU": GENERAL,
    "Leaky ReLU": replace(GENERAL, activation=Activation.LEAKY_RELU),
}
"""Comparison of activations in the first two hidden layers; the third layer keeps its ReLU."""

STEEP_LEAKY_RELU = replace(GENERAL, activation=Activation.LEAKY_RELU, alpha=0.2)
"""A leaky ReLU with a larger slope: the report does not state alpha, and with 0.01 it hardly differs from a ReLU."""

DROPOUT = {p_drop: replace(GENERAL, p_drop=p_drop) for p_drop in (0.0, 0.1, 0.2, 0.5)}
"""Comparison of dropout probabilities."""

RUNS: dict[str, Settings] = {
    "Adam, ReLU": GENERAL,
    "SGD, ReLU": OPTIMIZERS["SGD"],
    "Adam, Tanh": ACTIVATIONS["Tanh"],
    "Adam, Leaky ReLU": ACTIVATIONS["Leaky ReLU"],
    **{f"Adam, ReLU, dropout {p_drop}": settings for p_drop, settings in DROPOUT.items() if p_drop},
    "Adam, Leaky ReLU 0.2": STEEP_LEAKY_RELU,
}
"""All runs, in the order of training. A run that two experiments share is listed once."""
