"""The differences between minidl_sklearn and scikit-learn: parameters x data sets."""

from typing import Any

import numpy as np

from parts.markdown import table
from parts.places import write

DTYPES = ("float64", "float32")
ON = ", on "
NONE = "Not in the run that is kept here.\n"


def is_estimator(case: str) -> bool:
    """Whether a case of conformance compares an estimator with scikit-learn's: `MLPClassifier, sgd, on wine`."""
    return case.startswith("MLP")


def write_sklearn_parity(rows: list[dict[str, Any]]) -> None:
    """Write one table per dtype: a row for each estimator and its parameters, a column for each data set."""
    for dtype in DTYPES:
        # A table that was kept before its rows named a data set counts as none.
        found = [row for row in rows if row["dtype"] == dtype and ON in row["case"]]
        write(f"parity/sklearn-{dtype}.md", _table(found) if found else NONE)


def _table(rows: list[dict[str, Any]]) -> str:
    cells = {tuple(row["case"].rsplit(ON, 1)): row for row in rows}
    cases, data_sets = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    lines = [[case, *(_cell(cells.get((case, data_set))) for data_set in data_sets)] for case in cases]
    limits = [max(_relative(row, "tolerance") for key, row in cells.items() if key[0] == case) for case in cases]
    lines = [[*line, f"{limit:.0e}"] for line, limit in zip(lines, limits, strict=True)]
    return table(["estimator, parameters", *data_sets, "allowed"], lines, "l" + "r" * (len(data_sets) + 1))


def _cell(row: dict[str, Any] | None) -> str:
    return "" if row is None else f"{_relative(row, 'ulp'):.0e}" if row["ulp"] else "0"


def _relative(row: dict[str, Any], name: str) -> float:
    """Return a distance in ulp as a share of the largest element, of which one ulp is at most `eps`."""
    return float(row[name] * np.finfo(row["dtype"]).eps)
