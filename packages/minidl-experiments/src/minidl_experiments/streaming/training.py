"""Training on a stream: all networks see the same batches, and the same validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import minidl
from minidl_experiments.streaming.batches import Batches, encode
from minidl_experiments.streaming.survey import Survey
from minidl_experiments.streaming.target import raw_targets
from minidl_experiments.tabular.assessment import Assessment
from minidl_experiments.tabular.dead import dead_layers
from minidl_experiments.tabular.model import TableModel
from minidl_experiments.tabular.networks import (
    batch_size_for,
    build_loss,
    build_network,
    loss_for,
    optimizer_for,
    outputs_of,
)
from minidl_experiments.tabular.options import PATIENCE, Options
from minidl_experiments.tabular.problem import Problem
from minidl_experiments.tabular.scores import Outcome, baseline_for, interval_words, score_outcomes
from minidl_experiments.tabular.target import ClassTarget
from minidl_experiments.tabular.training import IMPROVEMENT, Trained, Watch, check_trained, quiet_fit

MOST_PROBED = 10_000  # validation or test rows that are looked at for dead units


def train_stream(found: Survey, options: Options, watch: Watch) -> Trained:
    """Train networks as replicates, which share all rows and their order, and differ in their initial weights.

    Parameters
    ----------
    found : Survey
    options : Options
    watch : callable
        Called as ``watch(epoch, history)`` after each epoch.

    Raises
    ------
    ValueError
        If a setting is out of range, a row cannot be read, or a network diverges in its first epoch.
    """
    seeds = [np.random.SeedSequence([options.seed, i]).spawn(3)[1] for i in range(options.networks)]
    inputs, outputs = len(found.encoder.features), found.target.outputs
    model = minidl.replicate(lambda rng: build_network(options, inputs, outputs, rng), seeds)
    size = batch_size_for(options, found.rows)
    optimizer = optimizer_for(options, model, found.rows, options.epochs * -(-found.rows // size))
    kind = loss_for(options, found.task)
    stopping = minidl.EarlyStopping(patience=PATIENCE, min_delta=IMPROVEMENT)
    more: dict[str, Any] = {"callbacks": [watch]}
    if options.early_stopping:
        more = {"callbacks": [watch, stopping], "validation": encode(found, found.validation, options.missing)}
    batches = Batches(found, size, options.seed, options.missing)
    history = quiet_fit(
        lambda: minidl.fit(
            model, build_loss(kind, found.target), optimizer, batches=batches, epochs=options.epochs, **more
        )
    )
    best = np.asarray(stopping.best_epoch if options.early_stopping else np.full(options.networks, len(history)))
    check_trained(history, best, kept_best=options.early_stopping)
    x, _ = encode(found, found.test.take(np.arange(min(MOST_PROBED, len(found.test)))), options.missing)
    return Trained(model, history, best, dead_layers(model, x))


def assess_stream(
    found: Survey, options: Options, trained: Trained, lines: Sequence[str]
) -> tuple[Problem, Assessment]:
    """Measure networks on the test rows.

    Parameters
    ----------
    found : Survey
    options : Options
    trained : Trained
    lines : sequence of str
        What the data are, for the report.

    Returns
    -------
    Problem
        That of the test rows.
    Assessment
    """
    model = TableModel(trained.model, found.encoder, found.target, options.missing)
    networks = minidl.unstack(trained.model)
    if options.networks == 1:
        model = TableModel(networks[0], found.encoder, found.target, options.missing)
    cells, y = model.read(found.test), raw_targets(found.target, found.test)
    x = found.encoder.encode(cells, found.test.place)
    outputs = outputs_of(networks, x)
    baseline = baseline_for(found.target, raw_targets(found.target, found.sample), len(y))
    outcome = Outcome(np.arange(len(y)), found.target.in_units(outputs), baseline)
    classes = found.target if isinstance(found.target, ClassTarget) else None
    quantiles = () if isinstance(found.target, ClassTarget) else found.target.quantiles
    problem = Problem(found.test, cells, found.task, found.reason, found.target.names, y, classes, quantiles)
    scores = score_outcomes(found.target, y, [outcome], options.seed)
    words = interval_words([outcome])
    return problem, Assessment(model, trained, [outcome], scores, words, [], found.notes, tuple(lines))
