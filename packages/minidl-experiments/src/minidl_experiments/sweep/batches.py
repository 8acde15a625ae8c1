"""Grouping of runs into batches, each trained as replicates of one model."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain, pairwise
from typing import Any, TypeVar

from minidl_experiments.network import INPUTS, OUTPUTS
from minidl_experiments.sweep.grid import Definition, Run

Piece = TypeVar("Piece")
HIDDEN_LAYERS = 3

MOST_RUNS = 100  # runs per batch: larger batches are hardly faster
MOST_PARAMETERS = 10_000_000  # parameters per batch: limits the memory of values, gradients and Adam's moments
MOST_WORK = 8e9  # multiplications per batch: limits the work that is lost when a sweep is killed

_STEP = 50_000  # overhead of one replicate's step, in multiplications
_LEAST_STEP = 1_000_000  # multiplications per step of a batch: the fixed overhead dominates smaller steps


def plan_batches(runs: Iterable[Run], definition: Definition, workers: int) -> list[list[Run]]:
    """Group runs of the same shape into batches, enough of them to keep all workers busy.

    Learning rates, values of p_drop above 0 and seeds may differ within a batch.

    Parameters
    ----------
    runs : iterable of Run
    definition : Definition
    workers : int
        Number of batches that are trained at the same time.

    Returns
    -------
    list of list of Run
        The most expensive batch first.
    """
    groups: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(_shape(run), []).append(run)
    share = math.ceil(sum(map(len, groups.values())) / (2 * workers))
    pieces = (cut(group, min(share, _most_runs(group[0], definition))) for group in groups.values())
    return sorted(chain.from_iterable(pieces), key=cost, reverse=True)


def cost(batch: list[Run]) -> float:
    """Estimate the cost of a batch per sample and epoch, in multiplications."""
    config = batch[0].config
    return len(batch) * (_STEP / config.batch_size + _parameters(config.width))


def _shape(run: Run) -> tuple[Any, ...]:
    config = run.config
    return config.width, config.activation, config.optimizer, config.batch_size, config.p_drop > 0


def _most_runs(run: Run, definition: Definition) -> int:
    """Return the largest number of runs like this one in a batch."""
    at_most = min(MOST_RUNS, MOST_PARAMETERS // _parameters(run.config.width))
    in_time = math.floor(MOST_WORK / (cost([run]) * definition.epochs * definition.samples))
    worthwhile = math.ceil(_LEAST_STEP / (cost([run]) * run.config.batch_size))
    return max(1, min(at_most, max(in_time, worthwhile)))


def _parameters(width: int) -> int:
    return (INPUTS + 1) * width + (HIDDEN_LAYERS - 1) * (width + 1) * width + (width + 1) * OUTPUTS


def cut(runs: list[Piece], most: int) -> list[list[Piece]]:
    """Split runs, or whatever is trained, into as few pieces as possible, of about equal size."""
    pieces = math.ceil(len(runs) / most)
    ends = [len(runs) * piece // pieces for piece in range(pieces + 1)]
    return [runs[start:end] for start, end in pairwise(ends)]
