"""Exercises on optimizers."""

from __future__ import annotations

from typing import Any

import numpy as np

import minidl
from minidl_experiments.exercises.cases import Case, call
from minidl_experiments.exercises.exercise import Exercise, Mistake
from minidl_experiments.exercises.tasks import reference
from minidl_experiments.exercises.tasks.reference import normal

TOPIC = "Optimizers"
_SIZES = 3, 1, 6
_ADAM = {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-3}


def _sgd(rng: np.random.Generator) -> list[Case]:
    cases = []
    for size in _SIZES:
        value, grad = normal(rng, size), normal(rng, size)
        optimizer = minidl.SGD(reference.parameters(value), 0.1, weight_decay=0.5)
        inputs = {"value": value, "grad": grad, "lr": 0.1, "decay": 0.5}
        cases.append(call("step", inputs, {"value": reference.stepped(optimizer, grad)}))
    return cases


def _momentum(rng: np.random.Generator, *, nesterov: bool) -> list[Case]:
    cases = []
    for size in _SIZES:
        value, grad, velocity = normal(rng, size), normal(rng, size), normal(rng, size)
        optimizer = minidl.SGD(reference.parameters(value), 0.1, momentum=0.75, nesterov=nesterov)
        optimizer.velocity = velocity
        expected = {"value": reference.stepped(optimizer, grad), "velocity": 0.75 * velocity + grad}
        inputs = {"value": value, "grad": grad, "velocity": velocity, "lr": 0.1, "momentum": 0.75}
        cases.append(call("step", inputs, expected))
    return cases


def _adam(rng: np.random.Generator, kind: Any, **decay: float) -> list[Case]:
    cases = []
    for size, t in zip(_SIZES, (1, 2, 50), strict=True):
        value, grad, m, v = normal(rng, size), normal(rng, size), normal(rng, size), rng.random(size)
        if t == 1:
            m, v = np.zeros(size), np.zeros(size)
        optimizer = kind(reference.parameters(value), **_ADAM, weight_decay=decay.get("decay", 0))
        optimizer.m, optimizer.v, optimizer.t = m, v, t - 1
        after = reference.stepped(optimizer, grad)
        inputs = {"value": value, "grad": grad, "m": m, "v": v, "t": t, **_ADAM, **decay}
        cases.append(call("step", inputs, {"value": after, "m": optimizer.m.copy(), "v": optimizer.v.copy()}))
    return cases


def _rmsprop(rng: np.random.Generator) -> list[Case]:
    cases = []
    for size in _SIZES:
        value, grad, v = normal(rng, size), normal(rng, size), rng.random(size)
        optimizer = minidl.RMSprop(reference.parameters(value), 0.1, alpha=0.9, eps=1e-3)
        optimizer.v = v
        after = reference.stepped(optimizer, grad)
        inputs = {"value": value, "grad": grad, "v": v, "lr": 0.1, "alpha": 0.9, "eps": 1e-3}
        cases.append(call("step", inputs, {"value": after, "v": optimizer.v.copy()}))
    return cases


def _clipping(rng: np.random.Generator) -> list[Case]:
    cases = []
    for limit in (1.0, 100.0, 2.5):
        grads = [normal(rng, 3, 2, scale=3), normal(rng, 3)]
        optimizer = minidl.SGD(reference.parameters(np.zeros(9)), 1.0, clip=limit)
        clipped = -reference.stepped(optimizer, np.concatenate([grad.ravel() for grad in grads]))
        expected = {"grads[0]": clipped[:6].reshape(3, 2), "grads[1]": clipped[6:]}
        # As torch, minidl adds 1e-6 to the norm.
        cases.append(call("clip", {"grads": grads, "limit": limit}, expected, tolerance=1e-6))
    return cases


EXERCISES = (
    Exercise(
        "sgd",
        TOPIC,
        hints=(
            "The step goes against the gradient; decay * value is added to the gradient first.",
            "value - lr * (grad + decay * value) makes a new array; value -= ... would change the old one.",
        ),
        cases=_sgd,
        mistakes=(
            Mistake("value - lr * (grad", "value + lr * (grad", "The step goes up the gradient instead of down."),
            Mistake("(grad + decay * value)", "grad", "The weight decay is missing."),
            Mistake(
                "(grad + decay * value)", "grad - decay * value", "The weight decay must be multiplied by lr too.", 2
            ),
            Mistake(
                "return value - lr * (grad + decay * value)",
                "value -= lr * (grad + decay * value)\n    return value",
                "`-=` changes the array that came in.",
                2,
            ),
        ),
    ),
    Exercise(
        "momentum",
        TOPIC,
        hints=(
            "Compute the new velocity first; the step needs it.",
            "velocity = momentum * velocity + grad, then value - lr * velocity.",
        ),
        cases=lambda rng: _momentum(rng, nesterov=False),
        mistakes=(
            Mistake(
                "value - lr * velocity, velocity",
                "value - lr * grad, velocity",
                "The step follows grad, not the velocity.",
            ),
            Mistake(
                "velocity = momentum * velocity + grad",
                "velocity = momentum * velocity + (1 - momentum) * grad",
                "The gradient is added to the velocity as it is, without a factor.",
                2,
            ),
            Mistake(
                "velocity = momentum * velocity + grad",
                "velocity = momentum * value + grad",
                "The momentum acts on the velocity, not on the value.",
                2,
            ),
            Mistake(
                "velocity = momentum * velocity + grad",
                "velocity = momentum * (velocity + grad)",
                "The new gradient is not multiplied by the momentum.",
                2,
            ),
        ),
    ),
    Exercise(
        "nesterov",
        TOPIC,
        hints=(
            "Solve momentum first: only the second line is another.",
            "The new velocity stands in the second line, multiplied by the momentum once more.",
            "value - lr * (grad + momentum * velocity)",
        ),
        cases=lambda rng: _momentum(rng, nesterov=True),
        mistakes=(
            Mistake("(grad + momentum * velocity)", "velocity", "This is the step of plain momentum.", 2),
            Mistake("(grad + momentum * velocity)", "(grad + velocity)", "The velocity lacks its factor momentum.", 2),
        ),
    ),
    Exercise(
        "adam",
        TOPIC,
        hints=(
            "Four lines: m, v, m̂ and v̂, then the value. The averages are updated before they are used.",
            "beta1**t is small for large t, so the correction fades. Return m and v, not m̂ and v̂.",
            "value - lr * m_hat / (np.sqrt(v_hat) + eps): eps is added to the root.",
        ),
        cases=lambda rng: _adam(rng, minidl.Adam),
        mistakes=(
            Mistake("m_hat = m / (1 - beta1**t)", "m_hat = m", "The correction of m is missing.", 2),
            Mistake("v_hat = v / (1 - beta2**t)", "v_hat = v", "The correction of v is missing.", 2),
            Mistake(
                "m_hat = m / (1 - beta1**t)\n    v_hat = v / (1 - beta2**t)",
                "m_hat, v_hat = m, v",
                "The corrections of m and v are missing.",
                2,
            ),
            Mistake("(np.sqrt(v_hat) + eps)", "np.sqrt(v_hat + eps)", "eps stands inside the root.", 3),
            Mistake("(1 - beta2) * grad**2", "(1 - beta2) * grad", "v averages the square of the gradient."),
            Mistake("eps), m, v", "eps), m_hat, v_hat", "m and v are returned with the correction.", 2),
            Mistake("(np.sqrt(v_hat) + eps)", "(v_hat + eps)", "The root is missing.", 3),
        ),
    ),
    Exercise(
        "adamw",
        TOPIC,
        hints=(
            "Solve adam first. The averages see the gradient without any decay.",
            "The step is lr times the sum of Adam's direction and decay * value.",
            "value - lr * (direction + decay * value)",
        ),
        cases=lambda rng: _adam(rng, minidl.AdamW, decay=0.5),
        mistakes=(
            Mistake("(direction + decay * value)", "direction", "The weight decay is missing.", 2),
            Mistake(
                "    m = beta1",
                "    grad = grad + decay * value\n    m = beta1",
                "The decay must not enter the averages.",
            ),
            Mistake(
                "lr * (direction + decay * value)",
                "lr * direction - decay * value",
                "The decay must be multiplied by lr too.",
                2,
            ),
        ),
    ),
    Exercise(
        "rmsprop",
        TOPIC,
        hints=(
            "Update v first; the step divides by the root of the new v.",
            "alpha * v + (1 - alpha) * grad**2, then value - lr * grad / (np.sqrt(v) + eps).",
        ),
        cases=_rmsprop,
        mistakes=(
            Mistake(
                "alpha * v + (1 - alpha) * grad**2",
                "(1 - alpha) * v + alpha * grad**2",
                "alpha and 1 - alpha are exchanged.",
                2,
            ),
            Mistake("(np.sqrt(v) + eps)", "np.sqrt(v + eps)", "eps stands inside the root.", 2),
            Mistake("(np.sqrt(v) + eps)", "(v + eps)", "The root is missing.", 2),
            Mistake(
                "alpha * v + (1 - alpha) * grad**2", "alpha * v + grad**2", "The square lacks its factor 1 - alpha.", 2
            ),
        ),
    ),
    Exercise(
        "clipping",
        TOPIC,
        hints=(
            "One norm for all arrays: add up all squares of all arrays, then take the root once.",
            "The factor is limit / norm if norm is above limit, and 1 otherwise; every array gets the same.",
            "norm = np.sqrt(sum((grad**2).sum() for grad in grads))",
        ),
        cases=_clipping,
        mistakes=(
            Mistake(
                "limit / norm if norm > limit else 1.0", "limit / norm", "A gradient with a small norm is scaled up.", 2
            ),
            Mistake(
                "np.sqrt(sum((grad**2).sum() for grad in grads))",
                "sum(np.sqrt((grad**2).sum()) for grad in grads)",
                "The norms of the arrays are added up; add their squares.",
                3,
            ),
            Mistake("np.sqrt(sum(", "(sum(", "The root is missing.", 3),
            Mistake(
                "[grad * scale for grad in grads]",
                "[np.clip(grad, -limit, limit) for grad in grads]",
                "Each element is cut off, which changes the direction.",
            ),
        ),
    ),
)
