"""Names that options of a training on own data take; without pandas, which is slow to import."""

from __future__ import annotations

from enum import StrEnum

KEY = "minidl_table"  # of the metadata of a model file, under which its preprocessing lies


class Task(StrEnum):
    """What the targets are."""

    CLASSES = "classes"
    REGRESSION = "regression"


class Loss(StrEnum):
    """Loss of a network for own data; each is a mean over rows."""

    CROSS_ENTROPY = "cross-entropy"
    MSE = "mse"
    L1 = "l1"
    HUBER = "huber"
    QUANTILE = "quantile"


class Missing(StrEnum):
    """What is done about missing cells."""

    IMPUTE = "impute"
    REFUSE = "refuse"


class Schedule(StrEnum):
    """How the learning rate changes."""

    CONSTANT = "constant"
    COSINE = "cosine"


class Sampler(StrEnum):
    """How Optuna proposes configurations."""

    TPE = "tpe"
    RANDOM = "random"
    QMC = "qmc"


class Measure(StrEnum):
    """A score by which configurations are ordered."""

    LOG_LOSS = "log-loss"
    ACCURACY = "accuracy"
    BALANCED = "balanced-accuracy"
    AUC = "auc"
    R2 = "r2"
    MAE = "mae"
    RMSE = "rmse"

    @property
    def lower_is_better(self) -> bool:
        """Whether a lower score is better."""
        return self in (Measure.LOG_LOSS, Measure.MAE, Measure.RMSE)

    @property
    def column(self) -> str:
        """The name of its column in tables of results."""
        return self.replace("-", "_")
