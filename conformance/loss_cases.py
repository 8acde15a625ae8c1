"""The losses, as data: how to build each here and in torch, its inputs, and how far apart they may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

import minidl as md
from conformance.differences import (
    ANOTHER_SHAPE,
    CERTAIN_AND_RIGHT,
    HALF_AT_THE_ENDS,
    INDEX_TO_IGNORE,
    INFINITE_LOGITS,
    MEAN_OF_NONE,
    NAN_AS_PROBABILITY,
    Difference,
)


@dataclass(frozen=True)
class LossCase:
    """A loss here and in torch.

    `target(rng, shape, dtype)` and `prediction(rng, shape, dtype)` draw for a shape that ends in classes or features;
    `edges` are (prediction, target) rows on which both must agree as well. There are `outputs` predictions for each
    target: `prediction` is that much wider than the shape it is given.
    """

    name: str
    ours: Callable
    theirs: Callable
    prediction: Callable
    target: Callable
    ulp: Mapping[str, float]
    edges: tuple = ()
    differences: tuple[Difference, ...] = ()
    outputs: int = 1

    def __str__(self):
        return self.name


def reduced(case, reduction):
    """Return torch's loss; for "batchmean", which most of torch's losses lack, its sum divided by the samples."""
    if reduction != "batchmean":
        return case.theirs(reduction)
    total = case.theirs("sum")
    return lambda prediction, target: total(prediction, target) / len(prediction)


def weighted(terms, weight, reduction):
    """Return the weighted sum of torch's terms, or the mean, which is divided by the weights of all terms."""
    rows = terms.reshape(len(weight), -1)
    total = (rows * weight[:, None]).sum()
    mass = weight.sum() * (rows.shape[1] if reduction == "mean" else 1)
    return total if reduction == "sum" else total / torch.where(mass > 0, mass, 1)


def _normal(rng, shape, dtype):
    return rng.standard_normal(shape).astype(dtype)


def _logits(rng, shape, dtype):
    return (3 * rng.standard_normal(shape)).astype(dtype)


def _between(rng, shape, dtype):
    return rng.uniform(0.05, 0.95, shape).astype(dtype)


def _zero_one(rng, shape, dtype):
    return rng.integers(0, 2, shape).astype(dtype)


def _indices(rng, shape, _dtype):
    return rng.integers(0, shape[-1], shape[:-1])


def _shares(rng, shape, dtype):
    p = rng.uniform(0.1, 1, shape)
    return (p / p.sum(axis=-1, keepdims=True)).astype(dtype)


def _counts(rng, shape, dtype):
    return rng.poisson(3, shape).astype(dtype)


def _two_for_each(rng, shape, dtype):
    return _normal(rng, (*shape[:-1], 2 * shape[-1]), dtype)


class MeansThenLogVariances:
    """torch's Gaussian loss, which wants the variances, for predictions as minidl has them."""

    def __init__(self, reduction):
        self.loss = nn.GaussianNLLLoss(reduction=reduction)

    def __call__(self, prediction, target):
        mean, log_variance = prediction.chunk(2, dim=-1)
        return self.loss(mean, target, log_variance.exp())


class Pinball:
    """The definition in torch's operations: torch has no such loss."""

    def __init__(self, reduction, quantiles=(0.1, 0.7)):
        self.quantiles, self.reduction = quantiles, reduction

    def __call__(self, prediction, target):
        q = torch.tensor(self.quantiles, dtype=prediction.dtype)
        diff = target[..., None] - prediction.unflatten(-1, (-1, len(self.quantiles)))
        terms = torch.where(diff < 0, (q - 1) * diff, q * diff).flatten(-2)
        return terms if self.reduction == "none" else getattr(terms, self.reduction)()


class ClassesLast:
    """torch's cross-entropy, which wants the classes on axis 1, for classes on the last axis as minidl has them."""

    def __init__(self, reduction, **options):
        self.loss = nn.CrossEntropyLoss(reduction=reduction, **options)

    def __call__(self, prediction, target):
        rows = prediction.reshape(-1, prediction.shape[-1])
        return self.loss(rows, target.reshape(-1) if not target.dtype.is_floating_point else target.reshape(rows.shape))


# Sums of up to 28 terms in another order, of terms that differ by the libraries' exp and log.
SUMS = {"float64": 6, "float32": 6, "float16": 6}

LOSSES = (
    LossCase(
        "MSELoss",
        md.MSELoss,
        lambda reduction: nn.MSELoss(reduction=reduction),
        _normal,
        _normal,
        ulp=SUMS,
        edges=(([0.0, -0.0, 1e4, -1e4], [0.0, 1.0, 0.0, 1e4]), ([np.inf, np.nan, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0])),
        differences=(ANOTHER_SHAPE, MEAN_OF_NONE),
    ),
    LossCase(
        "L1Loss",
        md.L1Loss,
        lambda reduction: nn.L1Loss(reduction=reduction),
        _normal,
        _normal,
        ulp=SUMS,
        edges=(([0.0, -0.0, 1e4, -1e4], [0.0, 1.0, 0.0, -1e4]),),
        differences=(ANOTHER_SHAPE, MEAN_OF_NONE),
    ),
    LossCase(
        "HuberLoss, delta 0.7",
        lambda reduction: md.HuberLoss(reduction, delta=0.7),
        lambda reduction: nn.HuberLoss(reduction=reduction, delta=0.7),
        _normal,
        _normal,
        ulp=SUMS,
        edges=(([0.0, -0.0, 1e4, -1e4], [0.0, 1.0, 0.0, -1e4]), ([0.7, -0.7, 0.75, -0.75], [0.0, 0.0, 0.0, 0.0])),
        differences=(MEAN_OF_NONE,),
    ),
    LossCase(
        "QuantileLoss, 0.1 and 0.7",
        lambda reduction: md.QuantileLoss(reduction, quantiles=[0.1, 0.7]),
        Pinball,
        _two_for_each,
        _normal,
        ulp=SUMS,
        differences=(MEAN_OF_NONE,),
        outputs=2,
    ),
    LossCase(
        "PoissonNLLLoss",
        md.PoissonNLLLoss,
        lambda reduction: nn.PoissonNLLLoss(reduction=reduction),
        _normal,
        _counts,
        ulp=SUMS,
        edges=(([0.0, -30.0, 5.0, 1.0], [0.0, 0.0, 200.0, 1.0]),),
        differences=(MEAN_OF_NONE,),
    ),
    LossCase(
        "PoissonNLLLoss of rates",
        lambda reduction: md.PoissonNLLLoss(reduction, log_input=False),
        lambda reduction: nn.PoissonNLLLoss(reduction=reduction, log_input=False),
        _between,
        _counts,
        ulp=SUMS,
        differences=(MEAN_OF_NONE,),
    ),
    LossCase(
        "GaussianNLLLoss",
        md.GaussianNLLLoss,
        MeansThenLogVariances,
        _two_for_each,
        _normal,
        ulp=SUMS,
        differences=(MEAN_OF_NONE,),
        outputs=2,
    ),
    LossCase(
        "BCELoss",
        md.BCELoss,
        lambda reduction: nn.BCELoss(reduction=reduction),
        _between,
        _between,
        ulp={"float64": 3, "float32": 3, "float16": 3},
        edges=(([0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]), ([1e-30, 0.5, 1e-30, 0.25], [0.0, 1.0, 1.0, 0.0])),
        differences=(MEAN_OF_NONE, NAN_AS_PROBABILITY, HALF_AT_THE_ENDS),
    ),
    LossCase(
        "BCEWithLogitsLoss",
        md.BCEWithLogitsLoss,
        lambda reduction: nn.BCEWithLogitsLoss(reduction=reduction),
        _logits,
        _zero_one,
        ulp=SUMS,
        edges=(
            ([0.0, -0.0, 1e3, -1e3], [0.0, 1.0, 0.0, 1.0]),
            ([1e4, -1e4, 30.0, -30.0], [1.0, 0.0, 0.0, 1.0]),
            ([np.nan, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]),
        ),
        differences=(MEAN_OF_NONE, CERTAIN_AND_RIGHT, INFINITE_LOGITS),
    ),
    LossCase(
        "BCEWithLogitsLoss, pos_weight 3",
        lambda reduction: md.BCEWithLogitsLoss(reduction, pos_weight=3),
        lambda reduction: nn.BCEWithLogitsLoss(reduction=reduction, pos_weight=torch.tensor(3.0)),
        _logits,
        _zero_one,
        ulp=SUMS,
        edges=(([0.0, -0.0, 1e3, -1e3], [0.0, 1.0, 0.0, 1.0]), ([1e4, -1e4, 30.0, -30.0], [1.0, 0.0, 0.0, 1.0])),
        differences=(MEAN_OF_NONE,),
    ),
    LossCase(
        "CrossEntropyLoss of indices, smoothing 0.2",
        lambda reduction: md.CrossEntropyLoss(reduction, label_smoothing=0.2),
        lambda reduction: ClassesLast(reduction, label_smoothing=0.2),
        _logits,
        _indices,
        ulp=SUMS,
        edges=(([0.0, -0.0, 1e3, -1e3], 3),),
        differences=(MEAN_OF_NONE,),
    ),
    LossCase(
        "CrossEntropyLoss of probabilities, smoothing 0.2",
        lambda reduction: md.CrossEntropyLoss(reduction, label_smoothing=0.2),
        lambda reduction: ClassesLast(reduction, label_smoothing=0.2),
        _logits,
        _shares,
        ulp=SUMS,
        differences=(MEAN_OF_NONE,),
    ),
    LossCase(
        "CrossEntropyLoss of indices",
        md.CrossEntropyLoss,
        ClassesLast,
        _logits,
        _indices,
        ulp=SUMS,
        edges=(
            ([0.0, -0.0, 1e3, -1e3], 3),
            ([1e4, -1e4, 30.0, -30.0], 1),
            ([np.nan, 1.0, 0.0, 0.0], 0),
            ([-np.inf, 0.0, 1.0, 2.0], 1),
            ([-np.inf, 0.0, 1.0, 2.0], 0),
        ),
        differences=(MEAN_OF_NONE, INDEX_TO_IGNORE),
    ),
    LossCase(
        "CrossEntropyLoss of probabilities",
        md.CrossEntropyLoss,
        ClassesLast,
        _logits,
        _shares,
        ulp=SUMS,
        edges=(([0.0, -0.0, 1e3, -1e3], [0.25, 0.25, 0.5, 0.0]),),
        differences=(MEAN_OF_NONE,),
    ),
)
