"""Record epoch by epoch what happens inside a network."""

from __future__ import annotations

import numpy as np

from minidl.arrays.backend import Array
from minidl.arrays.settings import count
from minidl.losses.loss import Loss
from minidl.training.batches import batch_rows
from minidl.training.callbacks.callback import Callback, Run
from minidl.training.history import History
from minidl.training.probing.probe import check_probe, look
from minidl.training.probing.result import Probe, frame_of


class Recorder(Callback):
    """Probe the network before the first epoch and after every n-th one; see `probe`.

    Beside what `probe` measures, each record but the first has ``"change"`` for each parameter: the norm of its change
    in the epoch that has just ended, over its norm before that epoch; nan if that was 0. ``"update"`` is the same ratio
    for the single step that the optimizer would make next with the gradient of all samples given here.

    Parameters
    ----------
    x : array, shape (N, ..., F); for replicates (N, F), shared by them, or (*replicate_shape, N, ..., F)
        Some samples; a few hundred are enough.
    y : array, optional
        Targets that suit the loss.
    loss : Loss, optional
        Together with y: record gradients and the optimizer's next step, too.
    every : int
        How many epochs from one record to the next.
    batch_size : int, optional
        Samples at a time; without it as many as are fast.

    Attributes
    ----------
    epochs : list of int
        The epoch of each record; 0 is the network before the training.
    probes : list of Probe

    Raises
    ------
    ValueError, TypeError
        For an `every` below 1, and before the first step for what `probe` does not accept.

    Notes
    -----
    Each training starts anew, unless it continues the last one that the object has recorded: ``fit(..., history=...)``
    with the same history.

    Examples
    --------
    >>> import numpy as np
    >>> import minidl
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-1, 1, (200, 1)).astype(np.float32)
    >>> y = np.sin(3 * x)
    >>> model = minidl.Sequential([minidl.Linear(1, 20, rng=rng), minidl.Tanh(), minidl.Linear(20, 1, rng=rng)])
    >>> recorder, loss = minidl.Recorder(x, y, minidl.MSELoss("mean"), every=10), minidl.MSELoss("mean")
    >>> _ = minidl.fit(
    ...     model, loss, minidl.Adam(model), x, y, epochs=30, batch_size=20, rng=0, callbacks=[recorder]
    ... )
    >>> recorder.epochs
    [0, 10, 20, 30]
    >>> gradients = recorder.curve("0", "weight_gradient")
    >>> gradients.shape, bool(gradients[-1] < gradients[0])
    ((4,), True)
    """

    every = count("every", "How many epochs from one record to the next.", low=1)

    def __init__(
        self,
        x: Array,
        y: Array | None = None,
        loss: Loss | None = None,
        *,
        every: int = 1,
        batch_size: int | None = None,
    ) -> None:
        self.x, self.y, self.loss, self.every, self.batch_size = x, y, loss, every, batch_size
        self.epochs: list[int] = []
        self.probes: list[Probe] = []
        self._run: Run | None = None
        self._before: dict[str, Array] = {}

    def start(self, run: Run) -> None:
        """Record the network as it is, unless the training continues the last one."""
        last, self._run = self._run, run
        if last is None or last.history is not run.history or last.model is not run.model:
            self.epochs, self.probes = [], []
            self._record(run, len(run.history), None)
            self._before = self._values(run)

    def __call__(self, epoch: int, history: History) -> None:  # noqa: ARG002 - the record is of the model
        """Record an epoch, if it is its turn."""
        run = self._run
        if run is None:
            raise ValueError("Recorder: expected to be started by fit, got an epoch")
        if epoch % self.every == 0:
            self._record(run, epoch, self._before)
        if (epoch + 1) % self.every == 0:  # the change of the next epoch is recorded
            self._before = self._values(run)

    def epochs_ahead(self) -> int:
        """Return how many epochs there are to the next one that is recorded, or that its change is counted from."""
        return 1 if self._run is None else self.every - 1 - len(self._run.history) % self.every

    def curve(self, layer: str, name: str) -> np.ndarray:
        """Return one number of one layer over the records, (records, *replicate_shape).

        Parameters
        ----------
        layer : str
            Its path, such as ``"2"``.
        name : str
            A number of `LayerProbe.numbers`, such as ``"dead"`` or ``"weight_gradient"``. It is nan in a record that
            does not have it.

        Raises
        ------
        KeyError
            For another layer or name.
        """
        numbers = [found[layer].numbers() for found in self.probes]
        known = dict.fromkeys(known for one in numbers for known in one)
        if name not in known:
            raise KeyError(f"Recorder: expected one of {', '.join(known) or 'no numbers yet'}, got {name!r}")
        nan = np.full(self.probes[0].replicate_shape, np.nan)
        return np.array([one.get(name, nan) for one in numbers])

    def to_frame(self) -> dict[str, np.ndarray]:
        """Return all records as a table: one row per epoch, layer and replicate, columns of equal length.

        ``pandas.DataFrame(recorder.to_frame())`` takes it as it is; see `Probe.to_frame`.
        """
        return frame_of(zip(self.epochs, self.probes, strict=True))

    def _record(self, run: Run, epoch: int, before: dict[str, Array] | None) -> None:
        optimizer = None if self.loss is None else run.optimizer
        samples = check_probe(run.model, self.x, self.y, self.loss, optimizer)
        size = batch_rows("probe", run.model, self.batch_size, samples.x, samples.x_axis)
        self.probes.append(look(run.model, samples, self.loss, optimizer, size, before))
        self.epochs.append(epoch)

    @staticmethod
    def _values(run: Run) -> dict[str, Array]:
        """Return copies of the parameters."""
        return {name: run.model.backend.asarray(value) for name, value in run.model.named_parameters()}
