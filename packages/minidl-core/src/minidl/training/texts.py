"""Tables as text, and texts as files."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping

import numpy as np

from minidl.files.replacing import replacing


def as_csv(table: Mapping[str, np.ndarray]) -> str:
    """Return columns of equal length as CSV, with their names in the first row; an empty cell stands for nan."""
    columns = [["" if math.isnan(value) else value for value in column.tolist()] for column in table.values()]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()


def written(text: str, path: str | os.PathLike[str] | None) -> str:
    """Return a text, after writing it to a file if there is a path."""
    if path is not None:
        with replacing(path) as file:
            file.write(text.encode())
    return text
