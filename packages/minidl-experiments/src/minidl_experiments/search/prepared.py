"""What a search over own data works on: its rows and their folds, and a test set that it never sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import minidl
from minidl_experiments.search.candidate import Candidate
from minidl_experiments.search.measures import choose_measure, measures_for
from minidl_experiments.search.plan import Plan, read_plan
from minidl_experiments.search.store import describe
from minidl_experiments.search.study import load_optuna
from minidl_experiments.search.table import check_table
from minidl_experiments.sweep.backend import reach
from minidl_experiments.tabular.assessment import divide
from minidl_experiments.tabular.choices import Measure, Sampler
from minidl_experiments.tabular.command import folder_for
from minidl_experiments.tabular.networks import optimizer_for
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.problem import Problem, pose
from minidl_experiments.tabular.reading import read_table
from minidl_experiments.tabular.split import Part
from minidl_experiments.tabular.words import counted

STORE, STUDY, RESULTS = "sweep.sqlite", "optuna.sqlite", "results.csv"
_OWN = "config", "random", "optuna", "sampler", "storage", "score", "results", "jobs", "dask"


class Prepared(NamedTuple):
    """Everything that is known before the first training.

    Attributes
    ----------
    plan : Plan
    candidates : list of Candidate
        Empty for Optuna, which proposes them.
    whole : Problem
        All rows.
    held : Part or None
        The rows that the search never sees, as `test`; None for none.
    problem : Problem
        The rows of the search.
    parts : list of Part
        The folds of these rows.
    measure : Measure
    folder, results : pathlib.Path
    """

    plan: Plan
    candidates: list[Candidate]
    whole: Problem
    held: Part | None
    problem: Problem
    parts: list[Part]
    measure: Measure
    folder: Path
    results: Path

    @property
    def measures(self) -> list[Measure]:
        """The scores of each configuration."""
        return measures_for(self.problem.target(np.arange(len(self.problem))))

    @property
    def described(self) -> dict[str, str]:
        """What all results depend on."""
        return describe(self.whole, self.plan.shared, self.plan.test)

    def final(self, best: Candidate) -> tuple[Options, list[Part]]:
        """Return the options of the training with the best configuration, and its division of all rows.

        With a test set this is the training of ``minidl train --test``, else the one of ``minidl train --cv``.
        """
        options = best.options(self.plan.shared)
        if self.held is None or self.plan.test is None:
            return options, self.parts
        return replace(options, cv=None, test=self.plan.test), [self.held]

    def plan_lines(self) -> list[str]:
        """Return what is going to be trained, in words."""
        varied = self.plan.varied_words()
        return [*[f"varied: {varied}"] * bool(varied), self._plan_words()]

    def _plan_words(self) -> str:
        shared, few, rows = self.plan.shared, "", f"all {len(self.problem)} rows"
        if self.plan.random is not None and len(self.candidates) < self.plan.random:
            few = f" (there are no {self.plan.random} different ones)"
        what = f"{self.plan.optuna} trials" if self.plan.optuna else counted(len(self.candidates), "configuration")
        count, held = counted(shared.networks, "network"), ""
        if self.held is not None:
            rows = "all of these"
            held = f"{counted(len(self.held.test), 'row')} held out as a test; on the other {len(self.problem)}: "
        return (
            f"plan: {held}{what}{few}, each in {len(self.parts)} folds of {count}; then {count} with the best on {rows}"
        )


def prepare(given: Mapping[str, Any]) -> Prepared:
    """Return what is searched; raise for whatever is wrong with it, before anything is written.

    Parameters
    ----------
    given : mapping
        The options of the command line by their names; None for those that are not given.

    Raises
    ------
    ValueError, TypeError, ImportError, OSError
    """
    flags = {name: value for name, value in given.items() if name not in _OWN}
    plan = read_plan(given["config"], flags, random=given["random"], optuna=given["optuna"])
    for name in ("sampler", "storage"):
        if given[name] is not None and plan.optuna is None:
            raise ValueError(f"--{name}: expected --optuna beside it")
    if given["storage"] == "":
        raise ValueError("--storage: expected a URL such as sqlite:///study.db, got ''")
    if plan.optuna is not None:
        load_optuna()
        if given["sampler"] is Sampler.QMC and find_spec("scipy") is None:
            raise ImportError("--sampler qmc: expected SciPy, which has the sequence; got no such module")
        if given["jobs"] is not None or given["dask"] is not None:
            raise ValueError(
                "--optuna: its trials are made one after the other; for several at once expected the same command "
                "several times, with the same --storage, instead of --jobs and --dask"
            )
    folder = folder_for(plan.shared, "_sweep", STORE)
    results = given["results"] or folder / RESULTS
    check_table(results)
    whole = pose(read_table(plan.shared.data), plan.shared)
    held = None if plan.test is None else divide(whole, replace(plan.shared, cv=None, test=plan.test))[0]
    problem = whole if held is None else whole.take(held.train)
    parts = divide(problem, plan.shared)
    measure = choose_measure(problem.target(np.arange(len(problem))), given["score"])
    candidates = [] if plan.optuna is not None else plan.candidates()
    for one in candidates or plan.corners():  # raises for settings that do not go together
        optimizer_for(one.options(plan.shared), minidl.Linear(1, 1), len(problem), 1)
    reach(given["dask"])
    return Prepared(plan, candidates, whole, held, problem, parts, measure, folder, results)
