"""Cross-validation: networks for each division of the rows, many of them trained at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np

import minidl
from minidl_experiments.tabular.encoder import Encoder
from minidl_experiments.tabular.networks import outputs_of
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.problem import Problem
from minidl_experiments.tabular.scores import Outcome, baseline_for
from minidl_experiments.tabular.split import Part
from minidl_experiments.tabular.target import Target
from minidl_experiments.tabular.training import Samples, Train, Watch, train, train_alike
from minidl_experiments.tabular.words import counted

MOST_NUMBERS = 2**26  # of the inputs of all networks that are trained at once with samples of their own


class Fold(NamedTuple):
    """One division of the rows, encoded by its training rows alone.

    Attributes
    ----------
    part : Part
    target : ClassTarget or NumberTarget
        Scaled by the training rows.
    samples : Samples
    baseline : array, shape (rows, outputs)
        Of the test rows.
    """

    part: Part
    target: Target
    samples: Samples
    baseline: np.ndarray


class Folds(Sequence[Fold]):
    """The folds of a problem, each encoded when it is asked for: all of them may be larger than the memory.

    Parameters
    ----------
    problem : Problem
    parts : sequence of Part
    """

    def __init__(self, problem: Problem, parts: Sequence[Part]) -> None:
        self._problem, self._parts = problem, parts
        self._layout = Encoder.fit(problem.cells, np.arange(len(problem))).keys

    def __len__(self) -> int:
        return len(self._parts)

    @overload
    def __getitem__(self, i: int) -> Fold: ...
    @overload
    def __getitem__(self, i: slice) -> list[Fold]: ...
    def __getitem__(self, i: int | slice) -> Fold | list[Fold]:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        problem, part = self._problem, self._parts[i]
        encoder, target = Encoder.fit(problem.cells, part.train), problem.target(part.train)
        x = place(encoder, self._layout, encoder.encode(problem.cells, problem.table.place))
        baseline = baseline_for(target, problem.y[part.train], len(part.test))
        return Fold(part, target, Samples(x, problem.encode(target), part.train), baseline)

    @property
    def numbers(self) -> int:
        """How many numbers the inputs of one fold are."""
        return len(self._problem) * len(self._layout)


def cross_validate(
    folds: Sequence[Fold], numbers: int, options: Options, watch: Callable[[str], Watch], train: Train = train
) -> list[Outcome]:
    """Train the networks of the folds, as many at once as there is room for, and return their predictions.

    Parameters
    ----------
    folds : sequence of Fold
    numbers : int
        How many numbers the inputs of one fold are.
    options : Options
    watch : callable
        Returns, for the words of a training, a function that is called after each epoch.
    train : callable
        As `train`, or in blocks.

    Raises
    ------
    ValueError
        If there are too few rows, or a training diverges.
    """
    outcomes: list[Outcome] = []
    room = MOST_NUMBERS // (numbers * options.networks)
    for chosen in _chunks(len(folds), max(1, room)):
        own = [folds[i] for i in chosen]
        seeds = [options.networks * (1 + i) + j for i in chosen for j in range(options.networks)]
        words = f"fold {chosen[0] + 1}" if len(chosen) == 1 else f"folds {chosen[0] + 1} to {chosen[-1] + 1}"
        name = f"{counted(len(seeds), 'network')} on {words}"
        trained = train(options, own[0].target, [fold.samples for fold in own], watch(name), seeds)
        outcomes += _outcomes(own, minidl.unstack(trained.model))
    return outcomes


def cross_validate_alike(
    folds: Sequence[Fold], several: Sequence[Options], watch: Callable[[str], Watch]
) -> list[list[Outcome] | None]:
    """Train the networks of all folds and of several options at once, and return the predictions for each options.

    Parameters
    ----------
    folds : sequence of Fold
    several : sequence of Options
        As for `train_alike`, as many as there is `room_for`.
    watch : callable
        As for `cross_validate`.

    Returns
    -------
    list of list of Outcome, or None
        Those of `cross_validate`, to the bit; None where it would raise an error of divergence.

    Raises
    ------
    minidl.DivergenceError
        If the networks of all options diverge.
    """
    count = several[0].networks * len(folds)
    seeds = range(several[0].networks, several[0].networks + count)
    name = f"{counted(count, 'network')} of {counted(len(several), 'configuration')}"
    trained = train_alike(several, folds[0].target, [fold.samples for fold in folds], watch(name), seeds)
    networks = minidl.unstack(trained.model)
    found: list[list[Outcome] | None] = []
    for start in range(0, len(networks), count):
        own = range(start, start + count)
        found.append(None if trained.is_lost(own) else _outcomes(folds, networks[start : start + count]))
    return found


def room_for(folds: int, numbers: int, options: Options) -> int:
    """Return how many configurations can be trained at once on all folds, with samples of their own."""
    return MOST_NUMBERS // (numbers * options.networks * folds)


def place(encoder: Encoder, layout: Sequence[tuple[str, str]], x: np.ndarray) -> np.ndarray:
    """Return inputs of a fold in the places that all rows give them; inputs that the fold does not have are zero."""
    places = {key: number for number, key in enumerate(layout)}
    wide = np.zeros((len(x), len(layout)), x.dtype)
    wide[:, [places[key] for key in encoder.keys]] = x
    return wide


def _outcomes(folds: Sequence[Fold], networks: Sequence[minidl.Module]) -> list[Outcome]:
    """Return the predictions of the networks of some folds, as many for each."""
    each = len(networks) // len(folds)
    return [_outcome(fold, networks[k * each : (k + 1) * each]) for k, fold in enumerate(folds)]


def _outcome(fold: Fold, networks: Sequence[minidl.Module]) -> Outcome:
    """Return the predictions for the test rows of a fold."""
    x = fold.samples.x[fold.part.test]
    outputs = outputs_of(networks, x)
    return Outcome(fold.part.test, fold.target.in_units(outputs), fold.baseline)


def _chunks(count: int, size: int) -> Iterator[list[int]]:
    return (list(range(start, min(start + size, count))) for start in range(0, count, size))
