"""The validation set of a training, measured after each epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.samples import Samples
from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.training.batches import batch_rows
from minidl.training.check_samples import check_loss, check_samples
from minidl.training.distributed.group import Group
from minidl.training.engine import Engine, EngineName, EpochResults, Validation
from minidl.training.engines import choose_engine
from minidl.training.evaluate import measure
from minidl.training.metrics import Evaluation, new_tally
from minidl.training.scores import Metric, check_metrics

_WHO = "fit: validation"


class Validator:
    """Measures the validation set, once that is known to suit model, loss and metrics.

    Parameters
    ----------
    model : Module
    loss : Loss
    data : tuple of (x, y) or (x, y, sample_weight)
    accuracy : bool or None
    metrics : sequence of Metric
    engine, threads
        As for `fit`.

    Attributes
    ----------
    unsound : array of bool, shape replicate_shape
        The replicates whose samples give a loss of nan, since they are not finite themselves.

    Raises
    ------
    ValueError, TypeError
        If the samples do not suit, or give all replicates a loss that is not finite since they are not finite.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        data: tuple[Array, ...],
        *,
        accuracy: bool | None,
        metrics: Sequence[Metric],
        engine: EngineName | Group | None,
        threads: int | None,
    ) -> None:
        if not isinstance(data, Sequence) or len(data) not in (2, 3):
            raise ValueError(f"{_WHO}: expected inputs and targets, (x, y), or (x, y, sample_weight)")
        x, y, weight = (*data, None)[:3]
        samples = Samples(_WHO, x, y, model.replicate_shape, weight)
        self._engine, self._loss, self._samples = choose_engine(_WHO, model, engine, threads, loss), loss, samples
        check_loss(_WHO, loss, samples)
        check_samples(_WHO, self._engine, loss, samples)
        check_metrics(_WHO, metrics, self._engine, samples)
        self._tally, self._metrics = new_tally(_WHO, loss, samples, accuracy), metrics
        self._size = batch_rows(_WHO, model, None, samples.x, samples.x_axis)
        self.unsound = np.zeros(model.replicate_shape, bool)
        cause = samples.not_finite()
        if cause:
            self._find_unsound(cause)

    def __call__(self) -> Evaluation:
        """Return loss, accuracy and metrics."""
        return measure(self._engine.current(), self._loss, self._samples, self._tally, self._size, self._metrics)

    @property
    def count(self) -> int:
        """The number of samples."""
        return self._samples.count

    def validation_for(self, engine: Engine) -> Validation | None:
        """Return the validation set for an engine to measure in the call that trains; None if it does not do so."""
        if self._metrics:  # which need all predictions
            return None
        records = engine.to_validate(self._loss, self._samples, self._tally.threshold)
        return None if records is None else Validation(records, EpochResults.zeros(self.unsound.shape))

    def read(self, validation: Validation, epoch: int | tuple[()] = ()) -> Evaluation:
        """Return loss and accuracy that an engine has noted, of one of several epochs if there are several."""
        loss, hits, *_ = validation.results
        self._tally.set_sums(loss[epoch], hits[epoch], np.asarray(self._samples.mass))
        return self._tally.take()

    def _find_unsound(self, cause: str) -> None:
        """Look whether samples that are not finite matter: a loss of one's own may leave them out."""
        with np.errstate(invalid="ignore", over="ignore"):
            lost = ~np.isfinite(measure(self._engine, self._loss, self._samples, self._tally, self._size).loss)
        if np.all(lost):
            raise ValueError(f"{_WHO}: expected finite samples, got others: {cause}")
        for index in np.flatnonzero(lost).tolist():
            own = self._samples.not_finite(index)
            self.unsound.flat[index] = bool(own)
