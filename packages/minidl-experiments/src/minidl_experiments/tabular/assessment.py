"""Training and honest measurement: on rows that were held out, or by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import minidl
from minidl_experiments.tabular.cross_validation import Folds, cross_validate
from minidl_experiments.tabular.encoder import Encoder
from minidl_experiments.tabular.model import TableModel
from minidl_experiments.tabular.networks import outputs_of
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.problem import Problem
from minidl_experiments.tabular.scores import Outcome, Score, baseline_for, interval_words, score_outcomes
from minidl_experiments.tabular.split import Part, folds, hold_out
from minidl_experiments.tabular.training import Samples, Train, Trained, Watch, train
from minidl_experiments.tabular.words import counted


@dataclass(frozen=True)
class Assessment:
    """A trained model, and how good it is.

    Attributes
    ----------
    model : TableModel
        The model for the file.
    trained : Trained
        The training of its networks.
    outcomes : list of Outcome
        Predictions for test rows: of the model itself, or of the networks of each fold.
    scores : list of Score
    interval : str
        What the intervals of the scores are.
    parts : list of Part
    notes : list of str
        What is unusual about the rows.
    lines : tuple of str
        What the data are and how they are used, in words, where that is not said by the problem and the options.
    """

    model: TableModel
    trained: Trained
    outcomes: list[Outcome]
    scores: list[Score]
    interval: str
    parts: list[Part]
    notes: list[str]
    lines: tuple[str, ...] = ()


def assess(
    problem: Problem, options: Options, parts: list[Part], watch: Callable[[str], Watch], train: Train = train
) -> Assessment:
    """Train networks, and measure them on rows that they have not seen.

    With `cv` the folds are measured first, and the networks of the model are then trained on all rows.

    Parameters
    ----------
    problem : Problem
    options : Options
    parts : list of Part
        As `divide` returns them.
    watch : callable
        Returns, for the words of a training, a function that is called after each epoch.
    train : callable
        As `train`, or in blocks.

    Raises
    ------
    ValueError
        If there are too few rows, or a training diverges.
    """
    count, outcomes = options.networks, []
    seeds = range(count)
    if options.cv is not None:
        encoded = Folds(problem, parts)
        outcomes = cross_validate(encoded, encoded.numbers, options, watch, train)
        whole = Part(np.arange(len(problem)), np.empty(0, int))
        model, trained = fit_model(problem, options, whole, seeds, watch(_words(count, "all rows")), train)
    else:
        words = _words(count, "the training rows")
        model, trained = fit_model(problem, options, parts[0], seeds, watch(words), train)
        outcomes = [_outcome(problem, model, parts[0], minidl.unstack(trained.model))]
    if count == 1:
        model = TableModel(minidl.unstack(model.network)[0], model.encoder, model.target, model.missing)
    notes = [f"column {name!r} is the same in all training rows: left out" for name in model.encoder.constant]
    notes += model.encoder.notes(problem.cells)
    scores = score_outcomes(model.target, problem.y, outcomes, options.seed)
    return Assessment(model, trained, outcomes, scores, interval_words(outcomes), parts, problem.notes + notes)


def divide(problem: Problem, options: Options) -> list[Part]:
    """Return the training and test rows, of classes in equal shares; raise if there are too few."""
    count, rng = len(problem), np.random.default_rng(options.seed)
    if options.cv is None:
        size = round(options.test * count)
        if not 1 <= size <= count - 5:
            raise ValueError(f"--test {options.test}: expected 1 to {count - 5} of the {count} rows, got {size}")
        return [hold_out(problem.labels, count, size, rng)]
    if options.cv > count // 2:
        raise ValueError(f"--cv {options.cv}: expected folds of at least two rows, got {count} rows")
    return folds(problem.labels, count, options.cv, rng)


def fit_model(
    problem: Problem, options: Options, part: Part, seeds: Sequence[int], watch: Watch, train: Train = train
) -> tuple[TableModel, Trained]:
    """Train networks on the training rows of a division, by whose numbers alone inputs and targets are scaled."""
    encoder = Encoder.fit(problem.cells, part.train)
    target = problem.target(part.train)
    x = encoder.encode(problem.cells, problem.table.place)
    trained = train(options, target, [Samples(x, problem.encode(target), part.train)], watch, seeds)
    return TableModel(trained.model, encoder, target, options.missing), trained


def _outcome(problem: Problem, model: TableModel, part: Part, networks: Sequence[minidl.Module]) -> Outcome:
    """Return the predictions for the test rows."""
    x = model.encoder.encode(problem.cells, problem.table.place)[part.test]
    outputs = outputs_of(networks, x)
    return Outcome(part.test, model.in_units(outputs), baseline_for(model.target, problem.y[part.train], len(x)))


def _words(count: int, rows: str) -> str:
    return f"{counted(count, 'network')} on {rows}"
