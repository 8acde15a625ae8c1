"""Exercises on the linear layer."""

from __future__ import annotations

import numpy as np

from minidl_experiments.exercises.cases import Case, call
from minidl_experiments.exercises.exercise import Exercise, Mistake
from minidl_experiments.exercises.tasks import reference
from minidl_experiments.exercises.tasks.reference import normal

TOPIC = "The linear layer"
_SHAPES = (3, 2, 4), (1, 5, 2), (4, 4, 4), (6, 3, 1)  # samples, inputs, outputs


def _one_gradient(rng: np.random.Generator, gradient: str, inputs: tuple[str, ...]) -> list[Case]:
    cases = []
    for samples, n_in, n_out in _SHAPES:
        arrays = {"x": normal(rng, samples, n_in), "dy": normal(rng, samples, n_out)}
        arrays |= {"weight": normal(rng, n_out, n_in), "bias": normal(rng, n_out)}
        expected = reference.linear(**arrays)
        cases.append(call("backward", {name: arrays[name] for name in inputs}, {gradient: expected[gradient]}))
    return cases


def _whole_layer(rng: np.random.Generator) -> list[Case]:
    cases = []
    for networks in ((), (3,)):
        for samples, n_in, n_out in _SHAPES:
            x, dy = normal(rng, *networks, samples, n_in), normal(rng, *networks, samples, n_out)
            weight, bias = normal(rng, *networks, n_out, n_in), normal(rng, *networks, n_out)
            expected = reference.linear(x, dy, weight, bias)
            cases.append(call("forward", {"x": x, "weight": weight, "bias": bias}, {"y": expected.pop("y")}))
            cases.append(call("backward", {"dy": dy, "x": x, "weight": weight}, expected))
    return cases


EXERCISES = (
    Exercise(
        "linear-dx",
        TOPIC,
        hints=(
            "The sum runs over the outputs i. Which axis of dy and which axis of weight count outputs?",
            "A product of matrices a @ b sums over the last axis of a and the last but one of b.",
            "dy @ weight has the shape (samples, inputs).",
        ),
        cases=lambda rng: _one_gradient(rng, "dx", ("dy", "weight")),
        mistakes=(
            Mistake("dy @ weight", "dy @ weight.mT", "The weights are transposed: the sum runs over the inputs.", 2),
            Mistake("dy @ weight", "dy * weight", "This is a product of elements, without the sum."),
            Mistake("dy @ weight", "(dy * 0 + 1) @ weight", "This is the gradient for dy = 1 everywhere."),
        ),
    ),
    Exercise(
        "linear-dweight",
        TOPIC,
        hints=(
            "The sum runs over the samples s. Which axis of dy and which axis of x count samples?",
            "dy must come first and be transposed: the rows of the result are outputs, its columns inputs.",
            "dy.mT @ x has the shape (outputs, inputs).",
        ),
        cases=lambda rng: _one_gradient(rng, "dweight", ("dy", "x")),
        mistakes=(
            Mistake("dy.mT @ x", "x.mT @ dy", "This is the transpose of the gradient.", 2),
            Mistake("dy.mT @ x", "dy.mT @ x / len(x)", "This is the mean over the samples instead of the sum."),
            Mistake("dy.mT @ x", "dy[-1][:, None] * x[-1]", "Only the last sample counts here."),
        ),
    ),
    Exercise(
        "linear-dbias",
        TOPIC,
        hints=(
            "The same bias is added in every sample, so its gradient collects something from every sample.",
            "Sum dy over the samples, the last axis but one.",
        ),
        cases=lambda rng: _one_gradient(rng, "dbias", ("dy",)),
        mistakes=(
            Mistake("dy.sum(axis=-2)", "dy", "The sum over the samples is missing."),
            Mistake("dy.sum(axis=-2)", "dy.mean(axis=-2)", "This is the mean over the samples instead of the sum."),
            Mistake("dy.sum(axis=-2)", "dy.sum(axis=-1)", "The sum runs over the outputs instead of the samples.", 2),
            Mistake("dy.sum(axis=-2)", "dy.sum(axis=-2, keepdims=True)", "One axis is left over.", 2),
        ),
    ),
    Exercise(
        "linear",
        TOPIC,
        hints=(
            "Solve linear-dx, linear-dweight and linear-dbias first: the same lines hold here, counted from the end.",
            ".mT transposes the last two axes, and @ multiplies the last two axes. .T would turn all axes round.",
            "bias[..., None, :] puts an axis for the samples into the bias; the sum over the samples has axis=-2.",
        ),
        cases=_whole_layer,
        mistakes=(
            Mistake("bias[..., None, :]", "bias", "The bias needs an axis for the samples.", 3),
            Mistake(
                "dy.sum(axis=-2)", "dy.sum(axis=0)", "Axis 0 does not count samples if there are several networks.", 3
            ),
            Mistake("dweight = dy.mT @ x", "dweight = (x.mT @ dy)", "dweight is transposed."),
            Mistake("dx = dy @ weight", "dx = dy @ weight.mT", "The weights are transposed in dx."),
        ),
    ),
)
