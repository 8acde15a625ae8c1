"""Reproduction of the report's section III for many seeds: trainings, figures and table."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import minidl
from minidl_experiments.claims import judge_claims
from minidl_experiments.data import Data, Floats, Samples, draw
from minidl_experiments.experiments import ACTIVATIONS, GENERAL, OPTIMIZERS, RUNS
from minidl_experiments.plain_json import write_json
from minidl_experiments.progress import EpochProgress
from minidl_experiments.settings import Settings
from minidl_experiments.table import list_quantities
from minidl_experiments.training import Training

FIGURES = "figure_2a", "figure_2b", "figure_3", "figure_4"


@dataclass(frozen=True)
class Reproduction:
    """The runs of a reproduction.

    Attributes
    ----------
    seeds : list of int
    epochs : int
    results : mapping of Settings to Training
        Finished runs by their settings in `experiments`. Runs in which every seed diverged are left out.
    complete : bool
        Whether all runs were tried; False after Ctrl-C.
    """

    seeds: list[int]
    epochs: int
    results: Mapping[Settings, Training]
    complete: bool


def reproduce(seeds: Sequence[int], epochs: int, progress: EpochProgress) -> Reproduction:
    """Train all runs of the report, each for all seeds at once.

    Parameters
    ----------
    seeds : sequence of int
        Each seed has its own data sets, weights and order of the data.
    epochs : int
        Epochs per network; 50 in the report.
    progress : EpochProgress

    Returns
    -------
    Reproduction
        After Ctrl-C, only the finished runs.
    """
    results: dict[Settings, Training] = {}
    try:
        data = draw(seeds, GENERAL.samples)
        for number, (name, settings) in enumerate(RUNS.items(), start=1):
            progress.start(f"{number}/{len(RUNS)} {name}")
            start = time.perf_counter()
            try:
                results[settings] = _train(settings, seeds, epochs, data, progress)
                words = f"mean test accuracy {100 * np.nanmean(results[settings].test.accuracy[-1]):.2f} %"
            except minidl.DivergenceError:
                words = "the loss of every seed became nan"
            progress.say(f"{number}/{len(RUNS)} {name}: {words}, {time.perf_counter() - start:.1f} s")
    except KeyboardInterrupt:
        return Reproduction(list(seeds), epochs, results, complete=False)
    return Reproduction(list(seeds), epochs, results, complete=True)


def _train(settings: Settings, seeds: Sequence[int], epochs: int, data: Data, progress: EpochProgress) -> Training:
    training = Training(replace(settings, epochs=epochs), seeds, data)
    # Only the final accuracy with dropout is used, so measurements of the other epochs would be wasted time.
    training.run(lambda _: progress.advance(), every=epochs if settings.p_drop else 1)
    return training


def typical(training: Training) -> int:
    """Return the index of the seed with the median test accuracy.

    Parameters
    ----------
    training : Training
        Training with at least one measured epoch.

    Returns
    -------
    int
        The lower of the two middle seeds if their number is even. Diverged seeds are left out.
    """
    accuracy = training.test.accuracy[-1]
    order = np.argsort(accuracy, kind="stable")  # nan sorts last
    left = int(np.isfinite(accuracy).sum())
    return int(order[(left - 1) // 2 if left else 0])


def write_figures(results: Mapping[Settings, Training], folder: Path) -> list[Path]:
    """Draw the figures whose runs are finished.

    Parameters
    ----------
    results : mapping of Settings to Training
    folder : pathlib.Path
        Existing folder.

    Returns
    -------
    list of pathlib.Path
    """
    from minidl_experiments import figures  # noqa: PLC0415 - matplotlib is slow to import and needed for drawing alone

    drawn = {}
    if GENERAL in results:
        index = typical(results[GENERAL])
        network, data, seed = results[GENERAL].network(index), results[GENERAL].data, results[GENERAL].seeds[index]
        for name, title, samples in (("2a", "Training set", data.train), ("2b", "Test set", data.test)):
            points = _points(samples, index)
            drawn[f"figure_{name}"] = figures.draw_classification(network, *points, f"{title} of seed {seed}")
    if results.keys() >= set(OPTIMIZERS.values()):
        runs = {name: results[settings] for name, settings in OPTIMIZERS.items()}
        drawn["figure_3"] = figures.draw_optimizers({name: (run.train, run.test) for name, run in runs.items()})
    if results.keys() >= set(ACTIVATIONS.values()):
        curves = {name: results[settings].train for name, settings in ACTIVATIONS.items()}
        drawn["figure_4"] = figures.draw_activations(curves)
    return [figures.save(figure, folder / f"{name}.png") for name, figure in drawn.items()]


def remove_other_figures(drawn: Sequence[Path], folder: Path) -> list[Path]:
    """Remove figures of an earlier run, which would contradict the table, and return their paths.

    Parameters
    ----------
    drawn : sequence of pathlib.Path
        Figures of this run.
    folder : pathlib.Path

    Returns
    -------
    list of pathlib.Path
    """
    old = [path for name in FIGURES if (path := folder / f"{name}.png") not in drawn and path.exists()]
    for path in old:
        path.unlink()
    return old


def _points(samples: Samples, index: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return the points of one seed and their classes."""
    return samples.x[index], samples.y[index].argmax(axis=-1)


def write_table(reproduction: Reproduction, folder: Path) -> Path:
    """Write quantities and statements as JSON.

    Parameters
    ----------
    reproduction : Reproduction
    folder : pathlib.Path
        Existing folder.

    Returns
    -------
    pathlib.Path
        Path of ``table.json``.
    """
    return write_json(to_dict(reproduction), folder / "table.json")


def to_dict(reproduction: Reproduction) -> dict[str, Any]:
    """Return the content of the table as dicts, lists and numbers for JSON.

    Parameters
    ----------
    reproduction : Reproduction

    Returns
    -------
    dict
    """
    results, seeds = reproduction.results, reproduction.seeds
    return {
        "seeds": seeds,
        "epochs": reproduction.epochs,
        "complete": reproduction.complete,
        "figure_2_seed": seeds[typical(results[GENERAL])] if GENERAL in results else None,
        "quantities": [{**asdict(quantity), "inside": quantity.inside} for quantity in list_quantities(results)],
        "statements": [{"claim": text, **asdict(verdict)} for text, verdict in judge_claims(results).items()],
    }
