"""minidl's own callbacks say how many epochs may be trained before they are called; nothing else changes by it."""

import numpy as np
import pytest

import minidl
import minidl_native

N, EPOCHS = 30, 24
RNG = np.random.default_rng(0)
X, HELD_X = (RNG.uniform(-1, 1, (count, 3)).astype(np.float32) for count in (N, 20))
Y, HELD_Y = ((x[:, :1] > x[:, 1:2]).astype(np.float32) for x in (X, HELD_X))


def fit(*callbacks, alone=False, history=None, epochs=EPOCHS, inside=()):
    model = minidl.Sequential([minidl.Linear(3, 8, rng=1), *inside, minidl.ReLU(), minidl.Linear(8, 1, rng=2)])
    optimizer, more = minidl.SGD(model, 0.9, momentum=0.9), [lambda *_: None] if alone else []
    history = minidl.fit(
        model, minidl.BCEWithLogitsLoss("mean"), optimizer, X, Y, epochs=epochs, batch_size=7, rng=0, engine="native",
        validation=(HELD_X, HELD_Y), callbacks=[*callbacks, *more], history=history,
    )  # fmt: skip
    return model, optimizer, history


def assert_same(ours, theirs):
    (model, optimizer, history), (other, other_optimizer, other_history) = ours, theirs
    np.testing.assert_array_equal(model.values, other.values)
    np.testing.assert_array_equal(optimizer.velocity, other_optimizer.velocity)
    assert optimizer.lr == other_optimizer.lr
    assert history == other_history


@pytest.fixture
def calls(epochs_of_calls):
    return epochs_of_calls(N)


@pytest.mark.parametrize("restore_best", [True, False])
@pytest.mark.parametrize("patience", [1, 2, 3, 30])
def test_early_stopping_ends_the_training_where_it_would_have_ended(patience, restore_best, calls):
    stopping, other = (minidl.EarlyStopping(patience=patience, restore_best=restore_best) for _ in range(2))
    ours = fit(stopping)
    together = list(calls)
    assert_same(ours, fit(other, alone=True))
    assert (stopping.best_epoch, stopping.best) == (other.best_epoch, other.best)
    assert sum(together) == len(ours[2])
    assert together[0] == min(patience, EPOCHS)
    assert len(ours[2]) < EPOCHS or patience > 10
    assert stopping.best_epoch < len(ours[2])  # so that the best state is not the last one


def test_early_stopping_looks_at_each_epoch_where_the_state_is_more_than_parameters(calls):
    ours, other = (
        fit(minidl.EarlyStopping(patience=30), alone=alone, inside=[minidl.BatchNorm1d(8)]) for alone in (False, True)
    )
    assert_same(ours, other)
    for name, array in ours[0].state_dict().items():
        np.testing.assert_array_equal(array, other[0].state_dict()[name])
    assert set(calls) == {1}


class Reader(minidl.Callback):
    """Reads the parameters at the end of each epoch, in whichever call."""

    reads_parameters = True

    def __init__(self, ahead, fails_at=0):
        self.ahead, self.fails_at, self.seen = ahead, fails_at, []

    def start(self, run):
        self.model = run.model

    def __call__(self, epoch, _history):
        self.seen.append(self.model.values.copy())
        if epoch == self.fails_at:
            raise RuntimeError

    def epochs_ahead(self):
        return self.ahead


def test_late_calls_find_the_parameters_of_their_epoch(calls):
    late, each = Reader(np.inf), Reader(1)
    ours = fit(late)
    assert calls == [EPOCHS]
    assert_same(ours, fit(each))
    np.testing.assert_array_equal(late.seen, each.seen)
    assert len(np.unique(late.seen, axis=0)) == EPOCHS


class Ending(Reader):
    """Inherits a promise, and breaks it."""

    def __call__(self, epoch, _history):
        return epoch == 3


def test_a_promise_is_not_inherited_by_another_call(calls):
    *_, history = fit(Ending(np.inf))
    assert len(history) == 3
    assert calls == [1] * 3


def test_an_error_of_one_callback_keeps_no_epoch_from_the_others():
    stopping, other = (minidl.EarlyStopping(patience=6) for _ in range(2))
    late = Reader(np.inf, fails_at=2)
    with pytest.raises(RuntimeError) as caught:
        fit(late, stopping, Reader(np.inf, fails_at=4))
    assert "another callback has raised an error, too: RuntimeError()" in caught.value.__notes__
    assert len(late.seen) == 2
    fit(other, alone=True, epochs=6)
    assert (stopping.best_epoch, stopping.best) == (other.best_epoch, other.best)


def test_an_error_of_a_late_call_leaves_the_parameters_of_the_last_epoch():
    failing, whole = Reader(10, fails_at=3), Reader(10)
    with pytest.raises(RuntimeError):
        fit(failing)
    fit(whole, epochs=10)
    assert len(failing.seen) == 3
    np.testing.assert_array_equal(failing.model.values, whole.model.values)


def test_the_best_state_of_a_training_that_is_cut(monkeypatch, stopped_after):
    stopping, other = minidl.EarlyStopping(patience=30), minidl.EarlyStopping(patience=30)
    fit(other, alone=True, epochs=7)
    monkeypatch.setattr(minidl_native.Network, "train", stopped_after(7 * 5 + 2))
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(stopping)
    assert len(caught.value.history) == 7
    assert (stopping.best_epoch, stopping.best) == (other.best_epoch, other.best)


def test_the_learning_rate_is_reduced_where_it_would_have_been(calls):
    ours = fit(minidl.ReduceOnPlateau(patience=3))
    assert calls[0] == 3
    assert len(calls) < EPOCHS
    assert_same(ours, fit(minidl.ReduceOnPlateau(patience=3), alone=True))
    assert ours[1].lr < 0.9


@pytest.mark.parametrize("every", [1, 2, 3, 5, 40])
def test_the_recorder_sees_each_epoch_that_it_looks_at(every, calls):
    recorder, other = (minidl.Recorder(X, Y, minidl.BCEWithLogitsLoss("mean"), every=every) for _ in range(2))
    ours = fit(recorder, epochs=13)
    fit(recorder, history=ours[2], epochs=0)
    assert sum(calls) == 13
    assert len(calls) == {1: 13, 2: 13, 3: 9, 5: 5, 40: 1}[every]
    assert_same(ours, fit(other, alone=True, epochs=13))
    ours, theirs = recorder.to_frame(), other.to_frame()
    assert recorder.epochs == other.epochs == list(range(0, 14, every))
    for name, column in theirs.items():
        np.testing.assert_array_equal(ours[name], column)


class Looking(minidl.EarlyStopping):
    """A subclass that looks at the model."""

    def start(self, run):
        super().start(run)
        self.model, self.seen = run.model, []

    def __call__(self, epoch, history):
        self.seen.append(self.model.values.copy())
        return super().__call__(epoch, history)


def test_a_subclass_with_another_call_has_promised_nothing(calls):
    looking = Looking(patience=30, restore_best=False)
    fit(looking, epochs=4)
    assert calls == [1] * 4
    assert len({values.tobytes() for values in looking.seen}) == 4
