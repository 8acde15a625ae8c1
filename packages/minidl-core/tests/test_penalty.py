"""The L2 penalty of a training: what it adds to the loss and to the gradient, and to which parameters."""

import numpy as np
import pytest

import minidl

ENGINES = ["numpy", "native", "torch"]
REDUCTIONS = ["sum", "mean", "batchmean"]
by_engine = pytest.mark.parametrize("engine", ENGINES)
by_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)
X = np.random.default_rng(0).standard_normal((11, 3))
Y = np.random.default_rng(1).standard_normal((11, 2))


def build(rng=0, dtype="float64", backend="numpy", last=()):
    rng = np.random.default_rng(rng)
    return minidl.Sequential(
        [
            minidl.Linear(3, 5, std_b=1, dtype=dtype, rng=rng, backend=backend),
            minidl.LayerNorm(5, dtype=dtype, backend=backend),
            minidl.Tanh(),
            minidl.Linear(5, 2, std_b=1, dtype=dtype, rng=rng, backend=backend),
            *last,
        ]
    )


def prepared(engine, make=build, **options):
    """Return a model, the samples in its library, and the options of a training on this engine."""
    if engine == "native":
        pytest.importorskip("minidl_native")
    if engine != "torch":
        return make(**options), (X, Y), {"engine": engine}
    torch = pytest.importorskip("torch")
    return make(**options, backend="torch"), (torch.from_numpy(X), torch.from_numpy(Y)), {"engine": "numpy"}


def numbers(model):
    return np.array(model.backend.to_numpy(model.values), np.float64)


def weights_of(values):
    """Return a vector of zeros but for the weights of the two Linear, those that the penalty is about."""
    weights, (first, second) = np.zeros_like(values), (slice(0, 15), slice(30, 40))
    weights[..., first], weights[..., second] = values[..., first], values[..., second]
    return weights


def test_the_weights_are_where_the_tests_look_for_them():
    starts = {p.name + record.path: (p.start, p.stop) for record in build().spec() for p in record.params}
    assert (starts["weight0"], starts["weight3"]) == ((0, 15), (30, 40))


def data_loss(model, loss, x, y, weight=None):
    """Return the loss and its gradient without penalty; the model and its gradients are as before."""
    options = {} if weight is None else {"weight": weight}
    value = float(loss.forward(model.forward(x), y, **options))
    model.backward(loss.backward())
    gradient = np.array(model.backend.to_numpy(model.grads_to_read))
    model.zero_grad()
    return value, gradient


def divisor(reduction, mass):
    return {"sum": 1, "mean": 2 * mass, "batchmean": mass}[reduction]


@by_engine
@by_reduction
@pytest.mark.parametrize("weighted", [False, True])
def test_an_epoch_is_the_loop_written_out(engine, reduction, weighted):
    model, (x, y), options = prepared(engine)
    twin, loss, rate, l2 = prepared(engine)[0], minidl.MSELoss(reduction), 0.01, 0.3
    weight = np.arange(11.0) if weighted else None
    order, total = np.random.default_rng(5).permutation(11), 0.0
    for rows in (order[:4], order[4:8], order[8:]):
        own = None if weight is None else weight[rows]
        mass = len(rows) if weight is None else own.sum()
        value, gradient = data_loss(twin, loss, x[rows], y[rows], own)
        weights, by = weights_of(numbers(twin)), divisor(reduction, mass)
        total += (value + l2 / 2 * (weights**2).sum() / by) * (1 if reduction == "sum" else mass)
        twin.values[...] -= rate * twin.backend.asarray(gradient + l2 * weights / by)
    history = minidl.fit(
        model, loss, minidl.SGD(model, rate), x, y,
        epochs=1, batch_size=4, rng=5, l2=l2, sample_weight=weight, validation=(x, y), **options,
    )  # fmt: skip
    assert history.engine == options["engine"]
    np.testing.assert_allclose(numbers(model), numbers(twin), rtol=1e-12)
    assert history.loss[0] == pytest.approx(total / (11 if weight is None else weight.sum()), rel=1e-12)
    plain = minidl.evaluate(model, loss, x, y).loss
    assert history.val_loss[0] == pytest.approx(plain, rel=1e-12), "the validation loss has no penalty"


@by_engine
@by_reduction
def test_the_gradient_is_the_slope_of_the_loss_that_is_reported(engine, reduction):
    model, (x, y), options = prepared(engine)
    start, loss, l2 = numbers(model), minidl.MSELoss(reduction), 0.7

    def value_at(values, lr=0.0):
        model.values[...] = model.backend.asarray(values)
        return minidl.train_step(model, loss, minidl.SGD(model, lr), x, y, l2=l2, **options)

    value_at(start, lr=1.0)
    gradient, step = start - numbers(model), 1e-6
    slopes = [(value_at(start + step * e) - value_at(start - step * e)) / (2 * step) for e in np.eye(len(start))]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-7)


@by_engine
@pytest.mark.parametrize("frozen", [0, 3])
def test_frozen_weights_are_no_part_of_it(engine, frozen):
    model, (x, y), options = prepared(engine)
    model[frozen].freeze()
    before, loss = numbers(model), minidl.MSELoss("batchmean")
    value, _ = data_loss(model, loss, x, y)
    found = minidl.train_step(model, loss, minidl.SGD(model, 0.1), x, y, l2=0.5, **options)
    weights = before[:15] if frozen == 3 else before[30:40]
    assert found == pytest.approx(value + 0.25 * (weights**2).sum() / 11, rel=1e-12)
    same = numbers(model)[:20] == before[:20] if frozen == 0 else numbers(model)[30:] == before[30:]
    assert same.all()


@by_engine
@pytest.mark.parametrize("own_weights", [False, True])
def test_each_replicate_has_its_own_strength(engine, own_weights):
    strengths, seeds = np.array([0.0, 0.2, 5.0]), range(3)
    weight = np.random.default_rng(2).random((3, 11)) if own_weights else None
    many, data, options = prepared(engine, lambda **o: minidl.replicate(lambda rng: build(rng, **o), seeds))
    options |= {"epochs": 3, "batch_size": 4, "rng": 1}
    loss = minidl.MSELoss("mean")
    together = minidl.fit(
        many, loss, minidl.Adam(many, 0.01, clip=0.5), *data, l2=strengths, sample_weight=weight, **options
    )
    for r in seeds:
        alone = prepared(engine, rng=r)[0]
        own = None if weight is None else weight[r]
        adam = minidl.Adam(alone, 0.01, clip=0.5)
        curve = minidl.fit(alone, loss, adam, *data, l2=strengths[r], sample_weight=own, **options)
        np.testing.assert_allclose(numbers(many)[r], numbers(alone), rtol=1e-9)
        np.testing.assert_allclose(together.curve("loss")[:, r], curve.loss, rtol=1e-12)


@by_engine
def test_zero_changes_not_a_bit(engine):
    trained = []
    for more in ({}, {"l2": 0}, {"l2": np.float32(0)}):
        model, data, options = prepared(engine)
        loss, sgd = minidl.MSELoss("mean"), minidl.SGD(model, 0.1)
        history = minidl.fit(model, loss, sgd, *data, epochs=2, batch_size=4, rng=0, **options, **more)
        trained.append([*history.loss, *numbers(model)])
    assert trained[0] == trained[1] == trained[2]


@by_engine
def test_the_norm_that_is_clipped_is_that_of_the_whole_gradient(engine):
    model, (x, y), options = prepared(engine)
    before, loss, l2 = numbers(model), minidl.MSELoss(), 100.0
    _, gradient = data_loss(model, loss, x, y)
    whole = gradient + l2 * weights_of(before)
    minidl.train_step(model, loss, minidl.SGD(model, 0.1, clip=1.0), x, y, l2=l2, **options)
    np.testing.assert_allclose(before - numbers(model), 0.1 * whole / np.linalg.norm(whole), rtol=1e-6)


@by_engine
def test_a_batch_without_weight_has_no_penalty(engine):
    model, (x, y), options = prepared(engine)
    before, nothing = numbers(model), np.zeros(11)
    sgd, loss = minidl.SGD(model, 0.1), minidl.MSELoss("batchmean")
    assert minidl.train_step(model, loss, sgd, x, y, l2=1.0, sample_weight=nothing, **options) == 0
    np.testing.assert_array_equal(numbers(model), before)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_small_pull_is_not_lost_in_16_bits(backend):
    if backend == "torch":
        pytest.importorskip("torch")
    layer = minidl.Linear(1, 1, bias=False, dtype="float16", backend=backend)
    layer.weight[...] = 256
    x = layer.backend.asarray(np.zeros((1000, 1), np.float16))
    value = minidl.train_step(layer, minidl.MSELoss("batchmean"), minidl.SGD(layer, 8192.0), x, x, l2=2e-5)
    assert value == pytest.approx(1e-5 * 256**2 / 1000), "not rounded to 16 bits"
    pull = 2e-5 / 1000 * 256  # whose factor is half the least number of 16 bits
    assert 256 - float(layer.weight[0, 0]) == pytest.approx(8192 * pull, rel=0.01, abs=0.125)


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_threads_streams_and_a_clip_of_replicates_take_it(engine):
    model, data, options = prepared(engine)
    twin = build()
    loss, common = minidl.MSELoss("batchmean"), {"epochs": 3, "l2": 0.5, **options}
    batches = [(X[start : start + 4], Y[start : start + 4]) for start in range(0, 11, 4)]
    streamed = minidl.fit(model, loss, minidl.SGD(model, 0.1), batches=batches, **common)
    whole = minidl.fit(twin, loss, minidl.SGD(twin, 0.1), *data, batch_size=4, shuffle=False, threads=2, **common)
    np.testing.assert_allclose(streamed.loss, whole.loss, rtol=1e-14)
    np.testing.assert_allclose(model.values, twin.values, rtol=1e-14)


@by_engine
@pytest.mark.parametrize("call", ["fit", "train_step"])
@pytest.mark.parametrize(
    ("l2", "error", "words"),
    [
        (-0.1, ValueError, "l2 to be finite and >= 0, got -0.1"),
        (np.inf, ValueError, "l2 to be finite and >= 0"),
        (np.nan, ValueError, "l2 to be finite and >= 0"),
        ("much", TypeError, "l2 to be a number"),
        (None, TypeError, "l2 to be a number"),
        (np.zeros(2), ValueError, r"l2 to be one number, got shape \(2,\)"),
    ],
)
def test_a_strength_that_is_none_is_refused(engine, call, l2, error, words, unchanged):
    model, data, options = prepared(engine)
    arguments = (model, minidl.MSELoss(), minidl.SGD(model, 0.1), *data)
    options |= {"epochs": 1, "batch_size": 4} if call == "fit" else {}
    with unchanged(model.values), pytest.raises(error, match=f"^{call}: expected {words}"):
        getattr(minidl, call)(*arguments, l2=l2, **options)


class Own(minidl.Loss):
    """A squared error that is reduced by hand."""

    def forward(self, prediction, target, *, replicate_axes=0):  # noqa: ARG002 - one network alone
        diff = prediction - target
        value = (diff * diff).sum() if self.reduction == "sum" else (diff * diff).mean()
        return self.save_for_backward(value, diff)

    def backward(self):
        (diff,) = self.saved()
        return 2 * diff if self.reduction == "sum" else 2 * diff / diff.size


def test_an_own_loss_must_say_what_it_divides_by(unchanged):
    model, options = build(last=[minidl.Dropout(0.5, rng=3)]), {"epochs": 1, "batch_size": 4, "l2": 1.0}
    for call, more in ((minidl.fit, options), (minidl.train_step, {"l2": 1.0})):
        with unchanged(model.values), pytest.raises(TypeError, match=r"Own\(mean\): expected .* self.reduce, for l2"):
            call(model, Own("mean"), minidl.SGD(model, 0.1), X, Y, **more)
    trained = []
    for loss in (Own(), minidl.MSELoss()):
        model = build()
        minidl.fit(model, loss, minidl.SGD(model, 0.01), X, Y, rng=0, **options)
        trained.append(model.values)
    np.testing.assert_allclose(*trained, rtol=1e-12)


def test_a_network_that_diverges_with_a_penalty_is_named():
    """The weights are infinite where the loss is not nan; a replicate without penalty has none of them."""
    model = minidl.replicate(lambda rng: minidl.Linear(3, 2, rng=rng, dtype="float64"), range(3))
    options = {"epochs": 40, "batch_size": 4, "rng": 0, "l2": [1e9, 0.1, 0.0]}
    with np.errstate(over="ignore", invalid="ignore"), pytest.warns(RuntimeWarning, match="replicate 0 has diverged"):
        history = minidl.fit(model, minidl.MSELoss("mean"), minidl.SGD(model, 0.1), X, Y, **options)
    assert list(history.diverged) == [0]
    assert np.isfinite(model.values[1:]).all()


@by_engine
def test_it_is_scikit_learns_alpha(engine):
    """Its gradient, and its part of the loss, in batches of which the last is shorter."""
    rivals = pytest.importorskip("sklearn.neural_network")
    theirs = rivals.MLPRegressor(
        hidden_layer_sizes=(5,), activation="tanh", solver="sgd", alpha=0.3, batch_size=4, shuffle=False,
        learning_rate_init=0.05, momentum=0.0, nesterovs_momentum=False, random_state=0,
    )  # fmt: skip
    theirs.partial_fit(X, Y[:, 0])  # draws its weights

    def ends(**kind):
        layers = [minidl.Linear(*pair, dtype="float64", **kind) for pair in ((3, 5), (5, 1))]
        for layer, weight, bias in zip(layers, theirs.coefs_, theirs.intercepts_, strict=True):
            layer.weight, layer.bias = weight.T, bias
        return minidl.Sequential([layers[0], minidl.Tanh(), layers[1]])

    model, (x, y), options = prepared(engine, ends)
    loss = minidl.HuberLoss("batchmean", delta=np.inf)
    options |= {"epochs": 5, "batch_size": 4, "shuffle": False, "l2": 0.3}
    history = minidl.fit(model, loss, minidl.SGD(model, 0.05), x, y[:, :1], **options)
    for epoch in range(5):
        theirs.partial_fit(X, Y[:, 0])
        assert history.loss[epoch] == pytest.approx(theirs.loss_, rel=1e-12)
    expected = [part.ravel() for pair in zip(theirs.coefs_, theirs.intercepts_, strict=True) for part in pair]
    expected[0], expected[2] = theirs.coefs_[0].T.ravel(), theirs.coefs_[1].T.ravel()
    np.testing.assert_allclose(numbers(model), np.concatenate(expected), rtol=1e-12)
