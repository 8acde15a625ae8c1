"""What a network is trained to: the loss behind an output activation, counted as scikit-learn counts it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import expit, xlogy

import minidl


class Criterion:
    """The loss of an output activation.

    Parameters
    ----------
    out_activation : {"identity", "exp", "softmax", "logistic"}
    dtype : dtype
    target : array, shape (n_samples, n_outputs), or (n_samples,) of classes
        What all training samples should give, as the network is trained on it.

    Attributes
    ----------
    loss : minidl.Loss
        On the network's outputs, in front of the activation. A mean over samples, and a sum over outputs.
    outputs : int
        By what the loss of a sample is divided before it is reported. scikit-learn reports a mean over the outputs of
        a regression, but trains on the gradient of the sum.
    """

    def __init__(self, out_activation: str, dtype: Any, target: np.ndarray) -> None:
        self.loss = _loss_behind(out_activation, dtype)
        self.outputs = target.shape[1] if out_activation == "identity" else 1
        self._out_activation = out_activation

    def constant(self, target: np.ndarray, weight: np.ndarray | None = None) -> float:
        """Return what scikit-learn adds to the loss of samples, whatever is predicted: ``y log(y) - y`` for counts."""
        if self._out_activation != "exp":
            return 0.0
        return float(np.average((xlogy(target, target) - target).sum(axis=1), weights=weight))

    def forward(self, z: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> float:
        """Return the loss of outputs z as scikit-learn computes it, and let ``loss.backward()`` return its gradient.

        It takes the logarithm of 1 - p, of which few digits are left where a logistic output is close to 1. A line
        search that comes by there would find another step with all digits.
        """
        value = float(self.loss.forward(z, target, weight=weight))
        if self._out_activation != "logistic":
            return value
        eps = np.finfo(z.dtype).eps
        p = np.clip(expit(z), eps, 1 - eps)
        terms = xlogy(target, p) + xlogy(1 - target, 1 - p)
        return -float(np.average(terms.sum(axis=1), weights=weight))


def _loss_behind(out_activation: str, dtype: Any) -> minidl.Loss:
    if out_activation == "identity":
        return minidl.HuberLoss("batchmean", delta=math.inf)  # half the squared error
    if out_activation == "exp":
        return minidl.PoissonNLLLoss("batchmean")
    ceiling = -math.log(
        np.finfo(dtype).eps
    )  # a probability below eps is reported as eps; its gradient is the exact one
    if out_activation == "softmax":
        return minidl.CrossEntropyLoss("batchmean", ceiling=ceiling)
    return minidl.BCEWithLogitsLoss("batchmean", ceiling=ceiling)


def activate(out_activation: str, z: np.ndarray) -> Any:
    """Return predictions or probabilities of outputs z in front of the activation."""
    if out_activation == "softmax":
        return minidl.softmax(z)
    if out_activation == "logistic":
        return expit(z)
    return np.exp(z) if out_activation == "exp" else z
