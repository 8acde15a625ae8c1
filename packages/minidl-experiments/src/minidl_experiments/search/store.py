"""The SQLite file with the results of a search over data of one's own."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from minidl_experiments.search.candidate import FIELDS, Candidate, parse_key
from minidl_experiments.search.result import Result
from minidl_experiments.sweep.results_file import ResultsFile, versions
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.problem import Problem

_TABLE = """
CREATE TABLE results (
    settings TEXT PRIMARY KEY,
    scores TEXT NOT NULL,
    fault TEXT NOT NULL,
    seconds REAL NOT NULL
) WITHOUT ROWID
"""
_INSERT = "INSERT INTO results VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"  # two sweeps may write into one file
_UNUSED = {*FIELDS, "data", "out", "test", "stream"}


class Damage(NamedTuple):
    """A damaged record.

    Attributes
    ----------
    settings, fault : str
        As they stand in the file, and what is wrong with them.
    candidate : Candidate or None
        The configuration, whose training replaces the record; None if the settings cannot be read.
    """

    settings: str
    fault: str
    candidate: Candidate | None


class SearchStore(ResultsFile):
    """An SQLite file with one row per finished configuration; a context manager.

    A row is written when its configuration is finished, and survives a kill at any moment. A damaged record counts as
    missing; the result of its configuration replaces it.

    Parameters
    ----------
    path : pathlib.Path
        Created if missing.
    described : mapping of str to str
        Data and settings that all configurations share, as `describe` returns them.
    measures : sequence of str
        The measures of each fold.
    folds : int

    Attributes
    ----------
    damaged : dict of str to Damage
        The damaged records by their settings.

    Raises
    ------
    ValueError
        If the file belongs to other data or settings, or to another program.
    OSError
        If the file cannot be opened, or is damaged beyond single records.
    """

    elsewhere = "choose another folder by --out"

    def __init__(self, path: Path, described: Mapping[str, str], measures: list[str], folds: int) -> None:
        self._measures, self._folds = set(measures), folds
        self.damaged: dict[str, Damage] = {}
        super().__init__(path, dict(described) | versions(), "results", _TABLE)

    def read_damaged(self) -> None:
        """Look for damaged records."""
        self._read()

    def add(self, result: Result) -> None:
        """Write a result; one that is there already stays.

        Raises
        ------
        OSError
            If the result cannot be written.
        ValueError
            If a search over other data has begun to use the file in the meantime.
        """
        key = result.candidate.key
        row = key, json.dumps(_without_nan(result.scores)), result.fault, result.seconds
        with self.writing() as file:
            if key in self.damaged:
                file.execute("DELETE FROM results WHERE settings = ?", (key,))
            file.execute(_INSERT, row)
        self.damaged.pop(key, None)

    def results(self) -> dict[Candidate, Result]:
        """Return the results of all sound records."""
        return self._read()

    def _read(self) -> dict[Candidate, Result]:
        found = {}
        for row in self.each("SELECT settings, scores, fault, seconds FROM results"):
            candidate = None
            try:
                candidate = parse_key(row[0])
                found[candidate] = Result(candidate, *self._checked(*row[1:]))
            except (ValueError, TypeError, RecursionError) as error:
                self.damaged[row[0]] = Damage(str(row[0]), str(error), candidate)
        return found

    def _checked(self, scores: Any, fault: Any, seconds: Any) -> tuple[dict[str, list[float]], str, float]:
        """Return the values of a record; raise ValueError for a damaged one."""
        read = json.loads(scores)
        if not isinstance(fault, str) or not isinstance(seconds, float) or not isinstance(read, dict):
            raise ValueError("scores, fault and seconds are none")  # noqa: TRY004 - the file is wrong, not a type here
        if fault and not read:
            return {}, fault, seconds
        if read.keys() != self._measures:
            raise ValueError(f"scores of {', '.join(map(str, read)) or 'nothing'}")
        for name, values in read.items():
            if not isinstance(values, list) or len(values) != self._folds or not all(map(_is_score, values)):
                raise ValueError(f"{name} is {str(values)[:40]}")
        return {name: [math.nan if one is None else one for one in read[name]] for name in read}, fault, seconds


def _is_score(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value))


def _without_nan(scores: dict[str, list[float]]) -> dict[str, list[float | None]]:
    return {name: [one if math.isfinite(one) else None for one in values] for name, values in scores.items()}


def describe(problem: Problem, options: Options, test: float | None = None) -> dict[str, str]:
    """Return everything beside a configuration that affects its result: the rows, and the settings that all share.

    Parameters
    ----------
    problem : Problem
        All rows.
    options : Options
    test : float or None
        The share of the rows that are held out.
    """
    shared = {field.name: getattr(options, field.name) for field in fields(Options) if field.name not in _UNUSED}
    values = {name: json.dumps(value) for name, value in (shared | {"test": test}).items()}
    return {"data": _digest(problem.table.frame)} | values


def _digest(frame: Any) -> str:
    """Return a fingerprint of the names and cells of a table."""
    digest = hashlib.sha256(json.dumps(list(frame.columns)).encode())
    digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]
