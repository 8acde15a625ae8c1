"""The command `minidl train`."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

import minidl
from minidl_experiments.console import loss_words, say
from minidl_experiments.data import Samples
from minidl_experiments.network import UNUSED_ALPHA, activations_of
from minidl_experiments.progress import EpochProgress
from minidl_experiments.settings import REPORT_ADAM, REPORT_SGD, Activation, Loss, Optimizer, Settings, Steps
from minidl_experiments.shell import (
    INTERRUPTED,
    PICTURES,
    check_files,
    fail,
    home_expanded,
    load_figures,
    make_folder,
)
from minidl_experiments.standard_streams import complain
from minidl_experiments.sweep.options import is_ambiguous
from minidl_experiments.training import Training


def _option(panel: str, text: str | None = None, **more: Any) -> Any:
    return typer.Option(rich_help_panel=panel, help=text, **more)


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


_NETWORK, _STEPS, _DATA = "Network", "Optimizer and loss", "Data, time and output"
_ACTIVATION = _choice(_NETWORK, "Activation of the hidden layers", Activation, show_default="relu")
_LAST = _choice(_NETWORK, "Activation of the last hidden layer", Activation, show_default="as --activation")
_LOSS = _choice(_STEPS, "Summed loss; the network has sigmoid outputs unless the loss takes logits. One of", Loss)
_ALPHA = _number(_NETWORK, "Slope of leaky ReLUs below zero.", show_default=str(Settings.alpha))
_LR = _number(_STEPS, "Fixed learning rate.", show_default="0.001 for adam")
_ETA = _number(
    _STEPS, "SGD only, with --kappa: the rate of step t is eta / t^kappa.", show_default="0.035 unless --lr is given"
)
_KAPPA = _number(_STEPS, "SGD only: exponent of the decay, see --eta.", show_default="0.6 unless --lr is given")
_MOMENTUM, _WEIGHT_DECAY = "SGD only.", "Multiple of the parameters that is added to the gradient."
_SAMPLES = _option(_DATA, "Training points, and the same number of test points.", min=1)
_OUT = _option(
    _DATA,
    f"File for a picture of the classified test set; its name ends in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}.",
    callback=home_expanded,
)
_SAVE = _option(_DATA, "File for the model, which `minidl predict` and minidl.load read.", callback=home_expanded)


def train(  # noqa: PLR0917 - command-line options are given by name
    activation: Annotated[Activation | None, _ACTIVATION] = None,
    last_activation: Annotated[Activation | None, _LAST] = None,
    alpha: Annotated[float | None, _ALPHA] = None,
    p_drop: Annotated[float, _number(_NETWORK, "Probability of dropping a hidden unit.")] = Settings.p_drop,
    width: Annotated[str, _option(_NETWORK, "Units of each hidden layer.")] = "25,25,25",
    loss: Annotated[Loss, _LOSS] = Settings.loss,
    optimizer: Annotated[Optimizer, _choice(_STEPS, "Optimizer", Optimizer)] = Optimizer.ADAM,
    lr: Annotated[float | None, _LR] = None,
    eta: Annotated[float | None, _ETA] = None,
    kappa: Annotated[float | None, _KAPPA] = None,
    momentum: Annotated[float, _number(_STEPS, _MOMENTUM)] = 0.0,
    weight_decay: Annotated[float, _number(_STEPS, _WEIGHT_DECAY)] = 0.0,
    epochs: Annotated[int, _option(_DATA, min=1)] = Settings.epochs,
    batch_size: Annotated[int, _option(_DATA, min=1)] = Settings.batch_size,
    samples: Annotated[int, _SAMPLES] = Settings.samples,
    seed: Annotated[int, _option(_DATA, "Seed of the data, the weights and the order.", min=0)] = 0,
    out: Annotated[Path | None, _OUT] = None,
    save: Annotated[Path | None, _SAVE] = None,
) -> None:
    """Train one network; the defaults are the report's first experiment."""
    _check_picture(out)
    if save is not None:
        make_folder(save.parent, "--save")
        check_files(save, option="--save")
    settings = Settings(
        activation=activation or Settings.activation,
        last_activation=last_activation or activation or Settings.activation,
        alpha=Settings.alpha if alpha is None else alpha,
        p_drop=p_drop,
        widths=_read_widths(width),
        loss=loss,
        steps=_choose_steps(optimizer, lr, eta, kappa, momentum, weight_decay),
        batch_size=batch_size,
        epochs=epochs,
        samples=samples,
    )
    _refuse_unused(settings, alpha, activation, last_activation)
    try:
        training = Training(settings, [seed])
    except (ValueError, TypeError) as error:
        fail(error)
    _train(training, out, save)


def _check_picture(out: Path | None) -> None:
    if out is None:
        return
    if out.is_dir():
        fail(f"--out: expected the name of a picture, got the folder {out}")
    if out.suffix.lower() not in PICTURES:
        fail(f"--out: expected a name that ends in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}, got {out}")
    make_folder(out.parent)
    check_files(out)
    load_figures()


def _read_widths(text: str) -> tuple[int, ...]:
    wrong = f"--width: expected integers such as 25,25,25, got {text!r}"
    if is_ambiguous(text, decimals=False):  # 1,024
        fail(wrong)
    try:
        return tuple(int(width) for width in text.split(","))
    except ValueError:
        fail(wrong)


def _refuse_unused(
    settings: Settings, alpha: float | None, activation: Activation | None, last_activation: Activation | None
) -> None:
    """End the command if an option was given that no layer uses."""
    if alpha is not None and Activation.LEAKY_RELU not in activations_of(settings):
        fail(UNUSED_ALPHA)
    if len(settings.widths) == 1 and None not in (activation, last_activation):
        fail("expected --activation or --last-activation for a single hidden layer, got both")


def _choose_steps(
    optimizer: Optimizer, lr: float | None, eta: float | None, kappa: float | None, momentum: float, weight_decay: float
) -> Steps:
    """Return the optimizer's settings, with the report's rates if no rate is given."""
    report = REPORT_ADAM if optimizer is Optimizer.ADAM else REPORT_SGD
    if lr is None and eta is None and kappa is None:
        lr = report.lr
    if lr is None and optimizer is Optimizer.SGD:
        eta, kappa = (report.eta if eta is None else eta), (report.kappa if kappa is None else kappa)
    return Steps(optimizer, lr, eta, kappa, momentum, weight_decay)


def _train(training: Training, out: Path | None, save: Path | None) -> None:
    console, start = Console(), time.perf_counter()
    say(console, minidl.summary(training.network(0)))
    complete = _run(training)
    done = f"{len(training.test.loss)} of {training.settings.epochs} epochs"
    done = f"{done} in {time.perf_counter() - start:.1f} s"
    scores = [_score(name, samples, training) for name, samples in training.data._asdict().items()]
    if out is not None:
        _draw(training, out)  # before the print, which a closed pipe may end
    if save is not None:
        minidl.save(training.network(0), save)
    for line in (done, *scores, *(f"wrote {path}" for path in (out, save) if path is not None)):
        say(console, line)
    if not complete:
        complain("minidl: interrupted")
        raise typer.Exit(INTERRUPTED)


def _score(name: str, samples: Samples, training: Training) -> str:
    """Return loss and accuracy of a data set as text; end the command if the loss is not finite."""
    with np.errstate(all="ignore"):
        loss, accuracy = training.evaluate(samples)
    if not np.isfinite(loss[0]):
        fail(f"the {name} loss is {loss[0]} after the last step: try a smaller learning rate")
    return f"{name:<6} loss {loss_words(loss[0])} per sample, accuracy {100 * accuracy[0]:.2f} %"


def _run(training: Training) -> bool:
    """Train with a progress bar; return False after Ctrl-C."""
    with EpochProgress(Console(stderr=True), training.settings.epochs) as progress:
        progress.start("training")
        try:
            training.run(lambda epoch: _report_epoch(progress, training, epoch))
        except KeyboardInterrupt:
            return False
        except minidl.DivergenceError as error:
            fail(error)
    return True


def _report_epoch(progress: EpochProgress, training: Training, epoch: int) -> None:
    """Count an epoch; print the test accuracy after every tenth of the training."""
    progress.advance()
    if epoch % max(1, training.settings.epochs // 10) == 0:
        progress.say(f"epoch {epoch}: test accuracy {100 * training.test.accuracy[-1, 0]:.2f} %")


def _draw(training: Training, path: Path) -> None:
    from minidl_experiments import figures  # noqa: PLC0415 - matplotlib is slow to import and needed for drawing alone

    x, y = training.data.test
    figures.save(figures.draw_classification(training.network(0), x[0], y[0].argmax(axis=-1), "Test set"), path)
