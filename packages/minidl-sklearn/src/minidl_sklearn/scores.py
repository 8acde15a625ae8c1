"""Scores of a validation set, as `accuracy_score`, `r2_score` and `d2_pinball_score` of scikit-learn compute them.

Those check their arguments in every epoch, which takes longer than a small network's epoch.
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import d2_pinball_score


def accuracy(hits: np.ndarray, weight: np.ndarray | None) -> float:
    """Return the share of samples that were predicted right.

    Parameters
    ----------
    hits : array of bool, shape (n_samples,)
    weight : array, shape (n_samples,), or None
    """
    return float(np.average(hits, weights=weight))


def r2(target: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None) -> float:
    """Return the mean over outputs of ``1 - Σ (y - f)² / Σ (y - mean(y))²``; nan for predictions that are not finite.

    A constant output counts 1 where it is predicted exactly, and else 0.

    Parameters
    ----------
    target, prediction : array, shape (n_samples, n_outputs)
    weight : array, shape (n_samples,), or None
    """
    if not np.isfinite(prediction).all():
        return float("nan")
    w = 1.0 if weight is None else weight[:, None]
    residual = (w * (target - prediction) ** 2).sum(axis=0)
    spread = (w * (target - np.average(target, axis=0, weights=weight)) ** 2).sum(axis=0)
    scores = np.where(residual == 0, 1.0, 0.0)
    varies = spread != 0
    scores[varies] = 1 - residual[varies] / spread[varies]
    return float(scores.mean())


def d2(target: np.ndarray, prediction: np.ndarray, quantiles: np.ndarray, weight: np.ndarray | None) -> float:
    """Return the mean of ``1 - pinball loss / pinball loss of the constant quantile``, over quantiles and targets.

    Parameters
    ----------
    target : array, shape (n_samples, n_targets)
    prediction : array, shape (n_samples, n_targets * n_quantiles)
        The quantiles of a target stand side by side.
    quantiles : array, shape (n_quantiles,)
    weight : array, shape (n_samples,), or None
    """
    if not np.isfinite(prediction).all():
        return float("nan")
    predicted = prediction.reshape(*target.shape, len(quantiles))
    scores = [
        d2_pinball_score(target, predicted[..., i], sample_weight=weight, alpha=float(q))
        for i, q in enumerate(quantiles)
    ]
    return float(np.mean(scores))
