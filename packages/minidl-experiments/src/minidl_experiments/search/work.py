"""Cross-validation of one configuration, on any worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

import minidl
from minidl_experiments.search.candidate import Candidate
from minidl_experiments.search.measures import score_folds
from minidl_experiments.search.result import Result
from minidl_experiments.tabular.cross_validation import Fold, Folds, cross_validate
from minidl_experiments.tabular.options import Options
from minidl_experiments.tabular.problem import Problem
from minidl_experiments.tabular.split import Part
from minidl_experiments.tabular.training import DivergedError, Watch


@dataclass(frozen=True)
class Work:
    """What a worker needs to know beside a configuration.

    Attributes
    ----------
    folds : list of Fold
        Encoded, once for all configurations.
    numbers : int
        How many numbers the inputs of one fold are.
    y : array
        The targets of all rows.
    shared : Options
    """

    folds: list[Fold]
    numbers: int
    y: np.ndarray
    shared: Options

    @classmethod
    def prepare(cls, problem: Problem, options: Options, parts: list[Part]) -> Work:
        """Encode the rows, by the training rows of each fold."""
        folds = Folds(problem, parts)
        return cls(list(folds), folds.numbers, problem.y, options)


def unwatched(_: str) -> Watch:
    """Begin a training that nobody looks at."""
    return lambda *_: None


def score_candidate(candidate: Candidate, work: Work, watch: Callable[[str], Watch] = unwatched) -> Result:
    """Train the networks of all folds at once, and score them on the rows that they have not seen.

    The result depends on the configuration and the work alone, not on the worker. BLAS has one thread, because the
    cores train different configurations.

    Parameters
    ----------
    candidate : Candidate
    work : Work
    watch : callable
        As for `assess`.
    """
    start = time.perf_counter()
    scores, fault = {}, ""
    options = candidate.options(work.shared)
    try:
        with threadpool_limits(1, user_api="blas"):
            outcomes = cross_validate(work.folds, work.numbers, options, watch)
        scores = score_folds(work.folds[0].target, work.y, outcomes)
    except (DivergedError, minidl.DivergenceError) as error:
        fault = str(error)
    return Result(candidate, scores, fault, time.perf_counter() - start)
