"""Which runs are trained together, as replicates of one model."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from minidl_experiments.network import INPUTS, OUTPUTS
from minidl_experiments.sweep.grid import Run

HIDDEN_LAYERS = 3

MOST_RUNS = 100  # in one batch: more are hardly any faster, and a sweep that is killed loses more
MOST_PARAMETERS = 10_000_000  # the same: with gradients and Adam's moments 200 MB

_STEP = 50_000  # what a replicate's step costs beside its products, in multiplications


def plan_batches(runs: Iterable[Run], workers: int) -> list[list[Run]]:
    """Put runs of the same shape together, so that all workers have something to do.

    Learning rates, values of p_drop above 0 and seeds may differ within a batch.

    Parameters
    ----------
    runs : iterable of Run
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
    batches = [batch for group in groups.values() for batch in _cut(group, min(share, _most_runs(group[0])))]
    return sorted(batches, key=cost, reverse=True)


def cost(batch: list[Run]) -> float:
    """Estimate how long an epoch of some runs of one shape takes, in arbitrary units."""
    config = batch[0].config
    return len(batch) * (_STEP / config.batch_size + _parameters(config.width))


def _shape(run: Run) -> tuple[Any, ...]:
    config = run.config
    return config.width, config.activation, config.optimizer, config.batch_size, config.p_drop > 0


def _most_runs(run: Run) -> int:
    return max(1, min(MOST_RUNS, MOST_PARAMETERS // _parameters(run.config.width)))


def _parameters(width: int) -> int:
    return (INPUTS + 1) * width + (HIDDEN_LAYERS - 1) * (width + 1) * width + (width + 1) * OUTPUTS


def _cut(runs: list[Run], most: int) -> list[list[Run]]:
    """Cut into as few pieces as possible, of about the same size."""
    pieces = math.ceil(len(runs) / most)
    ends = [len(runs) * piece // pieces for piece in range(pieces + 1)]
    return [runs[start:end] for start, end in pairwise(ends)]
