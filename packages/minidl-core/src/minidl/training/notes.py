"""What is noted of each epoch, and who is told of those that were trained together."""

from __future__ import annotations

from minidl.arrays.backend import Array
from minidl.training.callbacks.calls import Callbacks
from minidl.training.engine import Engine, Validation
from minidl.training.history import History
from minidl.training.metrics import Evaluation, Tally
from minidl.training.stretch import Stretch
from minidl.training.survivors import Survivors
from minidl.training.validation import Validator


class Notes:
    """Adds epochs to a history, with the numbers of the training and those of the validation set.

    Parameters
    ----------
    history : History
    tally : Tally
        Which a stretch sets to the sums of its epochs.
    validate : Validator or None
    callbacks : Callbacks
    values : ndarray
        The parameters.
    """

    def __init__(
        self, history: History, tally: Tally, validate: Validator | None, callbacks: Callbacks, values: Array
    ) -> None:
        self._history, self._tally, self._validate, self._callbacks = history, tally, validate, callbacks
        self._values = values

    @property
    def validated(self) -> int:
        """The number of samples that are measured after each epoch."""
        return 0 if self._validate is None else self._validate.count

    def validation_for(self, engine: Engine) -> Validation | None:
        """Return the validation set for an engine to measure in its next call; None if it measures none there."""
        return None if self._validate is None else self._validate.validation_for(engine)

    def validation(self, beside: Validation | None, epoch: int | tuple[()] = ()) -> Evaluation | None:
        """Return what belongs to the validation set, measured now unless the engine has done so; None without one."""
        if self._validate is None:
            return None
        return self._validate() if beside is None else self._validate.read(beside, epoch)

    def add_epoch_of(self, stretch: Stretch, index: int) -> None:
        """Add an epoch of several, whose validation set has been measured, too."""
        stretch.tell(self._tally, index)
        self._history.append(self._tally.result(), self.validation(stretch.validation, index))

    def tell(self, stretch: Stretch, count: int) -> BaseException | None:
        """Add the first epochs of several, and call the callbacks for each; return the first error that one raises."""
        errors: dict[int, BaseException] = {}
        values, states = self._values, stretch.results.states
        last = None if states is None else values.copy()
        for index in range(count):
            self.add_epoch_of(stretch, index)
            if states is not None:
                values[...] = states[index]
            self._callbacks.ask_late(len(self._history), self._history, errors)
        if last is not None:
            values[...] = last
        found = list(errors.values())
        for other in found[1:]:
            found[0].add_note(f"another callback has raised an error, too: {other!r}")
        return found[0] if found else None

    def check_validation(self, survivors: Survivors, batch: int) -> None:
        """Have the survivors look at the last validation loss, if there is one; `batch` is the last of the epoch."""
        if self._validate is not None:
            survivors.check_validation(len(self._history), batch, self._validate.unsound)
