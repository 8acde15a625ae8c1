"""Cells of columns as numbers or as text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from minidl_experiments.tabular.reading import Table
from minidl_experiments.tabular.words import asked, listed, near, why_text

MISSING = frozenset({"", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "?"})
WHOLE = r"^([+-]?\d+)\.0+$"  # as programs write whole numbers beside missing cells
TRUTHS = {"true": 1.0, "false": 0.0}  # in lower case
LARGEST = 1e150  # of a number, whose square is finite
MOST_TEXTS = 100  # different texts in a column that is not named as categorical


@dataclass(frozen=True)
class Cells:
    """A column.

    Attributes
    ----------
    entries : array of float64 or of str
        nan, or an empty text, where a cell is missing.
    missing : array of bool
    """

    entries: np.ndarray
    missing: np.ndarray

    @property
    def are_numbers(self) -> bool:
        """Whether the values are numbers."""
        return self.entries.dtype.kind == "f"

    def take(self, rows: np.ndarray) -> Cells:
        """Return some of the cells."""
        return Cells(self.entries[rows], self.missing[rows])


def column_of(table: Table, name: str, option: str) -> Any:
    """Return a column by its name.

    Raises
    ------
    ValueError
        If there is none, with the names that are most similar.
    """
    names = list(table.frame.columns)
    if name not in names:
        raise ValueError(
            f"{option}: {table.sources[0].name} has no column {name!r}{near(name, names)}; it has {listed(names)}"
        )
    return table.frame[name]


def text_of(table: Table, name: str) -> Cells:
    """Return a column as text, which is made once: tables may have many rows."""
    found: Cells | None = table.texts.get(name)
    if found is None:
        found = table.texts[name] = as_text(table.frame[name])
    return found


def as_text(column: Any) -> Cells:
    """Return the cells of a column as text; whole numbers have no decimals, so that ``1.0`` and ``1`` are one class."""
    if column.dtype.kind in "biuf":
        missing = np.asarray(column.isna())
        values = np.array([_word(value) for value in column.tolist()], object)
    else:
        texts = column.astype(object).where(column.notna(), "").map(str).str.strip()
        values = np.array(texts.str.replace(WHOLE, r"\1", regex=True), object)
        missing = texts.isin(MISSING).to_numpy()
    values[missing] = ""
    return Cells(values, missing)


def _word(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def as_numbers(column: Any, text: Cells | None = None) -> tuple[Cells, np.ndarray]:
    """Return the cells of a column as numbers, and which of them are neither numbers nor missing.

    Parameters
    ----------
    column : pandas.Series
    text : Cells, optional
        The column as text, if that is known.

    Raises
    ------
    ValueError
        For a column of dates and the like, which are neither numbers nor text.
    """
    if column.dtype.kind in "biuf":
        values = column.to_numpy(np.float64, na_value=np.nan)
        missing = np.isnan(values)
    else:
        values, missing = _parsed(column, text)
    return Cells(values, missing), ~missing & ~(np.abs(values) <= LARGEST)


def _parsed(column: Any, text: Cells | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of a column of text, nan for other text, and which cells are missing."""
    if not pd.api.types.is_string_dtype(column):
        text = text or as_text(column)
        return np.array(pd.to_numeric(pd.Series(text.entries, dtype=object), errors="coerce"), float), text.missing
    values = np.array(pd.to_numeric(column.astype(object), errors="coerce"), float)
    missing, rest = np.zeros(len(column), bool), np.isnan(values)
    missing[rest] = as_text(column[rest]).missing if text is None else text.missing[rest]
    return values, missing


def check_kind(name: str, column: Any, who: str) -> None:
    """Raise for a column of dates, lists and the like, which are neither numbers nor text."""
    if column.dtype.kind in "biuf" or pd.api.types.is_string_dtype(column.dtype):
        return
    if isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(column.dtype):
        return
    found = column.dropna()
    if column.dtype != object or not found.map(lambda value: isinstance(value, str | int | float)).all():
        raise ValueError(
            f"{who}: column {name!r}: expected numbers or text, got {column.dtype}: {asked('--drop', [name])}"
        )


def read_features(table: Table, names: Sequence[str], categorical: Sequence[str]) -> dict[str, Cells]:
    """Return the columns that a network is trained on; each is one of numbers, or one of text.

    Parameters
    ----------
    table : Table
    names : sequence of str
    categorical : sequence of str
        The columns of text, beside those whose cells are no numbers.

    Raises
    ------
    ValueError
        Naming file and line, for a cell that is no number in a column most of whose cells are, and for a number that is
        not finite; for a column of more than 100 different texts that is not among `categorical`.
    """
    found: dict[str, Cells] = {}
    many: list[str] = []
    for name in names:
        column = table.frame[name]
        check_kind(name, column, table.sources[0].name)
        found[name] = as_text(column) if name in categorical else _guessed(table, name, column)
        if not found[name].are_numbers and name not in categorical:
            many += [name] * (len(set(found[name].entries.tolist())) > MOST_TEXTS)
    if many:
        what = "column" if len(many) == 1 else "columns"
        hints = {name: why_text(found[name].entries[~found[name].missing].tolist()) for name in many}
        hint = "".join(f"; {name}: {why}" for name, why in hints.items() if why)
        raise ValueError(
            f"{table.sources[0].name}: {what} {listed(many)}: more than {MOST_TEXTS} different texts, such as names or "
            f"numbers of people: leave them out by {asked('--drop', many)}, or take an input for each text by "
            f"{asked('--categorical', many)}{hint}"
        )
    return found


def _guessed(table: Table, name: str, column: Any) -> Cells:
    """Return the cells of a column as numbers if most are numbers, else as text."""
    cells, wrong = as_numbers(column)
    there = int((~cells.missing).sum())
    if not there or 2 * int(wrong.sum()) < there:
        _refuse(table, name, cells, wrong, hint=f"; or is it a column of text: {asked('--categorical', [name])}?")
        return cells
    return as_text(column)


def read_as(table: Table, kinds: Mapping[str, bool], binary: Collection[str] = ()) -> dict[str, Cells]:
    """Return columns whose kinds are known.

    Parameters
    ----------
    table : Table
    kinds : mapping of str to bool
        Whether each column is one of numbers.
    binary : collection of str
        The columns of zeros and ones, which may be written as ``True`` and ``False``, as by programs that write
        Booleans into CSV.

    Raises
    ------
    ValueError
        For a column that is not there, and naming file and line, for a cell that is no finite number.
    """
    names = list(table.frame.columns)
    missing = [name for name in kinds if name not in names]
    if missing:
        raise ValueError(
            f"{table.sources[0].name}: expected the columns of the training, got none named "
            f"{listed([repr(name) for name in missing])}{near(missing[0], names)}; it has {listed(names)}"
        )
    found = {}
    for name, are_numbers in kinds.items():
        column = table.frame[name]
        check_kind(name, column, table.sources[0].name)
        found[name] = read_numbers(table, name, binary=name in binary) if are_numbers else as_text(column)
    return found


def read_numbers(table: Table, name: str, *, binary: bool = False) -> Cells:
    """Return a column as numbers; raise for a cell that is none, naming file and line.

    Parameters
    ----------
    table : Table
    name : str
    binary : bool
        Whether ``True`` and ``False`` are numbers, too.
    """
    cells, wrong = as_numbers(table.frame[name])
    if binary and wrong.any():
        words = table.frame[name].astype(str).str.strip().str.lower().map(TRUTHS).to_numpy(np.float64)
        cells = Cells(np.where(wrong & ~np.isnan(words), words, cells.entries), cells.missing)
        wrong &= np.isnan(words)
    _refuse(table, name, cells, wrong)
    return cells


def _refuse(table: Table, name: str, cells: Cells, wrong: np.ndarray, hint: str = "") -> None:
    """Raise for the first wrong cell; one that is a number is too large."""
    if wrong.any():
        row = int(wrong.argmax())
        limit = "" if np.isnan(cells.entries[row]) else f" of at most {LARGEST:g}"
        others = f" ({wrong.sum()} such cells)" if wrong.sum() > 1 else ""
        got = str(table.frame[name].iloc[row])[:60]
        raise ValueError(f"{table.place(row)}: column {name!r}: expected a number{limit}, got {got!r}{others}{hint}")
