"""Callbacks that are objects: what they are told, what they stop, the rate on a plateau, and progress."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import minidl

EPOCHS = 30


def data(seed=0, n=24):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, (x[:, :1] * x[:, 1:] + rng.normal(0, 0.3, (n, 1))).astype(np.float32)


TRAIN, VALIDATION = data(0), data(1)


def build(rng):
    return minidl.Sequential(
        [minidl.Linear(2, 8, rng=rng), minidl.Tanh(), minidl.Dropout(0.2, rng=rng), minidl.Linear(8, 1, rng=rng)]
    )


def single(seed=0):
    return build(np.random.default_rng(seed))


def train(model, *callbacks, rng=0, lr=0.05, **options):
    options = {"epochs": EPOCHS, "batch_size": 5, "validation": VALIDATION, **options}
    x, y = options.pop("train", TRAIN)
    optimizer = options.pop("optimizer", None) or minidl.Adam(model, lr)
    return minidl.fit(model, minidl.MSELoss("mean"), optimizer, x, y, rng=rng, callbacks=callbacks, **options)


class Watch(minidl.Callback):
    """Notes everything that it is told."""

    def __init__(self, answer=None):
        self.told, self.answer = [], answer

    def start(self, run):
        self.run = run
        self.told.append("start")

    def __call__(self, epoch, history):
        self.told.append((epoch, len(history)))
        return self.answer

    def finish(self, error):
        self.told.append(type(error).__name__)


def test_a_callback_is_told_start_epochs_and_end():
    model, watch = single(), Watch()
    optimizer = minidl.SGD(model, 0.01)
    history = train(model, watch, optimizer=optimizer, epochs=2)
    assert watch.told == ["start", (1, 1), (2, 2), "NoneType"]
    assert watch.run == minidl.Run(model, optimizer, history, 2)
    assert minidl.Callback()(1, history) is None


def test_without_epochs_nothing_is_told():
    watch = Watch()
    train(single(), watch, epochs=0)
    assert watch.told == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_end_is_told_after_errors_too(error):
    def fail(*_):
        raise error

    first, second = Watch(), Watch()
    with pytest.raises(error):
        train(single(), first, fail, second)
    assert first.told == ["start", (1, 1), error.__name__]
    assert second.told == ["start", error.__name__]


def test_a_callback_that_cannot_start_ends_the_training_before_its_first_step(unchanged):
    class Broken(minidl.Callback):
        def start(self, _run):
            raise ValueError("no")

    first, model = Watch(), single()
    with unchanged(model), pytest.raises(ValueError, match="no"):
        train(model, first, Broken(), Watch())
    assert first.told == ["start", "ValueError"]


def test_what_is_no_callback_is_refused():
    for wrong in ([1], None, [minidl.EarlyStopping]):
        with pytest.raises(TypeError, match="fit: expected callbacks to be"):
            minidl.fit(
                *(model := single(), minidl.MSELoss(), minidl.SGD(model, 0.1), *TRAIN),
                epochs=1, batch_size=5, callbacks=wrong,
            )  # fmt: skip


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_an_answer_per_replicate_stops_those(engine):
    model = minidl.replicate(build, range(3))
    kept = {}

    def stop(epoch, _history):
        kept[epoch] = model.values.copy()
        return np.array([epoch == 2, epoch >= 4, False])

    history = train(model, stop, epochs=6, engine=engine)
    assert history.stopped == {0: 2, 1: 4}
    assert history.diverged == {}
    for name in ("loss", "val_loss"):
        np.testing.assert_array_equal(np.isnan(history.curve(name)).sum(axis=0), [4, 2, 0])
    np.testing.assert_array_equal(model.values[:2], [kept[2][0], kept[4][1]])
    assert (kept[6][2] != kept[5][2]).any()
    assert "2 stopped" in repr(history)
    assert history.to_dict()["stopped"] == {"0": 2, "1": 4}
    twin = minidl.replicate(build, range(3))
    train(twin, epochs=6, engine=engine)
    np.testing.assert_array_equal(model.values[2], twin.values[2])


def test_the_training_ends_when_all_have_stopped():
    model = minidl.replicate(build, range(2))
    history = train(model, lambda epoch, _: np.array([epoch == 1, epoch == 3]))
    assert len(history) == 3
    assert np.isfinite(history.mean("loss")).all()


@pytest.mark.filterwarnings("ignore:fit. replicate:RuntimeWarning")
@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_the_last_that_trains_may_diverge_once_others_have_stopped(engine):
    x, y = np.stack([TRAIN[0]] * 2), np.stack([TRAIN[1]] * 2)
    model = minidl.replicate(build, range(2))

    def stop(epoch, _history):
        y[1] = np.nan if epoch == 2 else y[1]
        return np.array([epoch == 1, False])

    history = train(model, stop, train=(x, y), engine=engine)
    assert (history.stopped, history.diverged, len(history)) == ({0: 1}, {1: (3, 1)}, 2)


# ---- the learning rate


@pytest.mark.parametrize("min_delta", [0.0, 0.05])
@pytest.mark.parametrize("patience", [1, 3])
def test_the_rate_is_reduced_as_in_torch(patience, min_delta):
    torch = pytest.importorskip("torch")
    model, rates = single(), []
    optimizer = minidl.Adam(model, 0.05)
    plateau = minidl.ReduceOnPlateau(factor=0.5, patience=patience, min_delta=min_delta, min_lr=0.004)
    history = train(model, plateau, lambda *_: rates.append(optimizer.lr), optimizer=optimizer, epochs=40)
    other = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.05)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        other, factor=0.5, patience=patience - 1, threshold=min_delta, threshold_mode="abs", min_lr=0.004, eps=0
    )
    expected = []
    for loss in history.val_loss:
        schedule.step(loss)
        expected.append(schedule.get_last_lr()[0])
    assert rates == expected
    assert len(set(rates)) > 2, "the training should have plateaus"


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_each_replicate_has_its_own_plateaus(engine):
    seeds = list(range(4))
    model = minidl.replicate(build, seeds)
    optimizer, plateau = minidl.Adam(model, 0.05), minidl.ReduceOnPlateau(factor=0.5, patience=2)
    train(model, plateau, rng=seeds, optimizer=optimizer, engine=engine)
    assert len(set(optimizer.lr.tolist())) > 1
    for seed in seeds:
        alone = single(seed)
        own = minidl.Adam(alone, 0.05)
        train(alone, minidl.ReduceOnPlateau(factor=0.5, patience=2), rng=seed, optimizer=own, engine=engine)
        assert own.lr == optimizer.lr[seed]


def test_a_rate_below_the_smallest_is_not_raised():
    model = single()
    optimizer = minidl.SGD(model, 1e-4)
    train(model, minidl.ReduceOnPlateau(patience=1, min_delta=9.0, min_lr=0.01), optimizer=optimizer, epochs=4)
    assert optimizer.lr == 1e-4


@pytest.mark.parametrize("kind", ["decay", "own rates"])
def test_a_rate_that_is_no_number_is_refused(kind, unchanged):
    model = single()
    optimizer = minidl.SGD(model, kappa=0.5, eta=0.1) if kind == "decay" else minidl.SGD(model, None)
    if kind == "own rates":
        model[0].lr = model[3].lr = 0.1
    with unchanged(model), pytest.raises(ValueError, match="ReduceOnPlateau: expected an optimizer whose lr is a num"):
        train(model, minidl.ReduceOnPlateau(), optimizer=optimizer)


@pytest.mark.parametrize("factor", [0, 1, -1, np.nan])
def test_the_factor_is_between_0_and_1(factor):
    with pytest.raises(ValueError, match="ReduceOnPlateau: expected factor to be in"):
        minidl.ReduceOnPlateau(factor=factor)


# ---- progress


class Bar:
    """A pretended bar of tqdm."""

    def __init__(self, **options):
        self.options, self.done, self.words, self.closed = options, 0, [], False
        Bar.last = self

    def set_postfix_str(self, words, *, refresh):
        assert not refresh
        self.words.append(words)

    def update(self):
        self.done += 1

    def close(self):
        self.closed = True


@pytest.mark.parametrize("fails", [False, True])
def test_a_bar_is_drawn_where_tqdm_is_there(monkeypatch, fails):
    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(tqdm=Bar))

    def fail(*_):
        raise RuntimeError

    history = train(single(), epochs=1)
    if fails:
        with pytest.raises(RuntimeError):
            train(single(), fail, epochs=2, progress=True)
    else:
        train(single(), epochs=2, progress=True, history=history)
    bar = Bar.last
    assert bar.options == {"initial": int(not fails), "total": 2 + (not fails), "unit": "epoch", "file": sys.stderr}
    assert bar.closed
    assert bar.done == len(bar.words) == 2 - fails
    assert bar.words[0].startswith("loss ")


def test_hours_are_shown(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    clock = iter([0.0, 1800.0, 3600.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    progress = minidl.Progress()
    history = minidl.History(loss=[1.0])
    progress.start(minidl.Run(None, None, minidl.History(), 4))
    progress(1, history)
    progress(2, history)
    assert capsys.readouterr().err == "epoch 1/4, 1:30:00 left: loss 1\nepoch 2/4, 1:00:00 left: loss 1\n"
