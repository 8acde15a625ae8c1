"""Metrics over a whole data set: R², the mean absolute error, the area under the ROC curve, and those of one's own.

They are computed from all predictions at once, since R² and the area are no means over batches.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from minidl.arrays.backend import Array, describe, is_float, library_of
from minidl.arrays.samples import Samples
from minidl.training.engine import Engine
from minidl.training.metrics import names_classes


def r2(prediction: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return R² of each output, ``1 - Σ w (target - prediction)² / Σ w (target - mean)²``, averaged over the outputs.

    The mean is weighted as well. As in scikit-learn, an output whose target is constant counts 1 if the prediction is
    exact, else 0.

    Parameters
    ----------
    prediction, target : array of float64, shape (*replicate_shape, sample, output)
    weight : array of float64, shape (*replicate_shape, sample), optional

    Returns
    -------
    array of shape replicate_shape
        nan for fewer than two samples.
    """
    rest = _mean(np.square(target - prediction), weight)
    spread = _mean(np.square(target - _mean(target, weight)[..., None, :]), weight)
    constant = np.where(rest == 0, 1.0, 0.0)
    share = np.divide(rest, spread, out=1 - constant, where=spread != 0)
    return np.asarray((1 - share).mean(axis=-1)) if target.shape[-2] > 1 else np.full(share.shape[:-1], np.nan)


def mae(prediction: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return the mean absolute error over samples and outputs; arrays as for `r2`."""
    return np.asarray(_mean(np.abs(target - prediction), weight).mean(axis=-1))


def _mean(values: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return the mean over the samples, (*replicate_shape, sample, output) -> (*replicate_shape, output)."""
    if weight is None:
        return np.asarray(values.mean(axis=-2))
    return np.asarray((values * weight[..., None]).sum(axis=-2) / weight.sum(axis=-1)[..., None])


def auc(score: np.ndarray, positive: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return the area under the ROC curve: how likely a positive sample has a larger score than a negative one.

    With P(s) and N(s) the weight of the positive and the negative samples of score s, and N(< s) that of the negative
    ones below s, the area is ``Σ P(s) (N(< s) + N(s) / 2) / (Σ P(s) Σ N(s))``: equal scores count half (Mann and
    Whitney, 1947).

    Parameters
    ----------
    score : array of float64, shape (*replicate_shape, sample)
    positive : array of bool, shape (*replicate_shape, sample)
    weight : array of float64, shape (*replicate_shape, sample), optional

    Returns
    -------
    array of shape replicate_shape
        nan where all samples are of one class, or a score is nan.
    """
    weight = np.ones(score.shape) if weight is None else weight
    rows = (array.reshape(-1, score.shape[-1]) for array in (score, positive, weight))
    return np.array([_auc_of_one(*row) for row in zip(*rows, strict=True)]).reshape(score.shape[:-1])


def _auc_of_one(score: np.ndarray, positive: np.ndarray, weight: np.ndarray) -> float:
    _, place = np.unique(score, return_inverse=True)
    positives, negatives = (np.bincount(place, weights=weight * of_class) for of_class in (positive, ~positive))
    pairs = positives.sum() * negatives.sum()
    if not pairs or np.isnan(score).any():
        return np.nan
    below = np.cumsum(negatives) - negatives
    return float(np.sum(positives * (below + negatives / 2)) / pairs)


@dataclass(frozen=True)
class Metric:
    """A metric of `fit` and `evaluate`.

    Attributes
    ----------
    name : str
    function : callable
        ``function(prediction, target)``; beside weights ``function(prediction, target, sample_weight=weight)``.
    higher_is_better : bool or None
        None if that is not known.
    prepare : callable or None
        Turns prediction, target and the number of replicate axes into what the function takes; None for a metric of the
        user's own.
    takes_weights : bool
        Whether the function takes weights of the samples.
    """

    name: str
    function: Callable[..., Any]
    higher_is_better: bool | None
    prepare: Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]] | None = None
    takes_weights: bool = True

    def measure(
        self,
        who: str,
        prediction: Array,
        target: Array,
        replicate_shape: tuple[int, ...],
        weight: np.ndarray | None = None,
    ) -> Any:
        """Return the metric, a float or an array of the replicate axes.

        Parameters
        ----------
        who : str
        prediction, target : array
        replicate_shape : tuple of int
        weight : array of float64, shape (sample,) or (*replicate_shape, sample), optional

        Raises
        ------
        ValueError, TypeError
            If prediction and target do not suit it; if a metric of the user's own does not return one number for each
            replicate.
        """
        axes = len(replicate_shape)
        if self.prepare is not None:
            p, t = (library_of(array, who).to_numpy(array) for array in (prediction, target))
            try:
                value = self.function(*self.prepare(p, t, axes), _flat_weights(weight, p, axes))
            except ValueError as error:
                raise ValueError(f"{who}: {self.name} {error}") from None
        else:
            own = (*replicate_shape, prediction.shape[axes])
            options = {} if weight is None else {"sample_weight": np.broadcast_to(weight, own)}
            value = self.function(prediction, _with_replicates(target, prediction, replicate_shape), **options)
            value = self._as_numbers(who, value, replicate_shape)
        return value if axes else float(value)

    def _as_numbers(self, who: str, value: Any, replicate_shape: tuple[int, ...]) -> np.ndarray:
        numbers = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
        if numbers.dtype.kind not in "fiub":
            raise TypeError(f"{who}: expected metric {self.name} to return numbers, got {value!r}")
        if numbers.shape != replicate_shape:
            expected = f"one number per replicate, shape {replicate_shape}" if replicate_shape else "one number"
            raise ValueError(f"{who}: expected metric {self.name} to return {expected}, got {describe(numbers)}")
        return numbers.astype(np.float64)


def _with_replicates(target: Array, prediction: Array, replicate_shape: tuple[int, ...]) -> Array:
    """Return targets with the replicate axes in front, also those that the replicates share."""
    axes = prediction.ndim - (0 if is_float(target) else 1)
    if not replicate_shape or target.ndim == axes:
        return target
    return library_of(target, "fit").xp.broadcast_to(target, (*replicate_shape, *target.shape))


def _flat_weights(weight: np.ndarray | None, prediction: np.ndarray, axes: int) -> np.ndarray | None:
    """Return the weight of each row of a prediction, (*replicate_shape, row)."""
    if weight is None:
        return None
    weight = weight.reshape(*weight.shape, *(1,) * (prediction.ndim - axes - 2))
    return np.broadcast_to(weight, prediction.shape[:-1]).reshape(*prediction.shape[:axes], -1)


def _numbers(prediction: np.ndarray, target: np.ndarray, axes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions and targets as float64 with one sample axis."""
    if target.dtype.kind != "f" or target.shape not in (prediction.shape, prediction.shape[axes:]):
        raise ValueError(f"expects targets of numbers, {prediction.shape[axes:]}, got {describe(target)}")
    target = np.broadcast_to(target, prediction.shape)
    flat = (*prediction.shape[:axes], prod(prediction.shape[axes:-1]), prediction.shape[-1])
    return prediction.reshape(flat).astype(np.float64), target.reshape(flat).astype(np.float64)


def _scores(prediction: np.ndarray, target: np.ndarray, axes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the score of class 1 in float64, and whether it is the class, with one sample axis."""
    outputs = prediction.shape[-1]
    if outputs > 2:
        raise ValueError(f"expects one output, or those of two classes, got {outputs}")
    if not names_classes(target):
        raise ValueError("expects class indices, one-hot rows or zeros and ones as targets, got other numbers")
    labels = target if target.dtype.kind != "f" else target[..., -1]
    expected = prediction.shape[:-1]
    if labels.shape not in (expected, expected[axes:]):
        raise ValueError(f"expects targets of shape {expected[axes:]}, got {describe(target)}")
    wide = prediction.astype(np.float64)
    score = wide[..., 0] if outputs == 1 else wide[..., 1] - wide[..., 0]
    flat = (*expected[:axes], prod(expected[axes:]))
    return score.reshape(flat), np.broadcast_to(labels, expected).reshape(flat) == 1


_KNOWN = {
    metric.name: metric
    for metric in (
        Metric("r2", r2, higher_is_better=True, prepare=_numbers),
        Metric("mae", mae, higher_is_better=False, prepare=_numbers),
        Metric("auc", auc, higher_is_better=True, prepare=_scores),
    )
}


def as_metrics(
    who: str,
    metrics: Any,
    accuracy: bool | None,  # noqa: FBT001 - three values
) -> tuple[list[Metric], bool | None]:
    """Return the metrics that an argument `metrics` asks for, and whether to report accuracy, which is one by name.

    Raises
    ------
    TypeError
        If it is no sequence of names and callables.
    ValueError
        For an unknown name, two metrics of one name, and accuracy that is asked for and switched off.
    """
    if isinstance(metrics, str) or not isinstance(metrics, Iterable):
        raise TypeError(f"{who}: expected metrics to be a list of names and callables, got {metrics!r}")
    metrics = list(metrics)
    found = [_as_metric(who, metric) for metric in metrics if metric != "accuracy"]
    names = [metric.name for metric in found]
    if len(set(names)) < len(names):
        raise ValueError(f"{who}: expected metrics of different names, got {', '.join(names)}")
    if "accuracy" in metrics:
        if accuracy is not None and not accuracy:
            raise ValueError(f"{who}: expected accuracy=True, or metrics without it, got {accuracy=}")
        accuracy = True
    return found, accuracy


def _as_metric(who: str, metric: Any) -> Metric:
    if isinstance(metric, str):
        if metric not in _KNOWN:
            names = ", ".join(map(repr, ["accuracy", *_KNOWN]))
            raise ValueError(f"{who}: expected metrics to be callables or some of {names}, got {metric!r}")
        return _KNOWN[metric]
    name = getattr(metric, "__name__", None)
    if not callable(metric) or not isinstance(name, str):
        raise TypeError(f"{who}: expected metrics to be names or callables with a __name__, got {metric!r}")
    if name in ("loss", "accuracy"):
        raise ValueError(f"{who}: expected a metric with a name of its own, got a callable named {name}")
    return Metric(name, metric, getattr(metric, "higher_is_better", None), takes_weights=_takes_weights(metric))


def _takes_weights(metric: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(metric).parameters
    except (TypeError, ValueError):  # a function of compiled code may not tell
        return False
    return "sample_weight" in parameters


def check_weights(who: str, metrics: Sequence[Metric], samples: Samples) -> None:
    """Raise a ValueError if the samples have weights and some metric does not take them."""
    names = [metric.name for metric in metrics if not metric.takes_weights]
    if names and samples.weight is not None:
        raise ValueError(f"{who}: expected metrics that take sample_weight= beside weights, got {', '.join(names)}")


def check_metrics(who: str, metrics: Sequence[Metric], engine: Engine, samples: Samples) -> None:
    """Raise unless the metrics suit the samples, those known by name as if each prediction were the first."""
    check_weights(who, metrics, samples)
    known = [metric for metric in metrics if metric.prepare is not None]
    if not known:
        return
    shape = samples.replicate_shape
    first = engine.infer(samples.first[0])
    library = library_of(first, who)
    prediction = library.xp.broadcast_to(first, (*shape, samples.count, *first.shape[len(shape) + 1 :]))
    for metric in known:
        metric.measure(who, prediction, samples.y, shape, samples.weight)
