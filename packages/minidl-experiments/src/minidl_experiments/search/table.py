"""The table of results: printed, and as CSV or Parquet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from minidl.files.replacing import replacing
from minidl_experiments.console import loss_words, print_cells, say
from minidl_experiments.search.candidate import FIELDS, NAMES, setting_words
from minidl_experiments.search.measures import WORDS
from minidl_experiments.search.result import Result
from minidl_experiments.tabular.choices import Measure

BEST = 10
PERCENT = Measure.ACCURACY, Measure.BALANCED
PARQUET = ".parquet", ".pq"


def score_words(measure: Measure, score: float) -> str:
    """Return a score with its unit, ``-`` for none."""
    if np.isnan(score):
        return "-"
    if measure in PERCENT:
        return f"{score:.1f} %"
    return loss_words(score) if abs(score) < 10 else f"{score:.4g}"


def frame_of(results: Sequence[Result], measures: Sequence[Measure]) -> Any:
    """Return results as a table, in the same order.

    Returns
    -------
    pandas.DataFrame
        The settings, then of each measure the mean over the folds, the lowest and the highest fold, the standard error
        of the mean and each fold; then the seconds of the training and the fault, empty for a result with scores.
    """
    columns: dict[str, list[Any]] = {"rank": list(range(1, len(results) + 1))}
    for field in FIELDS:
        values = [getattr(result.candidate, field) for result in results]
        columns[NAMES[field]] = [_cell(value) for value in values]
    for measure in measures:
        name = measure.column
        columns[name] = [result.score(measure) for result in results]
        columns[f"{name}_low"] = [result.interval(measure)[0] for result in results]
        columns[f"{name}_high"] = [result.interval(measure)[1] for result in results]
        columns[f"{name}_error"] = [result.error(measure) for result in results]
        for fold in range(max((len(result.scores.get(measure, ())) for result in results), default=0)):
            columns[f"{name}_fold_{fold + 1}"] = [
                result.scores[measure][fold] if result.scores else np.nan for result in results
            ]
    columns["seconds"] = [result.seconds for result in results]
    columns["fault"] = [result.fault for result in results]
    return pd.DataFrame(columns)


def _cell(value: Any) -> Any:
    """Return a setting as a cell; hidden layers as text, and None, which is chosen by the data, as a missing cell."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value) if isinstance(value, str) else value


def check_table(path: Path) -> None:
    """Raise ValueError, before the work begins, for a file in which `write_table` could not write."""
    if path.suffix.lower() not in (".csv", *PARQUET):
        raise ValueError(f"--results: expected a name that ends in .csv or .parquet, got {path}")
    if path.suffix.lower() in PARQUET and find_spec("pyarrow") is None:
        raise ValueError(
            "--results: Parquet files need the package pyarrow: pip install 'minidl-experiments[parquet]'"
        )  # fmt: skip


def write_table(frame: Any, path: Path) -> None:
    """Write a table as CSV, or as Parquet if that is the suffix."""
    with replacing(path) as file:
        if path.suffix.lower() in PARQUET:
            content = io.BytesIO()
            frame.to_parquet(content, index=False)
            file.write(content.getvalue())
        else:
            file.write(frame.to_csv(index=False, lineterminator="\n").encode())


def print_best(console: Console, results: Sequence[Result], measure: Measure, names: Sequence[str], folds: int) -> None:
    """Print the best configurations with their scores.

    Parameters
    ----------
    console : rich.console.Console
    results : sequence of Result
        The best first.
    measure : Measure
    names : sequence of str
        The settings that differ.
    folds : int
    """
    best = results[:BEST]
    shown = f"the best {len(best)} of {len(results)} configurations" if len(results) > 1 else "one configuration"
    say(console, f"{shown}, by {WORDS[measure]}", "  ")
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in [*(NAMES[name] for name in names), WORDS[measure], "error", "lowest and highest fold"]:
        table.add_column(name, justify="right", no_wrap=True)
    for result in best:
        low, high = (score_words(measure, end) for end in result.interval(measure))
        cells = [setting_words(result.candidate, name) for name in names]
        if result.fault:
            table.add_row(*cells, "-", "-", "diverged")
        else:
            error = score_words(measure, result.error(measure)).removesuffix(" %")
            table.add_row(*cells, score_words(measure, result.score(measure)), error, f"{low} to {high}")
    print_cells(console, table)
    say(
        console, f"interval: the lowest and the highest of {folds} folds; error: the standard error of their mean", "  "
    )
