"""The command `minidl train`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from minidl_experiments import declarations as own
from minidl_experiments.declarations import MOST_JOBS, TABLE, choice, count, number, option, refuse
from minidl_experiments.disk_training import train_on_disk
from minidl_experiments.settings import Activation, Optimizer, Settings
from minidl_experiments.shell import PICTURES, home_expanded
from minidl_experiments.tabular.choices import Missing, Schedule, Task

_OWN = (
    "target", "task", "drop", "categorical", "missing", "drop_unlabelled", "test", "cv", "networks", "early_stopping",
    "quantiles", "clip", "schedule", "stream", "jobs", "dask",
)  # fmt: skip
_DISK = "samples", "save"


class _Loss(StrEnum):
    """The losses of both kinds of training, each of which says which are its own."""

    MSE = "mse"
    BCE = "bce"
    BCE_WITH_LOGITS = "bce-with-logits"
    CROSS_ENTROPY = "cross-entropy"
    L1 = "l1"
    HUBER = "huber"
    QUANTILE = "quantile"


_NETWORK, _STEPS = "Network", "Optimizer and loss"
_RUN, _DISK_PANEL = "Time and output", "Without data: the disk of the report"
_TEST = number(TABLE, "Share of the rows that are held out as a test.", show_default="0.2")
_CV = count(TABLE, "Folds of a cross-validation, instead of --test.", None, show_default="no folds")
_STREAM = option(
    TABLE, "Read Parquet files or .npy arrays piece by piece, in each epoch anew: for data larger than the memory.",
    "--stream", show_default=False,
)  # fmt: skip
_FROM = option(
    TABLE, "TOML file of options, such as the model.toml of an earlier training; the command line takes precedence.",
    "--from", callback=home_expanded,
)  # fmt: skip
_ACTIVATION = choice(_NETWORK, "Activation of the hidden layers", Activation, show_default="relu")
_LAST = choice(_NETWORK, "Activation of the last hidden layer", Activation, show_default="as --activation")
_ALPHA = number(_NETWORK, "Slope of leaky ReLUs below zero.", show_default=str(Settings.alpha))
_P_DROP = number(_NETWORK, "Probability of dropping a hidden unit.", show_default="0.0")
_WIDTH = option(_NETWORK, "Units of each hidden layer.", show_default="32,32; disk: 25,25,25")
_LOSS = choice(
    _STEPS,
    "Loss. Your data: cross-entropy for classes; mse, l1, huber or quantile for numbers. Disk: a sum, mse (default) "
    "or bce of sigmoid outputs, or bce-with-logits or cross-entropy of logits. One of",
    _Loss, show_default="by the task",
)  # fmt: skip
_QUANTILES = option(_STEPS, "Quantiles of --loss quantile.", show_default="0.05,0.5,0.95")
_OPTIMIZER = choice(_STEPS, "Optimizer", Optimizer, show_default="adam")
_LR = number(_STEPS, "Fixed learning rate.", show_default="adam: 0.003; disk: 0.001")
_ETA = number(
    _STEPS, "SGD only, with --kappa: the rate of step t is eta / t^kappa.", show_default="0.035 unless --lr is given"
)
_KAPPA = number(_STEPS, "SGD only: exponent of the decay, see --eta.", show_default="0.6 unless --lr is given")
_MOMENTUM = number(_STEPS, "SGD only: share of the last step that is added to the next.", show_default="0.0")
_WEIGHT_DECAY = number(
    _STEPS,
    "Multiple of the parameters that is added to the gradient.",
    show_default="3 / rows, at most 0.01; disk: 0.0",
)
_CLIP = number(_STEPS, "Your data: the largest norm of a gradient.", show_default="no limit")
_SCHEDULE = choice(_STEPS, "Your data: the learning rate over the epochs", Schedule, show_default="constant")
_EPOCHS = count(_RUN, "The most epochs.", show_default="300; with --stream 10; disk: 50")
_BATCH = count(_RUN, "Rows per step.", show_default="by the number of rows; disk: 50")
_SEED = count(_RUN, "Seed of the data, the weights and the order.", 0, show_default="0")
_OUT = option(
    _RUN,
    "Your data: folder for model, report and settings, by default named after the data. Disk: file for a picture of "
    f"the classified test set; its name ends in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}.",
    callback=home_expanded,
)  # fmt: skip
_JOBS = count(
    _RUN, "Your data: processes, over which networks and folds are spread; the model does not depend on it.",
    high=MOST_JOBS, show_default="this process alone",
)  # fmt: skip
_DASK = option(
    _RUN, "Your data: address of a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers train in place of --jobs."
)
_SAMPLES = count(
    _DISK_PANEL, "Training points, and the same number of test points.", show_default=str(Settings.samples)
)
_SAVE = option(_DISK_PANEL, "File for the model, which `minidl predict` and minidl.load read.", callback=home_expanded)


def train(
    data: Annotated[list[str] | None, own.FILES] = None,
    *,
    target: Annotated[list[str] | None, own.TARGET] = None,
    task: Annotated[Task | None, own.TASK] = None,
    drop: Annotated[list[str] | None, own.DROP] = None,
    categorical: Annotated[list[str] | None, own.CATEGORICAL] = None,
    missing: Annotated[Missing | None, own.MISSING] = None,
    drop_unlabelled: Annotated[bool | None, own.UNLABELLED] = None,
    test: Annotated[float | None, _TEST] = None,
    cv: Annotated[int | None, _CV] = None,
    networks: Annotated[int | None, own.NETWORKS] = None,
    early_stopping: Annotated[bool | None, own.STOPPING] = None,
    stream: Annotated[bool | None, _STREAM] = None,
    settings: Annotated[Path | None, _FROM] = None,
    activation: Annotated[Activation | None, _ACTIVATION] = None,
    last_activation: Annotated[Activation | None, _LAST] = None,
    alpha: Annotated[float | None, _ALPHA] = None,
    p_drop: Annotated[float | None, _P_DROP] = None,
    width: Annotated[str | None, _WIDTH] = None,
    loss: Annotated[_Loss | None, _LOSS] = None,
    quantiles: Annotated[str | None, _QUANTILES] = None,
    optimizer: Annotated[Optimizer | None, _OPTIMIZER] = None,
    lr: Annotated[float | None, _LR] = None,
    eta: Annotated[float | None, _ETA] = None,
    kappa: Annotated[float | None, _KAPPA] = None,
    momentum: Annotated[float | None, _MOMENTUM] = None,
    weight_decay: Annotated[float | None, _WEIGHT_DECAY] = None,
    clip: Annotated[float | None, _CLIP] = None,
    schedule: Annotated[Schedule | None, _SCHEDULE] = None,
    epochs: Annotated[int | None, _EPOCHS] = None,
    batch_size: Annotated[int | None, _BATCH] = None,
    seed: Annotated[int | None, _SEED] = None,
    out: Annotated[Path | None, _OUT] = None,
    jobs: Annotated[int | None, _JOBS] = None,
    dask: Annotated[str | None, _DASK] = None,
    samples: Annotated[int | None, _SAMPLES] = None,
    save: Annotated[Path | None, _SAVE] = None,
) -> None:
    """Train networks on your own data, or one on the report's disk.

    `minidl train data.csv --target y` trains on all other columns and tests
    on rows that are held out. The folder named after the data gets
    model.safetensors for `minidl predict`, `evaluate` and `export`, a report,
    and the settings. Without data, one network is trained on the disk; the
    defaults are then the report's first experiment.
    """
    given = dict(locals())  # before any other variable: the options by their names
    settings = given.pop("settings")
    if not given["data"] and settings is None:
        refuse(given, _OWN, "expected data in front of it, such as data.csv")
        train_on_disk(given)
        return
    refuse(given, _DISK, "an option of the disk, which is trained on without data")
    from minidl_experiments.tabular.command import train_on_tables  # noqa: PLC0415 - pandas is slow to import
    from minidl_experiments.tabular.workers import Workers  # noqa: PLC0415 - as above

    workers = Workers(given.pop("jobs"), given.pop("dask"))
    train_on_tables({name: value for name, value in given.items() if name not in _DISK}, settings, workers)
