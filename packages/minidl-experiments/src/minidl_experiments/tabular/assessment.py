"""Training and honest measurement: on rows that were held out, or by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

import minidl
from minidl_experiments.tabular.encoder import Encoder
from minidl_experiments.tabular.model import TableModel
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.problem import Problem
from minidl_experiments.tabular.scores import Outcome, Score, baseline_for, interval_words, score_outcomes
from minidl_experiments.tabular.split import Part, folds, hold_out
from minidl_experiments.tabular.training import Samples, Trained, Watch, train

MOST_NUMBERS = 2**26  # of the inputs of all networks that are trained at once with samples of their own


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
    """

    model: TableModel
    trained: Trained
    outcomes: list[Outcome]
    scores: list[Score]
    interval: str
    parts: list[Part]
    notes: list[str]


def assess(problem: Problem, options: Options, parts: list[Part], watch: Callable[[str], Watch]) -> Assessment:
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

    Raises
    ------
    ValueError
        If there are too few rows, or a training diverges.
    """
    count, outcomes = options.networks, []
    seeds = range(count)
    if options.cv is not None:
        outcomes = _cross_validate(problem, options, parts, watch)
        whole = Part(np.arange(len(problem)), np.empty(0, int))
        model, trained = fit_model(problem, options, whole, seeds, watch(_words(count, "all rows")))
    else:
        model, trained = fit_model(problem, options, parts[0], seeds, watch(_words(count, "the training rows")))
        outcomes = [_outcome(problem, model, parts[0], minidl.unstack(trained.model), model.encoder)]
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
    problem: Problem, options: Options, part: Part, seeds: Sequence[int], watch: Watch
) -> tuple[TableModel, Trained]:
    """Train networks on the training rows of a division, by whose numbers alone inputs and targets are scaled."""
    encoder = Encoder.fit(problem.cells, part.train)
    target = problem.target(part.train)
    x = encoder.encode(problem.cells, problem.table.place)
    trained = train(options, target, [Samples(x, problem.encode(target), part.train)], watch, seeds)
    return TableModel(trained.model, encoder, target, options.missing), trained


def _cross_validate(
    problem: Problem, options: Options, parts: Sequence[Part], watch: Callable[[str], Watch]
) -> list[Outcome]:
    """Train the networks of the folds, as many at once as there is room for, and return their predictions."""
    encoders = [Encoder.fit(problem.cells, part.train) for part in parts]
    layout = Encoder.fit(problem.cells, np.arange(len(problem))).keys
    outcomes: list[Outcome] = []
    room = MOST_NUMBERS // (len(problem) * len(layout) * options.networks)
    for chosen in _chunks(len(parts), max(1, room)):
        samples, models = [], []
        for i in chosen:
            target = problem.target(parts[i].train)
            x = place(encoders[i], layout, encoders[i].encode(problem.cells, problem.table.place))
            samples.append(Samples(x, problem.encode(target), parts[i].train))
            models.append(TableModel(minidl.Linear(1, 1), encoders[i], target, options.missing))
        seeds = [options.networks * (1 + i) + j for i in chosen for j in range(options.networks)]
        words = f"fold {chosen[0] + 1}" if len(chosen) == 1 else f"folds {chosen[0] + 1} to {chosen[-1] + 1}"
        trained = train(options, models[0].target, samples, watch(_words(len(seeds), words)), seeds)
        networks = minidl.unstack(trained.model)
        for k, i in enumerate(chosen):
            own = networks[k * options.networks : (k + 1) * options.networks]
            outcomes.append(_outcome(problem, models[k], parts[i], own, encoders[i], samples[k].x))
    return outcomes


def place(encoder: Encoder, layout: Sequence[tuple[str, str]], x: np.ndarray) -> np.ndarray:
    """Return inputs of a fold in the places that all rows give them; inputs that the fold does not have are zero."""
    places = {key: number for number, key in enumerate(layout)}
    wide = np.zeros((len(x), len(layout)), x.dtype)
    wide[:, [places[key] for key in encoder.keys]] = x
    return wide


def _outcome(
    problem: Problem,
    model: TableModel,
    part: Part,
    networks: Sequence[minidl.Module],
    encoder: Encoder,
    x: np.ndarray | None = None,
) -> Outcome:
    """Return the predictions for the test rows of a division."""
    if x is None:
        x = encoder.encode(problem.cells, problem.table.place)
    outputs = np.stack([minidl.predict(network, x[part.test]) for network in networks]).astype(np.float64)
    baseline = baseline_for(model.target, problem.y[part.train], len(part.test))
    return Outcome(part.test, model.in_units(outputs), baseline)


def _chunks(count: int, size: int) -> Iterator[list[int]]:
    return (list(range(start, min(start + size, count))) for start in range(0, count, size))


def _words(count: int, rows: str) -> str:
    return f"{'1 network' if count == 1 else f'{count} networks'} on {rows}"
