"""What is trained, and how: frozen records, equal where two runs would be the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Activation(StrEnum):
    """What follows a hidden layer."""

    RELU = "relu"
    LEAKY_RELU = "leaky-relu"
    TANH = "tanh"
    SIGMOID = "sigmoid"


class Loss(StrEnum):
    """What is made small, summed over samples and outputs as in the report."""

    MSE = "mse"
    BCE = "bce"
    BCE_WITH_LOGITS = "bce-with-logits"
    CROSS_ENTROPY = "cross-entropy"

    @property
    def takes_logits(self) -> bool:
        """Whether the network must have no sigmoid on its outputs."""
        return self in (Loss.BCE_WITH_LOGITS, Loss.CROSS_ENTROPY)


class Reduction(StrEnum):
    """What a loss does with its terms: the report sums them."""

    SUM = "sum"
    MEAN = "mean"


class Optimizer(StrEnum):
    """How a step is made of the gradient."""

    ADAM = "adam"
    SGD = "sgd"


@dataclass(frozen=True)
class Steps:
    """An optimizer with its settings.

    Attributes
    ----------
    optimizer : Optimizer
    lr : float or None
        Fixed learning rate.
    eta, kappa : float or None
        Both, instead of `lr`: the learning rate of step t is ``eta * t**-kappa`` (eq. 13). For SGD only.
    momentum : float
        For SGD only.
    weight_decay : float
    """

    optimizer: Optimizer
    lr: float | None = None
    eta: float | None = None
    kappa: float | None = None
    momentum: float = 0.0
    weight_decay: float = 0.0


REPORT_ADAM = Steps(Optimizer.ADAM, lr=1e-3)
REPORT_SGD = Steps(Optimizer.SGD, eta=0.035, kappa=0.6)


@dataclass(frozen=True)
class Settings:
    """One training: network, loss, optimizer, data. The defaults are the report's first experiment.

    Attributes
    ----------
    activation : Activation
        Of all hidden layers but the last.
    last_activation : Activation or None
        Of the last hidden layer; None for none.
    sigmoid_outputs : bool
        Whether the output units are sigmoids, where the loss does not want logits anyway.
    alpha : float
        Slope of leaky ReLUs below zero; the report does not say which it took.
    p_drop : float
        Behind each hidden layer; with 0 there are no dropout layers.
    widths : tuple of int
        Units of the hidden layers.
    loss : Loss
    reduction : Reduction
    steps : Steps
    batch_size, epochs : int
    samples : int
        Points in the training set, and again in the test set.
    """

    activation: Activation = Activation.RELU
    last_activation: Activation | None = Activation.RELU
    sigmoid_outputs: bool = True
    alpha: float = 0.01
    p_drop: float = 0.0
    widths: tuple[int, ...] = (25, 25, 25)
    loss: Loss = Loss.MSE
    reduction: Reduction = Reduction.SUM
    steps: Steps = REPORT_ADAM
    batch_size: int = 50
    epochs: int = 50
    samples: int = 1000
