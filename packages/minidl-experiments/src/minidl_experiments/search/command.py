"""What `minidl sweep` does with data of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import typer
from rich.console import Console

from minidl_experiments.console import say
from minidl_experiments.search.candidate import Candidate, candidate_words
from minidl_experiments.search.measures import WORDS
from minidl_experiments.search.prepared import STORE, STUDY, Prepared, prepare
from minidl_experiments.search.progress import SearchProgress
from minidl_experiments.search.result import Result, ordered
from minidl_experiments.search.run import search
from minidl_experiments.search.space import varied
from minidl_experiments.search.store import SearchStore
from minidl_experiments.search.study import Study
from minidl_experiments.search.table import frame_of, print_best, score_words, write_table
from minidl_experiments.search.work import Work
from minidl_experiments.shell import INTERRUPTED, check_apart, check_files, fail, load_figures, make_folder, reason
from minidl_experiments.standard_streams import complain
from minidl_experiments.tabular.choices import Sampler
from minidl_experiments.tabular.command import FILES, assessed, show_and_write
from minidl_experiments.tabular.printing import problem_lines
from minidl_experiments.tabular.reading import expand
from minidl_experiments.tabular.words import counted

_DAMAGES = 10  # damaged records that are named


def search_tables(given: Mapping[str, Any]) -> None:
    """Score configurations by cross-validation, write their results, and train the best on all rows.

    Rows that are held out as a test take part in neither, and score the trained best.

    Parameters
    ----------
    given : mapping
        The options of the command line by their names; None for those that are not given.
    """
    console = Console()
    try:
        own = prepare(given)
    except (ValueError, TypeError, ImportError) as error:
        fail(error)
    check_apart(own.results, expand(own.plan.shared.data), "--results")
    load_figures()
    for line in (*problem_lines(own.whole), *(f"note: {note}" for note in own.whole.notes), *own.plan_lines()):
        say(console, line, "  ")
    new = [path for path in (own.folder / STORE, own.folder / STUDY, own.folder) if not path.exists()]
    make_folder(own.folder)
    make_folder(own.results.parent, "--results")
    check_files(*(own.folder / name for name in FILES))
    check_files(own.results, option="--results")
    results = _scored(own, given, new)
    names = varied([result.candidate for result in results])
    write_table(frame_of(results, own.measures), own.results)
    print_best(console, results, own.measure, names, len(own.parts))
    say(console, f"wrote {own.folder / STORE}")
    say(console, f"wrote {own.results}")
    _train_best(console, own, results, names)


def _scored(own: Prepared, given: Mapping[str, Any], new: list[Path]) -> list[Result]:
    """Return the results of all configurations, the best first; end the command if it is stopped before.

    Where nothing can be begun, the new files and the new folder are removed.
    """
    kept = f"finished results are in {own.folder / STORE}; the same command continues from there"
    with ExitStack() as opened:
        try:
            store, study, work = _open(own, given, opened)
        except (ValueError, TypeError, OSError) as error:
            opened.close()
            _remove(new)
            fail(error)
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
            _stop(1, f"{reason(error)}; {kept}")
    results = ordered((found[candidate] for candidate in candidates), own.measure)
    if not results or np.isnan(results[0].score(own.measure)):
        why = results[0].fault or f"no fold has one of {WORDS[own.measure]}" if results else "all trials were pruned"
        fail(f"no configuration has a score: {why}; {kept}")
    return results


def _open(own: Prepared, given: Mapping[str, Any], opened: ExitStack) -> tuple[SearchStore, Study | None, Work]:
    """Open the files of the results, and encode the folds."""
    described = own.described
    names = [measure.value for measure in own.measures]
    store = opened.enter_context(SearchStore(own.folder / STORE, described, names, len(own.parts)))
    url = given["storage"] or f"sqlite:///{(own.folder / STUDY).resolve()}"
    study = None
    if own.plan.optuna is not None:
        sampler = given["sampler"] or Sampler.TPE
        study = opened.enter_context(closing(Study(own.plan, own.measure, url, described, sampler)))
    return store, study, Work.prepare(own.problem, own.plan.shared, own.parts)


def _remove(new: list[Path]) -> None:
    """Remove the files, and the folder, that this command has made."""
    for path in new:
        with suppress(OSError):  # another program may use them
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)


def _search(
    own: Prepared, candidates: list[Candidate], work: Work, store: SearchStore, given: Mapping[str, Any]
) -> None:
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


def _study(own: Prepared, study: Study, work: Work, store: SearchStore) -> list[Candidate]:
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


def _train_best(console: Console, own: Prepared, results: list[Result], names: list[str]) -> None:
    """Train with the best configuration, and say how good it is, on the test set if there is one."""
    best = results[0]
    score = score_words(own.measure, best.score(own.measure))
    settings = candidate_words(best.candidate, names) or "the only configuration"
    words = f"best: {settings}, {WORDS[own.measure]} {score}"
    say(console, words, "  ")
    notes = [] if len(results) == 1 else [_chosen_words(own, len(results))]
    for note in notes:
        say(console, note, "  ")
    options, parts = own.final(best.candidate)
    found = assessed(own.whole, options, parts, f"the results are in {own.results}, without a model")
    lines = (*problem_lines(own.whole), *own.plan_lines(), words, *notes)
    show_and_write(console, own.folder, own.whole, options, replace(found, lines=lines))


def _chosen_words(own: Prepared, count: int) -> str:
    """Return a note on the best of several scores."""
    if own.held is not None:
        return (
            f"note: the best of {count} scores is a little too good; the scores of the test, below, are those of "
            f"{counted(len(own.held.test), 'row')} that had no part in the choice"
        )
    return (
        f"note: the best of {count} scores is a little too good: --test 0.2, or minidl evaluate with rows that are not "
        "in these data, says how good the model is"
    )
