"""Files with a bug to find: nine functions and classes in which one line is wrong, and one where it is missing."""

from __future__ import annotations

from typing import Any

import numpy as np

import minidl
from minidl_experiments.exercises.cases import Case, call, require_unchanged
from minidl_experiments.exercises.exercise import Exercise, Mistake
from minidl_experiments.exercises.tasks import reference
from minidl_experiments.exercises.tasks.reference import normal

TOPIC = "Find the bug"


def _linear(rng: np.random.Generator) -> list[Case]:
    cases = []
    for samples, n_in, n_out in ((1, 2, 3), (3, 2, 4), (5, 3, 1)):
        x, dy = normal(rng, samples, n_in), normal(rng, samples, n_out)
        weight = normal(rng, n_out, n_in)
        expected = reference.linear(x, dy, weight, np.zeros(n_out))
        del expected["y"]
        cases.append(call("backward", {"dy": dy, "x": x, "weight": weight}, expected))
    return cases


def _square(rng: np.random.Generator) -> list[Case]:
    cases = []
    for samples, width in ((3, 2), (1, 4), (3, 3)):
        x, dy = normal(rng, samples, width), normal(rng, samples, width)
        layers: list[Any] = [minidl.Linear(width, width, bias=False, dtype="float64", rng=rng) for _ in range(2)]
        model = minidl.Sequential([layers[0], minidl.Tanh(), layers[1]])
        _, dx = reference.activation(model, x, dy)
        da, db = (param.grad.copy() for param in model.params())
        inputs = {"dy": dy, "x": x, "a": layers[0].weight.copy(), "b": layers[1].weight.copy()}
        cases.append(call("backward", inputs, {"dx": dx, "da": da, "db": db}))
    return cases


def _chain(rng: np.random.Generator) -> list[Case]:
    cases = []
    for shape in ((2, 3), (4, 1)):
        x, dy = normal(rng, *shape), normal(rng, *shape)
        y = np.tanh(0.5 * np.tanh(x))
        dx = dy * (1 - y * y) * 0.5 * (1 - np.tanh(x) ** 2)

        def run(code: Any, x: np.ndarray = x, dy: np.ndarray = dy) -> dict[str, Any]:
            chain = code.Chain([code.Tanh(), code.Scale(0.5), code.Tanh()])
            return {"y": chain.forward(x.copy()), "dx": chain.backward(dy.copy())}

        cases.append(Case(f"Chain([Tanh(), Scale(0.5), Tanh()]) with x and dy {shape}", run, {"y": y, "dx": dx}))
    return cases


def _logistic(rng: np.random.Generator) -> list[Case]:
    cases = []
    for samples, n_in in ((4, 2), (6, 3), (1, 1)):
        x, weight = normal(rng, samples, n_in), normal(rng, n_in)
        t = (rng.random(samples) < 0.5).astype(float)
        value, dz = reference.loss_of(minidl.BCEWithLogitsLoss(), (x @ weight)[:, None], t[:, None])
        inputs = {"x": x, "t": t, "weight": weight}
        cases.append(call("loss", inputs, {"loss": value}))
        cases.append(call("step", {**inputs, "lr": 0.1}, {"weight": weight - 0.1 * (x.mT @ dz[:, 0])}))
    return cases


def _adam(rng: np.random.Generator) -> list[Case]:
    cases = []
    for size, t, scale in ((3, 1, 1.0), (2, 5, 1e-2), (4, 1, 1e-5), (3, 9, 1e-6)):
        value, grad = normal(rng, size), normal(rng, size, scale=scale)
        m, v = normal(rng, size, scale=scale / t), scale**2 * rng.random(size)
        optimizer = minidl.Adam(reference.parameters(value))
        optimizer.m, optimizer.v, optimizer.t = m, v, t - 1
        after = reference.stepped(optimizer, grad)
        inputs = {"value": value, "grad": grad, "m": m, "v": v, "t": t}
        cases.append(call("step", inputs, {"value": after, "m": optimizer.m.copy(), "v": optimizer.v.copy()}))
    return cases


def _dropout_modes(modes: tuple[bool, ...], x: np.ndarray, dy: np.ndarray, p_drop: float) -> Case:
    """Return the case of one layer, with a forward and a backward in each of its modes, True for training."""
    rng = np.random.default_rng(3)
    expected: dict[str, np.ndarray] = {}
    for number, training in enumerate(modes, start=1):
        mask = (rng.random(x.shape) >= p_drop) / (1 - p_drop) if training else np.ones(x.shape)
        expected |= {f"y of forward {number}": x * mask, f"dx of backward {number}": dy * mask}

    def run(code: Any) -> dict[str, Any]:
        layer, results = code.Dropout(p_drop, np.random.default_rng(3)), {}
        for number, training in enumerate(modes, start=1):
            layer.training, given = training, {"x": x.copy(), "dy": dy.copy()}
            results[f"y of forward {number}"] = layer.forward(given["x"])
            results[f"dx of backward {number}"] = layer.backward(given["dy"])
            require_unchanged({"x": x, "dy": dy}, given)
        return results

    words = " and ".join("training" if training else "evaluation" for training in modes)
    return Case(f"Dropout({p_drop}) in {words}, x and dy {x.shape}", run, expected)


def _dropout(rng: np.random.Generator) -> list[Case]:
    modes = (False,), (True,), (True, False), (False, True, True, False)
    return [_dropout_modes(one, normal(rng, 3, 4), normal(rng, 3, 4), p) for p in (0.5, 0.2) for one in modes]


def _predict(rng: np.random.Generator) -> list[Case]:
    cases = []
    for samples, training in ((3, True), (4, False)):
        x, weight = normal(rng, samples, 5), normal(rng, 2, 5)

        def run(code: Any, x: np.ndarray = x, weight: np.ndarray = weight, training: bool = training) -> dict[str, Any]:  # noqa: FBT001 - the values of this round
            model = code.Network(weight.copy(), np.random.default_rng(5))
            model.training = training
            first, second = code.predict(model, x.copy()), code.predict(model, x.copy())
            return {"first prediction": first, "second prediction": second, "model.training": model.training}

        y = x @ weight.mT
        expected = {"first prediction": y, "second prediction": y, "model.training": training}
        mode = "training" if training else "evaluation"
        cases.append(Case(f"predict twice with x {x.shape} and a model in {mode} mode", run, expected))
    return cases


def _momentum(rng: np.random.Generator) -> list[Case]:
    cases = []
    for steps in (1, 3):
        values, grads = [normal(rng, 2, 3), normal(rng, 2)], [normal(rng, 8) for _ in range(steps)]
        model = reference.parameters(np.concatenate([value.ravel() for value in values]))
        optimizer = minidl.SGD(model, 0.1, momentum=0.75)
        for grad in grads:
            after = reference.stepped(optimizer, grad)

        def run(code: Any, values: Any = values, grads: Any = grads) -> dict[str, Any]:
            own = [value.copy() for value in values]
            optimizer = code.Momentum(own, 0.1, 0.75)
            for grad in grads:
                optimizer.step([grad[:6].reshape(2, 3), grad[6:].copy()])
            return {"values[0]": own[0], "values[1]": own[1]}

        expected = {"values[0]": after[:6].reshape(2, 3), "values[1]": after[6:]}
        cases.append(Case(f"Momentum(values, lr=0.1, momentum=0.75) after step {steps}", run, expected))
    return cases


def _relu(rng: np.random.Generator) -> list[Case]:
    cases = []
    for shape in ((2, 3), (4, 1)):
        x, dy = normal(rng, *shape), normal(rng, *shape)
        y, dx = reference.activation(minidl.ReLU(), x, dy)

        def run(code: Any, x: np.ndarray = x, dy: np.ndarray = dy) -> dict[str, Any]:
            layer, given = code.ReLU(), {"x": x.copy(), "dy": dy.copy()}
            results = {"y": np.copy(layer.forward(given["x"])), "dx": np.copy(layer.backward(given["dy"]))}
            require_unchanged({"x": x, "dy": dy}, given)
            return results

        cases.append(Case(f"forward and backward with x and dy {shape}", run, {"y": y, "dx": dx}))
    return cases


EXERCISES = (
    Exercise(
        "bug-linear",
        TOPIC,
        hints=(
            "With a single sample all is right. What happens to the gradient of sample 1 when sample 2 comes?",
            "Gradients of parameters are sums over the samples. Which of the three lines does not add?",
            "dweight = ... in the loop forgets the samples before: it must be +=.",
        ),
        cases=_linear,
        bug=Mistake("dweight += np.outer", "dweight = np.outer", "missing sum over samples"),
    ),
    Exercise(
        "bug-square",
        TOPIC,
        hints=(
            "Write the shape beside each line, with different numbers of inputs, hidden units and outputs.",
            "For y = h Bᵀ the gradient of h is dy B, without a transpose.",
        ),
        cases=_square,
        bug=Mistake("dhidden = dy @ b", "dhidden = dy @ b.mT", "transposed weights"),
    ),
    Exercise(
        "bug-chain",
        TOPIC,
        hints=(
            "Why does the test with ones pass? What is special about ones?",
            "Does dy reach the last layer?",
            "dx must begin as dy, and not as ones.",
        ),
        cases=_chain,
        bug=Mistake("        dx = dy\n", "        dx = np.ones_like(dy)\n", "ones as upstream gradient"),
    ),
    Exercise(
        "bug-logistic",
        TOPIC,
        hints=(
            "The loss is right. Compare the step with the gradient of the loss, or check it by central differences.",
            "The gradient with respect to the logit is p - t, and a step goes against the gradient.",
        ),
        cases=_logistic,
        bug=Mistake("dz = p - t", "dz = t - p", "sign"),
    ),
    Exercise(
        "bug-adam",
        TOPIC,
        hints=(
            "v̂ is about 1e-10 for gradients around 1e-5. What is sqrt(1e-10 + 1e-8)?",
            "Compare the last line with the formula of the statement, bracket by bracket.",
            "eps belongs outside the root.",
        ),
        cases=_adam,
        bug=Mistake("(np.sqrt(v_hat) + eps)", "np.sqrt(v_hat + eps)", "eps in the wrong place"),
    ),
    Exercise(
        "bug-dropout",
        TOPIC,
        hints=(
            "What is the expected value of an output in training, and what is it in evaluation?",
            "The kept elements must make up for the dropped ones.",
            "Divide the mask by 1 - p_drop.",
        ),
        cases=_dropout,
        bug=Mistake("self.mask = kept / (1 - self.p_drop)", "self.mask = kept * 1.0", "not scaled"),
    ),
    Exercise(
        "bug-predict",
        TOPIC,
        hints=(
            "Which attribute of the model makes its dropout active?",
            "predict saves the mode and restores it. What is missing in between?",
        ),
        cases=_predict,
        bug=Mistake("    model.training = False\n", "", "evaluation mode forgotten"),
        mistakes=(
            Mistake(
                "        model.training = before\n",
                "        pass\n",
                "The model is not left in the mode that it was in.",
            ),
        ),
    ),
    Exercise(
        "bug-mask",
        TOPIC,
        hints=(
            "Which mask does backward use after a forward in evaluation mode?",
            "forward saves a mask in training mode only, so backward meets that of the last training step.",
            "Set self.mask = 1.0 before forward returns x.",
        ),
        cases=_dropout,
        bug=Mistake("            self.mask = 1.0\n            return x", "            return x", "stale mask"),
    ),
    Exercise(
        "bug-momentum",
        TOPIC,
        hints=(
            "The velocity is computed. Where is it used?",
            "The step must follow the velocity, not the gradient.",
        ),
        cases=_momentum,
        bug=Mistake("value -= self.lr * velocity", "value -= self.lr * grad", "momentum on the wrong vector"),
    ),
    Exercise(
        "bug-relu",
        TOPIC,
        hints=(
            "Print x before and after forward.",
            "The layer below has saved the same array for its own backward. Which line writes into it?",
            "Make a new array for y, for example by np.where(self.mask, x, 0).",
        ),
        cases=_relu,
        bug=Mistake("np.where(self.mask, x, 0)", "np.multiply(x, self.mask, out=x)", "the input is written to"),
    ),
)
