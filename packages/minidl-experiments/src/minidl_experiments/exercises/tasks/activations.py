"""Exercises on activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minidl
from minidl_experiments.exercises.cases import Case, call
from minidl_experiments.exercises.exercise import Exercise, Mistake
from minidl_experiments.exercises.tasks import reference
from minidl_experiments.exercises.tasks.reference import normal

TOPIC = "Activations"
_SHAPES = (2, 3), (5, 1), (2, 3, 4)


def _from_input(rng: np.random.Generator, build: Callable[..., Any], **settings: float) -> list[Case]:
    cases = []
    for shape in _SHAPES:
        x, dy = normal(rng, *shape, scale=2), normal(rng, *shape)
        x.flat[1] = 0
        _, dx = reference.activation(build(*settings.values()), x, dy)
        cases.append(call("backward", {"dy": dy, "x": x, **settings}, {"dx": dx}))
    return cases


def _tanh(rng: np.random.Generator) -> list[Case]:
    cases = []
    for shape in _SHAPES:
        x, dy = normal(rng, *shape), normal(rng, *shape)
        y, dx = reference.activation(minidl.Tanh(), x, dy)
        cases.append(call("backward", {"dy": dy, "y": y}, {"dx": dx}))
    return cases


def _with_extremes(rng: np.random.Generator, build: Callable[[], Any], saved: str) -> list[Case]:
    """Return cases of forward and backward; the last have inputs at which a careless formula fails."""
    cases = []
    extremes = [np.array([[-1000.0, -720.0, 0.0, 720.0, 1000.0]]), np.array([[-40.0, -35.0], [35.0, 40.0]])]
    for x in [*(normal(rng, *shape, scale=2) for shape in _SHAPES), *extremes]:
        dy = normal(rng, *x.shape)
        y, dx = reference.activation(build(), x, dy)
        cases.append(call("forward", {"x": x}, {"y": y}))
        cases.append(call("backward", {"dy": dy, saved: {"x": x, "y": y}[saved]}, {"dx": dx}))
    tiny = np.array([[-40.0, -60.0, -100.0]])
    y, _ = reference.activation(build(), tiny, tiny)
    return [*cases, call("forward", {"x": tiny}, {"y": y}, floor=1e-60)]  # all digits, however small y is


EXERCISES = (
    Exercise(
        "relu",
        TOPIC,
        hints=(
            "Which elements of x reached the output? Only their gradients pass.",
            "x > 0 is an array of True and False; in a product they count as 1 and 0.",
            "dy * (x > 0)",
        ),
        cases=lambda rng: _from_input(rng, minidl.ReLU),
        mistakes=(
            Mistake("dy * (x > 0)", "dy * (x >= 0)", "The gradient passes at x = 0, where it should be 0."),
            Mistake("dy * (x > 0)", "(x > 0) * 1.0", "This is the derivative alone: dy is missing."),
            Mistake("dy * (x > 0)", "dy * (dy > 0)", "The mask must come from x, not from dy."),
        ),
    ),
    Exercise(
        "leaky-relu",
        TOPIC,
        hints=(
            "The slope is 1 or alpha, depending on the sign of x. What happens at 0 stands in the statement.",
            "np.where(condition, a, b) takes elements of a where the condition holds, and of b elsewhere.",
            "np.where(x > 0, dy, alpha * dy)",
        ),
        cases=lambda rng: _from_input(rng, minidl.LeakyReLU, alpha=0.2),
        mistakes=(
            Mistake("x > 0, dy", "x >= 0, dy", "At x = 0 the slope should be alpha."),
            Mistake(
                "x > 0, dy, alpha * dy", "x > 0, dy, 0 * dy", "Negative inputs have no gradient here: alpha is missing."
            ),
            Mistake("x > 0, dy, alpha * dy", "x > 0, dy, alpha * x * dy", "The slope is alpha, not alpha x."),
        ),
    ),
    Exercise(
        "tanh",
        TOPIC,
        hints=(
            "y is the tanh already; it needs no second one.",
            "Multiply dy by the derivative 1 - y².",
        ),
        cases=_tanh,
        mistakes=(
            Mistake("dy * (1 - y * y)", "dy * y", "The derivative is 1 - y², not y.", 2),
            Mistake("dy * (1 - y * y)", "1 - y * y", "This is the derivative alone: dy is missing.", 2),
            Mistake("(1 - y * y)", "y * (1 - y)", "This is the derivative of the sigmoid."),
        ),
    ),
    Exercise(
        "sigmoid",
        TOPIC,
        hints=(
            "Let small = np.exp(-np.abs(x)). For x >= 0 it is exp(-x), for x < 0 it is exp(x).",
            "The denominator of both forms is 1 + small; the numerator is 1 for x >= 0, and small elsewhere.",
            "np.where(x >= 0, 1, small) / (1 + small); the gradient is dy * y * (1 - y).",
        ),
        cases=lambda rng: _with_extremes(rng, minidl.Sigmoid, "y"),
        mistakes=(
            Mistake(
                "return np.where(x >= 0, 1, small) / (1 + small)",
                "return 1 - 1 / (1 + np.exp(x))",
                "1 - 1 / (1 + exp(x)) has no correct digits for small x.",
                2,
            ),
            Mistake("small = np.exp(-np.abs(x))", "small = np.exp(np.abs(x))", "The exponent must be negative."),
            Mistake("dy * y * (1 - y)", "y * (1 - y)", "This is the derivative alone: dy is missing.", 3),
            Mistake("dy * y * (1 - y)", "dy * (1 - y * y)", "This is the derivative of tanh.", 3),
        ),
    ),
    Exercise(
        "softplus",
        TOPIC,
        hints=(
            "The second formula of the statement can be written as it stands, with np.log1p.",
            "The derivative is a sigmoid: solve the exercise sigmoid first.",
            "With small = np.exp(-np.abs(x)) the gradient is dy * np.where(x >= 0, 1, small) / (1 + small).",
        ),
        cases=lambda rng: _with_extremes(rng, minidl.Softplus, "x"),
        mistakes=(
            Mistake("np.log1p(np.exp(-np.abs(x)))", "np.log(1 + np.exp(-np.abs(x)))", "1 + exp(-|x|) is rounded to 1."),
            Mistake("np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))", "np.log(1 + np.exp(x))", "exp(x) overflows."),
            Mistake("dy * np.where", "np.where", "This is the derivative alone: dy is missing.", 3),
            Mistake(
                "dy * np.where(x >= 0, 1, small) / (1 + small)",
                "dy * np.exp(x) / (1 + np.exp(x))",
                "exp(x) overflows in the gradient.",
                3,
            ),
        ),
    ),
    Exercise(
        "gelu",
        TOPIC,
        hints=(
            "Compute u, t = tanh(u) and the gate first. The derivative is the gate plus x times the gate's derivative.",
            "du/dx = sqrt(2 / pi) (1 + 3 · 0.044715 x²).",
            "The gate's derivative is (1 - t * t) / 2 * SCALE * (1 + 3 * 0.044715 * x * x).",
        ),
        cases=lambda rng: _from_input(rng, lambda: minidl.GELU("tanh")),
        mistakes=(
            Mistake("(gate + x * slope)", "gate", "The second term of the product rule is missing."),
            Mistake("(1 + 3 * 0.044715 * x * x)", "1", "du/dx has a term in x² too.", 2),
            Mistake("(1 - t * t) / 2 *", "(1 - t * t) *", "The gate's derivative lacks the factor 1/2.", 3),
            Mistake("dy * (gate", "(gate", "This is the derivative alone: dy is missing."),
        ),
    ),
)
