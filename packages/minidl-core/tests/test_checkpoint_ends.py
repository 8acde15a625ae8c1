"""When checkpoints are written, what they leave when something fails, and how a training goes on after its end."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl.training.checkpoint import keeper

X = np.random.default_rng(0).uniform(-1, 1, (23, 2)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:]).astype(np.float32)


class Died(BaseException):
    """Ends a training as a kill does: nothing is written any more."""


def network(rng=0, *, width=8, p_drop=0.2, activation=minidl.Tanh):
    rng = np.random.default_rng(rng)
    layers = [minidl.Linear(2, width, rng=rng), activation(), minidl.Dropout(p_drop, rng=rng)]
    return minidl.Sequential([*layers, minidl.Linear(width, 1, rng=rng)])


def run(path, model=None, optimizer=None, *, resume="", epochs=4, callbacks=(), options=None, **changes):
    """Run a script, with some of it changed; return its parts."""
    model = model or network()
    optimizer = (optimizer or minidl.Adam)(model)
    call = {"x": X, "y": Y, "batch_size": 5, "rng": 3, "engine": "numpy", **changes}
    loss = call.pop("loss", None) or minidl.MSELoss("mean")
    checkpoint = minidl.Checkpoint(path, **(options or {}))
    history = minidl.fit(
        model, loss, optimizer, epochs=epochs, callbacks=[*callbacks, checkpoint],
        resume=path if resume == "" else resume,
        **call,
    )  # fmt: skip
    return model, optimizer, history


def test_every_and_the_last(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(keeper, "save", lambda _, state: written.append(len(state["history"]["curves"]["loss"])))
    run(tmp_path / "file", epochs=7, options={"every": 3}, resume=None)
    assert written == [3, 6, 7]
    written.clear()
    run(tmp_path / "file", options={"every": 9}, callbacks=[lambda epoch, _: epoch == 2], resume=None)
    assert written == [2]


def test_more_epochs_go_on_after_the_last(tmp_path):
    def stopping():
        return [minidl.EarlyStopping(monitor="loss")]

    whole, _, expected = run(tmp_path / "whole", epochs=6, callbacks=stopping())
    run(tmp_path / "file", epochs=2, callbacks=stopping())
    model, _, history = run(tmp_path / "file", epochs=6, callbacks=stopping())
    assert history.loss == expected.loss
    np.testing.assert_array_equal(model.values, whole.values)


def test_an_end_by_a_callback_is_an_end(tmp_path):
    def train():
        stopping = minidl.EarlyStopping(monitor="loss", patience=1, min_delta=10.0)
        return *run(tmp_path / "file", epochs=50, callbacks=[stopping]), stopping

    (model, optimizer, history, stopping), (other, its, past, again) = train(), train()
    assert (len(past), optimizer.t, stopping.best_epoch) == (len(history), its.t, again.best_epoch)
    assert len(history) < 50
    np.testing.assert_array_equal(other.values, model.values)


def test_what_a_callback_has_changed_comes_back(tmp_path):
    class Warm(minidl.Callback):
        """Thaws a layer, and changes rate and dropout."""

        def start(self, run):
            self.run, self.seen = run, 0

        def __call__(self, epoch, _):
            self.seen += 1
            if epoch == 1:
                self.run.model[0].unfreeze()
                self.run.model[2].p_drop = 0.4
                self.run.optimizer.lr = minidl.StepSchedule(0.1, 3, 0.5)
            if epoch == 2 and fails:
                raise Died

        def state(self):
            return {"seen": self.seen, "nan": np.float64("nan"), "list": (1, None, True), "array": np.arange(3)}

        def restore(self, state):
            assert np.isnan(state["nan"])
            assert state["list"] == [1, None, True]
            self.seen = state["seen"]

    def train(name):
        model, warm = network(), Warm()
        model[0].freeze()
        return *run(tmp_path / name, model, callbacks=[warm]), warm

    fails = False
    whole, own, expected, _ = train("whole")
    fails = True
    with pytest.raises(Died):
        train("file")
    fails = False
    model, optimizer, history, warm = train("file")
    assert str(model) == str(whole)
    assert (optimizer.lr, history.loss, warm.seen) == (own.lr, expected.loss, 4)
    np.testing.assert_array_equal(model.values, whole.values)


def test_an_own_schedule_is_that_of_the_script(tmp_path):
    def schedule(t):
        return 0.1 / t

    run(tmp_path / "file", optimizer=lambda m: minidl.SGD(m, schedule), epochs=2)
    _, optimizer, history = run(tmp_path / "file", optimizer=lambda m: minidl.SGD(m, schedule))
    assert optimizer.lr is schedule
    assert len(history) == 4


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("at", [3, 5, 11])
def test_ctrl_c_writes_the_position(at, tmp_path):
    def interrupting(model):
        optimizer = minidl.Adam(model)

        def step():
            if optimizer.t == at:
                signal.raise_signal(signal.SIGINT)
            minidl.Adam.step(optimizer)

        optimizer.step = step
        return optimizer

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "file", optimizer=interrupting, options={"every": 50})
    assert keeper.saved_in(tmp_path / "file")["optimizer"]["t"] == at + 1
    whole, own, expected = run(tmp_path / "whole")
    model, optimizer, history = run(tmp_path / "file")
    assert (optimizer.t, history.loss) == (own.t, expected.loss)
    np.testing.assert_array_equal(model.values, whole.values)


def failing(error, at):
    """Return batches of which one cannot be made."""

    def batches():
        for number, start in enumerate(range(0, 23, 5)):
            if number == at and error:
                raise error
            yield X[start : start + 5], Y[start : start + 5]

    return batches


def test_an_error_of_the_stream_writes_the_position(tmp_path):
    none = {"x": None, "y": None, "batch_size": None, "rng": None}
    with pytest.raises(OSError, match="no network"):
        run(tmp_path / "file", **none, batches=failing(OSError("no network"), 3))
    assert keeper.saved_in(tmp_path / "file")["position"]["done"] == 3
    whole, _, expected = run(tmp_path / "whole", **none, batches=failing(None, 0))
    model, _, history = run(tmp_path / "file", **none, batches=failing(None, 0))
    assert history.loss == expected.loss
    np.testing.assert_array_equal(model.values, whole.values)


@pytest.mark.parametrize("where", ["step", "callback", "divergence"])
def test_other_errors_leave_the_last_checkpoint(where, tmp_path):
    class Fails(minidl.Adam):
        def step(self):
            if where == "step" and self.t == 7:
                raise RuntimeError("within a step")
            super().step()
            if where == "divergence" and self.t == 7:
                self.model.values[...] = np.nan

    def fail(epoch, _):
        if where == "callback" and epoch == 2:
            raise RuntimeError("among callbacks")

    with pytest.raises((RuntimeError, minidl.DivergenceError)):
        run(tmp_path / "file", optimizer=Fails, callbacks=[fail], options={"batches": 3})
    saved = keeper.saved_in(tmp_path / "file")
    assert saved["optimizer"]["t"] == (8 if where == "callback" else 5)


def full_disk(path):
    """Let this process write no file of more than a few bytes."""
    import resource  # noqa: PLC0415 - other systems have none

    del path
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    return lambda: (resource.setrlimit(resource.RLIMIT_FSIZE, before), signal.signal(signal.SIGXFSZ, handler))


def broken_disk(path):
    """Take the folder away."""
    moved = path.parent.with_name("moved")
    path.parent.rename(moved)
    return lambda: moved.rename(path.parent)


@pytest.mark.skipif(os.name != "posix", reason="sets a limit of the system")
@pytest.mark.parametrize("spoil", [full_disk, broken_disk])
def test_a_checkpoint_that_cannot_be_written_is_one_error_and_the_last_one_stays(spoil, tmp_path):
    (tmp_path / "folder").mkdir()
    path, mend = tmp_path / "folder" / "file", []

    def break_it(epoch, _):
        if epoch == 3:
            mend.append(spoil(path))

    try:
        with pytest.raises(OSError, match=r"File too large|No such file") as caught:
            run(path, callbacks=[break_it])
    finally:
        mend[0]()
    assert caught.value.filename == str(path)
    assert caught.value.__context__ is None or isinstance(caught.value.__cause__, OSError)
    assert [*path.parent.iterdir()] == [path], "nothing is left over"
    assert len(keeper.saved_in(path)["history"]["curves"]["loss"]) == 2
    whole, _, _ = run(tmp_path / "whole", callbacks=[lambda *_: None])
    np.testing.assert_array_equal(run(path, callbacks=[lambda *_: None])[0].values, whole.values)


def test_ctrl_c_on_a_full_disk_is_still_ctrl_c(tmp_path, monkeypatch):
    def save(path, _):
        raise OSError(28, "No space left on device", str(path))

    def interrupting(model):
        optimizer = minidl.Adam(model)
        optimizer.step = lambda: (signal.raise_signal(signal.SIGINT), minidl.Adam.step(optimizer))
        return optimizer

    monkeypatch.setattr(keeper, "save", save)
    with pytest.raises(KeyboardInterrupt) as caught:
        run(tmp_path / "file", optimizer=interrupting)
    assert "no checkpoint was written: [Errno 28] No space left" in caught.value.__notes__[0]


def test_a_state_that_is_not_plain_names_its_place(tmp_path):
    class Strange(minidl.Callback):
        def state(self):
            return {"things": [1, {2}]}

    with pytest.raises(TypeError, match="callbacks/0/1/things/1: expected plain values and arrays, got set"):
        run(tmp_path / "file", callbacks=[Strange()])
    assert not Path(tmp_path / "file").exists()


def test_ctrl_c_after_the_end_does_not_begin_anew(tmp_path, monkeypatch):
    save = keeper.save

    def save_and_press(path, state):
        save(path, state)
        if state["ended"] and not written:
            written.append(1)
            signal.raise_signal(signal.SIGINT)

    written = []
    monkeypatch.setattr(keeper, "save", save_and_press)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "file", epochs=9, callbacks=[lambda epoch, _: epoch == 2])
    _, _, history = run(tmp_path / "file", epochs=9, callbacks=[lambda epoch, _: epoch == 2])
    assert len(history) == 2


def test_a_handler_that_raises_nothing_makes_no_step_whole(tmp_path):
    class Fails(minidl.Adam):
        def step(self):
            if self.t == 6:
                signal.raise_signal(signal.SIGINT)
            if self.t == 7:
                raise RuntimeError("within a step")
            super().step()

    handler = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with pytest.raises(RuntimeError):
            run(tmp_path / "file", optimizer=Fails)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert keeper.saved_in(tmp_path / "file")["optimizer"]["t"] == 5
