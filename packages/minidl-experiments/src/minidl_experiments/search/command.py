"""What `minidl sweep` does with data of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import typer
from rich.console import Console

import minidl
from minidl_experiments.console import say
from minidl_experiments.search.candidate import Candidate, candidate_words
from minidl_experiments.search.measures import WORDS, choose_measure, measures_for
from minidl_experiments.search.plan import Plan, read_plan
from minidl_experiments.search.progress import SearchProgress
from minidl_experiments.search.result import Result, ordered
from minidl_experiments.search.run import search
from minidl_experiments.search.space import varied
from minidl_experiments.search.store import SearchStore, describe
from minidl_experiments.search.study import Study, load_optuna
from minidl_experiments.search.table import check_table, frame_of, print_best, score_words, write_table
from minidl_experiments.search.work import Work
from minidl_experiments.shell import INTERRUPTED, check_files, fail, load_figures, make_folder
from minidl_experiments.standard_streams import complain
from minidl_experiments.sweep.backend import reach
from minidl_experiments.tabular.assessment import divide
from minidl_experiments.tabular.choices import Measure
from minidl_experiments.tabular.command import FILES, assessed, folder_for, show_and_write
from minidl_experiments.tabular.networks import optimizer_for
from minidl_experiments.tabular.printing import problem_lines
from minidl_experiments.tabular.problem import Problem, pose
from minidl_experiments.tabular.reading import read_table
from minidl_experiments.tabular.split import Part
from minidl_experiments.tabular.words import counted

STORE, STUDY, RESULTS = "sweep.sqlite", "optuna.sqlite", "results.csv"
_OWN = "config", "random", "optuna", "storage", "score", "results", "jobs", "dask"
_DAMAGES = 10  # damaged records that are named


class _Sweep(NamedTuple):
    """Everything that is known before the first training."""

    plan: Plan
    candidates: list[Candidate]
    problem: Problem
    parts: list[Part]
    measure: Measure
    folder: Path
    results: Path


def search_tables(given: Mapping[str, Any]) -> None:
    """Score configurations by cross-validation, write their results, and train the best on all rows.

    Parameters
    ----------
    given : mapping
        The options of the command line by their names; None for those that are not given.
    """
    console = Console()
    try:
        own = _begin(given)
    except (ValueError, TypeError, ImportError) as error:
        fail(error)
    load_figures()
    for line in (*problem_lines(own.problem), *(f"note: {note}" for note in own.problem.notes), _plan_words(own)):
        say(console, line, "  ")
    make_folder(own.folder)
    make_folder(own.results.parent, "--results")
    check_files(*(own.folder / name for name in FILES))
    check_files(own.results, option="--results")
    results = _scored(own, given)
    names = varied([result.candidate for result in results])
    write_table(frame_of(results, _measures(own)), own.results)
    print_best(console, results, own.measure, names, len(own.parts))
    say(console, f"wrote {own.folder / STORE}")
    say(console, f"wrote {own.results}")
    _train_best(console, own, results, names)


def _begin(given: Mapping[str, Any]) -> _Sweep:
    """Return what is searched; raise for whatever is wrong with it, before anything is written."""
    flags = {name: value for name, value in given.items() if name not in _OWN}
    plan = read_plan(given["config"], flags, random=given["random"], optuna=given["optuna"])
    if given["storage"] is not None and plan.optuna is None:
        raise ValueError("--storage: expected --optuna beside it")
    if plan.optuna is not None:
        load_optuna()
        if given["jobs"] is not None or given["dask"] is not None:
            raise ValueError(
                "--optuna: its trials are made one after the other; for several at once expected the same command "
                "several times, with the same --storage, instead of --jobs and --dask"
            )
    folder = folder_for(plan.shared, "_sweep", STORE)
    results = given["results"] or folder / RESULTS
    check_table(results)
    problem = pose(read_table(plan.shared.data), plan.shared)
    parts = divide(problem, plan.shared)
    measure = choose_measure(problem.target(np.arange(len(problem))), given["score"])
    candidates = [] if plan.optuna is not None else plan.candidates()
    for one in candidates or plan.corners():  # raises for settings that do not go together
        optimizer_for(one.options(plan.shared), minidl.Linear(1, 1), len(problem), 1)
    reach(given["dask"])
    return _Sweep(plan, candidates, problem, parts, measure, folder, results)


def _measures(own: _Sweep) -> list[Measure]:
    return measures_for(own.problem.target(np.arange(len(own.problem))))


def _plan_words(own: _Sweep) -> str:
    shared, few = own.plan.shared, ""
    if own.plan.random is not None and len(own.candidates) < own.plan.random:
        few = f" (there are no {own.plan.random} different ones)"
    what = f"{own.plan.optuna} trials" if own.plan.optuna else counted(len(own.candidates), "configuration")
    count = counted(shared.networks, "network")
    return (
        f"plan: {what}{few}, each in {len(own.parts)} folds of {count}; then {count} with the best on all "
        f"{len(own.problem)} rows"
    )


def _scored(own: _Sweep, given: Mapping[str, Any]) -> list[Result]:
    """Return the results of all configurations, the best first; end the command if it is stopped before."""
    kept = f"finished results are in {own.folder / STORE}; the same command continues from there"
    with ExitStack() as opened:
        store, study, work = _open(own, given["storage"], opened)
        _report_damage(store)
        try:
            candidates = own.candidates if study is None else _study(own, study, work, store)
            _search(own, candidates, work, store, given)
            found = store.results()
        except KeyboardInterrupt:
            _stop(INTERRUPTED, f"interrupted; {kept}")
        except BrokenProcessPool:
            _stop(1, f"processes were killed again and again, perhaps for lack of memory; {kept}")
        except (OSError, ValueError) as error:  # a full disk, a lost scheduler, or a file of another sweep
            _stop(1, f"{error}; {kept}")
    results = ordered((found[candidate] for candidate in candidates), own.measure)
    if not results or np.isnan(results[0].score(own.measure)):
        why = results[0].fault or f"no fold has one of {WORDS[own.measure]}" if results else "all trials were pruned"
        fail(f"no configuration has a score: {why}; {kept}")
    return results


def _open(own: _Sweep, storage: str | None, opened: ExitStack) -> tuple[SearchStore, Study | None, Work]:
    """Open the files of the results, and encode the folds."""
    described = describe(own.problem, own.plan.shared)
    names = [measure.value for measure in _measures(own)]
    try:
        store = opened.enter_context(SearchStore(own.folder / STORE, described, names, len(own.parts)))
        url = storage or f"sqlite:///{(own.folder / STUDY).resolve()}"
        study = None
        if own.plan.optuna is not None:
            study = opened.enter_context(closing(Study(own.plan, own.measure, url, described)))
        return store, study, Work.prepare(own.problem, own.plan.shared, own.parts)
    except (ValueError, TypeError, OSError) as error:
        fail(error)


def _search(own: _Sweep, candidates: list[Candidate], work: Work, store: SearchStore, given: Mapping[str, Any]) -> None:
    """Score the configurations that have no result yet: of a study, those whose results were lost."""
    known = store.results()
    finished = [known[one] for one in candidates if one in known]
    if own.plan.optuna is not None and len(finished) == len(candidates):
        return
    errors = Console(stderr=True)
    with SearchProgress(errors, own.measure, varied(candidates), len(candidates), finished) as progress:
        search(
            candidates,
            work,
            store,
            jobs=given["jobs"],
            dask=given["dask"],
            report=progress.report,
            lost=lambda: say(errors, "minidl: a process has died; its configurations are trained again"),
        )


def _study(own: _Sweep, study: Study, work: Work, store: SearchStore) -> list[Candidate]:
    """Make the trials of Optuna, and return their configurations."""
    trials, known = own.plan.optuna or 0, store.results()
    before = [known[one] for one in study.candidates if one in known]
    errors = Console(stderr=True)
    say(errors, f"study {study.name}: {counted(study.finished, 'finished trial')}")
    with SearchProgress(errors, own.measure, list(own.plan.axes), trials, before, study.finished) as progress:
        study.run(trials, work, store, progress.trial)
    say(errors, f"{counted(study.finished, 'trial')}, of which {study.pruned} were pruned or diverged")
    return study.candidates


def _stop(code: int, message: str) -> NoReturn:
    complain(f"minidl: {message}")
    raise typer.Exit(code) from None


def _report_damage(store: SearchStore) -> None:
    """Name the damaged records; all other records are kept."""
    for number, (settings, fault, candidate) in enumerate(store.damaged.values()):
        if number == _DAMAGES:
            complain(f"minidl: {store.path}: {len(store.damaged) - number} more damaged records")
            return
        use = "it is left out; delete it from the table results"
        if candidate is not None:
            use = "it is left out, and a sweep that has it trains it again"
        complain(f"minidl: {store.path}: the record with {settings[:200]} is damaged: {fault}; {use}")


def _train_best(console: Console, own: _Sweep, results: list[Result], names: list[str]) -> None:
    best = results[0]
    score = score_words(own.measure, best.score(own.measure))
    settings = candidate_words(best.candidate, names) or "the only configuration"
    say(console, f"best: {settings}, {WORDS[own.measure]} {score}")
    if len(results) > 1:
        say(
            console,
            f"note: the best of {len(results)} scores is a little too good: minidl evaluate, with rows that are not in "
            "these data, says how good the model is",
            "  ",
        )
    options = best.candidate.options(own.plan.shared)
    found = assessed(own.problem, options, own.parts, f"the results are in {own.results}, without a model")
    show_and_write(console, own.folder, own.problem, options, found)
