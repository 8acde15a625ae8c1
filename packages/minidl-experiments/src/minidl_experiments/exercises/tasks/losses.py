"""Exercises on losses."""

from __future__ import annotations

from typing import Any

import numpy as np

import minidl
from minidl_experiments.exercises.cases import Case, call
from minidl_experiments.exercises.exercise import Exercise, Mistake
from minidl_experiments.exercises.tasks import reference
from minidl_experiments.exercises.tasks.reference import normal

TOPIC = "Losses"
_SHAPES = (3, 2), (1, 4), (5, 1)


def _value_and_gradient(loss: Any, inputs: dict[str, Any], gradient: str) -> list[Case]:
    prediction, target, *_ = inputs.values()
    value, slopes = reference.loss_of(loss, prediction, target)
    return [call("forward", inputs, {"loss": value}), call("backward", inputs, {gradient: slopes})]


def _mse(rng: np.random.Generator) -> list[Case]:
    inputs = [{"prediction": normal(rng, *shape), "target": normal(rng, *shape)} for shape in _SHAPES]
    return [case for one in inputs for case in _value_and_gradient(minidl.MSELoss(), one, "dprediction")]


def _huber(rng: np.random.Generator) -> list[Case]:
    cases = []
    for shape, delta in zip(_SHAPES, (1.0, 0.5, 2.0), strict=True):
        inputs = {"prediction": normal(rng, *shape, scale=3), "target": normal(rng, *shape), "delta": delta}
        cases += _value_and_gradient(minidl.HuberLoss(delta=delta), inputs, "dprediction")
    return cases


def _bce(rng: np.random.Generator) -> list[Case]:
    logits = [*(normal(rng, *shape, scale=2) for shape in _SHAPES), np.array([[-1000.0, -50.0], [50.0, 1000.0]])]
    cases = []
    for z in logits:
        inputs = {"z": z, "t": (rng.random(z.shape) < 0.5).astype(float)}
        cases += _value_and_gradient(minidl.BCEWithLogitsLoss(), inputs, "dz")
    return cases


def _scores(rng: np.random.Generator) -> list[np.ndarray]:
    """Return scores: ordinary, large, and very different from each other."""
    plain = [normal(rng, samples, classes, scale=2) for samples, classes in ((3, 4), (1, 2), (5, 3))]
    return [*plain, 1000 + plain[0], np.array([[0.0, 800.0, -800.0], [-800.0, -790.0, -900.0]])]


def _softmax(rng: np.random.Generator) -> list[Case]:
    scores = [*_scores(rng), normal(rng, 2, 3, 4)]
    return [call("softmax", {"z": z}, {"p": minidl.softmax(z)}) for z in scores]


def _cross_entropy(rng: np.random.Generator) -> list[Case]:
    cases = []
    for z in _scores(rng):
        inputs = {"z": z, "t": rng.integers(0, z.shape[-1], len(z))}
        cases.append(call("log_softmax", {"z": z}, {"log_p": minidl.log_softmax(z)}))
        cases += _value_and_gradient(minidl.CrossEntropyLoss("sum"), inputs, "dz")
    return cases


EXERCISES = (
    Exercise(
        "mse",
        TOPIC,
        hints=(
            "The loss is a sum, not a mean. The sign of the gradient is that of f - y.",
            "The derivative of d² is 2 d: ((prediction - target) ** 2).sum() and 2 * (prediction - target).",
        ),
        cases=_mse,
        mistakes=(
            Mistake("** 2).sum()", "** 2).mean()", "This is the mean instead of the sum."),
            Mistake("return 2 * (prediction - target)", "return prediction - target", "The factor 2 is missing.", 2),
            Mistake("2 * (prediction - target)", "2 * (target - prediction)", "The sign is wrong: it is f - y."),
            Mistake("** 2).sum()", "** 2).sum(axis=-1)", "The sum runs over the features only."),
        ),
    ),
    Exercise(
        "bce-with-logits",
        TOPIC,
        hints=(
            "The formula in the logit can be written as it stands, with np.log1p.",
            "For the gradient you need a sigmoid that does not overflow: solve the exercise sigmoid first.",
            "With small = np.exp(-np.abs(z)), p is np.where(z >= 0, 1, small) / (1 + small).",
        ),
        cases=_bce,
        mistakes=(
            Mistake("np.maximum(z, 0) - z * t", "np.maximum(z, 0)", "The term with the target is missing."),
            Mistake("(1 + small) - t", "(1 + small)", "The target is missing in the gradient.", 2),
            Mistake(
                "return np.where(z >= 0, 1, small) / (1 + small) - t",
                "return np.exp(z) / (1 + np.exp(z)) - t",
                "exp(z) overflows in the gradient.",
                3,
            ),
            Mistake("np.abs(z)))).sum()", "np.abs(z)))).mean()", "This is the mean instead of the sum."),
        ),
    ),
    Exercise(
        "softmax",
        TOPIC,
        hints=(
            "Find the largest score of each sample and subtract it before exp.",
            "z.max(axis=-1, keepdims=True) keeps the last axis with length 1, so that it can be subtracted.",
            "exps = np.exp(z - z.max(axis=-1, keepdims=True)), divided by exps.sum(axis=-1, keepdims=True)",
        ),
        cases=_softmax,
        mistakes=(
            Mistake("z - z.max(axis=-1, keepdims=True)", "z", "exp overflows for large scores."),
            Mistake(
                "z.max(axis=-1, keepdims=True)", "z.max()", "The largest score of each sample is needed, not of all.", 2
            ),
            Mistake(
                "exps.sum(axis=-1, keepdims=True)", "exps.sum()", "The sum must be over the classes of a sample.", 2
            ),
            Mistake(
                "exps.sum(axis=-1,", "exps.sum(axis=-2,", "The sum runs over the samples instead of the classes.", 2
            ),
        ),
    ),
    Exercise(
        "cross-entropy",
        TOPIC,
        hints=(
            "Write log_softmax first: subtract the largest score, then the logarithm of the sum of the exps.",
            "p = np.exp(log_softmax(z)). Only the right class of each sample gets something subtracted.",
            "dz[np.arange(len(t)), t] -= 1 changes one element in each row.",
        ),
        cases=_cross_entropy,
        mistakes=(
            Mistake("    z = z - z.max(axis=-1, keepdims=True)\n", "", "exp overflows for large scores."),
            Mistake("return -log_softmax(z)", "return log_softmax(z)", "The sign of the loss is wrong."),
            Mistake("t].sum()", "t].mean()", "This is the mean instead of the sum over the samples."),
            Mistake("    dz[np.arange(len(t)), t] -= 1\n", "", "Nothing is subtracted at the right class.", 2),
            Mistake("dz[np.arange(len(t)), t] -= 1", "dz -= 1", "1 is subtracted from every class.", 3),
        ),
    ),
    Exercise(
        "huber",
        TOPIC,
        hints=(
            "np.where chooses between the two formulas; |d| decides.",
            "The gradient is d, but never more than delta and never less than -delta.",
            "np.clip(d, -delta, delta) is the gradient.",
        ),
        cases=_huber,
        mistakes=(
            Mistake("size * size / 2", "size * size", "The squared part lacks the factor 1/2."),
            Mistake(
                "delta * (size - delta / 2)", "delta * size", "The linear part must meet the squared part at delta."
            ),
            Mistake(
                "np.clip(prediction - target, -delta, delta)",
                "prediction - target",
                "Large gradients are not cut off.",
                2,
            ),
            Mistake(
                "np.clip(prediction - target, -delta, delta)",
                "np.clip(prediction - target, 0 - delta, delta) / delta",
                "The gradient of a small difference d is d itself.",
                2,
            ),
        ),
    ),
)
