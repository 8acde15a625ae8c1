"""The running statistics of BatchNorm1d are the engine's as they are NumPy's: in every training, and at its end."""

import os

import numpy as np
import pytest

import minidl

NAMES = ("running_mean", "running_var", "num_batches_tracked")
X = np.random.default_rng(0).uniform(-1, 1, (40, 3))
Y = X[:, :2] * X[:, 1:]


def build(rng=0, dtype="float64", width=9, momentum=0.3):
    rng = np.random.default_rng(rng)
    layers = [minidl.BatchNorm1d(3, dtype=dtype), minidl.Linear(3, width, dtype=dtype, rng=rng)]
    layers += [minidl.BatchNorm1d(width, eps=0.1, momentum=momentum, dtype=dtype), minidl.Tanh()]
    layers += [minidl.Dropout(0.2, rng=rng), minidl.Linear(width, 2, dtype=dtype, rng=rng)]
    return minidl.Sequential(layers)


def makers():
    shares = (0.0, 0.4, 1.0)
    several = lambda: minidl.replicate(lambda rng: build(rng, momentum=next(momenta)), range(3))  # noqa: E731 - as short as its formula
    momenta = iter(shares * 10)
    return {"one": build, "replicates": several}


def statistics_of(model):
    return [array for module in model.modules() for array in module.statistics.values()]


def fit(model, engine, x=X, y=Y, **options):
    settings = {"epochs": 4, "batch_size": 7, "rng": 1, **options}
    return minidl.fit(
        model, minidl.MSELoss("mean"), minidl.SGD(model, 0.05, momentum=0.5), x, y, engine=engine, **settings
    )


def assert_same(ours, theirs):
    for one, other in zip([ours.values, *statistics_of(ours)], [theirs.values, *statistics_of(theirs)], strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("make", makers())
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("frozen", [(), (0,), (2,), (0, 1, 2), (5,)])
def test_a_training(make, weighted, frozen):
    models = []
    weight = np.arange(40) % 3 / 2 if weighted else None  # a sample without weight is in the mean of its batch
    for engine in ("numpy", "native"):
        model = makers()[make]()
        for layer in frozen:
            model[layer].freeze()
        history = fit(model, engine, sample_weight=weight)
        assert history.engine == engine
        models.append(model)
    assert_same(*models)
    assert np.all(models[1][2].statistics["num_batches_tracked"] == 24)


def test_threads_do_not_change_a_bit():
    models = []
    for threads in (1, 2):
        model = makers()["replicates"]()
        fit(model, "native", threads=threads)
        models.append(model)
    for one, other in zip(*map(statistics_of, models), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n", [0, 1, 4, 5, 129])
@pytest.mark.parametrize("width", [1, 8, 33])
def test_a_prediction_uses_them(trained, isa, dtype, n, width):
    model = build(dtype=dtype, width=width)
    fit(model, "numpy", X.astype(dtype), Y.astype(dtype))
    x = np.random.default_rng(1).standard_normal((n, 3)).astype(dtype)
    measured = [module.statistics for module in model.modules() if module.statistics]
    y = trained.network_of(model, isa).predict(model.values, x, statistics=measured)
    close = {"rtol": 1e-13, "atol": 1e-14} if dtype == "float64" else {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(y, model.infer(x), **close)


@pytest.mark.parametrize("n", [1, 30])
@pytest.mark.parametrize("own", [False, True])
def test_a_prediction_of_replicates_uses_those_of_each(n, own):
    model = makers()["replicates"]()
    fit(model, "numpy")
    x = np.random.default_rng(1).standard_normal((3, n, 3) if own else (n, 3))
    np.testing.assert_allclose(minidl.predict(model, x, engine="native"), model.infer(x), rtol=1e-12)


def test_a_validation_and_the_best_state_use_them():
    found = []
    for engine in ("numpy", "native"):
        model = build()
        stopping = minidl.EarlyStopping(patience=2, restore_best=True)
        history = fit(model, engine, validation=(X[:9] + 1, Y[:9]), epochs=12, callbacks=[stopping])
        found.append((model, history.curve("val_loss")))
    assert_same(found[0][0], found[1][0])
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-11)


def test_what_was_handed_out_is_never_written_to():
    model = build()
    handed_out = [(array, array.copy()) for array in statistics_of(model)]
    fit(model, "native")
    minidl.train_step(model, minidl.MSELoss(), minidl.SGD(model, 0.1), X, Y, engine="native")
    for array, before in handed_out:
        np.testing.assert_array_equal(array, before)
    assert model[0].statistics["num_batches_tracked"] == 25


def test_a_replicate_that_diverges_keeps_those_from_before_its_bad_batch():
    models, order = [], np.random.default_rng(1).permutation(40)
    x = np.stack([X] * 3)
    x[1, order[15]] = np.nan  # in the third batch
    for engine in ("numpy", "native"):
        model = makers()["replicates"]()
        with pytest.warns(RuntimeWarning, match="replicate 1 has diverged"), np.errstate(invalid="ignore"):
            fit(model, engine, x)
        models.append(model)
    assert_same(*models)
    assert models[1][2].statistics["num_batches_tracked"].tolist() == [24, 2, 24]


@pytest.mark.parametrize("replicates", [0, 2])
def test_a_step_whose_loss_is_nan_leaves_them(replicates):
    model = minidl.replicate(build, range(2)) if replicates else build()
    x = np.stack([X, X]) if replicates else X.copy()
    x[..., 0, 0] = np.nan
    if replicates:
        x[0, 0, 0] = 1.0
    minidl.train_step(model, minidl.MSELoss(), minidl.SGD(model, 0.1), x, Y, engine="native")
    counts = np.asarray(model[2].statistics["num_batches_tracked"]).tolist()
    assert counts == ([1, 0] if replicates else 0)
    assert all(np.isfinite(array).all() for array in statistics_of(model))


def test_a_batch_of_one_sample_is_refused_as_by_numpy():
    model = build()
    before = [model.values.copy(), *(array.copy() for array in statistics_of(model))]
    with pytest.raises(ValueError, match=r"BatchNorm1d\(3 -> 3.*: expected at least two samples"):
        minidl.train_step(model, minidl.MSELoss(), minidl.SGD(model, 0.1), X[:1], Y[:1], engine="native")
    for array, expected in zip([model.values, *statistics_of(model)], before, strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_a_stream_that_ends_with_one_sample_is_refused_when_it_comes(engine):
    model, batches = build(), [(X[:20], Y[:20]), (X[20:21], Y[20:21])]
    with pytest.raises(ValueError, match=r"BatchNorm1d\(3 -> 3.*: expected at least two samples"):
        minidl.fit(model, minidl.MSELoss(), minidl.SGD(model, 0.1), batches=batches, epochs=1, engine=engine)
    assert model[2].statistics["num_batches_tracked"] == 1


INTERRUPTED = """
import os, signal, threading
import numpy as np
import minidl

n = 200_000
layers = [minidl.Linear(2, 8, dtype="float64", rng=0), minidl.BatchNorm1d(8, momentum=0.5, dtype="float64")]
model = minidl.Sequential(layers)
optimizer = minidl.SGD(model, 0.0)
x, y = np.tile([[1.0, 0.0], [0.0, 1.0]], (n, 1)), np.zeros((2 * n, 8))
timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))

def begin(epoch, history):
    if epoch == 1:
        timer.start()

try:
    options = {"epochs": 1000, "batch_size": 2, "shuffle": False, "engine": "native", "callbacks": [begin]}
    minidl.fit(model, minidl.MSELoss(), optimizer, x, y, **options)
    raise SystemExit("was not interrupted")
except KeyboardInterrupt:
    timer.join()
statistics = model[1].statistics
assert statistics["num_batches_tracked"] == optimizer.t > n
np.testing.assert_allclose(statistics["running_mean"], model[0].forward(x[:2]).mean(0))
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_keeps_those_of_the_steps_that_were_made(run_script):
    run_script(INTERRUPTED)
