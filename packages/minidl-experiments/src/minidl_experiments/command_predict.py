"""The command `minidl predict`."""

from __future__ import annotations

import csv
import glob
import io
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

import minidl
from minidl.files.replacing import replacing
from minidl.files.safetensors import read
from minidl_experiments.console import say
from minidl_experiments.shell import check_apart, check_files, fail, home_expanded, make_folder
from minidl_experiments.tabular.choices import KEY

_MODEL = typer.Argument(
    help="File of a model, as `minidl train` and minidl.save write it.", metavar="model", show_default=False
)
_DATA = typer.Argument(
    help="For a model of `minidl train data.csv`: a file with the columns of the training, several, a pattern in "
    "quotes, or - for standard input. For another model: a CSV file with a row for each sample and a column for each "
    "input, whose first row may have names.",
    show_default=False,
)
_OUT = typer.Option(help="CSV file for the outputs, instead of printing them.", callback=home_expanded)


def predict(
    model: Annotated[Path, _MODEL], data: Annotated[list[str], _DATA], out: Annotated[Path | None, _OUT] = None
) -> None:
    """Print what a saved model predicts for the rows of a file, as CSV.

    A model of `minidl train data.csv` gives classes with probabilities, or
    numbers, and for several networks the standard deviation between them.
    """
    if out is not None:
        make_folder(out.parent)
        check_files(out)
        check_apart(out, [model, *data, *(name for pattern in data for name in glob.glob(pattern))])  # noqa: PTH207 - Path.glob refuses absolute patterns
    try:
        text = _predict_table(model, data) if KEY in read(model)[1] else _predict_rows(model, data)
    except (ValueError, TypeError) as error:
        fail(error)
    if out is None:
        sys.stdout.write(text)
        return
    with replacing(out) as file:
        file.write(text.encode())
    say(Console(), f"wrote {out}")


def _predict_table(path: Path, data: list[str]) -> str:
    """Return what a model of a table predicts, as CSV; what is unusual about the rows is printed."""
    from minidl_experiments.tabular.model_file import load_model  # noqa: PLC0415 - pandas is slow to import
    from minidl_experiments.tabular.reading import read_table  # noqa: PLC0415 - the same

    model = load_model(path)
    table = read_table(data)
    cells = model.read(table)
    predicted = model.frame(model.predict(cells, table.place))
    for note in model.encoder.notes(cells):
        say(Console(stderr=True), f"note: {note}", "  ")
    return str(predicted.to_csv(index=False, lineterminator="\n"))


def _predict_rows(path: Path, data: list[str]) -> str:
    """Return the outputs of a network for rows of numbers, as CSV."""
    network = minidl.load(path)
    if network.replicate_shape:
        raise ValueError(f"{path}: expected a single network, got replicates {network.replicate_shape}")
    if len(data) != 1:
        raise ValueError(f"expected one file for a model without preprocessing, got {len(data)}")
    x = read_rows(Path(data[0]), str(network.dtype))
    if network.in_features not in {None, x.shape[1]}:
        raise ValueError(
            f"{data[0]}: expected {network.in_features} columns, the inputs of the model, got {x.shape[1]}"
        )
    return _as_csv(minidl.predict(network, x))


def read_rows(path: Path, dtype: str) -> np.ndarray:
    """Return the numbers of a CSV file.

    Parameters
    ----------
    path : pathlib.Path
        The first row may have names. Empty lines are skipped.
    dtype : str

    Returns
    -------
    ndarray, shape (rows, columns)

    Raises
    ------
    ValueError
        Naming file and line, for a cell that is no number and a row of another length; for a file without rows.
    """
    rows: list[list[float]] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        try:
            for number, cells in enumerate(filter(None, lines)):
                if number or _are_numbers(cells):
                    rows.append([float(cell) for cell in cells])
                    if len(cells) != len(rows[0]):
                        raise ValueError(f"expected {len(rows[0])} columns, got {len(cells)}")  # noqa: TRY301 - the line is named below
        except (ValueError, csv.Error) as error:
            raise ValueError(f"{path}: line {lines.line_num}: {error}") from error
    if not rows:
        raise ValueError(f"{path}: expected rows of numbers, got none")
    return np.array(rows, dtype)


def _are_numbers(cells: list[str]) -> bool:
    """Whether the first row is one of numbers, rather than of names."""
    try:
        return bool([float(cell) for cell in cells])
    except ValueError:
        return False


def _as_csv(y: np.ndarray) -> str:
    """Return outputs with a name for each column; a number has as many digits as its dtype needs."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([f"output_{i}" for i in range(y.shape[-1])])
    table.writerows([str(value) for value in row] for row in y)
    return text.getvalue()
