"""How far a training is, as plain data: its history, and the position in an epoch that has begun."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minidl.training.history import CURVES, History
from minidl.training.interruption import Position
from minidl.training.metrics import Sums


def history_state(history: History) -> dict[str, Any]:
    """Return a history as plain data."""
    return {
        "curves": {name: history.curve(name) for name in CURVES},
        "metrics": {name: history.curve(name) for name in history.metrics},
        "diverged": [[index, *where] for index, where in history.diverged.items()],
        "stopped": [[index, epoch] for index, epoch in history.stopped.items()],
        "engine": history.engine,
        "higher_is_better": history.higher_is_better,
        "held_out": history.held_out,
    }


def as_history(state: Any, replicate_shape: tuple[int, ...]) -> History:
    """Return the history of such data.

    Raises
    ------
    ValueError
        If the curves are not of one length and of these replicates.
    """
    history, epochs = History(), len(state["curves"]["loss"])
    for name in CURVES:
        setattr(history, name, _as_curve(name, state["curves"][name], epochs, replicate_shape))
    curves = state["metrics"].items()
    history.metrics = {name: _as_curve(name, curve, epochs, replicate_shape) for name, curve in curves}
    count = prod(replicate_shape)
    history.diverged = {_as_index(index, count): (int(epoch), int(batch)) for index, epoch, batch in state["diverged"]}
    history.stopped = {_as_index(index, count): int(epoch) for index, epoch in state["stopped"]}
    history.engine, history.higher_is_better = str(state["engine"]), dict(state["higher_is_better"])
    history.held_out = state["held_out"]
    if history.held_out is not None:
        _check_rows("held_out", history.held_out, replicate_shape, None)
    return history


def position_state(position: Position | None, sums: Sums | None) -> dict[str, Any] | None:
    """Return a position as plain data, and what its batches have added up to; None between two epochs."""
    if position is None or sums is None:
        return None
    named = {"epoch": position.epoch, "order": position.order, "t": position.t, "done": position.done}
    return named | {"sums": list(sums)}


def as_position(state: Any, replicate_shape: tuple[int, ...], count: int) -> Position | None:
    """Return the position of such data, None for None.

    Parameters
    ----------
    state
    replicate_shape : tuple of int
    count : int
        Number of samples.

    Raises
    ------
    ValueError
        For an order that is none of so many samples, or numbers that are not of these replicates.
    """
    if state is None:
        return None
    order, done = state["order"], np.asarray(state["done"])
    if order is not None:
        _check_rows("order", order, replicate_shape, count)
    if done.shape != replicate_shape or done.dtype.kind != "i" or done.min(initial=0) < 0:
        raise ValueError(f"expected done to count batches, shape {replicate_shape}, got {done.dtype} {done.shape}")
    sums = Sums(*(value if isinstance(value, np.ndarray) else value + 0 for value in state["sums"]))
    if any(np.shape(value) not in ((), replicate_shape) for value in sums):
        raise ValueError(f"expected sums of shape {replicate_shape}, got {[np.shape(value) for value in sums]}")
    return Position(int(state["epoch"]), order, int(state["t"]), done.astype(int), sums)


def _as_curve(name: str, curve: np.ndarray, epochs: int, replicate_shape: tuple[int, ...]) -> list[Any]:
    if curve.shape not in ((0,), (epochs, *replicate_shape)):
        raise ValueError(f"expected {name} of shape {(epochs, *replicate_shape)}, got {curve.shape}")
    return list(curve.tolist()) if curve.ndim == 1 else [row.copy() for row in curve]


def _as_index(index: Any, count: int) -> int:
    if type(index) is not int or not 0 <= index < count:
        raise ValueError(f"expected replicates from 0 to {count - 1}, got {index!r}")
    return index


def _check_rows(name: str, rows: Any, replicate_shape: Sequence[int], count: int | None) -> None:
    """Raise unless an array has numbers of samples, (M,) or (*replicate_shape, M)."""
    plain = isinstance(rows, np.ndarray) and rows.dtype.kind == "i" and rows.ndim > 0 and rows.shape[-1] > 0
    if not plain or rows.shape[:-1] not in ((), tuple(replicate_shape)):
        raise ValueError(f"expected {name} to be integers, (M,) or {(*replicate_shape, 'M')}")
    if rows.min() < 0 or (count is not None and rows.max() >= count):
        raise ValueError(f"expected {name} from 0 to {count} samples, got {rows.min()} to {rows.max()}")
