"""Signal and gradient by layer in deep networks, for four sizes of the initial weights and for three activations."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minidl
from parts.drawing import row
from parts.plots import Plot

LAYERS, UNITS, SAMPLES = 20, 100, 300
HE, LECUN = (2 / UNITS) ** 0.5, (1 / UNITS) ** 0.5
RULES = {"half": {"std_w": HE / 2}, "glorot": {"init": "glorot"}, "he": {"init": "he"}, "double": {"std_w": 2 * HE}}
"""Four rules by their names in the legend: half and double are those of he's deviation."""
ACTIVATIONS = {"ReLU": (minidl.ReLU, HE), "tanh": (minidl.Tanh, LECUN), "sigmoid": (minidl.Sigmoid, LECUN)}
"""Three activations, with deviations of the weights that suit them."""
TICKS, LABEL = range(0, LAYERS + 1, 5), "layer"


def relu() -> str:
    """Draw signal and gradient through layers of ReLUs."""
    return _by_rule(minidl.ReLU, range(-6, 7, 3), range(-6, 7, 3))


def tanh() -> str:
    """Draw signal and gradient through layers of tanh."""
    return _by_rule(minidl.Tanh, range(-4, 2), range(-4, 5, 2))


def vanishing() -> str:
    """Draw the gradient through layers of three activations."""
    plot = Plot("size of the gradient", TICKS, range(-15, 4, 3), LABEL, powers="y")
    ends = []
    for kind, (name, (activation, deviation)) in enumerate(ACTIVATIONS.items()):
        _, gradient = measure(build(activation, std_w=deviation))
        plot.curve(name, range(LAYERS + 1), np.log10(gradient), kind)
        ends.append(f"{name} {gradient[0]:.0e}")
    return row([plot.svg(f"What is left at the input of a gradient of size 1, {LAYERS} layers up: {', '.join(ends)}")])


def build(activation: Callable[[], minidl.Module], **weights: Any) -> list[minidl.Module]:
    """Build the layers, in float64, with initial weights after these options of `Linear`."""
    rng, layers = np.random.default_rng(0), []
    for _ in range(LAYERS):
        layers += [minidl.Linear(UNITS, UNITS, dtype="float64", rng=rng, **weights), activation()]
    return layers


def measure(layers: list[minidl.Module]) -> tuple[list[float], list[float]]:
    """Return the size of the signal and of the gradient at the input and above each layer with its activation.

    The size is the root of the mean square. The gradient has about the size 1 at the top.
    """
    x, dy = np.random.default_rng(1).standard_normal((2, SAMPLES, UNITS))
    signal, gradient = [x], [dy]
    for layer in layers:
        signal.append(layer.forward(signal[-1]))
    for layer in reversed(layers):
        gradient.append(layer.backward(gradient[-1]))
    return [_size(each) for each in signal[::2]], [_size(each) for each in gradient[::-2]]


def _size(values: np.ndarray) -> float:
    return float((values**2).mean() ** 0.5)


def _by_rule(activation: Callable[[], minidl.Module], signals: Sequence[int], gradients: Sequence[int]) -> str:
    name = activation.__name__
    up = Plot(f"{name}: size of the signal", TICKS, signals, LABEL, powers="y")
    down = Plot(f"{name}: size of the gradient", TICKS, gradients, LABEL, powers="y")
    tops, bottoms = [], []
    for kind, (rule, weights) in enumerate(RULES.items()):
        signal, gradient = measure(build(activation, **weights))
        up.curve(rule, range(LAYERS + 1), np.log10(signal), kind)
        down.curve(rule, range(LAYERS + 1), np.log10(gradient), kind)
        tops.append(f"{rule} {signal[-1]:.0e}")
        bottoms.append(f"{rule} {gradient[0]:.0e}")
    words = f"{LAYERS} layers of {name}, by initial weights"
    return row([
        up.svg(f"Size of the signal above {words}: {', '.join(tops)}"),
        down.svg(f"Size of the gradient below {words}: {', '.join(bottoms)}"),
    ])  # fmt: skip
