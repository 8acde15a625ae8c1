"""The plots of activations and losses, computed by the modules themselves."""

from collections.abc import Sequence

import numpy as np

import minidl
from parts.drawing import row
from parts.plots import Plot

X = np.unique(np.append(np.linspace(-4, 4, 161), [-1e-9, 1e-9]))  # two points more, so that a jump is upright
P = np.linspace(0.002, 0.998, 250)


def activation(module: minidl.Module, ticks: Sequence[float]) -> str:
    """Draw an activation and its derivative."""
    plot = Plot(str(module), (-4, -2, 0, 2, 4), ticks, "input x")
    plot.curve("y", X, module(X))
    plot.curve("dy/dx", X, module.backward(np.ones_like(X)), 1)
    return row([plot.svg(f"{module} and its derivative for inputs from -4 to 4")])


def smooth() -> str:
    """Draw four smooth activations, and their derivatives."""
    ticks = (-4, -2, 0, 2, 4)
    outputs = Plot("output y", ticks, (-1, 0, 1, 2, 3, 4), "input x")
    slopes = Plot("derivative dy/dx", ticks, (-0.5, 0, 0.5, 1, 1.5), "input x")
    for kind, module in enumerate((minidl.ELU(), minidl.Softplus(), minidl.SiLU(), minidl.GELU())):
        name = type(module).__name__
        outputs.curve(name, X, module(X), kind)
        slopes.curve(name, X, module.backward(np.ones_like(X)), kind)
    titles = ("ELU, Softplus, SiLU and GELU for inputs from -4 to 4", "Their derivatives: from about 0 to about 1")
    return row([plot.svg(title) for plot, title in zip((outputs, slopes), titles, strict=True)])


def mse() -> str:
    """Draw the squared error and its gradient."""
    plot = Plot("MSELoss", (-2, -1, 0, 1, 2), (-4, -2, 0, 2, 4), "error f \N{MINUS SIGN} y")
    value, slope = _loss(minidl.MSELoss(), X, 0)
    plot.curve("loss", X, value)
    plot.curve("gradient", X, slope, 1)
    return row([plot.svg("The squared error is a parabola, its gradient a line through 0")])


def robust() -> str:
    """Draw the values and gradients of three losses for regression."""
    ticks, label = (-4, -2, 0, 2, 4), "error f \N{MINUS SIGN} y"
    values = Plot("loss", ticks, (0, 2, 4, 6), label)
    slopes = Plot("gradient", ticks, (-4, -2, 0, 2, 4), label)
    losses = {"MSE": minidl.MSELoss(), "L1": minidl.L1Loss(), "Huber, \u03b4 = 1": minidl.HuberLoss(delta=1.0)}
    for kind, (name, loss) in enumerate(losses.items()):
        value, slope = _loss(loss, X, 0)
        values.curve(name, X, value, kind)
        slopes.curve(name, X, slope, kind)
    titles = ("Squared, absolute and Huber loss of an error", "Their gradients: only that of the square has no bound")
    return row([plot.svg(title) for plot, title in zip((values, slopes), titles, strict=True)])


def quantile() -> str:
    """Draw the quantile loss of three quantiles."""
    plot = Plot("QuantileLoss", (-4, -2, 0, 2, 4), (0, 1, 2, 3, 4), "error f \N{MINUS SIGN} y")
    for kind, q in enumerate((0.1, 0.5, 0.9)):
        plot.curve(f"q = {q}", X, _loss(minidl.QuantileLoss(quantiles=q), X, 0)[0], kind)
    return row([plot.svg("The loss of the quantile 0.9 rises steeply below the target and gently above it")])


def poisson() -> str:
    """Draw the Poisson loss of three counts against the rate."""
    rates = np.linspace(0.05, 10, 200)
    plot = Plot("PoissonNLLLoss", (0, 2, 4, 6, 8, 10), (-6, -3, 0, 3, 6), "predicted rate \u03bb")
    for kind, count in enumerate((1, 3, 6)):
        plot.curve(f"count {count}", rates, _loss(minidl.PoissonNLLLoss(), np.log(rates), count)[0], kind)
    return row([plot.svg("The loss of a count is smallest where the rate is the count, and flatter for large counts")])


def gaussian() -> str:
    """Draw the Gaussian loss of three errors against the predicted standard deviation."""
    sigmas, loss = np.linspace(0.1, 4, 200), minidl.GaussianNLLLoss()
    plot = Plot("GaussianNLLLoss", (0, 1, 2, 3, 4), (-1, 0, 1, 2, 3), "predicted \u03c3")
    for kind, error in enumerate((0.5, 1.0, 2.0)):
        values = [loss(np.array([[error, 2 * np.log(sigma)]]), np.zeros((1, 1))) for sigma in sigmas]
        plot.curve(f"error {error:g}", sigmas, values, kind)
    return row(
        [plot.svg("The loss is smallest where the predicted deviation is the error, and steep where it is too small")]
    )


def weights() -> str:
    """Draw the loss of one prediction for two targets, with equal weights and with others."""
    plot, x = Plot("loss for the targets 0 and 1", (-0.5, 0, 0.5, 1, 1.5), (0, 1, 2, 3, 4), "prediction f"), X / 2
    loss, targets = minidl.MSELoss(), np.array([[0.0], [1.0]])
    for kind, second in enumerate((1.0, 3.0)):
        values = [loss(np.full((2, 1), f), targets, weight=np.array([1.0, second])) for f in x]
        plot.curve(f"weights 1 and {second:g}", x, values, kind)
    return row([plot.svg("With equal weights the loss is smallest at 0.5, with the weights 1 and 3 at 0.75")])


def clipping() -> str:
    """Draw the norm of a gradient after clipping against the norm before."""
    plot = Plot("norm of the gradient", (0, 2, 4, 6, 8, 10), (0, 2, 4, 6, 8, 10), "norm before")
    model, norms = minidl.Linear(1, 1, dtype="float64"), np.linspace(0, 10, 101)
    for kind, (name, clip) in enumerate({"as it is": None, "clip = 5": 5.0}.items()):
        optimizer, clipped = minidl.SGD(model, 1.0, clip=clip), []
        for norm in norms:
            model.grads[...] = 0.6 * norm, 0.8 * norm
            clipped.append(np.linalg.norm(optimizer.clipped_gradient()))
        plot.curve(name, norms, clipped, kind)
    return row([plot.svg("With clip = 5 the norm stays as it is up to 5, and is 5 beyond")])


def bce() -> str:
    """Draw cross-entropy and squared error: against the probability, and their gradients against the logit."""
    values = Plot("loss for the target 1", (0, 0.25, 0.5, 0.75, 1), (0, 1, 2, 3, 4), "prediction f")
    slopes = Plot("gradient in the logit", (-8, -4, 0, 4, 8), (-1, -0.5, 0, 0.5), "logit x")
    x = 2 * X
    sigmoid = minidl.Sigmoid()
    f = sigmoid(x)
    for kind, (name, loss) in enumerate({"BCE": minidl.BCELoss(), "squared error": minidl.MSELoss()}.items()):
        values.curve(name, P, _loss(loss, P, 1)[0], kind)
        slopes.curve(name, x, sigmoid.backward(_loss(loss, f, 1)[1]), kind)
    titles = (
        "For the target 1 and predictions near 0, the cross-entropy has no bound; the squared error stays below 1",
        "For a negative logit, the gradient of the cross-entropy tends to -1, and that of the squared error to 0",
    )
    return row([plot.svg(title) for plot, title in zip((values, slopes), titles, strict=True)])


def bce_with_logits() -> str:
    """Draw the loss and its gradient for both targets."""
    values = Plot("loss", (-6, -3, 0, 3, 6), (0, 2, 4, 6), "logit x")
    slopes = Plot("gradient", (-6, -3, 0, 3, 6), (-1, -0.5, 0, 0.5, 1), "logit x")
    for kind, target in enumerate((1, 0)):
        value, slope = _loss(minidl.BCEWithLogitsLoss(), 1.5 * X, target)
        values.curve(f"target {target}", 1.5 * X, value, kind)
        slopes.curve(f"target {target}", 1.5 * X, slope, kind)
    titles = ("The loss grows like the logit where the sign is wrong", "The gradient is the sigmoid minus the target")
    return row([plot.svg(title) for plot, title in zip((values, slopes), titles, strict=True)])


def cross_entropy() -> str:
    """Draw scores, probabilities and the gradient of one sample with four classes."""
    scores, true = np.array([[1.0, 2.0, 0.0, -1.0]]), np.array([0])
    loss = minidl.CrossEntropyLoss()
    loss(scores, true)
    bars = {
        "scores x": (scores, (-2, -1, 0, 1, 2), "1, 2, 0 and -1"),
        "probabilities p": (minidl.softmax(scores), (0, 0.25, 0.5, 0.75, 1), "largest for the largest score"),
        "gradient": (loss.backward(), (-1, -0.5, 0, 0.5, 1), "negative for the true class 0, positive for the others"),
    }
    drawings = []
    for title, (values, ticks, words) in bars.items():
        plot = Plot(title, (0, 1, 2, 3), ticks, "class", width=225, height=210, margin=0.5)
        for k, value in enumerate(values[0]):
            plot.bar(k, value, "drawing-strong" if k == true[0] else "drawing-a")
        drawings.append(plot.svg(f"The {title} of four classes: {words}"))
    return row(drawings)


def _loss(loss: minidl.Loss, f: np.ndarray, target: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each prediction alone, and its gradient."""
    values = [loss(np.array([[each]]), np.array([[float(target)]])) for each in f]
    loss(f[:, None], np.full((len(f), 1), float(target)))
    return np.array(values), loss.backward()[:, 0]
