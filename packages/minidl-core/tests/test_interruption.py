"""fit ends early: callbacks, Ctrl-C, a loss that is nan; what is done so far is kept."""

import sys

import numpy as np
import pytest

import minidl


def line(n=10):
    x = np.linspace(-1, 1, n, dtype=np.float32)[:, None]
    return x, 3 * x


@pytest.fixture
def model():
    return minidl.Linear(1, 1, rng=0)


def fit(model, x, y, optimizer=None, **options):
    options = {"epochs": 4, "batch_size": 3, "rng": 0, **options}
    return minidl.fit(model, minidl.MSELoss(), optimizer or minidl.SGD(model, 0.01), x, y, **options)


def test_callbacks_see_each_epoch(model):
    seen = []
    history = fit(model, *line(), callbacks=[lambda epoch, history: seen.append((epoch, len(history)))])
    assert seen == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert len(history) == 4


@pytest.mark.parametrize("true", [True, 1, np.True_, np.array(True), np.array(1), np.array([True])], ids=repr)
def test_true_ends_the_training_once_all_were_called(model, true):
    seen = []
    answers = [lambda epoch, _: true if epoch == 2 else None, lambda epoch, _: seen.append(epoch)]
    assert len(fit(model, *line(), callbacks=answers)) == 2
    assert seen == [1, 2]


@pytest.mark.parametrize(
    "answer", [None, False, 0, 2, "stop", np.False_, np.array(False), np.ones(3), [1], 1.5], ids=repr
)
def test_other_answers_do_not_end_it(model, answer):
    assert len(fit(model, *line(), callbacks=[lambda *_: answer])) == 4


def test_progress_is_a_line_per_epoch_on_stderr(model, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    x, y = line()
    history = fit(
        model, x, y, epochs=2, progress=True, validation=(x, y), callbacks=[lambda *_: sys.stdout.write("called\n")]
    )
    out, err = capsys.readouterr()
    assert out == "called\n" * 2
    words = f"loss {history.loss[1]:.4g}, val_loss {history.val_loss[1]:.4g}"
    assert [text.rpartition("left: ")[0] for text in err.splitlines()] == ["epoch 1/2, 0:00 ", "epoch 2/2, 0:00 "]
    assert err.splitlines()[1].endswith(f" left: {words}")
    assert repr(history) == f"History(2 epochs, loss {history.loss[1]:.4g}, val_loss {history.val_loss[1]:.4g})"
    fit(model, x, y)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("validation", [None, line(4)])
def test_a_nan_loss_names_epoch_and_batch_and_keeps_what_was_before(model, validation):
    x, y = line()
    start = np.random.default_rng(0)
    orders = [start.permutation(10) for _ in range(3)]

    def poison(epoch, _):
        if epoch == 2:
            y[orders[2][7]] = np.nan  # the third batch of three in epoch 3

    twin = minidl.Linear(1, 1, rng=0)
    loss, optimizer = minidl.MSELoss(), minidl.SGD(twin, 0.01)
    with pytest.raises(minidl.DivergenceError, match=r"fit: .* nan in epoch 3, batch 3") as caught:
        fit(model.eval(), x, y, callbacks=[poison], validation=validation, engine="numpy")
    history = caught.value.history
    assert (caught.value.epoch, caught.value.batch, len(history)) == (3, 3, 2)
    assert np.isfinite(history.loss).all()
    assert len(history.val_loss) == (0 if validation is None else 2)
    assert not model.training
    assert isinstance(caught.value, ValueError)
    rows = [order[i : i + 3] for order in orders for i in range(0, 10, 3)][:10]  # two epochs and two batches
    for row in rows:
        loss(twin(x[row]), 3 * x[row])
        twin.backward(loss.backward())
        optimizer.step()
    np.testing.assert_array_equal(model.values, twin.values)
    assert not model.grads.any()


def test_a_replicate_that_is_lost_is_frozen_and_the_others_go_on():
    def build(rng):
        return minidl.Linear(1, 1, rng=rng)

    x, y = line()
    y = np.stack([y] * 3)
    model, singles = minidl.replicate(build, range(3)), [build(np.random.default_rng(r)) for r in range(3)]
    row = np.random.default_rng(0).permutation(10)[4]  # in the second batch of the first epoch
    y[1, row] = np.nan
    optimizer = minidl.SGD(model, 0.01, momentum=0.5)
    with pytest.warns(
        RuntimeWarning, match=r"fit: replicate 1 has diverged.* epoch 1, batch 2, and is frozen"
    ) as warned:
        history = fit(model, x, y, optimizer, epochs=3, validation=(x, 3 * x))
    assert warned[0].filename == __file__
    assert history.diverged == {1: (1, 2)}
    assert np.isnan([history.curve("loss")[:, 1], history.curve("val_loss")[:, 1]]).all()
    for r in (0, 2):
        optimizer = minidl.SGD(singles[r], 0.01, momentum=0.5)
        alone = fit(singles[r], x, y[r], optimizer, epochs=3, validation=(x, 3 * x))
        for name in ("loss", "val_loss"):
            np.testing.assert_allclose(history.curve(name)[:, r], alone.curve(name), rtol=1e-5)
    with pytest.raises(minidl.DivergenceError, match="epoch 1, batch 2"):
        fit(singles[1], x, y[1], minidl.SGD(singles[1], 0.01, momentum=0.5))
    np.testing.assert_allclose(model.values, [single.values for single in singles], rtol=1e-5)  # products in float32


@pytest.mark.filterwarnings("ignore:fit. replicate:RuntimeWarning")
def test_when_the_last_replicate_is_lost_the_error_comes():
    model = minidl.replicate(lambda rng: minidl.Linear(1, 1, rng=rng), range(2))
    x, y = line()
    y = np.stack([y] * 2)
    first, second = np.random.default_rng(0).permutation(10)[[0, 9]]
    y[0, first] = y[1, second] = np.nan
    before = model.values.copy()
    with pytest.raises(minidl.DivergenceError, match="epoch 1, batch 4") as caught:
        fit(model, x, y)
    assert caught.value.history.diverged == {0: (1, 1), 1: (1, 4)}
    np.testing.assert_array_equal(model.values[0], before[0])
    assert (model.values[1] != before[1]).all()


def test_the_last_step_is_looked_at_too(model):
    """No later loss is there to tell."""
    x, y = line(4)
    with (
        np.errstate(over="ignore"),
        pytest.raises(minidl.DivergenceError, match=r"not finite .* in epoch 1, batch 1") as caught,
    ):
        fit(model, x, y, minidl.SGD(model, 1e38), epochs=1, batch_size=4)
    assert len(caught.value.history) == 1
    three = minidl.replicate(lambda rng: minidl.Linear(1, 1, rng=rng), range(3))
    optimizer = minidl.SGD(three, np.array([1e-3, 1e38, 1e-3]))
    with np.errstate(over="ignore"), pytest.warns(RuntimeWarning, match="replicate 1 .*not finite") as warned:
        history = fit(three, x, y, optimizer, epochs=1, batch_size=4)
    assert warned[-1].filename == __file__
    assert history.diverged == {1: (1, 1)}


def test_a_rate_that_is_too_large_is_found_out(model):
    with pytest.warns(RuntimeWarning), pytest.raises(minidl.DivergenceError, match="smaller learning rate"):
        fit(model, *line(), minidl.SGD(model, 1e10), epochs=100, engine="numpy")


@pytest.mark.parametrize("where", ["callback", "layer"])
def test_ctrl_c_keeps_the_history_and_puts_the_mode_back(where, model, monkeypatch):
    calls = []

    def interrupt(*_):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    if where == "layer":  # in the second batch of the second epoch, the sixth step in all
        optimizer = minidl.SGD(model, 0.01)
        step = optimizer.step
        monkeypatch.setattr(optimizer, "step", lambda: (step(), optimizer.t == 6 and (interrupt(), interrupt())))
        options = {"optimizer": optimizer, "engine": "numpy"}
    else:
        options = {"callbacks": [interrupt]}
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(model.eval(), *line(), **options)
    assert len(caught.value.history) == (1 if where == "layer" else 2)
    assert not model.training


def test_any_other_error_puts_the_mode_back_too(model):
    def fail(*_):
        raise RuntimeError("no disk space left")

    with pytest.raises(RuntimeError, match="no disk space left"):
        fit(model.eval(), *line(), callbacks=[fail])
    assert not model.training


def test_each_layer_is_put_back_into_its_own_mode(network, samples):
    model = network()
    model[1].eval()
    modes = [module.training for module in model.modules()]
    assert len(set(modes)) == 2
    minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.01), *samples, epochs=1, batch_size=4)
    assert [module.training for module in model.modules()] == modes


def test_a_bool_of_numpy_ends_the_training_too(model):
    assert len(fit(model, *line(), epochs=5, callbacks=[lambda *_: np.bool(True)])) == 1
