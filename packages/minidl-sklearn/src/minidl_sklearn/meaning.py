"""What the outputs of a regressor mean."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import minidl


class Meaning(NamedTuple):
    """What the outputs of a regressor's network are, by the loss that they were trained with.

    The parameter `loss` may change after `fit`, the outputs that were learned do not.

    Attributes
    ----------
    kind : {"prediction", "poisson", "gaussian", "quantile"}
        The name of the loss where its outputs are not plain predictions.
    quantiles : tuple of float
        Of the kind "quantile".
    """

    kind: str
    quantiles: tuple[float, ...] = ()

    @classmethod
    def of(cls, estimator: Any) -> Meaning:
        """Return what the outputs mean to the loss that an `MLPRegressor` asks for."""
        if estimator.loss == "quantile":
            return cls("quantile", tuple(np.atleast_1d(estimator.quantiles).astype(float).tolist()))
        return cls(estimator.loss if estimator.loss in {"poisson", "gaussian"} else "prediction")

    def __str__(self) -> str:
        words = {
            "prediction": "predictions",
            "poisson": "logarithms of predictions",
            "gaussian": "means and logarithms of variances",
            "quantile": f"the quantiles {', '.join(map(str, self.quantiles))}",
        }
        return words[self.kind]

    def check_kept(self, estimator: Any) -> None:
        """Raise a ValueError if outputs of this meaning would be trained by a loss that takes them for something else.

        Parameters
        ----------
        estimator : MLPRegressor
            Whose training goes on.
        """
        asked = Meaning.of(estimator)
        if asked != self:
            raise ValueError(
                f"{type(estimator).__name__}: expected a loss for outputs as the training that goes on has, {self}, "
                f"got loss={estimator.loss!r} for {asked}: fit a new network with warm_start=False"
            )


def variances(z: np.ndarray) -> np.ndarray:
    """Return the variances whose logarithms are the second half of the outputs z.

    `minidl.GaussianNLLLoss` keeps a variance above 1e-6.
    """
    return np.asarray(np.maximum(np.exp(z[..., z.shape[-1] // 2 :]), 1e-6))


def outputs_of(estimator: Any, targets: int) -> int:
    """Return the number of outputs of a network for so many targets."""
    if (estimator.loss == "quantile") != (estimator.quantiles is not None):
        raise ValueError(
            f"quantiles: expected numbers beside loss='quantile' and else None, got {estimator.quantiles!r} beside "
            f"loss={estimator.loss!r}"
        )
    if estimator.loss == "quantile":
        return targets * len(minidl.QuantileLoss(quantiles=estimator.quantiles).quantiles)
    return 2 * targets if estimator.loss == "gaussian" else targets
