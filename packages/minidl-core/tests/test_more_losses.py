"""The losses beyond the report: their own settings, the shape of their targets, and what they are for."""

import copy
import math
import pickle

import numpy as np
import pytest

import minidl

ENGINES = ["numpy", "auto"]


def test_the_best_constant_is_the_quantile():
    y = np.random.default_rng(0).exponential(size=(2000, 1))
    loss = minidl.QuantileLoss("mean", quantiles=[0.1, 0.5, 0.9])
    grid = np.linspace(0, 4, 401)
    values = np.array([[loss(np.full((2000, 3), g), y)] for g in grid])  # the sum over all three
    best = [
        grid[np.argmin([float(minidl.QuantileLoss(quantiles=q)(np.full_like(y, g), y)) for g in grid])]
        for q in (0.1, 0.5, 0.9)
    ]
    np.testing.assert_allclose(best, np.quantile(y, [0.1, 0.5, 0.9]), atol=0.02)
    assert values.shape == (401, 1)


@pytest.mark.parametrize("engine", ["numpy", "auto", "torch"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("replicates", [0, 2])
def test_huber_without_a_bound_is_exactly_half_the_squared_error(engine, dtype, replicates, rng):
    """A step twice as long is the same to the bit then, since only exponents differ."""
    x, y = (3 * rng.standard_normal((11, width)).astype(dtype) for width in (3, 2))
    delta, found = np.full(replicates, math.inf) if replicates else math.inf, []
    if engine == "torch":
        x, y = (pytest.importorskip("torch").from_numpy(array) for array in (x, y))
    for lr, loss in ((0.01, minidl.MSELoss("batchmean")), (0.02, minidl.HuberLoss("batchmean", delta=delta))):
        backend = "torch" if engine == "torch" else "numpy"
        build = lambda rng, backend=backend: minidl.Linear(3, 2, rng=rng, dtype=dtype, backend=backend)  # noqa: E731 - as short as its formula
        model = minidl.replicate(build, range(replicates)) if replicates else build(0)
        options = {"epochs": 3, "batch_size": 4, "rng": 0, "engine": "auto" if engine == "auto" else "numpy"}
        history = minidl.fit(model, loss, minidl.SGD(model, lr), x, y, **options)
        found.append((model.backend.to_numpy(model.values), np.array(history.loss)))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], 2 * found[1][1])


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_mean_over_the_samples_does_not_overflow_in_16_bits(backend):
    asarray = np.asarray if backend == "numpy" else pytest.importorskip("torch").from_numpy
    f, y = asarray(np.full((200, 10), 8, np.float16)), asarray(np.zeros((200, 10), np.float16))
    loss = minidl.MSELoss("batchmean")
    assert float(loss(f, y)) == 640
    assert float(loss(f, y, weight=np.full(200, 0.5))) == 640
    assert f.dtype == loss.backward().dtype


@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
def test_the_divisor_of_weighted_samples_is_their_weight(reduction, rng):
    f, y, weight = rng.standard_normal((2, 4, 3)), rng.standard_normal((4, 3)), np.array([[0, 1, 2, 3], [0, 0, 0, 0]])
    loss = minidl.MSELoss(reduction)
    loss(f, y, replicate_axes=1, weight=weight)
    expected = {"sum": 1, "mean": [18, math.inf], "batchmean": [6, math.inf]}[reduction]
    np.testing.assert_array_equal(loss.divisor, expected)
    loss(f, y, replicate_axes=1, weight=weight[0])
    assert float(loss.divisor) == {"sum": 1, "mean": 18, "batchmean": 6}[reduction]


def test_quantiles_of_several_targets_stand_side_by_side():
    loss = minidl.QuantileLoss(quantiles=[0.25, 0.75])
    y = np.array([[1.0, 10.0]])
    assert float(loss(np.array([[1.0, 1.0, 10.0, 12.0]]), y)) == pytest.approx(0.5)
    np.testing.assert_allclose(loss.backward(), [[0, 0, 0, 0.25]])


@pytest.mark.parametrize(
    ("quantiles", "error"), [(0.0, ValueError), ([0.5, 1.0], ValueError), ([], ValueError), ("half", TypeError)]
)
def test_what_is_no_quantile_is_refused(quantiles, error):
    loss = minidl.QuantileLoss()
    with pytest.raises(error, match="QuantileLoss: expected quantiles"):
        loss.quantiles = quantiles
    assert loss.quantiles == (0.5,)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (minidl.QuantileLoss(quantiles=[0.1, 0.9]), "expected 2 outputs for each target, got predictions of shape"),
        (minidl.GaussianNLLLoss(), "expected a mean and a log variance for each target, got predictions of shape"),
    ],
)
def test_outputs_that_do_not_divide_are_refused(loss, words):
    with pytest.raises(ValueError, match=words):
        loss(np.zeros((4, 3)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"expected a target of shape \(4, 1\), got \(4, 2\)"):
        loss(np.zeros((4, 2)), np.zeros((4, 2)))
    model = minidl.Linear(3, 2, rng=0, dtype="float64")
    with pytest.raises(ValueError, match="accuracy to be None or False with"):
        minidl.evaluate(model, loss, np.zeros((4, 3)), np.zeros((4, 1)), accuracy=True)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        (minidl.HuberLoss, "delta", [0.1, 1.0, 5.0]),
        (minidl.BCEWithLogitsLoss, "pos_weight", [0.5, 1.0, 4.0]),
        (minidl.CrossEntropyLoss, "label_smoothing", [0.0, 0.1, 0.5]),
        (minidl.BCEWithLogitsLoss, "ceiling", [0.3, 0.6, np.inf]),
        (minidl.CrossEntropyLoss, "ceiling", [0.3, 0.6, np.inf]),
        (minidl.PoissonNLLLoss, "eps", [1e-8, 1e-3, 0.5]),
    ],
)
def test_each_replicate_may_have_a_setting_of_its_own(kind, name, values, engine):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), rng.integers(0, 2, (20, 2)).astype(float)
    options = {"log_input": False} if kind is minidl.PoissonNLLLoss else {}

    def build(rng):
        layers = [minidl.Linear(3, 2, rng=rng, dtype="float64"), minidl.Sigmoid()]
        return minidl.Sequential(layers)

    together = minidl.replicate(build, range(3))
    fit = {"epochs": 2, "batch_size": 6, "engine": engine, "rng": 0}
    loss = kind("mean", **options, **{name: np.array(values)})
    history = minidl.fit(together, loss, minidl.SGD(together, 0.1), x, y, **fit)
    for r, value in enumerate(values):
        alone = build(np.random.default_rng(r))
        curve = minidl.fit(alone, kind("mean", **options, **{name: value}), minidl.SGD(alone, 0.1), x, y, **fit)
        np.testing.assert_allclose(together.values[r], alone.values, rtol=1e-11)
        np.testing.assert_allclose(history.curve("loss")[:, r], curve.loss, rtol=1e-11)
    with pytest.raises(ValueError, match=r"expected settings of shape \(2,\), one per replicate, got \(3,\)"):
        loss.forward(np.full((2, 4, 2), 0.5), np.zeros((4, 2)), replicate_axes=1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", [minidl.BCEWithLogitsLoss, minidl.CrossEntropyLoss])
def test_a_ceiling_changes_the_value_alone(kind, engine):
    rng = np.random.default_rng(0)
    x, y = 9 * rng.standard_normal((20, 3)), np.eye(2)[rng.integers(0, 2, 20)]
    prediction = 9 * rng.standard_normal((20, 2))
    terms = [kind()(prediction[i : i + 1], y[i : i + 1]) for i in range(20)]
    if kind is minidl.BCEWithLogitsLoss:  # a term for each element
        terms = [kind()(prediction[i : i + 1, j : j + 1], y[i : i + 1, j : j + 1]) for i in range(20) for j in range(2)]
    low, high = kind(ceiling=2.0), kind()
    np.testing.assert_allclose(low(prediction, y), np.minimum(terms, 2).sum())
    assert low(prediction, y) < high(prediction, y)
    np.testing.assert_array_equal(low.backward(), high.backward())
    assert np.isnan(low(np.full((1, 2), np.nan), y[:1]))

    models = [minidl.Linear(3, 2, rng=0, dtype="float64") for _ in range(2)]
    low, high = (
        minidl.fit(
            model,
            kind("mean", ceiling=ceiling),
            minidl.SGD(model, 0.1),
            x,
            y,
            epochs=2,
            batch_size=6,
            rng=0,
            engine=engine,
        )
        for model, ceiling in zip(models, [0.5, np.inf], strict=True)
    )
    np.testing.assert_array_equal(models[0].values, models[1].values)
    assert 0 < low.loss[0] <= 0.5 < high.loss[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_gaussian_likelihood_learns_where_the_noise_is(engine):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2000, 1))
    y = np.sin(3 * x) + np.where(x < 0, 0.05, 0.5) * rng.standard_normal((2000, 1))
    layers = [
        minidl.Linear(1, 30, rng=rng, dtype="float64"),
        minidl.Tanh(),
        minidl.Linear(30, 2, rng=rng, dtype="float64"),
    ]
    model = minidl.Sequential(layers)
    minidl.fit(
        model,
        minidl.GaussianNLLLoss("mean"),
        minidl.Adam(model, 0.01),
        x,
        y,
        epochs=60,
        batch_size=50,
        rng=0,
        engine=engine,
    )
    spread = np.exp(minidl.predict(model, np.array([[-0.5], [0.5]]))[:, 1] / 2)
    np.testing.assert_allclose(spread, [0.05, 0.5], rtol=0.4)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_exact_fit_costs_no_infinity(engine):
    model = minidl.Linear(1, 2, rng=0)
    model.values[...] = 0
    x, y = np.ones((50, 1), np.float32), np.zeros((50, 1), np.float32)
    loss, adam = minidl.GaussianNLLLoss("mean"), minidl.Adam(model, 0.1)
    history = minidl.fit(model, loss, adam, x, y, epochs=2000, batch_size=50, engine=engine)
    assert np.isfinite(history.loss).all()
    for dtype in (np.float16, np.float32, np.float64):
        value = loss(np.array([[0, -90]], dtype), np.zeros((1, 1), dtype))
        assert np.isfinite(value)
        assert np.isfinite(loss.backward()).all()


def test_rates_of_zero_cost_no_nan_in_float16():
    loss = minidl.PoissonNLLLoss(log_input=False)
    assert np.isfinite(loss(np.zeros((1, 1), np.float16), np.zeros((1, 1), np.float16)))
    assert np.isfinite(loss.backward()).all()


def test_more_quantiles_than_the_engine_knows_train_on_numpy():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
    model = minidl.Linear(3, 9, rng=0, dtype="float64")
    loss = minidl.QuantileLoss(quantiles=np.linspace(0.1, 0.9, 9))
    history = minidl.fit(model, loss, minidl.SGD(model, 0.01), x, y, epochs=1, batch_size=5)
    assert history.engine.startswith("numpy")
    if "not installed" not in history.engine:
        assert history.engine == "numpy (it does not know the quantile9 of QuantileLoss)"


@pytest.mark.parametrize(
    "loss",
    [
        minidl.HuberLoss("mean", delta=2.0),
        minidl.QuantileLoss(quantiles=[0.1, 0.9]),
        minidl.PoissonNLLLoss(log_input=False),
        minidl.CrossEntropyLoss(label_smoothing=0.1),
    ],
    ids=repr,
)
def test_copies_and_pickles_keep_the_settings(loss):
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert repr(twin) == repr(loss)
        assert vars(twin) == vars(loss)
