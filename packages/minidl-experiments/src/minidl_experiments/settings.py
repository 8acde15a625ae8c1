"""Settings of a training, as frozen records that are equal for equal trainings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Activation(StrEnum):
    """Activation of a hidden layer."""

    RELU = "relu"
    LEAKY_RELU = "leaky-relu"
    TANH = "tanh"
    SIGMOID = "sigmoid"


class Loss(StrEnum):
    """Loss to minimise, summed over samples and outputs as in the report."""

    MSE = "mse"
    BCE = "bce"
    BCE_WITH_LOGITS = "bce-with-logits"
    CROSS_ENTROPY = "cross-entropy"

    @property
    def takes_logits(self) -> bool:
        """Whether the loss takes logits, so that the network has no output sigmoids."""
        return self in (Loss.BCE_WITH_LOGITS, Loss.CROSS_ENTROPY)


class Reduction(StrEnum):
    """Reduction of a loss over its terms; the report sums them."""

    SUM = "sum"
    MEAN = "mean"


class Optimizer(StrEnum):
    """Optimizer of a training."""

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
        SGD only, both in place of `lr`: the learning rate of step t is ``eta * t**-kappa`` (eq. 13).
    momentum : float
        SGD only.
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
    """Network, loss, optimizer and data of one training. The defaults are the report's first experiment.

    Attributes
    ----------
    activation : Activation
        Activation of all hidden layers but the last.
    last_activation : Activation or None
        Activation of the last hidden layer; None for no activation.
    sigmoid_outputs : bool
        Whether the output units are sigmoids. A loss on logits overrides the setting: it has no output sigmoids.
    alpha : float
        Slope of leaky ReLUs below zero, which the report does not state.
    p_drop : float
        Dropout probability behind each hidden layer; 0 adds no dropout layers.
    widths : tuple of int
        Units of the hidden layers.
    loss : Loss
    reduction : Reduction
    steps : Steps
    batch_size, epochs : int
    samples : int
        Points in the training set; the test set has the same number.
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
