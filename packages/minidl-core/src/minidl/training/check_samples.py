"""Whether samples suit a model and a loss, asked before the first step."""

from __future__ import annotations

import copy
import inspect

import numpy as np

from minidl.arrays.backend import NUMPY, Array, describe, dtype_name, library_of
from minidl.arrays.samples import Samples
from minidl.losses.loss import Loss
from minidl.training.engine import Engine
from minidl.training.penalty import Penalty, divisor_of

_HALF = 4  # samples in each half of those that a loss of the user's own is asked about
_EXACT = 1e-3  # of the smaller difference that another reduction would make


def check_samples(
    who: str, engine: Engine, loss: Loss, samples: Samples, penalty: Penalty | None = None, *, alone: bool = False
) -> None:
    """Raise unless the first sample and all targets suit model and loss, and the loss allows the penalty.

    Parameters
    ----------
    who : str
    engine : Engine
    loss : Loss
    samples : Samples
    penalty : Penalty or None
    alone : bool
        As for `check_loss`.
    """
    check_loss(who, loss, samples, alone=alone)
    (x, y), prediction, loss = samples.first, None, copy.deepcopy(loss)
    try:
        prediction = engine.infer(x)
        loss.forward(prediction, y, replicate_axes=len(samples.replicate_shape))
        loss.check_values(samples.y, prediction.shape[-1])
        if penalty is not None:
            divisor_of(loss)
    except (TypeError, ValueError) as error:
        error.add_note(f"in {who}, before its first step")
        if prediction is None:
            engine.model.check_entry(samples.x)  # names the shape of all samples
        else:
            check_targets(loss, prediction, samples)
        raise
    check_reduction(who, engine, loss, samples)


def check_targets(loss: Loss, prediction: Array, samples: Samples) -> None:
    """Raise for targets of another shape or dtype than the loss needs, saying how to convert them.

    Parameters
    ----------
    loss : Loss
    prediction : array
        Of any number of samples.
    samples : Samples

    Raises
    ------
    ValueError
        With the shape of all targets.
    TypeError
    """
    if not _is_ours(loss):
        return  # its targets may be whatever it likes
    axes, y = len(samples.replicate_shape), samples.y
    whole = (*prediction.shape[:axes], samples.count, *prediction.shape[axes + 1 :])
    got, expected = tuple(y.shape), loss.target_shape(whole)
    per_row = got in (expected[:-1], expected[axes:-1]) and got not in (expected, expected[axes:])
    if loss.takes_classes and per_row:
        if not samples.y_is_float:
            return
        how = "y.astype(int)" if samples.y_library is NUMPY else "y.long()"
        raise TypeError(f"{loss}: expected class indices to be integers, got {describe(y)}; try {how}")
    if loss.takes_classes and got[-1:] == (1,) and expected[-1] != 1:
        integers = "" if not samples.y_is_float else ", and convert to integers"
        hint = f"; for class indices try {'y[..., 0]' if len(got) > 2 else 'y[:, 0]'}{integers}"
        raise ValueError(f"{loss}: expected class indices of shape {expected[:-1]}, got {got}{hint}")
    if got not in (expected, expected[axes:]):
        hint = f"; try {'y[..., None]' if len(got) > 1 else 'y[:, None]'}" if per_row else ""
        raise ValueError(f"{loss}: expected targets of shape {expected}, got {got}{hint}")
    if samples.y_library is not library_of(prediction, loss):
        raise TypeError(
            f"{loss}: expected targets in the library of the prediction, {library_of(prediction, loss).name}, "
            f"got {describe(y)} ({samples.y_library.name})"
        )
    own = dtype_name(prediction.dtype)
    if dtype_name(y.dtype) != own:
        how = f"y.astype(np.{own})" if samples.y_library is NUMPY else f"y.to(torch.{own})"
        raise TypeError(f"{loss}: expected targets in the dtype of the prediction, {own}, got {describe(y)}; try {how}")


def _is_ours(loss: Loss) -> bool:
    return type(loss).__module__.partition(".")[0] == "minidl"


def check_loss(who: str, loss: Loss, samples: Samples, *, alone: bool = False) -> None:
    """Raise unless the settings of a loss are right, and it can take the weights of the samples.

    Parameters
    ----------
    who : str
    loss : Loss
    samples : Samples
    alone : bool
        Whether the samples are one batch of many, whose weights may all be zero.
    """
    loss.check_settings()
    if samples.weight is None:
        return
    if not alone and not np.all(samples.mass > 0):
        raise ValueError(f"{who}: expected weights with a sum above 0, got zeros alone")
    parameters = inspect.signature(loss.forward).parameters.values()
    if not any(p.name == "weight" or p.kind is p.VAR_KEYWORD for p in parameters):
        raise TypeError(f"{who}: expected a loss whose forward takes weight=, got {loss}: leave out sample_weight")


def check_reduction(who: str, engine: Engine, loss: Loss, samples: Samples) -> None:
    """Raise if a loss of the user's own says that it sums and takes the mean, or the other way round.

    A sum over two halves is the sum of theirs, a mean the mean of theirs. Where rounding or a term without samples
    hides the difference, nothing is said.
    """
    half = min(_HALF, samples.count // 2)
    if _is_ours(loss) or not half:
        return
    axes, loss = len(samples.replicate_shape), copy.deepcopy(loss)

    def of(start: int, stop: int) -> np.ndarray:
        x, y = samples.rows(start, stop)
        prediction = engine.infer(x)
        value = loss.value(loss.forward(prediction, y, replicate_axes=axes))
        return np.asarray(engine.model.backend.to_numpy(value), np.float64)

    first, second, whole = of(0, half), of(half, 2 * half), of(0, 2 * half)
    found = {
        "sum": np.abs(whole - (first + second)) <= _EXACT * np.minimum(abs(first), abs(second)),
        "mean": np.abs(whole - (first + second) / 2) <= _EXACT * np.abs(first - second),
    }
    is_it = {name: bool(np.all(holds)) for name, holds in found.items()}
    own = "sum" if loss.reduction == "sum" else "mean"  # over the samples, which is all that the halves can tell
    if sum(is_it.values()) == 1 and not is_it[own]:
        other = "mean" if is_it["mean"] else "sum"
        raise ValueError(
            f"{who}: expected {type(loss).__name__} to return the {loss.reduction} over the samples, as its reduction "
            f"says, got their {other}: pass reduction={other!r} to Loss.__init__"
        )
