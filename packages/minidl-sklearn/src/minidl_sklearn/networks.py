"""Estimators of several networks: the networks, what they are trained on, and what is noted of them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from minidl_sklearn.blocks import cut, in_blocks
from minidl_sklearn.held_out import Data
from minidl_sklearn.inputs import as_samples
from minidl_sklearn.mean_judge import MeanJudge
from minidl_sklearn.stochastic import run
from minidl_sklearn.together import can_run, run_together
from minidl_sklearn.training import Training, finish, restore_best, warn_of_late

_ALONE: dict[str, Any] = {"n_networks": 1, "bagging": False, "stopping": "each", "n_jobs": None, "verbose": False}
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

    With `n_jobs` the networks are cut into blocks, and joblib's workers train them here already: an error in one of
    them, or Ctrl-C, leaves the estimator as it was.

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
    if not incremental and estimator.stopping == "each" and not estimator.callbacks:
        blocks = cut(range(len(seeds)), estimator.n_jobs)
        if len(blocks) > 1:
            _train_blocks(estimator, blocks, seeds, start, data, held_out)
            return partial(_sum_up, estimator)
    rngs = _begin(estimator, seeds, start)
    if start is not None:
        estimator._keep_outputs()
    data = _as_samples(estimator, data)
    if estimator.solver == "lbfgs":
        return partial(_train_each, estimator, _each(estimator, data, held_out, rngs))
    return partial(_train, estimator, data, _trainings(estimator, data, held_out, rngs, seeds, incremental=incremental))


def _begin(estimator: Any, seeds: list[int], start: Any) -> list[np.random.RandomState]:
    """Make the networks, or take those that go on; return where each of them draws from."""
    networks = _networks(estimator, seeds, start)
    rngs = [np.random.RandomState(seed) for seed in seeds]
    if start is not None:
        for network, rng in zip(networks, rngs, strict=True):
            network._start(start, rng)
    _hold(estimator, networks)
    return rngs


def _hold(estimator: Any, networks: list[Any]) -> None:
    estimator.networks_ = networks
    for name in ("n_outputs_", "n_layers_", "out_activation_"):
        setattr(estimator, name, getattr(networks[0], name))


def _as_samples(estimator: Any, data: Data) -> Data:
    """Return data as the networks take them, once for all."""
    dtype = np.float64 if estimator.solver == "lbfgs" else estimator.networks_[0]._network().dtype
    return data._replace(x=as_samples(data.x, dtype))


def _each(estimator: Any, data: Data, held_out: Data | None, rngs: list[Any]) -> list[Callable[[], None]]:
    """Return the trainings of networks that are trained one after another by "lbfgs"."""
    return [
        network._training(data, held_out, rng, incremental=False)
        for network, rng in zip(estimator.networks_, rngs, strict=True)
    ]


def _train_blocks(
    estimator: Any, blocks: Sequence[Any], seeds: list[int], start: Any, data: Data, held_out: Data | None
) -> None:
    """Train the networks in blocks, on joblib's workers, and take them over."""
    goes_on = [] if start is not None else estimator.networks_
    sent = copy.copy(estimator)
    sent.validation_data = None  # it is held out already
    sent._forget()
    given = [([seeds[r] for r in block], [goes_on[r] for r in block if goes_on]) for block in blocks]
    train = partial(_train_block, sent, start, held_out)
    trained = in_blocks(train, given, data, estimator.n_jobs, maps=not goes_on)
    networks = [network for block in trained for network in block.networks]
    for network, seed in zip(networks, seeds, strict=True):
        vars(network).update(_params(estimator), random_state=seed, **known_of(estimator))
    _hold(estimator, networks)
    if start is not None:
        estimator._keep_outputs()
    if estimator.bagging:
        estimator.networks_samples_ = [rows for block in trained for rows in block.rows]
    if estimator.solver != "lbfgs":
        warn_of_late([stopped for block in trained for stopped in block.stopped], estimator.max_iter)


class _Trained(NamedTuple):
    """The networks of a block after their training, the samples of each, and whether it has ended early."""

    networks: list[Any]
    rows: list[Any]
    stopped: list[bool]


def _train_block(
    estimator: Any, start: Any, held_out: Data | None, block: tuple[list[int], list[Any]], x: Any, y: Any, weight: Any
) -> _Trained:
    """Train the networks of a block in a worker, with the parameters of an estimator."""
    estimator = copy.copy(estimator)
    seeds, networks = block
    estimator.networks_ = copy.deepcopy(networks)  # a thread has those of the estimator, which an error must not change
    rngs = _begin(estimator, seeds, start)
    data = _as_samples(estimator, Data(x if issparse(x) else np.asarray(x), y, weight))  # of a map, the plain array
    if estimator.solver == "lbfgs":
        for train in _each(estimator, data, held_out, rngs):
            train()
        return _Trained(estimator.networks_, [], [])
    trainings = _trainings(estimator, data, held_out, rngs, seeds, incremental=False)
    _run(estimator, data, trainings)
    restore_best(trainings)
    stopped = [training.end.stopped for training in trainings]
    return _Trained(estimator.networks_, [training.rows for training in trainings], stopped)


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
    params = _params(estimator)
    networks = [type(estimator)(**params) for _ in seeds] if start is not None else estimator.networks_
    for network, seed in zip(networks, seeds, strict=True):
        vars(network).update(params, random_state=seed, **known_of(estimator))
    return list(networks)


def _params(estimator: Any) -> dict[str, Any]:
    """Return the parameters of each of the networks of an estimator, but for the seed."""
    params: dict[str, Any] = estimator.get_params(deep=False)
    return params | _ALONE


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
    finish(trainings, interrupted=not _run(estimator, data, trainings, judge))
    if judge is not None and not trainings[0].incremental:
        judge.restore_best()
    _sum_up(estimator)


def _run(estimator: Any, data: Data, trainings: list[Training], judge: MeanJudge | None = None) -> bool:
    """Make the epochs of all; return whether nobody has interrupted them."""
    if not why_apart(estimator, data) and can_run(trainings):
        return run_together(trainings, judge, verbose=estimator.verbose)
    for network in estimator.networks_:
        network.verbose = estimator.verbose
    return all(run(training) for training in trainings)


def _drawn(seed: int) -> Any:
    """Return the function that draws so many samples with replacement, the same ones in each training."""
    return lambda count: np.random.default_rng(seed).integers(count, size=count)


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
