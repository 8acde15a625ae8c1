"""Exercises on dropout, normalization and residual blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

import minidl
from minidl_experiments.exercises.cases import Case, call
from minidl_experiments.exercises.exercise import Exercise, Mistake
from minidl_experiments.exercises.tasks import reference
from minidl_experiments.exercises.tasks.reference import normal

TOPIC = "More layers"
_EPS = 1e-5


def _dropout(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for shape, p_drop in (((3, 4), 0.5), ((5, 2), 0.2), ((2, 3, 2), 0.75)):
        x, dy = normal(rng, *shape), normal(rng, *shape)
        draws = np.random.default_rng(len(cases))
        mask = (np.random.default_rng(len(cases)).random(shape) >= p_drop) / (1 - p_drop)
        inputs = {"x": x, "p_drop": p_drop, "training": True, "rng": draws}
        cases.append(call("forward", inputs, {"y": x * mask, "mask": mask}))
        cases.append(call("backward", {"dy": dy, "mask": mask}, {"dx": dy * mask}))
        cases.append(call("forward", {**inputs, "training": False}, {"y": x, "mask": np.ones(shape)}))
        cases.append(_draws_nothing(x, p_drop))
    return cases


def _draws_nothing(x: np.ndarray, p_drop: float) -> Case:
    def run(code: Any) -> dict[str, Any]:
        rng = np.random.default_rng(7)
        code.forward(x.copy(), p_drop, False, rng)
        return {"the next number of rng": rng.random()}

    words = "forward in evaluation, which should draw nothing"
    return Case(words, run, {"the next number of rng": np.random.default_rng(7).random()})


def _layer_norm(rng: np.random.Generator) -> list[Case]:
    cases = []
    for samples, features in ((3, 4), (1, 5), (4, 2)):
        x, dy = normal(rng, samples, features, scale=3), normal(rng, samples, features)
        layer = minidl.LayerNorm(features, eps=_EPS, dtype="float64")
        layer.weight, layer.bias = normal(rng, features), normal(rng, features)
        y, dx = reference.activation(layer, x, dy)
        root = np.sqrt(x.var(axis=-1, keepdims=True) + _EPS)
        n = (x - x.mean(axis=-1, keepdims=True)) / root
        dweight, dbias = (param.grad.copy() for param in layer.params())
        weight, bias = layer.weight.copy(), layer.bias.copy()
        inputs = {"x": x, "weight": weight, "bias": bias, "eps": _EPS}
        cases.append(call("forward", inputs, {"y": y, "n": n, "root": root}))
        expected = {"dx": dx, "dweight": dweight, "dbias": dbias}
        cases.append(call("backward", {"dy": dy, "n": n, "root": root, "weight": weight}, expected))
    return cases


def _residual(rng: np.random.Generator) -> list[Case]:
    cases = []
    for samples, width in ((3, 4), (1, 2), (5, 3)):
        inner = minidl.Linear(width, width, dtype="float64", rng=rng)
        x, dy = normal(rng, samples, width), normal(rng, samples, width)
        weight = inner.weight.copy()
        _, dx = reference.activation(minidl.Residual(inner), x, dy)
        inputs = {"dy": dy, "inner_backward": lambda dy, weight=weight: dy @ weight}
        cases.append(call("backward", inputs, {"dx": dx}))
    return cases


EXERCISES = (
    Exercise(
        "dropout",
        TOPIC,
        hints=(
            "Draw first, then compare with p_drop: the result is an array of True (kept) and False (dropped).",
            "The mask is that array divided by 1 - p_drop. The same mask multiplies dy in backward.",
            "mask = (rng.random(x.shape) >= p_drop) / (1 - p_drop)",
        ),
        cases=_dropout,
        mistakes=(
            Mistake(" / (1 - p_drop)\n", " * 1.0\n", "The mask is not divided by 1 - p_drop.", 2),
            Mistake("/ (1 - p_drop)\n", "/ p_drop\n", "The mask is divided by p_drop instead of 1 - p_drop.", 2),
            Mistake(">= p_drop)", "< p_drop)", "Elements are kept with probability p_drop."),
            Mistake("if not training:", "if False:", "In evaluation nothing should be dropped."),
            Mistake("return dy * mask", "return dy * (mask > 0)", "The gradient is not scaled by the mask.", 2),
        ),
    ),
    Exercise(
        "layer-norm",
        TOPIC,
        hints=(
            "dweight and dbias are sums over the samples, the last axis but one; the means are over the features.",
            "dn = dy * weight. The two means need keepdims=True, so that they can be subtracted from dn.",
            "dx = (dn - dn.mean(axis=-1, keepdims=True) - n * (dn * n).mean(axis=-1, keepdims=True)) / root",
        ),
        cases=_layer_norm,
        given=("forward",),
        mistakes=(
            Mistake("(dn - mean - n * projection) / root", "dn / root", "Mean and root are treated as constants."),
            Mistake("dn - mean - n * projection", "dn - mean", "The path through the root is missing.", 3),
            Mistake("dn = dy * weight", "dn = dy", "The weight is missing in dn.", 2),
            Mistake("projection) / root", "projection)", "The division by the root is missing.", 3),
            Mistake("(dy * n).sum(axis=-2)", "(dn * n).sum(axis=-2)", "dweight is computed from dn instead of dy."),
        ),
    ),
    Exercise(
        "residual",
        TOPIC,
        hints=(
            "Two paths lead from x to y: one direct, one through f. What arrives at x by the direct path?",
            "The direct path brings dy itself, the other inner_backward(dy).",
        ),
        cases=_residual,
        mistakes=(
            Mistake("dy + inner_backward(dy)", "inner_backward(dy)", "The direct path is missing."),
            Mistake("dy + inner_backward(dy)", "dy * inner_backward(dy)", "The gradients of two paths are added."),
            Mistake("dy + inner_backward(dy)", "inner_backward(dy + inner_backward(dy))", "Each path starts from dy."),
        ),
    ),
)
