"""The training of one network: its samples, their orders, its solver, and the end of its epochs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from minidl_sklearn.callbacks import Callbacks
from minidl_sklearn.held_out import Data, HeldOut, split
from minidl_sklearn.network import Network
from minidl_sklearn.orders import Orders
from minidl_sklearn.solver import Solver, new_solver
from minidl_sklearn.stopping import EpochEnd, continue_curves


class Training:
    """A training that is ready for its first step, which is made in `stochastic` or in `together`.

    Parameters
    ----------
    estimator : BaseMLP
        Of a single network, whose attributes are set.
    network : Network
    data : Data
    held_out : Data or None
        The validation set, if one is given.
    rng : RandomState
        Where the validation set, the masks of dropout and the orders of the samples come from.
    incremental : bool
        Whether this is `partial_fit`: one epoch, with the solver of the call before.
    rows : array of int, optional
        The samples to train on, or to split; without it all.
    draw : callable, optional
        ``draw(count)`` chooses some of so many samples, once the validation set is split off.
    decides : bool
        Whether the training ends by its own loss or score.

    Attributes
    ----------
    estimator, network, data, held_out
        As above; a validation set that was split off too.
    kept, rows : array of int or None
        The samples that are not held out, and those of them that are trained on; None for all.
    samples : int
        Number of samples in an epoch.
    batch_size : int
    measure : HeldOut or None
    end : EpochEnd
    epochs : int
        The most epochs.
    orders : Orders
        Of the samples of an epoch.
    incremental : bool
    """

    def __init__(
        self,
        estimator: Any,
        network: Network,
        data: Data,
        held_out: Data | None,
        rng: np.random.RandomState,
        *,
        incremental: bool,
        rows: np.ndarray | None = None,
        draw: Callable[[int], np.ndarray] | None = None,
        decides: bool = True,
    ) -> None:
        if estimator.early_stopping and incremental and held_out is None:
            raise ValueError("partial_fit does not support early_stopping=True")
        self.estimator, self.network, self.data, self.incremental = estimator, network, data, incremental
        solver = self.solver
        if not incremental or solver is None or not solver.goes_on_with(network.model):
            solver = estimator._optimizer = new_solver(estimator, network.model)
        if estimator.early_stopping and held_out is None:
            rows, held = (_among(rows, part) for part in split(estimator, data.take(rows), rng))
            held_out = data.take(held)
        self.held_out, self.kept, self.rows = held_out, rows, rows
        if draw is not None:
            self.rows = _among(rows, draw(len(data.x) if rows is None else len(rows)))
        self.samples = len(data.x) if self.rows is None else len(self.rows)
        self.batch_size = _batch_size(estimator, self.samples)
        self.measure = None if held_out is None else HeldOut(estimator, network, held_out)
        continue_curves(estimator, validates=held_out is not None, incremental=incremental)
        callbacks = Callbacks(estimator.callbacks, validates=held_out is not None)
        self.end = EpochEnd(estimator, network, solver, self.samples, self.measure, callbacks, decides=decides)
        if not (incremental and network.seeded):
            network.seed(rng)
        self.epochs = 1 if incremental else estimator.max_iter
        self.orders = Orders(rng, self.samples)

    @property
    def solver(self) -> Solver | Any:
        """The solver of the estimator; None before the first training."""
        return getattr(self.estimator, "_optimizer", None)

    def note_engine(self, words: str) -> None:
        """Note the engine that runs the steps; nothing if it has not been chosen yet."""
        if words:
            self.estimator.engine_ = words

    def stay_lost(self, epochs: int) -> None:
        """Note the epochs that are left of a training whose loss is nan: nothing but nan would come of them."""
        self.network.model.values[...] = np.nan
        for _ in range(epochs):
            if self.end(float("nan")):
                break


def _batch_size(estimator: Any, samples: int) -> int:
    """Return the number of samples in a batch."""
    size = estimator.batch_size
    if size == "auto":
        size = min(200, samples)
    elif size > samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=4
        )
    size = int(min(size, samples))
    return _normalizable(size, samples) if estimator.normalize == "batch" else size


def _normalizable(size: int, samples: int) -> int:
    """Return a number of samples in a batch that leaves none of a single sample, which has no variance."""
    if size == 1:
        raise ValueError(
            f"normalize: expected batches of two or more for 'batch', got batch_size = 1 of n_samples = {samples}"
        )
    while samples % size == 1:
        size += 1
    return size


def finish(trainings: Sequence[Training], *, interrupted: bool) -> None:
    """Warn of those that have not converged, and restore the best weights; after `partial_fit` neither."""
    if any(training.incremental for training in trainings):
        return
    if not interrupted:
        warn_of_late([training.end.stopped for training in trainings], trainings[0].epochs)
    restore_best(trainings)


def restore_best(trainings: Sequence[Training]) -> None:
    """Give all networks their best weights, where early stopping has kept them."""
    for training in trainings:
        training.end.restore_best()


def warn_of_late(stopped: Sequence[bool], epochs: int) -> None:
    """Warn of trainings that have not converged.

    Parameters
    ----------
    stopped : sequence of bool
        Whether each has ended before its last epoch.
    epochs : int
        The most epochs.
    """
    late, count = len(stopped) - sum(stopped), len(stopped)
    if not late:
        return
    of = f" in {late} of {count} networks" if count > 1 else ""
    warnings.warn(
        f"Stochastic Optimizer: Maximum iterations ({epochs:d}) reached and the optimization hasn't converged yet{of}.",
        ConvergenceWarning,
        stacklevel=4,
    )


def _among(rows: np.ndarray | None, chosen: np.ndarray) -> np.ndarray:
    """Return the samples that were chosen by their places among some rows, or among all."""
    return chosen if rows is None else rows[chosen]
