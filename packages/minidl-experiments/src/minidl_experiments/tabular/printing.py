"""What the commands print about data, trainings and scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from minidl_experiments.console import loss_words, print_cells, say
from minidl_experiments.tabular.assessment import Assessment
from minidl_experiments.tabular.encoder import Encoder, NumberColumn
from minidl_experiments.tabular.options import VALIDATION, Options
from minidl_experiments.tabular.problem import Problem
from minidl_experiments.tabular.scores import Score
from minidl_experiments.tabular.words import counted, listed


def problem_lines(problem: Problem) -> Iterator[str]:
    """Yield what a table asks of a network, in words."""
    texts = sum(not cells.are_numbers for cells in problem.cells.values())
    kinds = f"{counted(len(problem.cells) - texts, 'column')} of numbers, {texts} of text"
    yield f"data: {counted(len(problem), 'row')}, {kinds}"
    yield f"task: {problem.task} ({problem.reason})"
    if problem.classes is not None:
        counts = np.bincount(problem.y, minlength=problem.classes.outputs)
        shares = [f"{name} ({count})" for name, count in zip(problem.classes.classes, counts, strict=True)]
        yield f"classes: {listed(shares, 8)}"


def plan_words(problem: Problem, options: Options) -> str:
    """Return how the model is trained and measured, in words."""
    count = len(problem)
    many = "a network" if options.networks == 1 else f"{options.networks} networks"
    each = " of each" if options.networks > 1 else ""
    share = f", {100 * VALIDATION:.0f} % of the training rows{each} for early stopping"
    stops = share if options.early_stopping else ""
    if options.cv is None:
        size = round(options.test * count)
        return f"plan: {many} on {count - size} rows, tested on the other {size}{stops}"
    return f"plan: {options.cv} folds of {many} each, then {many} on all {count} rows{stops}"


def training_lines(found: Assessment, options: Options) -> Iterator[str]:
    """Yield how the training of the model ended, in words."""
    trained, best = found.trained, found.trained.best_epochs
    inputs = found.model.encoder
    yield f"inputs: {inputs_words(inputs)}"
    words = f"the best validation loss was in epoch {best.min()}"
    if best.min() < best.max():
        words = f"the best validation losses of the networks were in epochs {best.min()} to {best.max()}"
    kept = f"; {words}" if options.early_stopping else ""
    yield f"trained: {counted(len(trained.history), 'epoch')} of at most {options.epochs}{kept}"
    if trained.dead:
        layers = [f"{100 * share:.1f} % of the {units} units of {layer}" for layer, share, units in trained.dead]
        yield f"dead units: {listed(layers)}"
    else:
        yield "dead units: none"


def inputs_words(encoder: Encoder) -> str:
    """Return the inputs of the network in words."""
    numbers = sum(isinstance(column, NumberColumn) for column in encoder.columns)
    rest = len(encoder.features) - numbers
    return f"{counted(numbers, 'standardised number')}, {rest} of zeros and ones"


def print_scores(console: Console, scores: Sequence[Score], interval: str, baseline: str) -> None:
    """Print scores beside those of the baseline.

    Parameters
    ----------
    console : rich.console.Console
    scores : sequence of Score
    interval : str
        What the intervals are.
    baseline : str
        What the baseline predicts; empty if there is none.
    """
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("test", no_wrap=True)
    single = scores[0].single is not None
    for name in ("score", "interval", *["baseline"] * bool(baseline), *["one network"] * single):
        table.add_column(name, justify="right", no_wrap=True)
    for score in scores:
        cells = [score.name, with_unit(score, score.value), range_words(score, score.low, score.high)]
        cells += [with_unit(score, score.baseline)] * bool(baseline)
        if score.single is not None:
            cells.append(with_unit(score, score.single[0]))
        table.add_row(*cells)
    print_cells(console, table)
    say(console, f"interval: {interval}", "  ")
    if baseline:
        say(console, f"baseline: {baseline}", "  ")


def baseline_words(problem: Problem) -> str:
    """Return what the baseline predicts."""
    if problem.classes is not None:
        return "always the most frequent class, with the shares of the classes as probabilities"
    return "always the quantiles of the training rows" if problem.quantiles else "always the mean of the training rows"


def with_unit(score: Score, value: float) -> str:
    """Return a value of a score with its unit."""
    if np.isnan(value):
        return "-"
    return f"{value:.1f} %" if score.unit == "%" else number_words(value)


def range_words(score: Score, low: float, high: float) -> str:
    """Return an interval with its unit."""
    if np.isnan([low, high]).any():
        return "-"
    if score.unit == "%":
        return f"{low:.1f} to {high:.1f} %"
    return f"{number_words(low)} to {number_words(high)}"


def number_words(value: float) -> str:
    """Return a number with three or four digits."""
    return loss_words(value) if abs(value) < 10 else f"{value:.4g}"
