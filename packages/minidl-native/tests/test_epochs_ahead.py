"""Callbacks that let several epochs be trained before they are called, and orders that can go back."""

import signal

import numpy as np
import pytest

import minidl
import minidl_native

N, BATCH, EPOCHS = 30, 7, 10
STEPS = 5  # of an epoch
X = np.random.default_rng(0).uniform(-1, 1, (N, 3)).astype(np.float32)
Y = (X[:, :1] > X[:, 1:2]).astype(np.float32)


class Ahead(minidl.Callback):
    """Notes what it is told, and ends the training after an epoch; it lets some be trained before it is called."""

    def __init__(self, ahead, last=None, error=None):
        self.ahead, self.last, self.error, self.told = ahead, last, error, []

    def start(self, run):
        self.optimizer = run.optimizer

    def __call__(self, epoch, history):
        assert epoch == len(history)
        self.told.append((epoch, history.loss[-1], self.optimizer.t))
        if epoch == self.last and self.error:
            raise self.error
        return epoch == self.last

    def epochs_ahead(self):
        return self.ahead


class Shuffled:
    """Orders by a legacy generator, each that of the epoch before, shuffled; one of them is none."""

    def __init__(self, spoilt=0):
        self.rng, self.order, self.left = np.random.RandomState(5), np.arange(N), spoilt

    def __call__(self):
        self.order, self.left = self.order[self.rng.permutation(N)], self.left - 1
        return self.order if self.left else np.zeros(N, int)

    def state(self):
        return self.order, self.left, self.rng.get_state()

    def restore(self, state):
        self.order, self.left, drawn_from = state
        self.rng.set_state(drawn_from)


class Training:
    def __init__(self, *callbacks, shuffle=True):
        self.model = minidl.Sequential([minidl.Linear(3, 8, rng=1), minidl.ReLU(), minidl.Linear(8, 1, rng=2)])
        self.optimizer, self.history, self.rng = (
            minidl.Adam(self.model, 0.01),
            minidl.History(),
            np.random.default_rng(3),
        )
        self.callbacks, self.shuffle, self.loss = list(callbacks), shuffle, minidl.BCEWithLogitsLoss("mean")

    def run(self, epochs=EPOCHS):
        minidl.fit(
            self.model, self.loss, self.optimizer, X, Y, epochs=epochs, batch_size=BATCH,
            rng=self.rng, shuffle=self.shuffle, callbacks=self.callbacks, history=self.history, engine="native",
        )  # fmt: skip
        return self

    def all(self):
        orders = str(self.rng.bit_generator.state if self.shuffle is True else self.shuffle.state())
        memory = [vector for vector in self.optimizer.state().vectors.values() if vector is not None]
        arrays = self.model.values, *memory, self.history.curve("loss")
        return [array.tobytes() for array in arrays], self.optimizer.t, orders


@pytest.fixture
def calls(epochs_of_calls):
    return epochs_of_calls(N)


@pytest.mark.parametrize("shuffle", [lambda: True, Shuffled], ids=["a generator", "a function"])
@pytest.mark.parametrize(("ahead", "expected"), [(4, [4, 4, 2]), (EPOCHS, [EPOCHS]), (10**9, [EPOCHS])])
def test_the_numbers_are_those_of_epochs_one_by_one(ahead, expected, shuffle, calls):
    alone = Training(Ahead(1), shuffle=shuffle()).run()
    assert calls == [1] * EPOCHS
    calls.clear()
    together = Training(Ahead(ahead), shuffle=shuffle()).run()
    assert calls == expected
    assert together.all() == alone.all()
    told, one_by_one = ([row[:2] for row in training.callbacks[0].told] for training in (together, alone))
    assert told == one_by_one
    assert [t for *_, t in together.callbacks[0].told][ahead - 1 :: ahead] == [t for *_, t in alone.callbacks[0].told][
        ahead - 1 :: ahead
    ]


def test_the_smallest_number_counts_and_a_function_is_called_after_each_epoch(calls):
    Training(Ahead(5), Ahead(3)).run(6)
    assert calls == [3, 3]
    calls.clear()
    Training(Ahead(5), lambda *_: None).run(3)
    assert calls == [1, 1, 1]


def test_the_last_of_them_may_end_the_training(calls):
    alone, together = (Training(Ahead(ahead, last=6), shuffle=Shuffled()).run() for ahead in (1, 3))
    assert calls[-2:] == [3, 3]
    assert len(together.history) == 6
    assert together.all() == alone.all()


def test_a_broken_promise_is_named():
    training = Training(Ahead(5, last=2))
    with pytest.raises(ValueError, match=r"fit: expected no end of the training after epoch 2, as .* of Ahead"):
        training.run()
    assert (len(training.history), training.optimizer.t) == (5, 5 * STEPS)


def test_after_an_error_of_a_callback_all_epochs_are_in_the_history():
    training, whole = Training(Ahead(5, last=2, error=KeyError("mine"))), Training(Ahead(1))
    with pytest.raises(KeyError, match="mine"):
        training.run()
    assert (len(training.history), training.optimizer.t) == (5, 5 * STEPS)
    training.callbacks.clear()
    training.run(EPOCHS - 5)
    assert training.all() == whole.run().all()


@pytest.mark.parametrize("shuffle", [lambda: True, Shuffled], ids=["a generator", "a function"])
@pytest.mark.parametrize("steps", [0, 2, STEPS, 3 * STEPS + 1])
def test_after_ctrl_c_the_callbacks_know_the_epochs_that_are_finished(steps, shuffle, monkeypatch, stopped_after):
    whole, training = Training(Ahead(1), shuffle=shuffle()).run(), Training(Ahead(9), shuffle=shuffle())
    with monkeypatch.context() as patch:
        patch.setattr(minidl_native.Network, "train", stopped_after(steps))
        with pytest.raises(KeyboardInterrupt):
            training.run()
    finished = max(0, steps - 1) // STEPS
    assert [epoch for epoch, *_ in training.callbacks[0].told] == list(range(1, finished + 1))
    assert (len(training.history), training.optimizer.t) == (finished, steps)
    training.run(EPOCHS - finished)
    assert training.all() == whole.all()


def test_a_loss_of_nan_ends_it_where_it_would_have_ended():
    ends = []
    for ahead in (1, 50):
        training = Training(Ahead(ahead), shuffle=Shuffled())
        training.model = minidl.Linear(3, 1, bias=False, rng=0)
        training.optimizer = minidl.SGD(training.model, 30.0, momentum=0.5)
        training.loss = minidl.MSELoss("sum")  # whose error each step makes larger
        with pytest.raises(minidl.DivergenceError) as caught, np.errstate(all="ignore"):
            training.run(50)
        told = [row[:2] for row in training.callbacks[0].told]
        ends.append((caught.value.epoch, caught.value.batch, len(training.history), told, training.all()))
    assert 1 < ends[0][0] < 50
    assert ends[0] == ends[1]


def test_orders_that_are_none_are_refused_after_the_epochs_before_them(calls):
    training = Training(shuffle=Shuffled(spoilt=4))
    with pytest.raises(ValueError, match="fit: expected shuffle to return each sample once"):
        training.run()
    assert calls == [1] * 3
    assert len(training.history) == 3


def test_a_function_that_cannot_go_back_is_asked_before_each_epoch(calls):
    rng = np.random.default_rng(0)
    Training(shuffle=lambda: rng.permutation(N)).run(3)
    assert calls == [1] * 3


class InPlace(Shuffled):
    """Orders that are one array, shuffled in place."""

    def __call__(self):
        self.rng.shuffle(self.order)
        return self.order

    def state(self):
        return self.order.copy(), self.left, self.rng.get_state()


def test_a_function_may_return_the_same_array_again(calls):
    together, alone = Training(shuffle=InPlace()).run(), Training(lambda *_: None, shuffle=InPlace()).run()
    assert calls[0] == EPOCHS
    np.testing.assert_array_equal(together.model.values, alone.model.values)


def test_a_rate_that_grows_beyond_all_numbers_ends_no_training_before_its_time():
    ends = []
    for callbacks in ([], [lambda *_: None]):
        training = Training(*callbacks)
        training.model = minidl.Linear(3, 1, bias=False, rng=0)
        training.optimizer = minidl.SGD(training.model, minidl.ExponentialSchedule(1e-3, 1.5))
        training.loss = minidl.MSELoss("sum")
        with pytest.raises(minidl.DivergenceError) as caught, np.errstate(all="ignore"):
            training.run(400)  # the last rates are inf
        ends.append((caught.value.epoch, caught.value.batch, training.all()))
    assert ends[0] == ends[1]


def test_ctrl_c_comes_before_an_error_of_a_callback_that_was_called_late(monkeypatch, stopped_after):
    training, whole = Training(Ahead(9, last=2, error=OSError("full"))), Training().run()
    with monkeypatch.context() as patch:
        patch.setattr(minidl_native.Network, "train", stopped_after(3 * STEPS + 1))
        with pytest.raises(KeyboardInterrupt) as caught:
            training.run()
    assert caught.value.__notes__ == ["a callback has raised an error before: OSError('full')"]
    training.callbacks.clear()
    training.run(EPOCHS - 3)
    assert training.all() == whole.all()


def test_a_signal_that_has_come_waits_until_the_callbacks_know_all_epochs():
    class Interrupted(Ahead):
        def __call__(self, epoch, history):
            if epoch == 2:
                signal.raise_signal(signal.SIGINT)
            super().__call__(epoch, history)

        def epochs_ahead(self):
            return 5

    training = Training(Interrupted(5))
    with pytest.raises(KeyboardInterrupt):
        training.run()
    assert [epoch for epoch, *_ in training.callbacks[0].told] == [1, 2, 3, 4, 5]
    assert len(training.history) == 5


@pytest.mark.parametrize("answer", [5.0, None, "5", np.nan])
def test_an_answer_that_is_no_number_of_epochs_is_named(answer):
    with pytest.raises(TypeError, match="fit: expected epochs_ahead of Ahead to return an integer or inf, got"):
        Training(Ahead(answer)).run()


def test_inf_is_all_epochs_and_less_than_one_is_one(calls):
    Training(Ahead(np.inf)).run(4)
    Training(Ahead(-3)).run(2)
    assert calls == [4, 1, 1]
