"""CSV as a table of text, with the line of each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

DELIMITERS = ",;\t"
DECIMAL_COMMA = r"^([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)$"
DECIMAL_POINT = r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?"
THOUSANDS = r"[+-]?[1-9]\d{0,2},\d{3}"


class CsvTable(NamedTuple):
    """A table as it stands in a file.

    Attributes
    ----------
    frame : pandas.DataFrame
        Stripped text; the columns have the names of the first line, which may occur twice.
    lines : array of int
        The line of each row, counted from 1; of a row of several lines the last one.
    """

    frame: Any
    lines: np.ndarray


def read_csv(data: bytes, who: str, delimiter: str | None = None) -> CsvTable:
    """Parse CSV in UTF-8 whose first line has the names of the columns.

    Parameters
    ----------
    data : bytes
    who : str
        The name of the file, for errors.
    delimiter : str, optional
        Without it, the one of comma, semicolon and tab that occurs most often in the first line.

    Raises
    ------
    ValueError
        Naming file and line, for text that is not UTF-8, a row of another length, an open quote, and a file without
        names or without rows.
    """
    text = _decode(data, who)
    if not text.strip():
        raise ValueError(f"{who}: expected a line of column names and rows of data, got an empty file")
    delimiter = delimiter or max(DELIMITERS, key=text.lstrip().partition("\n")[0].count)
    lines = _check_rows(text, who, delimiter)
    try:
        frame = pd.read_csv(
            io.StringIO(text, newline=""), header=None, dtype=str, keep_default_na=False, sep=delimiter,
            encoding="utf-8", skipinitialspace=True,
        )  # fmt: skip
    except ValueError as error:
        raise ValueError(f"{who}: {error}") from error
    if len(frame) != len(lines):
        raise ValueError(f"{who}: expected empty lines between rows to be blank, got one with an empty cell in quotes")
    frame = frame.apply(lambda column: column.str.strip())
    if delimiter == ";" or (delimiter == "\t" and _has_decimal_commas(frame)):  # spreadsheets write 0.5 as 0,5
        frame = frame.apply(lambda column: column.str.replace(DECIMAL_COMMA, r"\1.\2", regex=True))
    names = frame.iloc[0].tolist()
    if all(map(_is_number, names)):
        raise ValueError(f"{who}: line {lines[0]}: expected the names of the columns, got numbers")
    if len(frame) == 1:
        raise ValueError(f"{who}: expected rows of data below the column names, got none")
    frame = frame.iloc[1:].reset_index(drop=True)
    frame.columns = names
    return CsvTable(frame, lines[1:])


def _decode(data: bytes, who: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError(f"{who}: expected text in UTF-8, got UTF-16: save the table as CSV UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{who}: line {line}: expected text in UTF-8, got the byte {data[error.start]:#04x}: save the table as "
            "CSV UTF-8"
        ) from None
    if "\0" in text:
        raise ValueError(f"{who}: line {text.count(chr(10), 0, text.index(chr(0))) + 1}: expected text, got a NUL byte")
    return text


def _check_rows(text: str, who: str, delimiter: str) -> np.ndarray:
    """Return the line of each row; raise unless all rows have as many cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    lines: list[int] = []
    width = 0
    try:
        for cells in _without_blanks(reader):
            width = width or len(cells)
            if len(cells) != width:
                raise ValueError(
                    f"{who}: line {reader.line_num}: expected {width} cells, as in the first line, got {len(cells)}"
                )
            lines.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{who}: line {reader.line_num}: {error}") from None
    return np.array(lines)


def _without_blanks(reader: Any) -> Iterator[list[str]]:
    """Iterate over the rows that are not blank; `pandas` skips the same lines, but for an empty cell in quotes."""
    return (cells for cells in reader if len(cells) > 1 or (cells and cells[0].strip(" \t")))


def _has_decimal_commas(frame: Any) -> bool:
    """Whether commas are decimal in a table of text that tabs separate.

    There are numbers with a comma, none has a point, and not all of them may be thousands, as ``1,234`` may be.
    """
    points, commas, thousands = (
        sum(int(frame[name].str.fullmatch(form).sum()) for name in frame.columns)
        for form in (DECIMAL_POINT, DECIMAL_COMMA, THOUSANDS)
    )
    return not points and commas > thousands


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
