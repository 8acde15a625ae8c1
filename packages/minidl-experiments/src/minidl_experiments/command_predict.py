"""The command `minidl predict`."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

import minidl
from minidl.files.replacing import replacing
from minidl_experiments.console import say
from minidl_experiments.shell import check_files, fail, home_expanded, make_folder

_MODEL = typer.Argument(help="File of a model, as minidl.save and `minidl train --save` write it.", show_default=False)
_DATA = typer.Argument(
    help="CSV file: a row for each sample and a column for each input; the first row may have names.",
    show_default=False,
)
_OUT = typer.Option(help="CSV file for the outputs, instead of printing them.", callback=home_expanded)


def predict(
    model: Annotated[Path, _MODEL], data: Annotated[Path, _DATA], out: Annotated[Path | None, _OUT] = None
) -> None:
    """Print the outputs of a saved model for the rows of a CSV file, as CSV."""
    if out is not None:
        make_folder(out.parent)
        check_files(out)
    try:
        network = minidl.load(model)
        if network.replicate_shape:
            fail(f"{model}: expected a single network, got replicates {network.replicate_shape}")
        x = read_rows(data, str(network.dtype))
        if network.in_features not in {None, x.shape[1]}:
            fail(f"{data}: expected {network.in_features} columns, the inputs of the model, got {x.shape[1]}")
        y = minidl.predict(network, x)
    except (ValueError, TypeError) as error:
        fail(error)
    text = _as_csv(y)
    if out is None:
        sys.stdout.write(text)
        return
    with replacing(out) as file:
        file.write(text.encode())
    say(Console(), f"wrote {out}")


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
