"""The share of dead ReLUs, and what they cost, by learning rate; measured with `minidl.probe`."""

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np

import minidl
import minidl_data
from parts.drawing import row
from parts.plots import Plot

EXPONENTS = np.linspace(-3, 0, 13)
"""The learning rates are these powers of ten."""
SEEDS, EPOCHS = 10, 20
OPTIMIZERS: dict[str, Callable[..., minidl.Optimizer]] = {
    "SGD": minidl.SGD,
    "momentum": partial(minidl.SGD, momentum=0.9),
    "Adam": minidl.Adam,
}


def dead() -> str:
    """Draw the share of dead units for three optimizers, and the accuracy of ReLUs and leaky ReLUs."""
    ticks, label = (-3, -2, -1, 0), "learning rate"
    shares = Plot("dead ReLUs (%)", ticks, (0, 25, 50, 75, 100), label, powers="x")
    accuracies = Plot("test accuracy with Adam (%)", ticks, (40, 60, 80, 100), label, powers="x")
    for kind, (name, build) in enumerate(OPTIMIZERS.items()):
        share, accuracy = _train(minidl.ReLU, build)
        shares.curve(name, EXPONENTS, share, kind)
    accuracies.curve("ReLU", EXPONENTS, accuracy)  # the last one is Adam's
    accuracies.curve("LeakyReLU(0.1)", EXPONENTS, _train(partial(minidl.LeakyReLU, 0.1), minidl.Adam)[1], 1)
    return row([
        shares.svg(f"Dead ReLUs after {EPOCHS} epochs: few at small rates; at 0.1 with Adam {share[8]:.0f} %"),
        accuracies.svg("At large rates, a network of ReLUs gets fewer points right than one of leaky ReLUs"),
    ])  # fmt: skip


def _train(activation: Callable[[], minidl.Module], optimizer: Callable[..., minidl.Optimizer]) -> np.ndarray:
    """Return the share of dead units and the test accuracy in percent by rate, means over the seeds."""
    (x, y), (x_test, y_test) = minidl_data.load_disk(0)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    x, x_test, loss = (x - mean) / spread, (x_test - mean) / spread, minidl.CrossEntropyLoss("mean")
    model = minidl.replicate(partial(_build, activation), np.tile(np.arange(SEEDS), len(EXPONENTS)))
    rates = np.repeat(10**EXPONENTS, SEEDS)
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # some networks diverge
        minidl.fit(model, loss, optimizer(model, lr=rates), x, y, epochs=EPOCHS, batch_size=50, rng=0)
        found = minidl.probe(model, x)
        accuracy = minidl.evaluate(model, loss, x_test, y_test).accuracy
    shares = [layer.outputs["dead"] for layer in found.layers if "dead" in layer.outputs]
    share = np.mean(shares, axis=0) if shares else np.zeros(len(rates))
    return 100 * np.stack([share, accuracy]).reshape(2, len(EXPONENTS), SEEDS).mean(axis=-1)


def _build(activation: Callable[[], minidl.Module], seed: int) -> minidl.Sequential:
    rng, layers = np.random.default_rng(seed), []
    for n in (2, 25, 25):
        layers += [minidl.Linear(n, 25, rng=rng), activation()]
    return minidl.Sequential([*layers, minidl.Linear(25, 2, rng=rng)])
