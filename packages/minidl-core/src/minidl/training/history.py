"""What happened in a training."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minidl.files.strict_json import parse, words
from minidl.training.metrics import Evaluation
from minidl.training.texts import as_csv, written

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")


@dataclass
class History:
    """Loss, accuracy and metrics per epoch.

    Each list has one entry per epoch: a float, or an array of the replicate axes. `loss` and `accuracy` are gathered
    while the epoch runs, so from parameters that still change and with dropout; those of the validation set belong to
    the parameters at the end of the epoch. Losses are per sample. In an epoch in which a curve was not measured, it is
    nan.

    Attributes
    ----------
    loss, accuracy : list
        On the training set; `accuracy` stays empty where the targets are not classes.
    val_loss, val_accuracy : list
        On the validation set; both stay empty without one.
    diverged : dict of int to (int, int)
        The replicates whose loss became nan, with epoch and batch, counted from 1; their curves are nan from there on.
    engine : str
        The engine of the epochs: ``"native"``, or ``"numpy"`` with the reason; ``"steps native"`` if the optimizer's
        steps ran in the native engine.
    metrics : dict of str to list
        The curves of the metrics that `fit` was asked for, by their names: ``"val_r2"``.
    stopped : dict of int to int
        The replicates that a callback such as `EarlyStopping` has stopped, with the last epoch of each; their curves
        are nan from then on.
    higher_is_better : dict of str to bool or None
        The curves that the last training recorded, and whether higher values are better; None if that is not known.
    held_out : array of int, shape (V,) or (*replicate_shape, V), or None
        The samples that ``fit(validation_split=...)`` has drawn for validation. A training that goes on holds out the
        same.
    interrupted : object or None
        What `fit` needs to go on exactly where Ctrl-C has ended a training.

    Examples
    --------
    >>> history = History(loss=[np.array([4.0, 2.0]), np.array([2.0, 1.0])])
    >>> history.curve("loss").shape, history.mean("loss"), history.quantile("loss", 0.5)
    ((2, 2), array([3. , 1.5]), array([3. , 1.5]))
    """

    loss: list[Any] = field(default_factory=list)
    accuracy: list[Any] = field(default_factory=list)
    val_loss: list[Any] = field(default_factory=list)
    val_accuracy: list[Any] = field(default_factory=list)
    diverged: dict[int, tuple[int, int]] = field(default_factory=dict)
    engine: str = field(default="numpy", compare=False)
    metrics: dict[str, list[Any]] = field(default_factory=dict)
    stopped: dict[int, int] = field(default_factory=dict)
    higher_is_better: dict[str, bool | None] = field(default_factory=dict, compare=False)
    held_out: np.ndarray | None = field(default=None, compare=False)
    interrupted: Any = field(default=None, compare=False)

    def __len__(self) -> int:
        return len(self.loss)

    def append(self, training: Evaluation, validation: Evaluation | None) -> None:
        """Add an epoch."""
        measured: dict[str, Any] = {"loss": training.loss, "accuracy": training.accuracy}
        if validation is not None:
            measured |= {"val_loss": validation.loss, "val_accuracy": validation.accuracy}
            metrics = {f"val_{name}": value for name, value in validation.metrics.items()}
            self.metrics |= {name: [] for name in metrics if name not in self.metrics}
            measured |= metrics
        lost, epochs = [*self.diverged, *self.stopped], len(self)
        for name, curve in self._curves().items():
            value = measured.get(name)
            if value is not None and len(curve) == epochs:
                curve.append(_without(value, lost))
            elif curve or value is not None:  # in some epochs it was not measured
                nan = np.full(np.shape(training.loss), np.nan)[()]
                curve += [nan] * (epochs - len(curve))
                curve.append(nan if value is None else _without(value, lost))

    def curve(self, name: str) -> np.ndarray:
        """Return one of the curves as an array, (epochs, *replicate_shape): what a plotting library takes as lines.

        Parameters
        ----------
        name : {"loss", "accuracy", "val_loss", "val_accuracy"} or a metric, such as "val_r2"

        Raises
        ------
        ValueError
            For another name.
        """
        return np.array(self._values(name), np.float64)

    def last(self, name: str) -> Any:
        """Return the last entry of a curve, a float or an array of the replicate axes; names are those of `curve`."""
        return self._values(name)[-1]

    def last_words(self) -> str:
        """Return the last entry of each curve in words, of replicates the mean."""
        return ", ".join(f"{name} {_words(self.last(name))}" for name in self._names() if self._values(name))

    def mean(self, name: str) -> np.ndarray:
        """Return the mean of a curve over the replicates, (epochs,); those that diverged or stopped are left out."""
        return self._over_replicates(name, lambda rows: np.nanmean(rows, axis=-1))

    def quantile(self, name: str, q: float) -> np.ndarray:
        """Return a quantile of a curve over the replicates, (epochs,); those that diverged or stopped are left out.

        Parameters
        ----------
        name : {"loss", "accuracy", "val_loss", "val_accuracy"} or a metric, such as "val_r2"
        q : float
            Between 0 and 1; 0.5 is the median.
        """
        return self._over_replicates(name, lambda rows: np.nanquantile(rows, q, axis=-1))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain lists and numbers, fit for JSON; None stands for what is not finite."""
        curves = {name: _with_none(self.curve(name)) for name in self._names()}
        diverged = {str(index): list(where) for index, where in self.diverged.items()}
        stopped = {str(index): epoch for index, epoch in self.stopped.items()}
        return {**curves, "diverged": diverged, "stopped": stopped, "engine": self.engine}

    def to_frame(self) -> dict[str, np.ndarray]:
        """Return the curves as a table: one row per epoch and replicate, columns of equal length.

        ``pandas.DataFrame(history.to_frame())`` takes it as it is.

        Returns
        -------
        dict of str to array
            ``"epoch"``, counted from 1, ``"replicate"``, 0 for a single network, and the curves that were recorded.

        Examples
        --------
        >>> History(loss=[np.array([4.0, 2.0]), np.array([2.0, 1.0])]).to_frame()
        {'epoch': array([1, 1, 2, 2]), 'replicate': array([0, 1, 0, 1]), 'loss': array([4., 2., 2., 1.])}
        """
        curves = {name: self._by_replicate(name) for name in self._names() if self._values(name)}
        epochs, replicates = self._by_replicate("loss").shape
        index = np.indices((epochs, replicates)).reshape(2, -1)
        columns = {name: curve.ravel() for name, curve in curves.items()}
        return {"epoch": index[0] + 1, "replicate": index[1], **columns}

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return `to_dict` as JSON, and write it to a file if a path is given.

        Parameters
        ----------
        path : str or path, optional
            An old file is replaced in one step.
        """
        return written(json.dumps(self.to_dict(), allow_nan=False), path)

    @classmethod
    def from_json(cls, text: str) -> History:
        """Return the history of a text of `to_json`; what was not finite is nan.

        The text has the curves, the engine, and which replicates diverged or stopped: what plots and tables need.

        Raises
        ------
        ValueError
            If the text is no JSON of `to_json`.

        Examples
        --------
        >>> History.from_json(History(loss=[4.0, 2.0]).to_json())
        History(2 epochs, loss 2)
        """
        try:
            data = parse(text)
            diverged = {int(index): (int(epoch), int(batch)) for index, (epoch, batch) in data.pop("diverged").items()}
            stopped = {int(index): int(epoch) for index, epoch in data.pop("stopped").items()}
            engine = str(data.pop("engine"))
            curves: dict[str, Any] = {name: [*map(_number, values)] for name, values in data.items()}
            metrics = {name: curves.pop(name) for name in data if name not in CURVES}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"History: expected a text of to_json, got {words(text)}") from error
        return cls(**curves, diverged=diverged, stopped=stopped, engine=engine, metrics=metrics)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return `to_frame` as CSV, and write it to a file if a path is given; an empty cell stands for nan.

        Parameters
        ----------
        path : str or path, optional
            An old file is replaced in one step.

        Examples
        --------
        >>> print(History(loss=[4.0, 2.0], accuracy=[0.5, 1.0]).to_csv(), end="")
        epoch,replicate,loss,accuracy
        1,0,4.0,0.5
        2,0,2.0,1.0
        """
        return written(as_csv(self.to_frame()), path)

    def __repr__(self) -> str:
        counts = {"diverged": len(self.diverged), "stopped": len(self.stopped)}
        lost = [f"{count} {what}" for what, count in counts.items() if count]
        return f"History({', '.join(filter(None, [f'{len(self)} epochs', self.last_words(), *lost]))})"

    def _curves(self) -> dict[str, list[Any]]:
        """Return the list of each curve, which may be changed."""
        return {name: getattr(self, name) for name in CURVES} | self.metrics

    def _names(self) -> list[str]:
        return list(self._curves())

    def _values(self, name: str) -> list[Any]:
        curves = self._curves()
        if name in curves:
            return curves[name]
        raise ValueError(f"History: expected one of the curves {', '.join(curves)}, got {name!r}")

    def _by_replicate(self, name: str) -> np.ndarray:
        curve = self.curve(name)
        return curve.reshape(len(curve), -1) if curve.size else np.empty((0, 1))

    def _over_replicates(self, name: str, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return a function of each row that is not nan throughout, which NumPy would warn of; nan for the others."""
        rows = self._by_replicate(name)
        measured = ~np.isnan(rows).all(axis=-1)
        result = np.full(len(rows), np.nan)
        result[measured] = function(rows[measured])
        return result


def _without(value: Any, lost: list[int]) -> Any:
    """Return a value per replicate with nan for those that are lost."""
    if lost:
        value = np.array(value)
        value[lost] = np.nan
    return value


def _number(value: Any) -> Any:
    """Return a number or lists of them, of an epoch, as a float or an array; None is nan."""
    return np.array(value, np.float64)[()]


def _with_none(curve: np.ndarray) -> list[Any]:
    """Return a curve as lists, with None for what JSON has no word for."""
    values = curve.astype(object)
    values[~np.isfinite(curve)] = None
    return list(values.tolist())


def _words(value: Any) -> str:
    """Return a number, or the mean of one per replicate."""
    if isinstance(value, float):
        return f"{value:.4g}"
    there = value[~np.isnan(value)]
    return f"{there.mean():.4g} (mean of {there.size})" if there.size else "nan"


class DivergenceError(ValueError):
    """The loss of a training became nan, or the last step made parameters that are not finite.

    Attributes
    ----------
    epoch, batch : int
        Where, both counted from 1. The parameters are those before that batch, unless it was the last of all.
    history : History
        The epochs before.
    what : str
        Which of the two it was, in words.
    cause : str
        The sample that is not finite, if there is one.
    """

    def __init__(
        self, epoch: int, batch: int, history: History, what: str = "the loss is nan", cause: str = ""
    ) -> None:
        super().__init__(f"fit: {what} in epoch {epoch}, batch {batch}; {cause or 'try a smaller learning rate'}")
        self.epoch, self.batch, self.history, self.what, self.cause = epoch, batch, history, what, cause

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.epoch, self.batch, self.history, self.what, self.cause)
