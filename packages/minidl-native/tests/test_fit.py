"""Through `fit` and `predict` the engine does what NumPy does, also where settings and data change on the way."""

import warnings

import numpy as np
import pytest

import minidl

X = np.random.default_rng(0).uniform(-1, 1, (40, 3)).astype(np.float64)
LABELS = (X[:, 0] > 0).astype(np.int64)


def build(rng=0, p_drop=0.2):
    generator = np.random.default_rng(rng)
    layers = [minidl.Linear(3, 8, rng=generator, dtype="float64"), minidl.LeakyReLU(0.1)]
    layers += [minidl.Dropout(p_drop, rng=generator), minidl.Linear(8, 2, rng=generator, dtype="float64")]
    return minidl.Sequential(layers)


def both(make=build, optimizer=lambda m: minidl.Adam(m, 0.01), callback=None, data=lambda: (X, LABELS), **options):
    """Train on NumPy and in the engine; return both models and histories after checking that they are alike."""
    found = []
    for engine in ("numpy", "native"):
        model, (x, y) = make(), data()
        step = optimizer(model)
        callbacks = [lambda epoch, _, m=model, o=step, x=x, y=y: callback(epoch, m, o, x, y)] if callback else []
        settings = {"epochs": 4, "batch_size": 7, "rng": 1, "callbacks": callbacks, **options}
        history = minidl.fit(model, minidl.CrossEntropyLoss(), step, x, y, engine=engine, **settings)
        found.append((model, step, history))
    (ours, one, first), (theirs, other, second) = found
    assert (first.engine, second.engine) == ("numpy", "native")
    np.testing.assert_allclose(theirs.values, ours.values, rtol=1e-9)
    np.testing.assert_allclose(second.curve("loss"), first.curve("loss"), rtol=1e-9)
    np.testing.assert_array_equal(second.curve("accuracy"), first.curve("accuracy"))
    assert one.t == other.t
    return found


def test_numbers_of_numpy_are_numbers():
    def resume(model):
        adam = minidl.Adam(model, np.float32(0.01))
        adam.t = np.int64(5)
        return adam

    both(optimizer=resume, batch_size=np.int64(7), epochs=np.int32(3))
    both(batch_size=2**70)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64", ">i8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_a_callback_does_to_the_samples_counts(dtype, order):
    def change(epoch, _model, _optimizer, x, y):
        x += 0.1 * epoch
        y[epoch::2] = 1

    both(callback=change, data=lambda: (np.array(X, order=order), LABELS.astype(dtype)))


def settings(epoch, model, optimizer):
    optimizer.lr = 0.01 / epoch
    optimizer.beta1 = 0.5
    optimizer.weight_decay = 0.01
    model[1].alpha = 0.1 * epoch
    model[2].p_drop = 0.1 * epoch
    model[0].weight *= 0.9


@pytest.mark.parametrize("replicates", [0, 3])
def test_what_a_callback_does_to_the_settings_counts(replicates):
    make = (lambda: minidl.replicate(build, range(replicates))) if replicates else build
    both(make, callback=lambda epoch, model, optimizer, _x, _y: settings(epoch, model, optimizer))


def test_adam_may_be_restarted_between():
    both(callback=lambda _epoch, _model, optimizer, _x, _y: optimizer.restart())


@pytest.mark.parametrize("replicates", [0, 3])
def test_adam_steps_in_the_engine_where_the_network_stays_with_numpy(replicates):
    """Sequences are none of the engine's; its pass over the vector is that of Adam all the same."""
    each = np.array([0.1, 0.2, 0.3])
    trained = []
    for engine in ("numpy", "auto"):
        model = minidl.replicate(build, range(3)) if replicates else build()
        adam = minidl.Adam(model, each / 10 if replicates else 0.01, beta1=0.8, weight_decay=0.01)
        x, y = X.reshape(10, 4, 3), LABELS.reshape(10, 4)
        if replicates:
            x, y = np.stack([x] * 3), np.stack([y] * 3)
            x[1, 3] = np.nan
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "fit: replicate 1", RuntimeWarning)
            history = minidl.fit(
                model, minidl.CrossEntropyLoss(), adam, x, y, epochs=20, batch_size=3, rng=1, engine=engine
            )
        trained.append((model.values, adam.m, adam.v, adam.t, history.curve("loss"), model.grads))
    assert history.engine.endswith(", steps native")
    for ours, theirs in zip(*trained, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=1e-12)


class Residual(minidl.Sequential):
    """A chain that is more than its layers."""

    def forward(self, x):
        return x + super().forward(x)

    def infer(self, x):
        return x + super().infer(x)

    def backward(self, dy, *, need_dx=True):  # noqa: ARG002 - it is needed anyway
        return dy + super().backward(dy)


@pytest.mark.parametrize("nested", [False, True])
def test_a_sequential_of_ones_own_is_not_taken_for_its_layers(nested):
    own = Residual([minidl.Linear(3, 3, rng=0, dtype="float64"), minidl.Tanh()])
    model = minidl.Sequential([own, minidl.ReLU()]) if nested else own
    np.testing.assert_array_equal(minidl.predict(model, X), model.infer(X))
    assert "Residual is not a layer that it knows" in minidl.summary(model)
    history = minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 1e-3), X, X, epochs=1, batch_size=9)
    assert history.engine.startswith("numpy (")


@pytest.mark.parametrize("eta", [-0.01, np.nan])
def test_a_bad_rate_is_refused(eta):
    model = build()
    optimizer = minidl.SGD(model, kappa=0.5, eta=0.01)

    def spoil(*_):
        optimizer.eta = eta

    with pytest.raises(ValueError, match="SGD: expected eta to be finite and >= 0"):
        minidl.fit(
            model, minidl.CrossEntropyLoss(), optimizer, X, LABELS, epochs=2, batch_size=9, callbacks=[spoil],
            engine="native",
        )  # fmt: skip
    assert optimizer.t == 5


def test_shared_generators_are_refused_before_they_draw():
    shared = np.random.default_rng(0)
    model = minidl.replicate(
        lambda _: minidl.Sequential([minidl.Linear(3, 2), minidl.Dropout(0.0, rng=shared)]), [0, 1]
    )
    assert "replicates that draw from one generator" in minidl.summary(model)


def test_predict_takes_files_and_refuses_what_it_cannot_run(tmp_path):
    model = build()
    X.tofile(tmp_path / "x")
    file = np.memmap(tmp_path / "x", np.float64, "r", shape=X.shape)
    np.testing.assert_array_equal(minidl.predict(model, file, engine="native"), minidl.predict(model, X))
    for predict in (minidl.predict, lambda m, x, **o: minidl.evaluate(m, minidl.MSELoss(), x, x[..., :2], **o)):
        with pytest.raises(ValueError, match=r"expected something that the native engine can run, got x \(4, 10, 3\)"):
            predict(model, X.reshape(4, 10, 3), engine="native")
    with pytest.raises(TypeError, match=r"expected x .* float64"):
        minidl.predict(model, X.astype(np.float32), engine="native")


class Lying(np.random.PCG64):
    """A bit generator that names another one's memory, which is gone at once."""

    @property
    def capsule(self):
        return np.random.PCG64(7).capsule


def test_a_bit_generator_draws_from_itself_whatever_it_says(core):
    trained = []
    for kind in (np.random.PCG64, Lying):
        model = build()
        core.set_generators(model[2], [np.random.Generator(kind(0))])
        optimizer = minidl.SGD(model, 0.01)
        options = {"epochs": 2, "batch_size": 9, "rng": 1, "engine": "native"}
        minidl.fit(model, minidl.CrossEntropyLoss(), optimizer, X, LABELS, **options)
        trained.append(model.values)
    np.testing.assert_array_equal(*trained)


def test_a_recorder_leaves_the_epochs_to_the_engine():
    recorders = [minidl.Recorder(X, LABELS, minidl.CrossEntropyLoss("mean")) for _ in range(2)]
    for engine, recorder in zip(("numpy", "native"), recorders, strict=True):
        model = build()
        options = {"epochs": 4, "batch_size": 7, "rng": 1, "engine": engine, "callbacks": [recorder]}
        history = minidl.fit(model, minidl.CrossEntropyLoss(), minidl.Adam(model, 0.01), X, LABELS, **options)
        assert history.engine == engine
    ours, theirs = (recorder.to_frame() for recorder in recorders)
    for name in ("mean", "spread", "weight_norm", "weight_gradient", "weight_update", "weight_change"):
        np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-6, atol=1e-9)
