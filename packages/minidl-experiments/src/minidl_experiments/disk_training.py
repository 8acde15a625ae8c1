"""`minidl train` without data of one's own: a network on the report's disk."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.console import Console

import minidl
from minidl_experiments.console import loss_words, say
from minidl_experiments.data import Samples
from minidl_experiments.network import UNUSED_ALPHA, activations_of
from minidl_experiments.progress import EpochProgress
from minidl_experiments.settings import REPORT_ADAM, REPORT_SGD, Activation, Loss, Optimizer, Settings, Steps
from minidl_experiments.shell import INTERRUPTED, PICTURES, check_files, fail, load_figures, make_folder
from minidl_experiments.standard_streams import complain
from minidl_experiments.sweep.options import is_ambiguous
from minidl_experiments.training import Training


def train_on_disk(given: Mapping[str, Any]) -> None:
    """Train one network; the defaults are the report's first experiment.

    Parameters
    ----------
    given : mapping
        The options of the command by their names, which are those of `Settings` and `Steps`, ``width``, ``seed``,
        ``out`` and ``save``; None for those that are not given.
    """
    out, save = given["out"], given["save"]
    _check_picture(out)
    if save is not None:
        make_folder(save.parent, "--save")
        check_files(save, option="--save")
    settings = _settings(given)
    seed = 0 if given["seed"] is None else given["seed"]
    try:
        training = Training(settings, [seed])
    except (ValueError, TypeError) as error:
        fail(error)
    _train(training, out, save)


def _settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings of the options; those that are not given are the report's."""
    if given["loss"] is not None and given["loss"] not in list(Loss):
        fail(f"--loss: expected one of {', '.join(Loss)} for the disk, got {given['loss']!s}")
    found = {name: given[name] for name in ("alpha", "p_drop", "epochs", "batch_size", "samples")}
    first, last = given["activation"], given["last_activation"]
    settings = Settings(
        activation=Activation(first or Settings.activation),
        last_activation=Activation(last or first or Settings.activation),
        widths=_read_widths("25,25,25" if given["width"] is None else given["width"]),
        loss=Loss(given["loss"] or Settings.loss),
        steps=_choose_steps(
            Optimizer(given["optimizer"] or Optimizer.ADAM),
            *(given[name] for name in ("lr", "eta", "kappa")),
            *(given[name] or 0.0 for name in ("momentum", "weight_decay")),
        ),
        **{name: value for name, value in found.items() if value is not None},
    )
    _refuse_unused(settings, given["alpha"], first, last)
    return settings


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
