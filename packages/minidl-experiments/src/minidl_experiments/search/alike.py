"""Configurations of the same architecture, whose networks are trained at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

import minidl
from minidl_experiments.search.axes import Axes, has_range
from minidl_experiments.search.candidate import Candidate
from minidl_experiments.search.measures import score_folds
from minidl_experiments.search.result import Result
from minidl_experiments.search.work import Work, score_candidate, unwatched
from minidl_experiments.sweep.batches import MOST_PARAMETERS, MOST_RUNS, cut
from minidl_experiments.tabular.cross_validation import cross_validate_alike, room_for
from minidl_experiments.tabular.scores import Outcome
from minidl_experiments.tabular.training import Watch

ARCHITECTURE = "width", "batch_size", "activation", "optimizer", "schedule"
"""The settings that networks have in common to be trained at once; all of them or none have dropout."""


def batches_of(candidates: Sequence[Candidate], work: Work, workers: int = 1) -> list[list[Candidate]]:
    """Group configurations of the same architecture into batches, enough of them to keep all workers busy.

    Parameters
    ----------
    candidates : sequence of Candidate
        Different ones.
    work : Work
    workers : int
        Number of batches that are trained at the same time.
    """
    groups: dict[object, list[Candidate]] = {}
    for one in candidates:
        groups.setdefault(_architecture(one), []).append(one)
    share = math.ceil(len(candidates) / (2 * workers)) if workers > 1 else len(candidates)
    return [batch for group in groups.values() for batch in cut(group, min(share, _most(group[0], work)))]


def can_be_alike(axes: Axes) -> bool:
    """Whether proposed configurations often have the same architecture: none of its settings is drawn from a range."""
    return not any(has_range(entry) for field in ARCHITECTURE for entry in axes.get(field, ()))


def score_alike(candidates: Sequence[Candidate], work: Work, watch: Callable[[str], Watch] = unwatched) -> list[Result]:
    """Train the networks of a batch at once, and score each configuration as `score_candidate` does, to the bit.

    Parameters
    ----------
    candidates : sequence of Candidate
        A batch of `batches_of`.
    work : Work
    watch : callable
        As for `score_candidate`; the networks of the first configuration are the first.
    """
    if len(candidates) == 1:
        return [score_candidate(candidates[0], work, watch)]
    start = time.perf_counter()
    found: Sequence[list[Outcome] | None] = [None] * len(candidates)
    try:
        with threadpool_limits(1, user_api="blas"):
            found = cross_validate_alike(work.folds, [one.options(work.shared) for one in candidates], watch)
    except minidl.DivergenceError:  # all of them: each is trained again, for the words of its own fault
        pass
    seconds = (time.perf_counter() - start) / len(candidates)
    return [
        score_candidate(one, work)
        if outcomes is None
        else Result(one, score_folds(work.folds[0].target, work.y, outcomes), "", seconds)
        for one, outcomes in zip(candidates, found, strict=True)
    ]


def _architecture(candidate: Candidate) -> object:
    own = [getattr(candidate, field) for field in ARCHITECTURE]
    return *own, candidate.p_drop > 0, candidate.lr is None


def _most(candidate: Candidate, work: Work) -> int:
    """Return how many configurations like this one make a batch: more of them, or wider ones, are hardly faster."""
    networks = work.shared.networks * len(work.folds)
    sizes: tuple[int, ...] = (work.folds[0].samples.x.shape[1], *candidate.width, work.folds[0].target.outputs)
    parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
    room = room_for(len(work.folds), work.numbers, work.shared)
    return max(1, min(MOST_RUNS // networks, MOST_PARAMETERS // (parameters * networks), room))
