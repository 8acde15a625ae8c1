"""Which runs are trained together, as replicates of one model."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain, pairwise
from typing import Any

from minidl_experiments.network import INPUTS, OUTPUTS
from minidl_experiments.sweep.grid import Definition, Run

HIDDEN_LAYERS = 3

MOST_RUNS = 100  # in one batch: more are hardly any faster
MOST_PARAMETERS = 10_000_000  # the same: with gradients and Adam's moments 200 MB
MOST_WORK = 8e9  # about 2 s on one core, which is what a kill loses; much less where a compiled engine trains

_STEP = 50_000  # what a replicate's step costs beside its products, in multiplications
_LEAST_STEP = 1_000_000  # in all replicates: a step costs 500,000 more, however many they are


def plan_batches(runs: Iterable[Run], definition: Definition, workers: int) -> list[list[Run]]:
    """Put runs of the same shape together, so that all workers have something to do.

    Learning rates, values of p_drop above 0 and seeds may differ within a batch.

    Parameters
    ----------
    runs : iterable of Run
    definition : Definition
    workers : int
        Batches that are trained at the same time.

    Returns
    -------
    list of list of Run
        The most expensive batch first.
    """
    groups: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(_shape(run), []).append(run)
    share = math.ceil(sum(map(len, groups.values())) / (2 * workers))
    pieces = (_cut(group, min(share, _most_runs(group[0], definition))) for group in groups.values())
    return sorted(chain.from_iterable(pieces), key=cost, reverse=True)


def cost(batch: list[Run]) -> float:
    """Estimate what a sample costs some runs of one shape in an epoch, in multiplications."""
    config = batch[0].config
    return len(batch) * (_STEP / config.batch_size + _parameters(config.width))


def _shape(run: Run) -> tuple[Any, ...]:
    config = run.config
    return config.width, config.activation, config.optimizer, config.batch_size, config.p_drop > 0


def _most_runs(run: Run, definition: Definition) -> int:
    """Return how many runs like this one are worth a batch, and not too much for it."""
    at_most = min(MOST_RUNS, MOST_PARAMETERS // _parameters(run.config.width))
    in_time = math.floor(MOST_WORK / (cost([run]) * definition.epochs * definition.samples))
    worthwhile = math.ceil(_LEAST_STEP / (cost([run]) * run.config.batch_size))
    return max(1, min(at_most, max(in_time, worthwhile)))


def _parameters(width: int) -> int:
    return (INPUTS + 1) * width + (HIDDEN_LAYERS - 1) * (width + 1) * width + (width + 1) * OUTPUTS


def _cut(runs: list[Run], most: int) -> list[list[Run]]:
    """Cut into as few pieces as possible, of about the same size."""
    pieces = math.ceil(len(runs) / most)
    ends = [len(runs) * piece // pieces for piece in range(pieces + 1)]
    return [runs[start:end] for start, end in pairwise(ends)]
