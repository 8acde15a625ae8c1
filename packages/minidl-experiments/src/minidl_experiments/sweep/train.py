"""Training of one batch of runs."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

import minidl
from minidl_experiments.data import Data, Samples, draw, streams
from minidl_experiments.network import build_network
from minidl_experiments.settings import Optimizer, Settings
from minidl_experiments.sweep.batches import HIDDEN_LAYERS
from minidl_experiments.sweep.grid import Config, Definition, Run

# Batch size of the evaluation. It is fixed because the last digits of a float32 loss depend on it.
_ROWS = 100

MEASURES = "train_loss", "train_accuracy", "test_loss", "test_accuracy"


@dataclass(frozen=True)
class Result:
    """The results of one run.

    Attributes
    ----------
    run : Run
    ends : dict of str to float, or None
        ``train_loss``, ``train_accuracy``, ``test_loss`` and ``test_accuracy`` of the trained network, losses per
        sample; None if the run diverged.
    curves : dict of str to list of float
        The same four quantities per epoch. Those of the training set are accumulated during the epoch, those of the
        test set are measured at its end. The curves of a diverged run end before the epoch of the divergence.
    diverged : tuple of int or None
        Epoch and batch, counted from 1, in which the loss became nan.
    seconds : float
        The run's share of the duration of its batch.
    """

    run: Run
    ends: dict[str, float] | None
    curves: dict[str, list[float]]
    diverged: tuple[int, int] | None
    seconds: float

    @property
    def test_accuracy(self) -> float | None:
        """Test accuracy of the trained network; None if the run diverged."""
        return None if self.ends is None else self.ends["test_accuracy"]


def train_batch(runs: list[Run], definition: Definition) -> list[Result]:
    """Train runs of one shape as the replicates of one model.

    Data, weights, dropout masks and order of the data of a run depend on its seed alone. The results of a run therefore
    do not depend on its batch. BLAS and the native engine use one thread, because the cores train different batches.

    Parameters
    ----------
    runs : list of Run
        Runs of equal width, activation, optimizer and batch size. Either all of them have dropout or none.
    definition : Definition

    Returns
    -------
    list of Result
        In the order of `runs`.
    """
    start = time.perf_counter()
    with threadpool_limits(1, user_api="blas"), np.errstate(all="ignore"), warnings.catch_warnings():
        # minidl.fit warns about each diverged replicate; a sweep records the divergence as a result.
        warnings.filterwarnings("ignore", "fit: replicate", RuntimeWarning)
        batch = _Batch(runs, definition)
        batch.train()
        train, test = batch.measure(batch.data.train), batch.measure(batch.data.test)
    seconds = (time.perf_counter() - start) / len(runs)
    return [batch.result(index, train, test, seconds) for index in range(len(runs))]


class _Batch:
    """The model of a batch and the measurements during its training."""

    def __init__(self, runs: list[Run], definition: Definition) -> None:
        self.runs, self.definition = runs, definition
        self.data = _draw([run.seed for run in runs], definition.samples)
        self.model = minidl.replicate(_builder(runs), [streams(run.seed).weights for run in runs])
        self.loss, self.history = minidl.MSELoss(), minidl.History()
        self.tests: list[minidl.Evaluation] = []

    def train(self) -> None:
        lr = np.array([run.config.lr for run in self.runs])
        optimizer = minidl.Adam if self.runs[0].config.optimizer is Optimizer.ADAM else minidl.SGD
        try:
            self.history = minidl.fit(
                self.model,
                self.loss,
                optimizer(self.model, lr),
                *self.data.train,
                epochs=self.definition.epochs,
                batch_size=self.runs[0].config.batch_size,
                rng=[streams(run.seed).order for run in self.runs],
                callbacks=[lambda *_: self.tests.append(self.measure(self.data.test))],
                accuracy=True,
                threads=1,
            )
        except minidl.DivergenceError as error:  # all replicates diverged
            self.history = error.history

    @property
    def _last_batch(self) -> int:
        return -(-self.definition.samples // self.runs[0].config.batch_size)

    def measure(self, samples: Samples) -> minidl.Evaluation:
        return minidl.evaluate(self.model, self.loss, *samples, batch_size=_ROWS, accuracy=True, threads=1)

    def result(self, index: int, train: minidl.Evaluation, test: minidl.Evaluation, seconds: float) -> Result:
        ends = {name: float(value[index]) for name, value in zip(MEASURES, (*train, *test), strict=True)}
        diverged = self.history.diverged.get(index)
        if diverged is None and not np.isfinite(list(ends.values())).all():
            diverged = self.definition.epochs, self._last_batch  # no later batch could reveal the divergence
        epochs = self.definition.epochs if diverged is None else diverged[0] - 1
        tests = [test.loss for test in self.tests], [test.accuracy for test in self.tests]
        curves = {
            name: [float(value[index]) for value in values[:epochs]]
            for name, values in zip(MEASURES, (self.history.loss, self.history.accuracy, *tests), strict=True)
        }
        return Result(self.runs[index], None if diverged else ends, curves, diverged, seconds)


def _draw(seeds: list[int], samples: int) -> Data:
    """Draw the data of each distinct seed once."""
    different = list(dict.fromkeys(seeds))
    rows = [different.index(seed) for seed in seeds]
    return Data(*(Samples(x[rows], y[rows]) for x, y in draw(different, samples)))


def _builder(runs: list[Run]) -> Callable[[np.random.Generator], minidl.Module]:
    """Return a function that builds the networks of the runs, one per call."""
    configs = iter(run.config for run in runs)
    return lambda rng: build_network(_settings(next(configs)), rng)


def _settings(config: Config) -> Settings:
    return Settings(
        activation=config.activation,
        last_activation=config.activation,
        widths=(config.width,) * HIDDEN_LAYERS,
        p_drop=config.p_drop,
    )
