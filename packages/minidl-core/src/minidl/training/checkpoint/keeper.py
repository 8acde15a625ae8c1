"""Writes the checkpoints of a training, and lets it go on from one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from minidl.arrays.checks import as_path
from minidl.training.callbacks.calls import Callbacks
from minidl.training.callbacks.checkpoint import Checkpoint
from minidl.training.checkpoint.generators import Generators, places_of
from minidl.training.checkpoint.progress import as_history, as_position, history_state, position_state
from minidl.training.checkpoint.saved import Saved, save, saved_in
from minidl.training.checkpoint.script import Script, compare
from minidl.training.checkpoint.subject import Subject
from minidl.training.engine import Part
from minidl.training.history import History
from minidl.training.interruption import Interruption, Position
from minidl.training.metrics import Sums
from minidl.training.sources import Source


class Keeper:
    """Writes the checkpoints of a training, and lets it go on from one.

    Parameters
    ----------
    callbacks : Callbacks
    resume : str, path or None
        The file to go on from.

    Attributes
    ----------
    batches : int
        Of the last epoch before the training goes on; 0 for a new one.
    goes_on : bool
        Whether there is a file to go on from.
    writes : bool
        Whether this process writes checkpoints; see `Engine.leads`.
    """

    def __init__(self, callbacks: Callbacks, resume: str | os.PathLike[str] | None) -> None:
        self._callbacks, self._checkpoints = callbacks, callbacks.checkpoints
        self._saved: Saved | None = None
        if resume is not None:
            path = as_path("fit", "resume", resume)
            if path.is_dir():
                raise ValueError(f"fit: expected resume to be the path of a file, got the folder {path}")
            self._saved = saved_in(path)
        rngs = [rng for checkpoint in self._checkpoints for rng in checkpoint.rngs]
        self._rngs = {f"rngs[{number}]": rng for number, rng in enumerate({id(rng): rng for rng in rngs}.values())}
        self._noted = self._states()  # before a stream is opened, to look at its first batch
        self._failed = self._ended = False
        self.batches, self.goes_on, self.writes = 0, self._saved is not None, True

    def begin(self, script: Script, source: Source, history: History, epochs: int) -> tuple[History, int]:
        """Take over the parts of the training, which have been checked.

        Returns
        -------
        history : History
            To go on with: this one, or that of the file.
        epochs : int
            How many are left.

        Raises
        ------
        ValueError
            If a Checkpoint's rngs draw for the model or the orders, too, or the training is not that of the file.
        """
        self._model, self._source, self._script = script.model, source, script.words()
        places = places_of(script.model, source.generators())
        shared = {id(rng): name for name, rng in places.items()}
        for name, rng in self._rngs.items():
            if id(rng) in shared:
                raise ValueError(
                    f"Checkpoint: expected {name} to draw for the script alone, got that of {shared[id(rng)]}"
                )
        self._subject = Subject(script.model, script.optimizer, Generators(places | self._rngs))
        return (history, epochs) if self._saved is None else self._resumed(self._saved, epochs)

    def _resumed(self, saved: Saved, epochs: int) -> tuple[History, int]:
        """Return the history of a file, and how many epochs are left."""
        with saved.read("script"):
            compare(saved["script"], self._script)
        with saved.read("callbacks"):
            self._callbacks.check_kinds(saved["callbacks"])
        replicates = self._model.replicate_shape
        with saved.read("history"):
            history = as_history(saved["history"], replicates)
        with saved.read("position"):
            position = as_position(saved["position"], replicates, self._source.samples.count)
            begun = len(history) + (position is not None)
            if position is not None and position.epoch != begun:
                raise ValueError(f"expected epoch {begun} after {len(history)} epochs, got {position.epoch}")
            if epochs < begun:
                raise ValueError(f"expected epochs of at least {begun}, which have begun, got {epochs}")
        with saved.read("batches"):
            self.batches = int(saved["batches"])
        history.interrupted = Interruption(position, self._source.state())
        self._ended = bool(saved["ended"])
        return history, 0 if self._ended else epochs - len(history)

    def put(self) -> None:
        """Bring model, optimizer and generators to where they were."""
        if self._saved is not None:
            self._before = self._subject.take()
            with self._saved.read("state"):
                self._subject.put({name: self._saved[name] for name in self._before})
            self._noted = self._states()
            self._source.reopen()

    def restore(self) -> None:
        """Bring the callbacks, which have been started, to where they were."""
        if self._saved is not None:
            try:
                with self._saved.read("callbacks"):
                    self._callbacks.restore(self._saved["callbacks"])
            except BaseException:
                self._subject.put(self._before)
                raise

    # ---- writing

    def begin_epoch(self) -> None:
        """Note the generators of streams before an epoch draws from them."""
        if not self._source.has_read_ahead:
            self._noted = self._states()

    def cut(self, parts: Iterator[Part]) -> Iterator[Part]:
        """Iterate over parts that end where a checkpoint is due."""
        sizes = {checkpoint.batches for checkpoint in self._checkpoints if checkpoint.batches is not None}
        for part in parts:
            first, end = 0, part.batches
            while first < end:
                done = part.before + first
                last = min([end, *(first + size - done % size for size in sizes)])
                yield part if (first, last) == (0, end) else part.cut(first, last)
                first = last

    def after_batches(self, position: Position, sums: Sums, history: History, done: int) -> None:
        """Write the checkpoints that are due after so many batches of an epoch."""
        due = [one for one in self._checkpoints if one.batches is not None and not done % one.batches]
        self._write(due, history, position, sums, done)

    def after_epoch(self, epoch: int, history: History, batches: int, *, last: bool, ended: bool) -> None:
        """Write the checkpoints that are due after an epoch, and all after the last."""
        self._ended = ended
        due = [one for one in self._checkpoints if last or ended or not epoch % one.every]
        self._write(due, history, None, None, batches)

    def after_error(self, error: BaseException, history: History, position: Position | None, batches: int) -> None:
        """Write all checkpoints when an error has ended the training between two steps."""
        if self._failed:
            return
        try:
            self._write(self._checkpoints, history, position, None if position is None else position.sums, batches)
        except (OSError, TypeError, ValueError) as failed:
            error.add_note(f"no checkpoint was written: {failed}")

    def _write(
        self,
        due: Sequence[Checkpoint],
        history: History,
        position: Position | None,
        sums: Sums | None,
        batches: int,
    ) -> None:
        if not due or not self.writes:
            return
        self._failed = True
        state = self._subject.take()
        if position is not None and self._source.is_reopened:
            state["generators"] = self._with_noted(state["generators"])
        state |= {
            "script": self._script,
            "history": history_state(history),
            "position": position_state(position, sums),
            "callbacks": self._callbacks.states(),
            "ended": self._ended,
            "batches": batches,
        }
        for checkpoint in due:
            save(checkpoint.path, state)
        self._failed = False

    def _states(self) -> dict[str, Any]:
        return {name: rng.bit_generator.state for name, rng in self._rngs.items()}

    def _with_noted(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the state of generators with those of streams as the epoch began with them."""
        states = list(state["states"])
        for name, noted in self._noted.items():
            states[state["places"][name]] = noted
        return {**state, "states": states}
