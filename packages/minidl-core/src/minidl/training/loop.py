"""The training loop: epoch after epoch, and what happens between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minidl.layers.module import Module
from minidl.losses.loss import Loss
from minidl.optim.optimizer import Optimizer
from minidl.training.callbacks.callback import Run
from minidl.training.callbacks.calls import Callbacks
from minidl.training.checkpoint.keeper import Keeper
from minidl.training.engine import Engine, Training, Validation
from minidl.training.history import DivergenceError, History
from minidl.training.interruption import Deferred, Interruption, Position
from minidl.training.metrics import Evaluation, Sums, Tally
from minidl.training.notes import Notes
from minidl.training.penalty import Penalty
from minidl.training.sources import Source
from minidl.training.stretch import Stretch
from minidl.training.survivors import Survivors
from minidl.training.validation import Validator


class Loop:
    """A training whose arguments have been checked.

    Parameters
    ----------
    model : Module
    loss : Loss
    optimizer : Optimizer
    source : Source
        The batches of each epoch.
    engine : Engine
    tally : Tally
        Empty.
    history : History
        Which grows by an entry per epoch.
    validate : Validator or None
    callbacks : Callbacks
    penalty : Penalty, optional
    keeper : Keeper, optional
        Writes checkpoints, or lets the training go on from one.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Optimizer,
        source: Source,
        engine: Engine,
        tally: Tally,
        history: History,
        validate: Validator | None,
        callbacks: Callbacks,
        penalty: Penalty | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self._model, self._loss, self._optimizer = model, loss, optimizer
        self._source, self._engine, self._tally = source, engine, tally
        self._history, self._callbacks, self._penalty = history, callbacks, penalty
        self._notes = Notes(history, tally, validate, callbacks, model.values)
        self._own_loss = loss.private_copy()  # what its forward saves is this training's alone
        self._keeper = keeper
        if keeper is not None:
            keeper.writes = engine.leads
        self._batches = 0 if keeper is None else keeper.batches  # of the last epoch
        self._position: Position | None = None  # in the current epoch
        self._runs_ahead = keeper is None and not model.replicate_shape
        self._interrupt = Deferred()
        self._within = ""  # what was begun and is not finished

    def run(self, epochs: int) -> None:
        """Train for some epochs more, unless callbacks or divergence end it before."""
        model, history = self._model, self._history
        first, last = len(history) + 1, len(history) + epochs
        run = Run(model, self._optimizer, history, last)
        self._go_back()
        survivors = Survivors(model, self._optimizer, history, self._source)
        with self._engine.opened(), model.mode_kept() as modules, survivors, self._callbacks.told(run):
            if self._keeper is not None:
                self._keeper.restore()
            model.zero_grad()  # an interrupted step may have left something there
            history.interrupted = None
            try:
                with self._interrupt:
                    self._run(range(first, last + 1), modules, survivors)
            except BaseException as error:
                self._leave(error)
                raise
            finally:
                self._loss.adopt(self._own_loss)
                history.engine = self._engine.words

    def _go_back(self) -> None:
        """Bring everything to where a training that goes on was."""
        interruption: Interruption | None = self._history.interrupted
        if interruption is not None:
            self._source.resume(interruption.source)
            self._position = interruption.position
        if self._keeper is not None:
            self._keeper.put()

    def _run(self, epochs: range, modules: Sequence[Module], survivors: Survivors) -> None:
        last, ends = epochs.stop - 1, bool(survivors.frozen.all())
        while epochs and not ends:
            for module in modules:
                module.training = True
            together = 0
            if self._runs_ahead:
                together, ends = self._run_stretch(epochs[: self._callbacks.epochs_ahead()], modules, survivors)
            if not together:
                ends = self._run_epoch(epochs[0], last, modules, survivors)
            epochs = epochs[together or 1 :]
        if self._batches:
            survivors.check_end(len(self._history), self._batches)

    def _run_epoch(self, epoch: int, last: int, modules: Sequence[Module], survivors: Survivors) -> bool:
        """Make the steps of an epoch, measure, and call the callbacks; return whether the training ends."""
        measured, validation = self._train(epoch, survivors)
        if self._model.replicate_shape and survivors.frozen.all():  # some were stopped before, and the others diverged
            return True
        self._note(measured, validation)
        self._notes.check_validation(survivors, self._batches)
        ends = bool(self._callbacks) and self._ask(epoch, modules, survivors)
        if self._keeper is not None:
            self._keeper.after_epoch(epoch, self._history, self._batches, last=epoch == last, ended=ends)
        return ends

    def _run_stretch(self, epochs: range, modules: Sequence[Module], survivors: Survivors) -> tuple[int, bool]:
        """Make the steps of several epochs in one call; return how many, 0 for none, and whether the training ends."""
        engine, stretch = self._engine, self._stretch(epochs)
        if stretch is None:
            return 0, False
        position = self._position = Position(epochs[0], stretch.orders[0], self._optimizer.t, np.zeros((), int))
        ended = False
        try:
            training = self._begin(position, survivors, stretch.validation)
            if self._engine is engine:  # else the handler of a signal, or another thread, has replaced a method
                ended = engine.run_epochs(training, stretch.first, stretch.orders, stretch.results)
            if ended and (lost := stretch.lost()):
                epoch, batch = lost
                survivors.lose(epoch, {0: batch})
        except BaseException as error:
            late = self._note_cut(stretch, position, ended=ended)
            if late is not None:
                error.add_note(f"a callback has raised an error before: {late!r}")
            raise
        if not ended:  # nothing was done
            self._note_cut(stretch, position, ended=False)
            return 0, False
        return len(stretch), self._note_whole(stretch, modules, survivors)

    def _stretch(self, epochs: range) -> Stretch | None:
        """Return the first of some epochs, to be run in one call; None if each must be run alone."""
        if len(epochs) == 1 or self._position is not None:
            return None
        beside, validated = self._validation_for_engine(), self._notes.validated
        if validated and beside is None:  # it is measured alone, after each epoch
            return None
        stretch = self._source.stretch(epochs, self._engine, self._optimizer, validated)
        if stretch is not None:
            stretch.validate(beside)
            if self._callbacks.read_parameters:
                stretch.keep_states(self._model.values)
        return stretch

    def _note_cut(self, stretch: Stretch, position: Position, *, ended: bool) -> BaseException | None:
        """Note the epochs that are finished, and the position in the next one; return what a callback has raised."""
        finished, self._batches = stretch.finished(ended=ended), stretch.first.batches
        late = self._notes.tell(stretch, finished)
        stretch.tell(self._tally, finished)
        stretch.place(position, finished)
        return late

    def _note_whole(self, stretch: Stretch, modules: Sequence[Module], survivors: Survivors) -> bool:
        """Note all epochs; return whether the callbacks end the training."""
        self._position, self._batches = None, stretch.first.batches
        self._loss.adopt(self._own_loss)
        last = stretch.finished(ended=True) - 1
        late = self._notes.tell(stretch, last)
        self._notes.add_epoch_of(stretch, last)
        if last + 1 < len(stretch):  # its validation loss is nan
            stretch.keep(last + 1)
        if late is not None:
            raise late
        self._notes.check_validation(survivors, self._batches)
        return bool(self._callbacks) and self._ask(len(self._history), modules, survivors)

    def _note(self, measured: Evaluation, beside: Validation | None) -> None:
        """Add the epoch to the history, with the validation set, which may be measured now."""
        validation = None
        if self._notes.validated:
            with self._interrupt.let_through:
                validation = self._notes.validation(beside)
        self._history.append(measured, validation)
        self._position = None
        self._loss.adopt(self._own_loss)

    def _ask(self, epoch: int, modules: Sequence[Module], survivors: Survivors) -> bool:
        """Call the callbacks; return whether they end the training."""
        self._within = "callbacks"
        with self._interrupt.later:
            ends, stops = self._callbacks.ask(epoch, self._history, self._model.replicate_shape)
        if stops is not None:
            survivors.stop(stops, epoch)
            ends |= bool(survivors.frozen.all())
        if not ends:
            self._optimizer.check_for("fit", self._model, modules)  # a callback may have assigned a layer's rate
            if not self._loss.still_has(self._own_loss):  # or changed the loss
                self._own_loss = self._loss.private_copy()
        self._within = ""
        return ends

    def _train(self, epoch: int, survivors: Survivors) -> tuple[Evaluation, Validation | None]:
        """Make the steps of an epoch; return loss and accuracy on the way, and what the engine has measured beside."""
        position = self._position
        if position is None:
            if self._keeper is not None:
                self._keeper.begin_epoch()
            done = np.zeros(self._model.replicate_shape, int)
            order = self._source.order(self._engine)
            position = self._position = Position(epoch, order, self._optimizer.t, done)
        engine, beside = self._engine, self._validation_for_engine() if position.sums is None else None
        training = self._begin(position, survivors, beside)
        if position.sums is None:
            self._run_batches(training, self._keeper, skip=0)
        else:
            self._finish(training, position.sums)
        return self._tally.result(), beside if self._engine is engine else None

    def _validation_for_engine(self) -> Validation | None:
        """Return the validation set for the engine to measure in its next call; None if it is to be measured alone."""
        if self._keeper is not None or not (self._notes.validated and self._source.is_one_part):
            return None
        return self._notes.validation_for(self._engine)

    def _begin(self, position: Position, survivors: Survivors, beside: Validation | None) -> Training:
        """Return the training at a position, with the engine for it and an empty tally."""
        training = Training(
            self._own_loss, self._optimizer, self._tally, survivors, position, self._interrupt, self._penalty, beside
        )
        self._engine = self._engine.current(training)  # a callback may have changed the model, or a method
        self._tally.start()
        return training

    def _run_batches(self, training: Training, keeper: Keeper | None, skip: int) -> None:
        """Make the steps of an epoch, but for those at its beginning; the keeper writes checkpoints on the way."""
        engine, position = self._engine, training.position
        parts = self._source.parts(position.epoch, position.order, skip, joined=engine.joins_batches)
        if keeper is not None:
            parts = keeper.cut(parts)
        while True:
            with self._interrupt.let_through:  # whoever makes the batches may wait for them
                part = next(parts, None)
            if part is None:
                break
            self._within = "steps"
            engine.run(training, part)
            self._within, self._batches = "", part.before + part.batches
            if keeper is not None:
                keeper.after_batches(position, self._tally.sums(), self._history, self._batches)

    def _finish(self, training: Training, sums: Sums) -> None:
        """Make the steps that are left of an interrupted epoch, together for the replicates that are equally far."""
        position, survivors = training.position, training.survivors
        self._batches = int(position.done.max())  # nothing may be left
        groups = list(position.groups(~survivors.frozen))
        keeper = self._keeper if len(groups) == 1 else None  # sums of all are known where all are equally far
        for done, replicates in groups:
            self._tally.start(sums)
            self._optimizer.t = position.t + done
            try:
                with survivors.only(replicates):
                    self._run_batches(training, keeper, skip=done)
            finally:
                sums = position.sums = sums.replaced(replicates, self._tally.sums())
        self._tally.start(sums)

    def _leave(self, error: BaseException) -> None:
        """Note where Ctrl-C has ended the training, and write a checkpoint of it if an error came between two steps."""
        if isinstance(error, KeyboardInterrupt):
            self._position = self._position_now()
            self._history.interrupted = Interruption(self._position, self._source.state())
            error.history = self._history  # type: ignore[attr-defined]  # documented in `fit`
        between_steps = not self._within or (self._within == "steps" and self._interrupt.in_order)
        if self._keeper is not None and between_steps and not isinstance(error, DivergenceError):
            self._keeper.after_error(error, self._history, self._position_now(), self._batches)

    def _position_now(self) -> Position | None:
        """Return the position in the epoch, with what its batches have added up to."""
        position = self._position
        if position is None or position.sums is not None:
            return position
        return replace(position, sums=self._tally.sums())
