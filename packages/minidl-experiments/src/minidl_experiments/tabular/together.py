"""Which options of a training on own data go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minidl_experiments.network import UNUSED_ALPHA
from minidl_experiments.settings import Activation, Optimizer
from minidl_experiments.tabular.choices import Loss, Schedule


def check_together(given: Mapping[str, Any]) -> None:
    """Raise for options that exclude each other.

    Parameters
    ----------
    given : mapping
        The options that are given, by their names.

    Raises
    ------
    ValueError
    """
    activations = {given.get("activation", Activation.RELU), given.get("last_activation")}
    if "alpha" in given and Activation.LEAKY_RELU not in activations:
        raise ValueError(UNUSED_ALPHA)
    if "quantiles" in given and given.get("loss") is not Loss.QUANTILE:
        raise ValueError("--quantiles: expected --loss quantile beside it")
    if given.get("schedule") is Schedule.COSINE and {"eta", "kappa"} & set(given):
        raise ValueError("--schedule: expected --lr beside it, got --eta and --kappa, which are a schedule")
    if given.get("stream") and "cv" in given:
        raise ValueError("--stream: expected --test, got --cv, which needs all rows in memory")
    _check_columns(given)


def _check_columns(given: Mapping[str, Any]) -> None:
    """Raise for a column that is asked to be two things."""
    twice = [name for name in given.get("target", ()) if given["target"].count(name) > 1]
    both = [name for name in given.get("target", ()) if name in given.get("drop", ())]
    if twice or both:
        raise ValueError(f"--target: expected {(twice + both)[0]!r} once")
    for name in given.get("categorical", ()):
        if name in given.get("target", ()):
            raise ValueError(f"--categorical: {name!r} is the target: --task classes takes its numbers as classes")
        if name in given.get("drop", ()):
            raise ValueError(f"--categorical: {name!r} is left out by --drop")


def replaced(filed: Mapping[str, Any], given: Mapping[str, Any]) -> set[str]:
    """Return the settings of a file for which other options of the command line leave no use.

    Parameters
    ----------
    filed, given : mapping
        The options of the file, and of the command line.
    """
    found = {"cv"} if "test" in given else set()
    decay = {"eta", "kappa"}
    if given.get("optimizer", Optimizer.SGD) is not Optimizer.SGD:
        found |= decay | {"momentum"}
    if given.get("schedule") is Schedule.COSINE or "lr" in given:
        found |= decay
    if decay & given.keys():
        found |= {"lr", "schedule"}
    if given.get("loss", Loss.QUANTILE) is not Loss.QUANTILE:
        found.add("quantiles")
    activations = {"activation", "last_activation"}
    if activations & given.keys() and all(
        {**filed, **given}.get(name) is not Activation.LEAKY_RELU for name in activations
    ):
        found.add("alpha")
    return found
