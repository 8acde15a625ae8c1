"""Training of one configuration for many seeds at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

import minidl
from minidl_experiments.data import Data, Floats, Samples, draw, streams
from minidl_experiments.network import LOSSES, build_network, build_optimizer
from minidl_experiments.settings import Settings


@dataclass(frozen=True)
class Curves:
    """Loss and accuracy over a whole data set at the end of each measured epoch, for R seeds.

    Both are nan for a diverged seed, from the epoch of the divergence on.

    Attributes
    ----------
    loss : array, shape (epochs, R)
        Loss per sample.
    accuracy : array, shape (epochs, R)
        Accuracy between 0 and 1.
    """

    loss: Floats
    accuracy: Floats


class Training:
    """Networks of the same settings, one per seed, trained as replicates of one module.

    Each seed has its own data, weights and order of the data. Replicate r therefore equals the network of
    ``Training(settings, [seeds[r]])``.

    Parameters
    ----------
    settings : Settings
    seeds : sequence of int
    data : Data, optional
        Data of these seeds; drawn if omitted.

    Attributes
    ----------
    settings, seeds, data
        The arguments.
    model : minidl.Module
        Module with one replicate axis of the length of `seeds`.

    Raises
    ------
    ValueError, TypeError
        If a setting is invalid for the network, the optimizer or the data set.
    """

    def __init__(self, settings: Settings, seeds: Sequence[int], data: Data | None = None) -> None:
        self.settings, self.seeds = settings, list(seeds)
        self.data = draw(seeds, settings.samples) if data is None else data
        self.model = minidl.replicate(
            lambda rng: build_network(settings, rng),
            [streams(seed).weights for seed in seeds],
        )
        self._loss = LOSSES[settings.loss](settings.reduction)
        self._optimizer = build_optimizer(settings.steps, self.model)
        self._scores: list[tuple[minidl.Evaluation, minidl.Evaluation]] = []

    def run(self, on_epoch: Callable[[int], object] = lambda _: None, *, every: int = 1) -> None:
        """Train for all epochs and measure both data sets at the end of each.

        A seed that diverges has nan in its curves; the other seeds continue.

        Parameters
        ----------
        on_epoch : callable
            Called after each epoch with the number of finished epochs.
        every : int
            Number of epochs between two measurements.

        Raises
        ------
        minidl.DivergenceError
            If the loss of every seed becomes nan.
        KeyboardInterrupt
            On Ctrl-C; the curves and the model keep their current state.
        """

        def measure(epoch: int, history: minidl.History) -> None:
            if epoch % every == 0:
                self._scores.append(self._measure(history.diverged))
            on_epoch(epoch)

        with np.errstate(over="ignore", invalid="ignore"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "fit: replicate", RuntimeWarning)
            minidl.fit(
                self.model,
                self._loss,
                self._optimizer,
                *self.data.train,
                epochs=self.settings.epochs,
                batch_size=self.settings.batch_size,
                rng=[streams(seed).order for seed in self.seeds],
                callbacks=[measure],
            )

    def _measure(self, diverged: Collection[int]) -> tuple[minidl.Evaluation, minidl.Evaluation]:
        """Measure both data sets; a diverged network gets nan, even if its outputs are finite."""
        scores = self.evaluate(self.data.train), self.evaluate(self.data.test)
        lost = np.isnan(np.stack([score.loss for score in scores])).any(axis=0)
        lost |= np.isin(np.arange(len(self.seeds)), list(diverged))
        train, test = (minidl.Evaluation(*(np.where(lost, np.nan, values) for values in score)) for score in scores)
        return train, test

    def evaluate(self, samples: Samples) -> minidl.Evaluation:
        """Measure the current loss and accuracy of every network on its own samples."""
        return minidl.evaluate(self.model, self._loss, *samples, accuracy=True)

    def network(self, index: int) -> minidl.Module:
        """Return a copy of the network of ``seeds[index]``, without replicate axis."""
        return minidl.unstack(self.model)[index]

    @property
    def train(self) -> Curves:
        """Curves on the training sets up to the last measured epoch."""
        return _curves([train for train, _ in self._scores])

    @property
    def test(self) -> Curves:
        """Curves on the test sets up to the last measured epoch."""
        return _curves([test for _, test in self._scores])


def _curves(scores: list[minidl.Evaluation]) -> Curves:
    return Curves(np.array([score.loss for score in scores]), np.array([score.accuracy for score in scores]))
