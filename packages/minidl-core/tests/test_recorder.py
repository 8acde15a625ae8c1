"""`Recorder`: a probe before the first epoch and after every n-th, on both engines, without changing the training."""

import numpy as np
import pytest

import minidl

ENGINES = ["numpy", "auto"]


def network(rng=0):
    rng = np.random.default_rng(rng)
    layers = [minidl.Linear(2, 8, std_b=1, rng=rng), minidl.ReLU(), minidl.Dropout(0.1, rng=rng)]
    return minidl.Sequential([*layers, minidl.Linear(8, 1, rng=rng)])


def data(n=60):
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, np.sin(3 * x[:, :1])


X, Y = data()


def train(model, *callbacks, epochs=6, engine="numpy", optimizer=None):
    optimizer = optimizer or minidl.Adam(model, lr=0.01)
    options = {"epochs": epochs, "batch_size": 20, "rng": 0, "engine": engine, "callbacks": callbacks}
    return minidl.fit(model, minidl.MSELoss("mean"), optimizer, X, Y, **options)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("replicates", [0, 3])
def test_a_training_ends_with_the_same_bits(engine, replicates):
    def build():
        return minidl.replicate(network, range(replicates)) if replicates else network()

    watched, alone = build(), build()
    recorder = minidl.Recorder(X, Y, minidl.MSELoss("mean"))
    history, expected = train(watched, recorder, engine=engine), train(alone, engine=engine)
    assert history == expected if not replicates else (history.curve("loss") == expected.curve("loss")).all()
    assert history.engine == expected.engine
    assert watched.values.tobytes() == alone.values.tobytes()
    assert recorder.curve("1", "dead").shape == (7, replicates)[: 1 + bool(replicates)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_record_is_the_probe_of_its_epoch(engine):
    model = network()
    optimizer, loss, probes = minidl.Adam(model, lr=0.01), minidl.MSELoss("mean"), []

    def look(_epoch, _history):
        probes.append(minidl.probe(model, X, Y, loss, optimizer=optimizer))

    recorder = minidl.Recorder(X, Y, loss)
    train(model, recorder, look, engine=engine, optimizer=optimizer)
    assert recorder.epochs == [0, 1, 2, 3, 4, 5, 6]
    for found, expected in zip(recorder.probes[1:], probes, strict=True):
        for layer, other in zip(found.layers, expected.layers, strict=True):
            numbers = layer.numbers()
            assert {name: numbers[name] for name in other.numbers()} == other.numbers()
            assert {name for name in numbers if name.endswith("_change")} == {f"{p}_change" for p in layer.parameters}


@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_change_is_that_of_the_epoch_that_has_just_ended(every):
    model, states = network(), []
    states.append(model.state_dict())
    recorder = minidl.Recorder(X, every=every)
    train(model, recorder, lambda _epoch, _history: states.append(model.state_dict()))
    assert recorder.epochs == list(range(0, 7, every))
    changes = recorder.curve("3", "weight_change")
    assert np.isnan(changes[0])
    for epoch, change in zip(recorder.epochs[1:], changes[1:], strict=True):
        before, after = (states[i]["3.weight"].astype(np.float64) for i in (epoch - 1, epoch))
        np.testing.assert_allclose(change, np.linalg.norm(after - before) / np.linalg.norm(before), rtol=1e-4)


def test_without_targets_there_are_no_gradients():
    recorder = minidl.Recorder(X)
    train(network(), recorder)
    assert set(recorder.probes[-1]["0"].parameters["weight"]) == {"norm", "change"}
    with pytest.raises(KeyError, match="mean, spread"):
        recorder.curve("0", "weight_gradient")
    with pytest.raises(KeyError, match="'3'"):
        recorder.curve("4", "mean")


def test_the_table_has_a_row_for_each_epoch_layer_and_replicate():
    recorder = minidl.Recorder(X, Y, minidl.MSELoss("mean"), every=3)
    train(minidl.replicate(network, range(2)), recorder)
    frame = recorder.to_frame()
    assert {column.shape for column in frame.values()} == {(3 * 4 * 2,)}
    assert list(frame)[:4] == ["epoch", "layer", "kind", "replicate"]
    assert {"weight_norm", "weight_gradient", "weight_update", "weight_change", "dead"} <= set(frame)
    assert frame["epoch"].tolist() == [0] * 8 + [3] * 8 + [6] * 8
    rows = (frame["layer"] == "1") & (frame["replicate"] == 1)
    np.testing.assert_array_equal(frame["dead"][rows], recorder.curve("1", "dead")[:, 1])


def test_a_new_training_starts_anew():
    recorder = minidl.Recorder(X)
    train(network(), recorder, epochs=3)
    train(network(1), recorder, epochs=2)
    assert recorder.epochs == [0, 1, 2]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_training_that_goes_on_is_recorded_on(engine):
    model, whole = network(), network()
    recorder, expected = minidl.Recorder(X, every=2), minidl.Recorder(X, every=2)
    optimizer, rng = minidl.Adam(model, lr=0.01), np.random.default_rng(0)
    options = {"batch_size": 20, "engine": engine}
    history = None
    for _ in range(3):
        history = minidl.fit(
            model,
            minidl.MSELoss(),
            optimizer,
            X,
            Y,
            epochs=2,
            rng=rng,
            history=history,
            callbacks=[recorder],
            **options,
        )
    step = minidl.Adam(whole, lr=0.01)
    minidl.fit(whole, minidl.MSELoss(), step, X, Y, epochs=6, rng=0, callbacks=[expected], **options)
    assert recorder.epochs == [0, 2, 4, 6]
    for name, column in expected.to_frame().items():
        np.testing.assert_array_equal(recorder.to_frame()[name], column)


def test_replicates_that_are_stopped_do_not_change_any_more():
    model, stopped = minidl.replicate(network, range(2)), np.array([True, False])
    recorder = minidl.Recorder(X)
    train(model, lambda epoch, _history: stopped if epoch == 3 else None, recorder)
    changes = recorder.curve("0", "weight_change")
    assert (changes[4:, 0] == 0).all()
    assert (changes[1:, 1] > 0).all()


def test_what_does_not_fit_is_named_before_the_first_step():
    model = network()
    before = model.values.tobytes()
    for wrong in (minidl.Recorder(X[:, :1]), minidl.Recorder(X, Y[:5], minidl.MSELoss())):
        with pytest.raises(ValueError, match="expected"):
            train(model, wrong)
    with pytest.raises(TypeError, match="y and loss"):
        train(model, minidl.Recorder(X, Y))
    assert model.values.tobytes() == before
    with pytest.raises(ValueError, match="every"):
        minidl.Recorder(X, every=0)
    with pytest.raises(TypeError, match="every"):
        minidl.Recorder(X).every = 1.5
    with pytest.raises(ValueError, match="started by fit"):
        minidl.Recorder(X)(1, minidl.History())


def test_the_records_before_a_divergence_stay():
    model = network()
    recorder = minidl.Recorder(X)
    optimizer = minidl.SGD(model, lr=lambda t: 1e-3 if t <= 6 else 1e30)
    with np.errstate(all="ignore"), pytest.raises(minidl.DivergenceError):
        train(model, recorder, optimizer=optimizer)
    assert recorder.epochs[:3] == [0, 1, 2]
    assert np.isfinite(recorder.curve("0", "weight_norm")[:3]).all()
