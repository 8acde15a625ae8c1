"""The records that a training is given, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Statistics: TypeAlias = Mapping[str, np.ndarray]
"""Running statistics of a layer by name: shape (*replicate_shape, features), and an int64 count, replicate_shape."""

_NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})


class Samples(NamedTuple):
    """The samples of one epoch, or of several.

    Attributes
    ----------
    x : ndarray, shape (N, F), shared by replicates, or (R, N, F)
    y : ndarray
        Targets, (N, C) or (R, N, C), in the dtype of the network. A loss that takes classes also accepts class indices,
        int64, (N,) or (R, N).
    order : ndarray of int32 or int64, shape (M,) or (R, M), or None
        Which samples, in which order; None takes all as they lie. In the training of a network without a replicate axis
        (E, M) are the orders of E epochs.
    batch_size : int
    weights : ndarray, shape (N,) or (R, N), or None
        What each sample counts, at least 0, in float64; None counts each once.

    Examples
    --------
    >>> Samples(np.zeros((10, 3)), np.zeros((10, 2)), None, 5).batch_size
    5
    """

    x: np.ndarray
    y: np.ndarray
    order: np.ndarray | None
    batch_size: int
    weights: np.ndarray | None = None


class LossRecord(NamedTuple):
    """A loss as data.

    Attributes
    ----------
    kind : str
        The name of its class.
    mean : bool
        Whether the loss of a batch is a mean, else a sum.
    threshold : float or None
        A single output above the threshold says class 1. None: hits are not counted.
    settings : mapping from str to float or array of shape (R,)
    per_sample : bool
        Whether a mean is over the samples alone, of the sums over the features.
    l2 : float or array of shape (R,)
        ``l2 / 2`` times the sum of the squared weights of `Linear` that are trained is added to the sum of a batch's
        losses.

    Examples
    --------
    >>> LossRecord("MSELoss", mean=True, threshold=None).kind
    'MSELoss'
    """

    kind: str
    mean: bool
    threshold: float | None
    settings: Mapping[str, Any] = _NO_SETTINGS
    per_sample: bool = False
    l2: Any = 0.0


class OptimizerRecord(NamedTuple):
    """An optimizer as data, with its vectors.

    Attributes
    ----------
    kind : str
        The name of its class.
    settings : mapping from str to float, bool or array of shape (R,)
        A clip of infinity clips nothing.
    vectors : mapping from str to ndarray of shape (*replicate_shape, size) or None
        The optimizer's memory, which is changed; None for one that it does without, such as SGD's velocity without
        momentum.
    rates : ndarray of float64, shape (steps,) or (steps, R), or float, or None
        The learning rate of each step of all epochs, or the one of all steps; None takes each layer's own.
    t : int
        Number of steps that the optimizer has made before.

    Examples
    --------
    >>> sgd = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0, "clip": np.inf, "decay_biases": True}
    >>> OptimizerRecord("SGD", sgd, {"velocity": None}, np.array([0.1]), 0).kind
    'SGD'
    """

    kind: str
    settings: Mapping[str, Any]
    vectors: Mapping[str, np.ndarray | None]
    rates: np.ndarray | float | None
    t: int


class EpochResult(NamedTuple):
    """The result of one pass through the samples: arrays of shape replicate_shape, or (E,) for E epochs.

    Attributes
    ----------
    loss : ndarray of float64
        The sum of the batches' losses, penalties included, where the mean of a batch counts once for each of its
        samples, or as much as their weights. nan for a replicate that was not active.
    hits : ndarray of float64
        Number of samples whose class was predicted right, or the sum of their weights.
    steps : ndarray of int64
        Number of steps made.
    diverged : ndarray of int64
        The batch, counted from 1, whose loss was nan and which was not learnt from; 0 for none.
    states : ndarray, shape (E, size), or None
        The parameters at the end of each of E epochs that was finished; None where nobody needs them.

    Examples
    --------
    >>> EpochResult.empty((3,)).steps
    array([0, 0, 0])
    """

    loss: np.ndarray
    hits: np.ndarray
    steps: np.ndarray
    diverged: np.ndarray
    states: np.ndarray | None = None

    @classmethod
    def empty(cls, replicate_shape: tuple[int, ...]) -> EpochResult:
        """Return a result of zeros, for a training to fill."""
        zeros = np.zeros
        return cls(
            zeros(replicate_shape), zeros(replicate_shape),
            zeros(replicate_shape, np.int64), zeros(replicate_shape, np.int64),
        )  # fmt: skip


class Validation(NamedTuple):
    """Samples that a training measures after each epoch.

    Attributes
    ----------
    samples : Samples
        Their `batch_size`, at least 1, does not matter.
    loss : LossRecord
        Its penalty is left out.
    result : EpochResult
        Its `loss` and `hits` are filled; the loss of an epoch or replicate that was not finished is nan.

    Examples
    --------
    >>> samples = Samples(np.zeros((10, 3)), np.zeros((10, 2)), None, 10)
    >>> Validation(samples, LossRecord("MSELoss", mean=True, threshold=None), EpochResult.empty(())).loss.kind
    'MSELoss'
    """

    samples: Samples
    loss: LossRecord
    result: EpochResult
