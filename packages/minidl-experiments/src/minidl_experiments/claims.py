"""The statements of the report's section III-C, each with the runs that it needs and the function that judges it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

import minidl
import minidl_data
from minidl_experiments import statements
from minidl_experiments.data import Floats
from minidl_experiments.experiments import ACTIVATIONS, DROPOUT, GENERAL, OPTIMIZERS, STEEP_LEAKY_RELU
from minidl_experiments.rules import EARLY, LATE
from minidl_experiments.settings import Settings
from minidl_experiments.statements import Verdict
from minidl_experiments.training import Training

Results: TypeAlias = Mapping[Settings, Training]

SGD, ADAM = OPTIMIZERS["SGD"], OPTIMIZERS["Adam"]
STEEP = "Leaky ReLU with alpha 0.2"


@dataclass(frozen=True)
class Claim:
    """A statement of the report.

    Attributes
    ----------
    text : str
    epochs : int
        Number of epochs needed for the judgement.
    runs : frozenset of Settings
        Settings of the runs needed for the judgement.
    judge : callable
        Function from all results to a Verdict.
    """

    text: str
    epochs: int
    runs: frozenset[Settings]
    judge: Callable[[Results], Verdict]


def judge_claims(results: Results) -> dict[str, Verdict]:
    """Judge all claims whose runs are finished.

    Parameters
    ----------
    results : mapping of Settings to Training

    Returns
    -------
    dict of str to Verdict
        Verdicts by statement; undecided if the runs have too few epochs.
    """
    return {claim.text: _judge(claim, results) for claim in CLAIMS if claim.runs <= results.keys()}


def _judge(claim: Claim, results: Results) -> Verdict:
    if any(results[run].settings.epochs < claim.epochs for run in claim.runs):
        return Verdict(None, f"needs {claim.epochs} epochs", {})
    return claim.judge(results)


def measure_distances(training: Training) -> tuple[Floats, Floats]:
    """Measure the distances of test points from the true circle.

    Parameters
    ----------
    training : Training

    Returns
    -------
    distances, wrong : array, shape (n,)
        Distances of all test points and of the misclassified ones, in units of the square's side. Diverged seeds are
        left out.
    """
    x, y = training.data.test
    distances = np.abs(np.linalg.norm(x.astype(np.float64) - minidl_data.CENTER, axis=-1) - minidl_data.RADIUS)
    wrong = minidl.predict(training.model, x).argmax(axis=-1) != y.argmax(axis=-1)
    left = np.isfinite(training.test.loss[-1])
    return distances[left].ravel(), distances[left][wrong[left]]


def _activation_accuracies(results: Results) -> dict[str, Floats]:
    return {name: results[settings].train.accuracy for name, settings in ACTIVATIONS.items()}


def _steep_accuracies(results: Results) -> dict[str, Floats]:
    runs = {"Tanh": ACTIVATIONS["Tanh"], "ReLU": ACTIVATIONS["ReLU"], STEEP: STEEP_LEAKY_RELU}
    return {name: results[settings].train.accuracy for name, settings in runs.items()}


def _dropout_accuracies(results: Results) -> dict[float, Floats]:
    return {p_drop: results[settings].test.accuracy[-1] for p_drop, settings in DROPOUT.items()}


_ACTIVATIONS = frozenset(ACTIVATIONS.values())

CLAIMS = (
    Claim(
        "accuracy is higher than 95 % on both sets",
        LATE,
        frozenset({GENERAL}),
        lambda results: statements.judge_accuracy(results[GENERAL].train, results[GENERAL].test),
    ),
    Claim(
        "the model does not overfit",
        LATE,
        frozenset({GENERAL}),
        lambda results: statements.judge_overfitting(results[GENERAL].train, results[GENERAL].test),
    ),
    Claim(
        "misclassified points are located in the border area",
        LATE,
        frozenset({GENERAL}),
        lambda results: statements.judge_border(*measure_distances(results[GENERAL])),
    ),
    Claim(
        "SGD learns faster than Adam during the first 20 epochs",
        EARLY,
        frozenset({SGD, ADAM}),
        lambda results: statements.judge_early_lead(results[SGD].train, results[ADAM].train),
    ),
    Claim(
        "Adam is better than SGD by epoch 50, in accuracy and in loss",
        LATE,
        frozenset({SGD, ADAM}),
        lambda results: statements.judge_final_lead(results[ADAM].train, results[SGD].train),
    ),
    Claim(
        "with SGD there is no overfitting either",
        LATE,
        frozenset({SGD}),
        lambda results: statements.judge_overfitting(results[SGD].train, results[SGD].test),
    ),
    Claim(
        "Tanh learns fastest at first",
        EARLY,
        _ACTIVATIONS,
        lambda results: statements.judge_fastest("Tanh", _activation_accuracies(results)),
    ),
    Claim(
        "Leaky ReLU learns slowest at first",
        EARLY,
        _ACTIVATIONS,
        lambda results: statements.judge_slowest("Leaky ReLU", _activation_accuracies(results)),
    ),
    Claim(
        f"beyond the report: {STEEP} learns slowest at first",
        EARLY,
        _ACTIVATIONS | {STEEP_LEAKY_RELU},
        lambda results: statements.judge_slowest(STEEP, _steep_accuracies(results)),
    ),
    Claim(
        "the activations' final accuracies are quite similar",
        LATE,
        _ACTIVATIONS,
        lambda results: statements.judge_alike(_activation_accuracies(results)),
    ),
    Claim(
        "dropout is not needed",
        LATE,
        frozenset(DROPOUT.values()),
        lambda results: statements.judge_dropout(_dropout_accuracies(results)),
    ),
)
"""All claims, in the order of the report."""
