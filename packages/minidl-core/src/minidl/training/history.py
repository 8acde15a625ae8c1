"""What happened in a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minidl.training.metrics import Evaluation

_CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")


@dataclass
class History:
    """Loss and accuracy per epoch.

    Each list has one entry per epoch: a float, or an array of the replicate axes. `loss` and `accuracy` are gathered
    while the epoch runs, so from parameters that still change and with dropout; those of the validation set belong to
    the parameters at the end of the epoch. Losses are per sample.

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

    def __len__(self) -> int:
        return len(self.loss)

    def append(self, training: Evaluation, validation: Evaluation | None) -> None:
        """Add an epoch."""
        lost = list(self.diverged)
        self.loss.append(_without(training.loss, lost))
        if training.accuracy is not None:
            self.accuracy.append(_without(training.accuracy, lost))
        if validation is not None:
            self.val_loss.append(_without(validation.loss, lost))
            if validation.accuracy is not None:
                self.val_accuracy.append(_without(validation.accuracy, lost))

    def curve(self, name: str) -> np.ndarray:
        """Return one of the curves as an array, (epochs, *replicate_shape): what a plotting library takes as lines.

        Parameters
        ----------
        name : {"loss", "accuracy", "val_loss", "val_accuracy"}

        Raises
        ------
        ValueError
            For another name.
        """
        if name not in _CURVES:
            raise ValueError(f"History: expected one of the curves {', '.join(_CURVES)}, got {name!r}")
        return np.array(getattr(self, name), np.float64)

    def mean(self, name: str) -> np.ndarray:
        """Return the mean of a curve over the replicates, (epochs,); those that diverged are left out."""
        return np.asarray(np.nanmean(self._by_replicate(name), axis=-1))

    def quantile(self, name: str, q: float) -> np.ndarray:
        """Return a quantile of a curve over the replicates, (epochs,); those that diverged are left out.

        Parameters
        ----------
        name : {"loss", "accuracy", "val_loss", "val_accuracy"}
        q : float
            Between 0 and 1; 0.5 is the median.
        """
        return np.asarray(np.nanquantile(self._by_replicate(name), q, axis=-1))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain lists and numbers, fit for JSON; None stands for what is not finite."""
        curves = {name: _with_none(self.curve(name)) for name in _CURVES}
        diverged = {str(index): list(where) for index, where in self.diverged.items()}
        return {**curves, "diverged": diverged, "engine": self.engine}

    def __repr__(self) -> str:
        last = [f"{name} {_words(getattr(self, name)[-1])}" for name in _CURVES if getattr(self, name)]
        lost = [f"{len(self.diverged)} diverged"] if self.diverged else []
        return f"History({', '.join([f'{len(self)} epochs', *last, *lost])})"

    def _by_replicate(self, name: str) -> np.ndarray:
        curve = self.curve(name)
        return curve.reshape(len(curve), -1) if curve.size else np.empty((0, 1))


def _without(value: Any, lost: list[int]) -> Any:
    """Return a value per replicate with nan for those that are lost."""
    if lost:
        value = np.array(value)
        value[lost] = np.nan
    return value


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
