"""Training of all readings of the report's Figure 1, and their comparison with the report's numbers.

The report says that the first two hidden layers use one activation and that the last layer may use another one, which
is a sigmoid in the first experiment. The report leaves open which layer is the last, and whether the loss is the sum of
eq. 9 or torch's default, the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

import minidl
from minidl_experiments import rules, statements
from minidl_experiments.data import Data, draw
from minidl_experiments.experiments import GENERAL, OPTIMIZERS
from minidl_experiments.plain_json import write_json
from minidl_experiments.progress import EpochProgress
from minidl_experiments.settings import Activation, Reduction, Settings
from minidl_experiments.statements import Verdict, all_hold
from minidl_experiments.table import REPORTED, Quantity, summarize
from minidl_experiments.training import Training

NETWORKS = {
    "ReLU / sigmoid": GENERAL,
    "sigmoid / linear": replace(GENERAL, last_activation=Activation.SIGMOID, sigmoid_outputs=False),
    "sigmoid / sigmoid": replace(GENERAL, last_activation=Activation.SIGMOID),
    "none / sigmoid": replace(GENERAL, last_activation=None),
    "ReLU / linear": replace(GENERAL, sigmoid_outputs=False),
}
"""The readings of Figure 1, keyed by the activations of the third hidden layer and of the outputs.

The first two hidden layers have ReLUs in every reading. `reproduce` uses the first reading.
"""

RUNS = len(NETWORKS) * len(Reduction) * len(OPTIMIZERS)


@dataclass(frozen=True)
class Reading:
    """One reading of the report, compared with the report's numbers and statements.

    Attributes
    ----------
    network : str
        The reading of Figure 1, a key of `NETWORKS`.
    reduction : Reduction
        Reduction of the loss.
    quantities : list of Quantity
        Final accuracies with both optimizers; the quantities of Adam hold the report's values.
    verdicts : dict of str to Verdict
        Verdicts by statement of the report.
    """

    network: str
    reduction: Reduction
    quantities: list[Quantity]
    verdicts: dict[str, Verdict]

    @property
    def agrees(self) -> bool | None:
        """Whether the report's accuracies lie in the intervals and all its statements hold; None if undecided."""
        near = all(quantity.inside is not False for quantity in self.quantities)
        return all_hold([near, *(verdict.held for verdict in self.verdicts.values())])

    @property
    def objections(self) -> list[str]:
        """The accuracies outside their intervals and the statements that are refuted or undecided, as text."""
        far = [
            f"{one.name}: {one.report} % is outside {one.low:.1f} - {one.high:.1f} %"
            for one in self.quantities
            if one.inside is False
        ]
        words = {False: "not held", None: "undecided"}
        return far + [
            f"{words[verdict.held]}: {text}: {verdict.evidence}"
            for text, verdict in self.verdicts.items()
            if verdict.held is not True
        ]


def compare_readings(seeds: Sequence[int], epochs: int, progress: EpochProgress) -> list[Reading]:
    """Train every reading with both optimizers, for all seeds at once.

    Parameters
    ----------
    seeds : sequence of int
    epochs : int
        At least 20, because one statement is about the first 20 epochs; 50 in the report.
    progress : EpochProgress

    Returns
    -------
    list of Reading
        All readings; after Ctrl-C, the finished ones.
    """
    readings: list[Reading] = []
    try:
        data = draw(seeds, GENERAL.samples)
        for network, settings in NETWORKS.items():
            for reduction in Reduction:
                setting = replace(settings, reduction=reduction, epochs=epochs)
                readings.append(_read(network, setting, seeds, data, progress))
                verdict = {True: "agrees", False: "does not agree", None: "undecided"}[readings[-1].agrees]
                progress.say(f"{len(readings)}/{RUNS // 2} {network}, {reduction} of squares: {verdict}")
    except KeyboardInterrupt:
        pass
    return readings


def _read(network: str, settings: Settings, seeds: Sequence[int], data: Data, progress: EpochProgress) -> Reading:
    runs: dict[str, Training] = {}
    for name, rival in OPTIMIZERS.items():
        progress.start(f"{network}, {settings.reduction}, {name}")
        training = Training(replace(settings, steps=rival.steps), seeds, data)
        try:
            training.run(lambda _: progress.advance())
            runs[name] = training
        except minidl.DivergenceError:
            progress.say(f"{network}, {settings.reduction} of squares, {name}: the loss of every seed became nan")
    return judge(network, settings.reduction, runs.get("Adam"), runs.get("SGD"))


def judge(network: str, reduction: Reduction, adam: Training | None, sgd: Training | None) -> Reading:
    """Compare a reading with the report.

    Parameters
    ----------
    network : str
    reduction : Reduction
    adam, sgd : Training or None
        Finished training of at least 20 epochs; None if the loss became nan for every seed.

    Returns
    -------
    Reading
    """
    runs = {"Adam": adam, "SGD": sgd}
    quantities = [
        summarize(name, f"{name} {part} accuracy", "%", 100 * curves.accuracy[-1], _reported(name, part))
        for name, run in runs.items()
        if run is not None
        for part, curves in (("train", run.train), ("test", run.test))
    ]
    verdicts = {
        f"training with {name} succeeds": Verdict(
            held=False, evidence="the loss of every seed became nan", numbers={}, rule=rules.SUCCESS
        )
        for name, run in runs.items()
        if run is None
    }
    for name, run in runs.items():
        if run is not None and (lost := int(np.isnan(run.train.accuracy[-1]).sum())):
            verdicts[f"training with {name} succeeds"] = Verdict(
                held=False,
                evidence=f"the loss of {lost} of {run.train.loss.shape[1]} seeds became nan",
                numbers={},
                rule=rules.SUCCESS,
            )
    if sgd is not None:
        verdicts["with SGD too accuracy is higher than 95 %"] = statements.judge_accuracy(sgd.train, sgd.test)
    if adam is not None and sgd is not None:
        verdicts["SGD is ahead in the first 20 epochs"] = statements.judge_early_lead(sgd.train, adam.train)
        verdicts["Adam is better by the last epoch"] = statements.judge_final_lead(adam.train, sgd.train)
    return Reading(network, reduction, quantities, verdicts)


def _reported(optimizer: str, part: str) -> float | None:
    return REPORTED[GENERAL, f"{part} accuracy"] if optimizer == "Adam" else None


def write_readings(readings: Sequence[Reading], seeds: Sequence[int], epochs: int, folder: Path) -> Path:
    """Write readings as JSON.

    Parameters
    ----------
    readings : sequence of Reading
    seeds : sequence of int
    epochs : int
    folder : pathlib.Path
        Existing folder.

    Returns
    -------
    pathlib.Path
        Path of ``readings.json``.
    """
    records = [{**asdict(reading), "agrees": reading.agrees, "objections": reading.objections} for reading in readings]
    content = {"seeds": list(seeds), "epochs": epochs, "complete": len(records) == RUNS // 2, "readings": records}
    return write_json(content, folder / "readings.json")
