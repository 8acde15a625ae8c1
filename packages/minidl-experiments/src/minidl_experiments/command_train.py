"""The command `minidl train`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from minidl_experiments.disk_training import train_on_disk
from minidl_experiments.settings import Activation, Optimizer, Settings
from minidl_experiments.shell import PICTURES, fail, home_expanded
from minidl_experiments.tabular.choices import Missing, Schedule, Task

_OWN = (
    "target", "task", "drop", "categorical", "missing", "drop_unlabelled", "test", "cv", "networks", "early_stopping",
    "quantiles", "clip", "schedule",
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


def _option(panel: str, text: str | None = None, *names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, help=text, **more)


def _choice(panel: str, text: str, kind: type[StrEnum], **more: Any) -> Any:
    """Declare an option that takes a name; the names stand in the help, where lines break between words."""
    return _option(panel, f"{text}: {', '.join(kind)}.", metavar="<name>", **more)


def _number(panel: str, text: str, **more: Any) -> Any:
    """Declare an option that takes a decimal number."""
    return _option(panel, text, parser=_read_number, metavar="<float>", **more)


def _read_number(text: str | float) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a number with a decimal point, such as 0.1, got {text!r}") from error


_TABLE, _NETWORK, _STEPS = "Your own data", "Network", "Optimizer and loss"
_RUN, _DISK_PANEL = "Time and output", "Without data: the disk of the report"
_FILES = typer.Argument(
    help="Your data: CSV or TSV, also by gzip, Parquet or .npz; several files, a pattern in quotes, or - for CSV on "
    "standard input.",
    show_default=False,
)
_TARGET = _option(_TABLE, "Column to predict; give the option again for several columns of numbers.")
_TASK = _choice(_TABLE, "What the target is", Task, show_default="guessed")
_DROP = _option(_TABLE, "Column to leave out; may be given again.")
_CATEGORICAL = _option(_TABLE, "Column of categories that look like numbers; may be given again.")
_MISSING = _choice(
    _TABLE, "Missing cells; impute takes the median of the training rows", Missing, show_default="impute"
)
_UNLABELLED = _option(_TABLE, "Leave out rows without a target.", "--drop-unlabelled", show_default=False)
_TEST = _number(_TABLE, "Share of the rows that are held out as a test.", show_default="0.2")
_CV = _option(_TABLE, "Folds of a cross-validation, instead of --test.")
_NETWORKS = _option(_TABLE, "Networks whose mean is predicted, with the spread between them.", show_default="5")
_STOPPING = _option(
    _TABLE, "End when the loss of a validation part of the training rows no longer falls.",
    "--early-stopping/--no-early-stopping", show_default="on",
)  # fmt: skip
_FROM = _option(
    _TABLE, "TOML file of options, such as the model.toml of an earlier training; the command line takes precedence.",
    "--from", callback=home_expanded,
)  # fmt: skip
_ACTIVATION = _choice(_NETWORK, "Activation of the hidden layers", Activation, show_default="relu")
_LAST = _choice(_NETWORK, "Activation of the last hidden layer", Activation, show_default="as --activation")
_ALPHA = _number(_NETWORK, "Slope of leaky ReLUs below zero.", show_default=str(Settings.alpha))
_P_DROP = _number(_NETWORK, "Probability of dropping a hidden unit.", show_default="0.0")
_WIDTH = _option(_NETWORK, "Units of each hidden layer.", show_default="32,32; disk: 25,25,25")
_LOSS = _choice(
    _STEPS,
    "Loss. Your data: cross-entropy for classes; mse, l1, huber or quantile for numbers. Disk: a sum, mse (default) "
    "or bce of sigmoid outputs, or bce-with-logits or cross-entropy of logits. One of",
    _Loss, show_default="by the task",
)  # fmt: skip
_QUANTILES = _option(_STEPS, "Quantiles of --loss quantile.", show_default="0.05,0.5,0.95")
_OPTIMIZER = _choice(_STEPS, "Optimizer", Optimizer, show_default="adam")
_LR = _number(_STEPS, "Fixed learning rate.", show_default="adam: 0.003; disk: 0.001")
_ETA = _number(
    _STEPS, "SGD only, with --kappa: the rate of step t is eta / t^kappa.", show_default="0.035 unless --lr is given"
)
_KAPPA = _number(_STEPS, "SGD only: exponent of the decay, see --eta.", show_default="0.6 unless --lr is given")
_MOMENTUM = _number(_STEPS, "SGD only.", show_default="0.0")
_WEIGHT_DECAY = _number(
    _STEPS,
    "Multiple of the parameters that is added to the gradient.",
    show_default="3 / rows, at most 0.01; disk: 0.0",
)
_CLIP = _number(_STEPS, "Your data: the largest norm of a gradient.")
_SCHEDULE = _choice(_STEPS, "Your data: the learning rate over the epochs", Schedule, show_default="constant")
_EPOCHS = _option(_RUN, "The most epochs.", min=1, show_default="300; disk: 50")
_BATCH = _option(_RUN, "Rows per step.", min=1, show_default="by the number of rows; disk: 50")
_SEED = _option(_RUN, "Seed of the data, the weights and the order.", min=0, show_default="0")
_OUT = _option(
    _RUN,
    "Your data: folder for model, report and settings, by default named after the data. Disk: file for a picture of "
    f"the classified test set; its name ends in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}.",
    callback=home_expanded,
)  # fmt: skip
_SAMPLES = _option(
    _DISK_PANEL, "Training points, and the same number of test points.", min=1, show_default=str(Settings.samples)
)
_SAVE = _option(_DISK_PANEL, "File for the model, which `minidl predict` and minidl.load read.", callback=home_expanded)


def train(
    data: Annotated[list[str] | None, _FILES] = None,
    *,
    target: Annotated[list[str] | None, _TARGET] = None,
    task: Annotated[Task | None, _TASK] = None,
    drop: Annotated[list[str] | None, _DROP] = None,
    categorical: Annotated[list[str] | None, _CATEGORICAL] = None,
    missing: Annotated[Missing | None, _MISSING] = None,
    drop_unlabelled: Annotated[bool | None, _UNLABELLED] = None,
    test: Annotated[float | None, _TEST] = None,
    cv: Annotated[int | None, _CV] = None,
    networks: Annotated[int | None, _NETWORKS] = None,
    early_stopping: Annotated[bool | None, _STOPPING] = None,
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
        _refuse(given, _OWN, "expected data in front of it, such as data.csv")
        train_on_disk(given)
        return
    _refuse(given, _DISK, "an option of the disk, which is trained on without data")
    from minidl_experiments.tabular.command import train_on_tables  # noqa: PLC0415 - pandas is slow to import

    train_on_tables({name: value for name, value in given.items() if name not in _DISK}, settings)


def _refuse(given: dict[str, Any], names: tuple[str, ...], why: str) -> None:
    """End the command if an option was given that it has no use for."""
    for name in names:
        if given[name] not in (None, [], ()):
            fail(f"--{name.replace('_', '-')}: {why}")
