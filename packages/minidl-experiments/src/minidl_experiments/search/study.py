"""A search by Optuna: its sampler proposes configurations, and its pruner ends those that look bad."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from minidl_experiments.search.alike import batches_of, can_be_alike, score_alike
from minidl_experiments.search.axes import Axes, Entry, Range
from minidl_experiments.search.candidate import NAMES, Candidate, parse_key
from minidl_experiments.search.plan import Plan
from minidl_experiments.search.pruning import Reports
from minidl_experiments.search.result import Result
from minidl_experiments.search.store import SearchStore
from minidl_experiments.search.work import Work
from minidl_experiments.tabular.choices import Measure, Sampler

WARM_UP = 10  # epochs in which no trial is pruned
STARTUP = 5  # trials that are not pruned
AT_ONCE = 8  # trials that the sampler proposes before it knows the result of the first
SETTINGS = "settings"  # the attribute of a trial that holds its configuration


def load_optuna() -> Any:
    """Return the module optuna, which prints warnings alone; raise ImportError if it is not installed."""
    try:
        optuna = import_module("optuna")
    except ImportError as error:
        raise ImportError(
            "--optuna: expected Optuna, which minidl-experiments[optuna] installs; got no such module"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


class Study:
    """A study of Optuna whose trials are configurations, each with all its folds at once, or several of them.

    Parameters
    ----------
    plan : Plan
    measure : Measure
    storage : str
        URL of the storage, such as ``sqlite:///study.db``. The study goes on if it is there.
    described : mapping of str to str
        What the results depend on beside the configuration. Other data or axes are another study in the same storage.
    sampler : Sampler
        A study may go on with another one.

    Raises
    ------
    ImportError
        If Optuna is not installed.
    ValueError
        If the storage cannot be opened.
    """

    def __init__(
        self,
        plan: Plan,
        measure: Measure,
        storage: str,
        described: Mapping[str, str],
        sampler: Sampler = Sampler.TPE,
    ) -> None:
        self._optuna, self._plan, self._measure, self._kind = load_optuna(), plan, measure, sampler
        axes = {field: [str(entry) for entry in entries] for field, entries in plan.axes.items()}
        known = json.dumps([dict(described), axes, plan.base.key, measure])
        self.name = f"minidl-{hashlib.sha256(known.encode()).hexdigest()[:12]}"
        self._storage: Any = None
        try:
            self._storage = self._optuna.storages.RDBStorage(storage)
            self._study = self._optuna.create_study(
                storage=self._storage,
                study_name=self.name,
                direction="minimize" if measure.lower_is_better else "maximize",
                pruner=self._optuna.pruners.MedianPruner(STARTUP, n_warmup_steps=WARM_UP),
                load_if_exists=True,
            )
        except Exception as error:  # of SQLAlchemy, of the driver of a database, or of Optuna
            self.close()
            first = str(error).partition("\n")[0]  # advice for programmers follows
            raise ValueError(f"--storage: cannot open {storage}: {first}") from error
        begun = len(self._study.get_trials(deepcopy=False))  # a study that goes on must not repeat its first draws
        seed = int(np.random.SeedSequence([plan.shared.seed, begun]).generate_state(1)[0])
        self._study.sampler = self._sampler(seed)

    def _sampler(self, seed: int) -> Any:
        """Return a sampler that may be asked for several trials before it is told of the first."""
        samplers = self._optuna.samplers
        if self._kind is Sampler.RANDOM:
            return samplers.RandomSampler(seed)
        with warnings.catch_warnings():  # about what may change in Optuna
            warnings.simplefilter("ignore", self._optuna.exceptions.ExperimentalWarning)
            if self._kind is Sampler.QMC:
                return samplers.QMCSampler(scramble=True, seed=seed, warn_independent_sampling=False)
            # It takes open trials for bad ones, and proposes others.
            return samplers.TPESampler(seed=seed, constant_liar=True)

    def close(self) -> None:
        """Close the connections to the storage."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()

    @property
    def finished(self) -> int:
        """The trials that are complete or pruned, also those of other processes and earlier starts."""
        return len(self._trials("COMPLETE")) + self.pruned

    @property
    def pruned(self) -> int:
        """The trials that were ended early, or diverged."""
        return len(self._trials("PRUNED"))

    @property
    def candidates(self) -> list[Candidate]:
        """The configurations of the trials that have a score."""
        found = [trial.user_attrs[SETTINGS] for trial in self._trials("COMPLETE") if SETTINGS in trial.user_attrs]
        return [parse_key(key) for key in dict.fromkeys(found)]

    def run(self, trials: int, work: Work, store: SearchStore, report: Callable[[Result | None], object]) -> None:
        """Make trials until there are as many finished ones in the study.

        Where configurations often have the same architecture, or the sampler does not look at scores, it proposes
        several before it is told of the first, and those of the same architecture are trained at once. A configuration
        that has a result in the file is not trained again.

        Parameters
        ----------
        trials : int
        work : Work
        store : SearchStore
        report : callable
            Called after each trial with its result, or None if it was pruned.
        """
        while (left := trials - self.finished) > 0:
            open_trials: list[Any] = []
            try:
                for _ in range(min(self._most, left)):
                    open_trials.append(self._study.ask())  # noqa: PERF401 - those before an error must be known
                self._try(open_trials, work, store, report)
            except BaseException:  # Ctrl-C, or a full disk: no trial must seem to run for ever
                for trial in open_trials:
                    self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL, skip_if_finished=True)
                raise

    @property
    def _most(self) -> int:
        """How many trials may be open."""
        if self._kind is Sampler.TPE:
            return AT_ONCE if can_be_alike(self._plan.axes) else 1
        # The sequence learns from the first finished trial of how many dimensions it is.
        return AT_ONCE if self._kind is Sampler.RANDOM or self.finished else 1

    def _try(
        self, open_trials: Sequence[Any], work: Work, store: SearchStore, report: Callable[[Result | None], object]
    ) -> None:
        """Find the results of the configurations that trials propose, in the file or by trainings, and tell them."""
        proposed: dict[Candidate, list[Any]] = {}
        for trial in open_trials:
            candidate = suggest(trial, self._plan.base, self._plan.axes)
            trial.set_user_attr(SETTINGS, candidate.key)
            proposed.setdefault(candidate, []).append(trial)

        def tell(candidate: Candidate, result: Result | None) -> None:
            for trial in proposed[candidate]:
                self._tell(trial, result)
                report(result)

        known = store.results()
        for candidate in [one for one in proposed if one in known]:
            tell(candidate, known[candidate])
        for batch in batches_of([one for one in proposed if one not in known], work):
            for candidate, result in zip(batch, self._train(batch, proposed, work), strict=True):
                if result is not None:
                    store.add(result)
                tell(candidate, result)

    def _train(
        self, batch: list[Candidate], proposed: Mapping[Candidate, list[Any]], work: Work
    ) -> list[Result | None]:
        """Return the results of a batch; None for a configuration that the pruner has ended."""
        pruned = self._optuna.TrialPruned
        reports = Reports([proposed[one][0] for one in batch], pruned, 1 if self._measure.lower_is_better else -1)
        try:
            results = score_alike(batch, work, reports.watch)
        except pruned:  # all of them
            return [None] * len(batch)
        return [None if ended else result for ended, result in zip(reports.ended, results, strict=True)]

    def _tell(self, trial: Any, result: Result | None) -> None:
        score = np.nan if result is None else result.score(self._measure)
        if np.isnan(score):
            self._study.tell(trial, state=self._optuna.trial.TrialState.PRUNED)
        else:
            self._study.tell(trial, score)

    def _trials(self, state: str) -> list[Any]:
        states = (self._optuna.trial.TrialState[state],)
        return list(self._study.get_trials(deepcopy=False, states=states))


def suggest(trial: Any, base: Candidate, axes: Axes) -> Candidate:
    """Return the configuration that the sampler proposes.

    Parameters
    ----------
    trial : optuna.trial.Trial
    base : Candidate
        The settings that are not varied.
    axes : mapping of str to tuple
    """
    return replace(base, **{field: _suggested(trial, NAMES[field], entries) for field, entries in axes.items()})


def _suggested(trial: Any, name: str, entries: tuple[Entry, ...]) -> Any:
    """Return a proposed value of one setting."""
    if isinstance(entries[0], Range):
        return _number(trial, name, entries[0])
    words = [",".join(map(str, entry)) if isinstance(entry, tuple) else str(entry) for entry in entries]
    chosen = words[0] if len(words) == 1 else trial.suggest_categorical(name, words)
    entry = entries[words.index(chosen)]
    if not isinstance(entry, tuple):
        return entry
    return tuple(
        int(_number(trial, f"{name} {chosen}, layer {i}", one)) if isinstance(one, Range) else one
        for i, one in enumerate(entry, start=1)
    )


def _number(trial: Any, name: str, own: Range) -> float:
    if own.whole:
        return int(trial.suggest_int(name, int(own.low), int(own.high), log=own.log))
    return own.rounded(trial.suggest_float(name, own.low, own.high, log=own.log))
