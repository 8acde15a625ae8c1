"""A trained model for tables: preprocessing, networks and targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import minidl
from minidl_experiments.tabular.cells import Cells, read_as
from minidl_experiments.tabular.choices import Missing
from minidl_experiments.tabular.encoder import Encoder
from minidl_experiments.tabular.reading import Table
from minidl_experiments.tabular.target import NumberTarget, Target


class Prediction(NamedTuple):
    """What a model says about rows.

    Attributes
    ----------
    values : array of float64, shape (rows, outputs)
        Probabilities of the classes, or numbers in the units of the targets: means over the networks.
    std : array of float64, shape (rows, outputs), or None
        Standard deviation between the networks; None for a single network.
    """

    values: np.ndarray
    std: np.ndarray | None


@dataclass(frozen=True)
class TableModel:
    """Networks with the preprocessing of their inputs and the meaning of their outputs.

    Attributes
    ----------
    network : minidl.Module
        A single network, or several as replicates.
    encoder : Encoder
    target : ClassTarget or NumberTarget
    missing : Missing
        Whether missing cells are refused.
    """

    network: minidl.Module
    encoder: Encoder
    target: Target
    missing: Missing = Missing.IMPUTE

    @property
    def networks(self) -> int:
        """Number of networks."""
        return int(np.prod(self.network.replicate_shape, dtype=int))

    def read(self, table: Table) -> dict[str, Cells]:
        """Return the columns that the network needs.

        Raises
        ------
        ValueError
            For a column that is not there; naming file and line, for a cell that is no number, or missing if missing
            cells are refused.
        """
        cells = read_as(table, self.encoder.kinds, self.encoder.binary)
        if self.missing is Missing.REFUSE:
            refuse_missing(cells, table.place)
        return cells

    def predict(self, cells: Mapping[str, Cells], place: Callable[[int], str]) -> Prediction:
        """Return the prediction for each row.

        Parameters
        ----------
        cells : mapping of str to Cells
            As `read` returns them.
        place : callable
            Returns a row in words, for errors.
        """
        return self.predict_inputs(self.encoder.encode(cells, place))

    def predict_inputs(self, x: np.ndarray) -> Prediction:
        """Return the prediction for encoded rows."""
        outputs = minidl.predict(self.network, x).astype(np.float64)
        each = self.in_units(outputs.reshape(-1, *outputs.shape[-2:]))
        return Prediction(each.mean(axis=0), each.std(axis=0) if len(each) > 1 else None)

    def in_units(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs of networks as probabilities, or as numbers in the units of the targets."""
        return self.target.in_units(outputs)

    def frame(self, prediction: Prediction) -> Any:
        """Return a prediction as a table.

        Returns
        -------
        pandas.DataFrame
            For classes the columns ``class``, ``probability_NAME`` and for several networks ``std_NAME``; for numbers
            a column with the name of each target, and for several networks one that ends in ``_std``.
        """
        target, (values, std) = self.target, prediction
        if isinstance(target, NumberTarget):
            columns = dict(zip(target.labels, values.T, strict=True))
            if std is not None:
                columns |= dict(zip((f"{label}_std" for label in target.labels), std.T, strict=True))
            return pd.DataFrame(columns)
        labels = np.array(target.classes, object)[values.argmax(axis=1)]
        columns = {"class": labels} | {f"probability_{c}": v for c, v in zip(target.classes, values.T, strict=True)}
        if std is not None:
            columns |= {f"std_{c}": v for c, v in zip(target.classes, std.T, strict=True)}
        return pd.DataFrame(columns)


def refuse_missing(cells: Mapping[str, Cells], place: Callable[[int], str]) -> None:
    """Raise for the first missing cell, naming file and line."""
    for name, column in cells.items():
        if column.missing.any():
            row, count = int(column.missing.argmax()), int(column.missing.sum())
            raise ValueError(f"{place(row)}: column {name!r}: the cell is missing ({count} in this column)")
