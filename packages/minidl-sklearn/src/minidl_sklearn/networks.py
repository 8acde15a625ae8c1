"""Estimators of several networks: the networks, what they are trained on, and what is noted of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minidl_sklearn.held_out import Data
from minidl_sklearn.inputs import as_samples
from minidl_sklearn.stochastic import run
from minidl_sklearn.together import can_run, run_together
from minidl_sklearn.training import Training, finish

_ALONE: dict[str, Any] = {"n_networks": 1, "bagging": False, "stopping": "each", "verbose": False}
_KNOWN = "n_features_in_", "feature_names_in_", "classes_", "_label_binarizer"


def why_apart(estimator: Any, data: Data) -> str:
    """Return why the networks are trained one after another; empty if they are trained at once.

    Parameters
    ----------
    estimator : BaseMLP
    data : Data
    """
    if estimator.solver == "lbfgs":
        return "solver='lbfgs'"
    if data.weight is not None and not data.weight.all():  # a batch of them makes no step
        return "weights of zero"
    return "callbacks" if estimator.callbacks else ""


def check_networks(estimator: Any, data: Data) -> None:
    """Refuse parameters of several networks that do not go together.

    Parameters
    ----------
    estimator : BaseMLP
    data : Data

    Raises
    ------
    ValueError
    """
    if estimator.n_networks == 1:
        if estimator.bagging:
            raise ValueError("bagging: expected n_networks above 1 beside it, got 1")
        return
    apart = why_apart(estimator, data)
    if estimator.stopping == "mean" and apart:
        raise ValueError(
            f"stopping: expected 'each' where networks are trained one after another, got 'mean' beside {apart}"
        )
    if estimator.bagging and estimator.solver == "lbfgs":
        raise ValueError("bagging: expected a solver that trains by mini-batches, got solver='lbfgs'")


def networks_training(
    estimator: Any, start: Any, data: Data, held_out: Data | None, *, incremental: bool
) -> Callable[[], None]:
    """Prepare the networks of an estimator; return their training, which is one of all at once where that is possible.

    Parameters
    ----------
    estimator : BaseMLP
    start : Start or None
        What the networks are like; None if they are there.
    data : Data
    held_out : Data or None
        The validation set, if one is given.
    incremental : bool
        Whether this is `partial_fit`.
    """
    seeds = seeds_of(estimator.random_state, estimator.n_networks)
    networks = _networks(estimator, seeds, start)
    rngs = [np.random.RandomState(seed) for seed in seeds]
    if start is not None:
        for network, rng in zip(networks, rngs, strict=True):
            network._start(start, rng)
    estimator.networks_ = networks
    for name in ("n_outputs_", "n_layers_", "out_activation_"):
        setattr(estimator, name, getattr(networks[0], name))
    if start is not None:
        estimator._keep_outputs()
    dtype = np.float64 if estimator.solver == "lbfgs" else networks[0]._network().dtype
    data = data._replace(x=as_samples(data.x, dtype))  # once for all
    if estimator.solver == "lbfgs":
        each = [
            network._training(data, held_out, rng, incremental=False)
            for network, rng in zip(networks, rngs, strict=True)
        ]
        return partial(_train_each, estimator, each)
    return partial(_train, estimator, data, _trainings(estimator, data, held_out, rngs, seeds, incremental=incremental))


def seeds_of(random_state: Any, count: int) -> list[int]:
    """Return one seed per network. An int is the seed of the first one; the others are drawn from it."""
    largest = np.iinfo(np.int32).max
    if random_state is None or isinstance(random_state, np.random.RandomState):
        rng = np.random if random_state is None else random_state
        return [int(seed) for seed in rng.randint(largest, size=count)]
    drawn = np.random.RandomState(random_state).randint(largest, size=count - 1)
    return [int(random_state), *map(int, drawn)]


def known_of(estimator: Any) -> dict[str, Any]:
    """Return what an estimator has noted of its features and classes."""
    return {name: value for name, value in vars(estimator).items() if name in _KNOWN}


def _networks(estimator: Any, seeds: list[int], start: Any) -> list[Any]:
    """Return the networks with the parameters of the estimator, each with its seed: new ones, or those that go on."""
    params = estimator.get_params(deep=False) | _ALONE
    networks = [type(estimator)(**params) for _ in seeds] if start is not None else estimator.networks_
    for network, seed in zip(networks, seeds, strict=True):
        vars(network).update(params, random_state=seed, **known_of(estimator))
    return list(networks)


def _train_each(estimator: Any, each: list[Callable[[], None]]) -> None:
    """Train one network after another."""
    for train in each:
        train()
    _sum_up(estimator)


def _trainings(
    estimator: Any, data: Data, held_out: Data | None, rngs: list[Any], seeds: list[int], *, incremental: bool
) -> list[Training]:
    """Return the trainings of the networks by mini-batches, ready for their first step."""
    judged, trainings = estimator.stopping == "mean", list[Training]()
    rows: np.ndarray | None = None
    for network, rng, seed in zip(estimator.networks_, rngs, seeds, strict=True):
        draw = _drawn(seed) if estimator.bagging else None
        training = Training(
            network, network._network(), data, held_out, rng, incremental=incremental, rows=rows, draw=draw,
            decides=not judged,
        )  # fmt: skip
        if judged:  # by the validation set of the first network
            rows, held_out = training.kept, training.held_out
        trainings.append(training)
    if estimator.bagging:
        estimator.networks_samples_ = [training.rows for training in trainings]
    return trainings


def _train(estimator: Any, data: Data, trainings: list[Training]) -> None:
    """Train by mini-batches."""
    judge = MeanJudge(estimator, trainings) if estimator.stopping == "mean" else None
    if not why_apart(estimator, data) and can_run(trainings):
        interrupted = not run_together(trainings, judge, verbose=estimator.verbose)
    else:
        for network in estimator.networks_:
            network.verbose = estimator.verbose
        interrupted = not all(run(training) for training in trainings)
    finish(trainings, interrupted=interrupted)
    if judge is not None and not trainings[0].incremental:
        judge.restore_best()
    _sum_up(estimator)


def _drawn(seed: int) -> Any:
    """Return the function that draws so many samples with replacement, the same ones in each training."""
    return lambda count: np.random.default_rng(seed).integers(count, size=count)


class MeanJudge:
    """Ends the training of all networks by the loss, or with early stopping by the score, of their mean.

    Parameters
    ----------
    estimator : BaseMLP
        Whose ``mean_scores_`` and ``best_validation_score_`` are set where there is a validation set.
    trainings : list of Training
    """

    def __init__(self, estimator: Any, trainings: list[Training]) -> None:
        self._estimator, self._trainings = estimator, trainings
        self._best, self._waited = -math.inf, 0
        self._states: list[Any] | None = None
        self._scores: list[float] = []
        if trainings[0].measure is not None:
            estimator.mean_scores_ = self._scores

    def __call__(self) -> bool:
        """Note the end of an epoch; return whether the training ends."""
        estimator, trainings = self._estimator, self._trainings
        value = -float(np.mean([training.estimator.loss_ for training in trainings]))
        if trainings[0].measure is not None:
            self._scores.append(self._score())
            value = self._scores[-1] if estimator.early_stopping else value
        self._waited = self._waited + 1 if value < self._best + estimator.tol else 0
        if value > self._best:
            self._best = value
            if estimator.early_stopping:
                self._states = [training.network.model.state_dict() for training in trainings]
        if self._waited <= estimator.n_iter_no_change:
            return False
        self._waited = 0
        what = "Score of the mean" if estimator.early_stopping else "Mean of the training losses"
        why = f"{what} did not improve more than tol={estimator.tol:f} for {estimator.n_iter_no_change} epochs."
        stops = [training.solver.stops(why, verbose=False) for training in trainings]
        for training, stopped in zip(trainings, stops, strict=True):
            training.end.stopped = stopped
        return all(stops)

    def restore_best(self) -> None:
        """Give all networks the weights with which their mean had the best score."""
        for training, state in zip(self._trainings, self._states or [], strict=False):
            training.network.model.load_state_dict(state)

    def _score(self) -> float:
        measures = [training.measure for training in self._trainings]
        zs = np.stack([measure.outputs for measure in measures if measure is not None])
        _, y, weight = self._trainings[0].held_out or (None, None, None)
        return float(self._estimator._score_outputs(self._estimator._pool(zs), y, weight))


def _sum_up(estimator: Any) -> None:
    """Set the attributes that are gathered from all networks."""
    networks = estimator.networks_
    for name in ("n_iter_", "t_"):
        setattr(estimator, name, max(getattr(network, name) for network in networks))
    estimator.loss_ = float(np.mean([getattr(network, "loss_", np.nan) for network in networks]))
    estimator.engine_ = networks[0].engine_
    if estimator.solver == "lbfgs":
        return
    for name in ("loss_curve_", "validation_scores_", "validation_loss_curve_"):
        setattr(estimator, name, _side_by_side([getattr(network, name) for network in networks]))
    for name in ("best_loss_", "best_validation_score_"):
        values = [getattr(network, name) for network in networks]
        setattr(estimator, name, None if values[0] is None else np.array(values))


def _side_by_side(curves: list[Any]) -> np.ndarray | None:
    """Return curves as columns, with nan after the end of each; None for none."""
    if curves[0] is None:
        return None
    columns = np.full((max(map(len, curves)), len(curves)), np.nan)
    for column, curve in zip(columns.T, curves, strict=True):
        column[: len(curve)] = curve
    return columns
