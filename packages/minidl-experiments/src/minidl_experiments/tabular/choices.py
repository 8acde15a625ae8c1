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
