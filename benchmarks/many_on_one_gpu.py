"""Replicates of the report's network as torch tensors: time per replicate and step, and some compared with NumPy.

    python -m benchmarks.many_on_one_gpu --device cuda --replicates 1000 10000

All networks are one, with a replicate axis in front of its parameters, and each is trained on the report's 1000 points
in an order of its own. A line has the milliseconds of a step, the microseconds of a step and replicate, those of NumPy
for `--compared` of the same networks, and by how much their losses differ at most, relative to NumPy's. `--device cpu`
runs the same code on any machine. With `--order shared` one order is drawn for all networks: NumPy draws the orders on
the CPU, and for many networks that may take longer than the steps.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial

import numpy as np

import minidl
import minidl_data

EPOCHS, BATCH, POINTS = 2, 50, 1000
OPTIMIZERS = {"adam": minidl.Adam, "sgd": partial(minidl.SGD, lr=None, eta=0.035, kappa=0.6)}
TOLERANCE = 1e-3  # of a loss after a few epochs in float32; errors of a formula are larger from the first step on


def build(rng: np.random.Generator, backend: str) -> minidl.Sequential:
    """Return the report's network: three hidden layers of 25 with ReLU, and sigmoids on the two outputs."""
    layers: list[minidl.Module] = []
    for inputs, outputs in ((2, 25), (25, 25), (25, 25)):
        layers += [minidl.Linear(inputs, outputs, rng=rng, backend=backend), minidl.ReLU()]
    return minidl.Sequential([*layers, minidl.Linear(25, 2, rng=rng, backend=backend), minidl.Sigmoid()])


class Race:
    """Some replicates on a device.

    Parameters
    ----------
    backend : str
    seeds : sequence of int
        One for each replicate.
    optimizer : str
    shared : bool
        Whether all have one order.
    """

    def __init__(self, backend: str, seeds: Sequence[int], optimizer: str, *, shared: bool) -> None:
        self.model = minidl.replicate(partial(build, backend=backend), seeds)
        self._optimizer = OPTIMIZERS[optimizer](self.model)
        x, y = minidl_data.make_disk(POINTS, rng=0)
        asarray = self.model.backend.asarray
        self._x, self._y = asarray(x), asarray(np.eye(2, dtype=np.float32)[y])
        self._rng = np.random.default_rng(1) if shared else [np.random.default_rng([1, seed]) for seed in seeds]

    def train(self, epochs: int) -> np.ndarray:
        """Return the losses, (epochs, replicates)."""
        history = minidl.fit(
            self.model, minidl.MSELoss(), self._optimizer, self._x, self._y, epochs=epochs, batch_size=BATCH,
            rng=self._rng, engine="numpy",
        )  # fmt: skip
        return history.curve("loss")  # NumPy's numbers: the device has made its last step

    def timed(self, epochs: int) -> tuple[np.ndarray, float]:
        """Return the losses of an epoch that is not counted and of others, and the seconds of a step of those."""
        first = self.train(1)
        began = time.perf_counter()
        losses = self.train(epochs)
        return np.concatenate([first, losses]), (time.perf_counter() - began) / (epochs * (POINTS // BATCH))


def measure(backend: str, replicates: int, given: argparse.Namespace) -> str:
    """Return a line; raise if a network on the device learns something else than on NumPy."""
    shared = given.order == "shared"
    compared = np.unique(np.linspace(0, replicates - 1, min(replicates, given.compared)).round().astype(int)).tolist()
    losses, seconds = Race(backend, range(replicates), given.optimizer, shared=shared).timed(given.epochs)
    expected, alone = Race("numpy", compared, given.optimizer, shared=shared).timed(given.epochs)
    difference = float(np.max(np.abs(losses[:, compared] / expected - 1)))
    if not difference < TOLERANCE:
        raise SystemExit(f"networks {compared} of {replicates} differ from NumPy's by {difference:.1e}")
    each, numpy = 1e6 * seconds / replicates, 1e6 * alone / len(compared)
    return f"{replicates:10}{1e3 * seconds:12.2f}{each:12.2f}{numpy:12.2f}{difference:12.1e}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a line for each number of replicates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="of torch, such as cpu or cuda")
    parser.add_argument("--replicates", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--compared", type=int, default=4, help="networks that are trained on NumPy, too")
    parser.add_argument("--optimizer", choices=sorted(OPTIMIZERS), default="adam")
    parser.add_argument("--order", choices=["own", "shared"], default="own")
    given = parser.parse_args(arguments)
    backend = f"torch:{given.device}"
    sys.stdout.write(f"{backend}, {given.optimizer}, batches of {BATCH}, order {given.order}\n")
    sys.stdout.write(f"{'replicates':>10}{'ms/step':>12}{'us/each':>12}{'us, NumPy':>12}{'difference':>12}\n")
    for replicates in given.replicates:
        sys.stdout.write(f"{measure(backend, replicates, given)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
