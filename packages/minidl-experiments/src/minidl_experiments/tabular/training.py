"""Training of all networks at once, as replicates of one module."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import minidl
from minidl_experiments.tabular.choices import Loss, Task
from minidl_experiments.tabular.dead import MOST_PROBED, dead_layers
from minidl_experiments.tabular.networks import batch_size_for, build_loss, build_network, loss_for, optimizer_for_all
from minidl_experiments.tabular.options import PATIENCE, VALIDATION, Options
from minidl_experiments.tabular.split import mixed, spread
from minidl_experiments.tabular.target import ClassTarget, Target

IMPROVEMENT = 1e-3  # of the validation loss; less is none
Watch = Callable[[int, minidl.History], object]
Train = Callable[[Options, Target, Sequence["Samples"], Watch, Sequence[int]], "Trained"]
"""`train`, or another way of doing it."""


class DivergedError(ValueError):
    """A network has no parameters of use after its training."""


@dataclass(frozen=True)
class Samples:
    """Encoded rows, and the networks that are trained on them.

    Attributes
    ----------
    x : array of float32, shape (rows, inputs)
    y : array, shape (rows,) of int or (rows, targets) of float32
    train : array of int
        The rows to train and validate on.
    """

    x: np.ndarray
    y: np.ndarray
    train: np.ndarray

    @property
    def labels(self) -> np.ndarray | None:
        """The classes of the rows, None for numbers."""
        return self.y if self.y.ndim == 1 else None


@dataclass(frozen=True)
class Trained:
    """Networks after training.

    Attributes
    ----------
    model : minidl.Module
        With one replicate axis: the networks of the first samples, then those of the next ones.
    history : minidl.History
    best_epochs : array of int, shape (networks,)
        The epoch whose parameters each network has.
    dead : list of (str, float, int)
        The hidden layers with units that are dead for all rows to train and validate on, or 20,000 of them: layer,
        share over all networks, units. Empty for networks of several samples.
    """

    model: minidl.Module
    history: minidl.History
    best_epochs: np.ndarray
    dead: list[tuple[str, float, int]]

    def is_lost(self, networks: range) -> bool:
        """Whether all of some networks have diverged, or one of them has no parameters of use."""
        diverged = self.history.diverged.keys() & set(networks)
        kept_best = bool(self.history.val_loss)
        return len(diverged) == len(networks) or bool(
            diverged if not kept_best else (self.best_epochs[networks] == 0).any()
        )


@dataclass(frozen=True)
class Block:
    """Some of the networks of a training.

    Attributes
    ----------
    parts : list of Samples
        Those that the networks are trained on.
    owners : list of int
        For each network, its samples among them.
    seeds : list of int
        Of the random streams of each network, beside that of the options.
    rows : int
        The fewest rows to train and validate on, over the samples of all networks of the training.
    together : bool
        Whether the networks share one array of samples.
    """

    parts: list[Samples]
    owners: list[int]
    seeds: list[int]
    rows: int
    together: bool

    @classmethod
    def whole(cls, parts: Sequence[Samples], seeds: Sequence[int], times: int = 1) -> Block:
        """Return all networks of a training, as many for each of the samples, and all of them several times."""
        owners = np.repeat(np.arange(len(parts)), len(seeds) // len(parts)).tolist()
        least = min(len(part.train) for part in parts)
        return cls(list(parts), owners * times, list(seeds) * times, least, len(parts) == 1)


class Fitted(NamedTuple):
    """The networks of a block after their training.

    Attributes
    ----------
    model : minidl.Module
    history : minidl.History
    best : array of int, shape (networks,)
        The epoch whose parameters each network has, 0 for none.
    lost : minidl.DivergenceError or None
        Where the last of them has diverged, if all have.
    """

    model: minidl.Module
    history: minidl.History
    best: np.ndarray
    lost: minidl.DivergenceError | None


def train(options: Options, target: Target, parts: Sequence[Samples], watch: Watch, seeds: Sequence[int]) -> Trained:
    """Train some networks on each of several samples, all of them at once.

    Each network holds out validation rows of its own for early stopping, in the shares of the classes.

    Parameters
    ----------
    options : Options
    target : ClassTarget or NumberTarget
        Whose kind and number of outputs all samples share.
    parts : sequence of Samples
        With as many inputs; the sizes of their training sets differ by one at most.
    watch : callable
        Called as ``watch(epoch, history)`` after each epoch; an array of bool that it returns stops these networks.
    seeds : sequence of int
        Of the random streams of each network, beside that of the options: as many for each of the samples.

    Returns
    -------
    Trained

    Raises
    ------
    DivergedError, minidl.DivergenceError
        If one network, or all of them, diverge in the first epoch.
    ValueError
        If a setting is out of range.
    """
    return finish(options, parts, fit_block(Block.whole(parts, seeds), [options], target, watch))


def train_alike(
    several: Sequence[Options], target: Target, parts: Sequence[Samples], watch: Watch, seeds: Sequence[int]
) -> Trained:
    """Train the networks of several options at once, those of the first ones first; each as `train` does it alone.

    Parameters
    ----------
    several : sequence of Options
        Those that `train` takes, which differ in learning rate, weight decay and p_drop alone. Either all of them have
        dropout or none, and either all of them or none have a learning rate of their own.
    target, parts, watch, seeds
        As for `train`.

    Returns
    -------
    Trained
        Networks that have diverged included.

    Raises
    ------
    minidl.DivergenceError
        If all networks diverge.
    ValueError
        As for `train`.
    """
    return _trained(fit_block(Block.whole(parts, seeds, len(several)), several, target, watch))


def fit_block(block: Block, several: Sequence[Options], target: Target, watch: Watch | None = None) -> Fitted:
    """Train the networks of a block at once, as many with each of the options; see `train_alike`."""
    options, each = several[0], [one for one in several for _ in range(len(block.seeds) // len(several))]
    streams = [np.random.SeedSequence([one.seed, seed]).spawn(3) for one, seed in zip(each, block.seeds, strict=True)]
    rows, held = _divide(options, block, [stream[0] for stream in streams])
    inputs = block.parts[0].x.shape[1]
    own = iter(each)
    model = minidl.replicate(
        lambda rng: build_network(next(own), inputs, target.outputs, rng), [stream[1] for stream in streams]
    )
    size = batch_size_for(options, rows.shape[1])
    optimizer = optimizer_for_all(several, model, rows.shape[1], options.epochs * -(-rows.shape[1] // size))
    kind = loss_for(options, Task.CLASSES if isinstance(target, ClassTarget) else Task.REGRESSION)
    x, y = _joined(block)
    stopping = minidl.EarlyStopping(patience=PATIENCE, min_delta=IMPROVEMENT)
    run = partial(minidl.fit, model, build_loss(kind, target), optimizer, x, y, epochs=options.epochs, batch_size=size)
    callbacks: list[Any] = [] if watch is None else [watch]
    more: dict[str, Any] = {"rows": rows, "rng": [stream[2] for stream in streams], "callbacks": callbacks}
    if held is not None:
        more |= {"validation": _validation(block, held), "metrics": _metrics(kind)}
        callbacks.append(stopping)
    lost = None
    try:
        history = quiet_fit(partial(run, **more))
    except minidl.DivergenceError as error:
        lost, history = error, error.history
    best = stopping.best_epoch if held is not None else np.full(len(block.seeds), len(history))
    return Fitted(model, history, np.asarray(best), lost)


def finish(options: Options, parts: Sequence[Samples], fitted: Fitted) -> Trained:
    """Return all networks after their training; raise if one has no parameters of use."""
    trained = _trained(fitted)
    check_trained(trained.history, trained.best_epochs, kept_best=options.early_stopping)
    if len(parts) > 1:
        return trained
    rows = parts[0].train
    probed = parts[0].x[spread(rows, min(len(rows), MOST_PROBED))]
    return replace(trained, dead=dead_layers(trained.model, probed))


def _trained(fitted: Fitted) -> Trained:
    """Return networks after their training, which have not all diverged."""
    model, history, best, lost = fitted
    if lost is not None:
        raise lost
    return Trained(model, history, best, [])


def _metrics(kind: Loss) -> list[str]:
    """Return what is measured on the validation rows beside the loss and, of classes, the accuracy."""
    return ["r2"] if kind in (Loss.MSE, Loss.L1, Loss.HUBER) else []


def quiet_fit(fit: Callable[[], minidl.History]) -> minidl.History:
    """Train without warnings about networks that diverge, which are reported at the end."""
    with np.errstate(over="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fit: replicate", RuntimeWarning)
        warnings.filterwarnings("ignore", "invalid value", RuntimeWarning)
        return fit()


def check_trained(history: minidl.History, best: np.ndarray, *, kept_best: bool) -> None:
    """Raise if a network has no parameters of use."""
    lost = np.flatnonzero(best == 0).tolist() if kept_best else sorted(history.diverged)
    if lost:
        raise DivergedError(f"network {lost[0] + 1} of {len(best)} diverged: try a smaller --lr, or --clip 1")


def _divide(
    options: Options, block: Block, seeds: Sequence[np.random.SeedSequence]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the rows that each network is trained on, and those that it is validated on, each (networks, rows).

    All have as many: where the sizes of folds differ, the longer ones leave a row out.
    """
    least = block.rows
    size = max(1, round(VALIDATION * least)) if options.early_stopping else 0
    if least - size < 2:
        raise ValueError(f"expected more rows to train on, got {least}")
    rows, held = [], []
    for owner, seed in zip(block.owners, seeds, strict=True):
        part = block.parts[owner]
        labels = None if part.labels is None else part.labels[part.train]
        order = part.train[mixed(labels, len(part.train), np.random.default_rng(seed))]
        own = np.sort(spread(order, size))
        rows.append(np.setdiff1d(part.train, own)[: least - size])
        held.append(own)
    return np.stack(rows), np.stack(held) if size else None


def _joined(block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples of each network; one array for all where they share it."""
    parts, owners = block.parts, block.owners
    if block.together:
        return np.asarray(parts[0].x), np.asarray(parts[0].y)  # plain arrays also of maps, which workers get
    return np.stack([parts[i].x for i in owners]), np.stack([parts[i].y for i in owners])


def _validation(block: Block, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the validation rows of each network."""
    pairs = [(block.parts[owner], rows) for owner, rows in zip(block.owners, held, strict=True)]
    return np.stack([part.x[rows] for part, rows in pairs]), np.stack([part.y[rows] for part, rows in pairs])
