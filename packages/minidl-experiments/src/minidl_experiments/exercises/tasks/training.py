"""Exercises on training: initial weights, schedule, loop, accuracy, gradient check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minidl
from minidl_experiments.exercises.cases import Case, call, require_unchanged
from minidl_experiments.exercises.exercise import Exercise, Mistake
from minidl_experiments.exercises.tasks.reference import normal

TOPIC = "Training"


def _he(_rng: np.random.Generator) -> list[Case]:
    cases = []
    for seed, (n_in, n_out) in enumerate(((2, 3), (8, 3), (1, 1), (5, 5))):
        layer = minidl.Linear(n_in, n_out, dtype="float64", rng=np.random.default_rng(seed))
        inputs = {"n_in": n_in, "n_out": n_out, "rng": np.random.default_rng(seed)}
        cases.append(call("weights", inputs, {"weights": layer.weight.copy()}))
    return cases


def _cosine(_rng: np.random.Generator) -> list[Case]:
    cases = []
    for lr, steps, warmup in ((0.5, 14, 4), (0.1, 10, 0), (2.0, 7, 1)):
        schedule = minidl.CosineSchedule(lr, steps, warmup=warmup)
        for t in range(1, steps + 3):
            inputs = {"t": t, "lr": lr, "steps": steps, "warmup": warmup}
            cases.append(call("rate", inputs, {"rate": schedule(t)}))
    return cases


def _loop(rng: np.random.Generator) -> list[Case]:
    cases = []
    for samples, batch_size in ((6, 3), (7, 3), (4, 4)):
        x, y = normal(rng, samples, 2), normal(rng, samples, 1)
        cases.append(_epochs(x, y, batch_size))
    return cases


def _epochs(x: np.ndarray, y: np.ndarray, batch_size: int) -> Case:
    """Return the case of two epochs of the same network, by the learner's loop and by minidl's `train_step`."""

    def train(train_epoch: Callable[..., Any]) -> dict[str, Any]:
        model = minidl.Sequential([
            minidl.Linear(2, 3, dtype="float64", rng=1), minidl.Tanh(), minidl.Linear(3, 1, dtype="float64", rng=2),
        ])  # fmt: skip
        loss, optimizer = minidl.MSELoss(), minidl.Adam(model, lr=0.05)
        given = {"x": x.copy(), "y": y.copy()}
        first = train_epoch(model, loss, optimizer, given["x"], given["y"], batch_size)
        second = train_epoch(model, loss, optimizer, given["x"], given["y"], batch_size)
        require_unchanged({"x": x, "y": y}, given)
        return {"losses of epoch 1": first, "losses of epoch 2": second, "parameters": model.values.copy()}

    def steps(model: Any, loss: Any, optimizer: Any, x: Any, y: Any, batch_size: int) -> list[Any]:
        starts = range(0, len(x), batch_size)
        return [minidl.train_step(model, loss, optimizer, x[i : i + batch_size], y[i : i + batch_size]) for i in starts]

    words = f"train_epoch with {len(x)} samples, batch_size={batch_size}, twice"
    return Case(words, lambda code: train(code.train_epoch), train(steps))


def _accuracy(rng: np.random.Generator) -> list[Case]:
    cases = []
    for samples, classes in ((4, 3), (10, 2), (1, 5), (7, 4)):
        scores, labels = normal(rng, samples, classes), rng.integers(0, classes, samples)
        expected = {"accuracy": minidl.accuracy(scores, labels)}
        cases.append(call("accuracy", {"scores": scores, "labels": labels}, expected))
    return cases


def _gradient_check(rng: np.random.Generator) -> list[Case]:
    cases = []
    for shape in ((3,), (2, 3), (2, 1, 2)):
        x, c = normal(rng, *shape), normal(rng, *shape)
        cube = {"f": lambda x, c=c: float((c * x**3).sum()), "x": x, "eps": 1e-3}
        # Central differences of c x³ are c (3 x² + eps²) exactly, so that a one-sided difference shows.
        cases.append(call("numerical_gradient", cube, {"gradient": c * (3 * x**2 + 1e-6)}, tolerance=1e-8))
        twisted = {"f": lambda x, c=c: float(np.sin((c * x).sum())), "x": x, "eps": 1e-5}
        cases.append(call("numerical_gradient", twisted, {"gradient": c * np.cos((c * x).sum())}, tolerance=1e-8))
    return cases


EXERCISES = (
    Exercise(
        "he-weights",
        TOPIC,
        hints=(
            "standard_normal has the standard deviation 1. Multiplied by s, it has s.",
            "n is the number of inputs, n_in. The standard deviation is the root of the variance.",
            "np.sqrt(2 / n_in) * rng.standard_normal((n_out, n_in))",
        ),
        cases=_he,
        mistakes=(
            Mistake(
                "np.sqrt(2 / n_in) *", "2 / n_in *", "The weights are scaled by the variance instead of its root.", 2
            ),
            Mistake("np.sqrt(2 / n_in) *", "np.sqrt(2 / n_out) *", "n must be the number of inputs.", 2),
            Mistake("np.sqrt(2 / n_in) *", "np.sqrt(1 / n_in) *", "The factor 2 for the ReLU is missing."),
            Mistake("np.sqrt(2 / n_in) *", "1.0 *", "The weights are not scaled."),
        ),
    ),
    Exercise(
        "cosine",
        TOPIC,
        hints=(
            "Three cases: t <= warmup, part < 1, and everything after that.",
            "math.cos(math.pi * part) goes from 1 to -1; (1 + cos) / 2 goes from 1 to 0.",
            "lr * (1 + math.cos(math.pi * part)) / 2",
        ),
        cases=_cosine,
        mistakes=(
            Mistake(
                "lr * t / (warmup + 1)\n    part", "lr * t / warmup\n    part", "The warm-up divides by warmup + 1."
            ),
            Mistake(" if part < 1 else 0.0", "", "After the last step the rate must stay 0."),
            Mistake(
                "part = (t - 1 - warmup) / (steps - warmup)\n    return",
                "part = (t - 1 - warmup) / steps\n    return",
                "part is 1 at the end of all steps, the warm-up included.",
                2,
            ),
            Mistake(
                "part = (t - 1 - warmup) / (steps - warmup)\n    return",
                "part = (t - warmup) / (steps - warmup)\n    return",
                "The steps are counted from 1: part begins with 0.",
            ),
        ),
    ),
    Exercise(
        "training-loop",
        TOPIC,
        hints=(
            "The loss needs a prediction, the gradient of the loss needs a loss, and a step needs gradients.",
            "range(0, len(x), batch_size) gives the first rows of the batches; a slice may end behind the last row.",
            "In order: model.forward, loss.forward, loss.backward, model.backward, optimizer.step.",
        ),
        cases=_loop,
        mistakes=(
            Mistake("        optimizer.step()\n", "", "The parameters never change: optimizer.step is missing."),
            Mistake(
                "        optimizer.step()\n    return",
                "    optimizer.step()\n    return",
                "There is only one step for all batches.",
                3,
            ),
            Mistake(
                "range(0, len(x), batch_size)",
                "range(0, len(x) - batch_size + 1, batch_size)",
                "A smaller last batch is left out.",
                2,
            ),
            Mistake(
                "(prediction, y[rows])",
                "(prediction, y[: len(prediction)])",
                "The targets must be those of the batch.",
                2,
            ),
        ),
    ),
    Exercise(
        "accuracy",
        TOPIC,
        hints=(
            "argmax gives the index of the largest element; along which axis are the classes?",
            "The mean of an array of True and False is the share of True.",
            "(scores.argmax(axis=-1) == labels).mean()",
        ),
        cases=_accuracy,
        mistakes=(
            Mistake(".mean()", ".sum()", "This is the number of right samples, not their share.", 2),
            Mistake("== labels", "!= labels", "This is the share of wrong predictions.", 2),
        ),
    ),
    Exercise(
        "gradient-check",
        TOPIC,
        hints=(
            "For each index make two copies of x, one with eps added there and one with eps subtracted.",
            "The distance between the two points is 2 eps.",
            "gradient[index] = (f(above) - f(below)) / (2 * eps)",
        ),
        cases=_gradient_check,
        mistakes=(
            Mistake("(2 * eps)\n    return", "eps\n    return", "The distance of the two points is 2 eps.", 2),
            Mistake(
                "        below[index] -= eps\n",
                "        below[index] -= 0\n",
                "eps must be subtracted on the other side.",
                1,
            ),
            Mistake(
                "(f(above) - f(below)) / (2 * eps)\n    return",
                "(f(above) - f(x)) / eps\n    return",
                "This difference is one-sided, and less precise.",
            ),
            Mistake(
                "above, below = x.copy(), x.copy()",
                "above, below = x, x.copy()",
                "x itself is changed: work on a copy.",
            ),
        ),
    ),
)
