"""The tasks of the races: a network with initial weights, samples and their order."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

EPOCHS, BATCH, SAMPLES = 50, 50, 1000
REPORT = (2, 25, 25, 25, 2)
LEARNING_RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8


@dataclass(frozen=True, eq=False)
class Task:
    """A network with ReLUs, and its data.

    The outputs are sigmoids with summed squares, or logits with the mean cross-entropy of classes. Replicates add one
    axis in front of all arrays.
    """

    widths: tuple
    weights: list  # of (weight, bias): (out, in) and (out,)
    x: np.ndarray  # (sample, feature)
    y: np.ndarray  # (sample, output), or the classes (sample,)
    orders: np.ndarray  # (epoch, sample)
    batch: int

    @property
    def replicate_shape(self):
        return self.x.shape[:-2]

    @property
    def classes(self):
        return self.y.dtype.kind == "i"

    @property
    def steps(self):
        """Number of steps per epoch."""
        return self.x.shape[-2] // self.batch

    @property
    def epochs(self):
        return self.orders.shape[-2]


def report_task(*, epochs=EPOCHS, samples=SAMPLES, batch=BATCH, seed=0, widths=REPORT):
    """Return the report's network, or one of other widths, and data, in the order that `fit` draws from the seed."""
    x, y = disk(samples, seed)
    return Task(widths, draw_weights(widths, seed), x, y, draw_orders(epochs, samples, seed), batch)


def replicated_task(replicates, *, epochs, samples=SAMPLES, batch=BATCH):
    """Return `replicates` networks, each with its own weights, samples and order."""
    each = [report_task(epochs=epochs, samples=samples, batch=batch, seed=seed) for seed in range(replicates)]
    weights = [
        tuple(map(np.stack, zip(*layer, strict=True))) for layer in zip(*(task.weights for task in each), strict=True)
    ]
    x, y, orders = (np.stack([getattr(task, name) for task in each]) for name in ("x", "y", "orders"))
    return Task(REPORT, weights, x, y, orders, batch)


def wide_task(width, *, steps):
    """Return the network 784-w-w-10 and images of noise."""
    return network_task((784, width, width, 10), steps=steps, batch=128)


def network_task(widths, *, steps, batch, seed=0):
    """Return a network of any widths that separates noise into classes."""
    samples, rng = steps * batch, np.random.default_rng(seed)
    x, y = rng.random((samples, widths[0]), np.float32), rng.integers(0, widths[-1], samples)
    return Task(widths, draw_weights(widths, seed), x, y, draw_orders(1, samples, seed), batch)


@dataclass(frozen=True, eq=False)
class EstimatorTask:
    """What an estimator trains: hidden layers, samples, their classes, epochs, and the size of a batch."""

    hidden: tuple
    x: np.ndarray
    y: np.ndarray
    epochs: int
    batch: int | str = "auto"

    @property
    def parameters(self):
        """Number of weights and biases; two classes have one output."""
        classes = len(np.unique(self.y))
        widths = (self.x.shape[1], *self.hidden, 1 if classes == 2 else classes)
        return sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))


def estimator_task(name, dtype, **changes):
    """Return one of `ESTIMATORS`, perhaps with other epochs or another batch."""
    hidden, load, epochs, batch = ESTIMATORS[name]
    x, y = load()
    return replace(EstimatorTask(hidden, x.astype(dtype), y, epochs, batch), **changes)


def disk_classes():
    x, y = disk(SAMPLES, seed=0)
    return x, y.argmax(axis=1)


def digits():
    from sklearn.datasets import load_digits  # noqa: PLC0415 - scikit-learn may be missing

    x, y = load_digits(return_X_y=True)
    return x / 16, y


def images():
    """Return images of noise, and their classes."""
    rng = np.random.default_rng(0)
    return rng.random((SAMPLES, 784)), rng.permutation(np.arange(SAMPLES) % 10)


ESTIMATORS = {
    "disk, 25-25-25": ((25, 25, 25), disk_classes, 40, BATCH),
    "disk, 64-64": ((64, 64), disk_classes, 30, BATCH),
    "digits, 100": ((100,), digits, 30, "auto"),
    "images, 128": ((128,), images, 10, "auto"),
}
"""Hidden layers, data, number of epochs, and size of a batch: the report's, or the default of 200."""


def disk(samples, seed):
    """Return points in the unit square and one-hot labels."""
    x = np.random.default_rng(seed).random((samples, 2), dtype=np.float32)
    inside = ((x - 0.5) ** 2).sum(axis=-1) < 1 / (2 * np.pi)
    return x, np.stack([~inside, inside], axis=-1).astype(np.float32)


def draw_weights(widths, seed):
    rng = np.random.default_rng(seed)
    scaled = [np.sqrt(2 / n) * rng.standard_normal((m, n)) for n, m in pairwise(widths)]
    return [(weight.astype(np.float32), np.zeros(len(weight), np.float32)) for weight in scaled]


def draw_orders(epochs, samples, seed):
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(samples) for _ in range(epochs)])


def first_alone(task):
    """Return the first replicate as a task without replicates."""
    weights = [(weight[0], bias[0]) for weight, bias in task.weights]
    return Task(task.widths, weights, task.x[0], task.y[0], task.orders[0], task.batch)
