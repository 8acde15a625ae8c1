"""The loss that a network is trained on, for each output activation, counted as scikit-learn counts it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, xlogy

import minidl

LOSSES: dict[str, Callable[[Any, float], minidl.Loss]] = {
    # of a classifier, by its output activation
    "softmax": lambda estimator, ceiling: minidl.CrossEntropyLoss(
        "batchmean", ceiling=ceiling, label_smoothing=estimator.label_smoothing
    ),
    "logistic": lambda _, ceiling: minidl.BCEWithLogitsLoss("batchmean", ceiling=ceiling),
    # of a regressor, by the parameter `loss`
    "squared_error": lambda *_: minidl.HuberLoss("batchmean", delta=math.inf),
    "poisson": lambda *_: minidl.PoissonNLLLoss("batchmean"),
    "huber": lambda estimator, _: minidl.HuberLoss("batchmean", delta=estimator.huber_delta),
    "absolute_error": lambda *_: minidl.L1Loss("batchmean"),
    "quantile": lambda estimator, _: minidl.QuantileLoss("batchmean", quantiles=estimator.quantiles),
    "gaussian": lambda *_: minidl.GaussianNLLLoss("batchmean"),
}


class Criterion:
    """The loss that an estimator asks for.

    Parameters
    ----------
    estimator : BaseMLP
    dtype : dtype
    target : array, shape (n_samples, n_targets), or (n_samples,) of classes
        What all training samples should give, as the network is trained on it.

    Attributes
    ----------
    loss : minidl.Loss
        On the network's outputs, in front of the activation. A mean over samples, and a sum over outputs.
    outputs : int
        By what the loss of a sample is divided before it is reported. scikit-learn reports a mean over the outputs of
        a regression, but trains on the gradient of the sum.
    """

    def __init__(self, estimator: Any, dtype: Any, target: np.ndarray) -> None:
        kind = estimator._loss_kind()
        # A probability below eps is reported as eps; its gradient is the exact one.
        self.loss = LOSSES[kind](estimator, -math.log(np.finfo(dtype).eps))
        self.outputs = target.shape[1] if kind == "squared_error" else 1
        self._kind = kind

    def value(self, z: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> float:
        """Return the loss of outputs z as it is reported, without a penalty."""
        with np.errstate(over="ignore", invalid="ignore"):
            loss = float(self.loss.forward(z, target, weight=weight))
        return float(self.reported(loss, self.constant(target, weight)))

    def reported(self, loss: Any, constant: Any, penalty: Any = 0.0) -> Any:
        """Return a loss as it is reported: with its constant, divided by the outputs; a penalty in it is not divided.

        Parameters
        ----------
        loss : float, or array of one per network
            With the penalty.
        constant : float or array
            As `constant` returns it.
        penalty : float or array
        """
        return (loss + constant - penalty) / self.outputs + penalty

    def constant(self, target: np.ndarray, weight: np.ndarray | None = None) -> float:
        """Return what scikit-learn adds to the loss of samples, whatever is predicted: ``y log(y) - y`` for counts."""
        if self._kind != "poisson":
            return 0.0
        return float(np.average((xlogy(target, target) - target).sum(axis=1), weights=weight))

    def forward(self, z: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> float:
        """Return the loss of outputs z as scikit-learn computes it, and let ``loss.backward()`` return its gradient.

        It takes the logarithm of 1 - p, of which few digits are left where a logistic output is close to 1. A line
        search that comes by there would find another step with all digits.
        """
        value = float(self.loss.forward(z, target, weight=weight))
        if self._kind != "logistic":
            return value
        eps = np.finfo(z.dtype).eps
        p = np.clip(expit(z), eps, 1 - eps)
        terms = xlogy(target, p) + xlogy(1 - target, 1 - p)
        return -float(np.average(terms.sum(axis=1), weights=weight))


def activate(out_activation: str, z: np.ndarray) -> Any:
    """Return predictions or probabilities of outputs z in front of the activation."""
    if out_activation == "softmax":
        return minidl.softmax(z)
    if out_activation == "logistic":
        return expit(z)
    return np.exp(z) if out_activation == "exp" else z
