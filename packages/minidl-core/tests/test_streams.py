"""fit on batches that somebody else makes: the steps are those on arrays, on both engines, in the memory of a few."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

import minidl
from minidl.training import joining

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (53, 2)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:]).astype(np.float32)
CLASSES = (X[:, 0] > 0).astype(np.int64)
ENGINES = pytest.mark.parametrize("engine", ["numpy", "auto"])


def build(rng):
    return minidl.Sequential(
        [minidl.Linear(2, 8, rng=rng), minidl.Tanh(), minidl.Dropout(0.2, rng=rng), minidl.Linear(8, 1, rng=rng)]
    )


def single(seed=0):
    return build(np.random.default_rng(seed))


def slices(size=5, x=X, y=Y):
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]


def train(model, batches=None, *arrays, loss=None, **options):
    options = {"epochs": 3, **options}
    return minidl.fit(
        model, loss or minidl.MSELoss("mean"), minidl.Adam(model, 0.01), *arrays, batches=batches, **options
    )


def expected(model, size=5, x=X, y=Y, **options):
    return train(model, None, x, y, batch_size=size, shuffle=False, **options)


@ENGINES
@pytest.mark.parametrize("size", [1, 5, 53])
@pytest.mark.parametrize("kind", ["list", "callable", "lists", "reiterable"])
def test_batches_are_trained_on_as_samples_that_lie_so(kind, size, engine):
    class Loader:
        def __iter__(self):
            return iter(slices(size))

    batches = {
        "list": slices(size),
        "callable": lambda: iter(slices(size)),
        "lists": [list(pair) for pair in slices(size)],
        "reiterable": Loader(),
    }[kind]
    model, twin = single(), single()
    history = train(model, batches, validation=(X, Y), engine=engine)
    np.testing.assert_allclose(history.curve("loss"), expected(twin, size, engine=engine).curve("loss"), rtol=1e-6)
    np.testing.assert_array_equal(model.values, twin.values)
    assert len(history.val_loss) == 3


@ENGINES
def test_sizes_may_differ_from_batch_to_batch(engine, monkeypatch):
    monkeypatch.setattr(joining, "_NUMBERS", 40)  # several blocks
    ends = np.cumsum([0, 5, 5, 5, 3, 5, 8, 8, 1, 1, 12])
    ragged = [(X[i:j], Y[i:j]) for i, j in pairwise(ends)]
    model, twin = single(), single()
    loss, optimizer, losses = minidl.MSELoss("mean"), minidl.Adam(twin, 0.01), []
    for _ in range(2):
        for x, y in ragged:
            losses.append(float(loss(twin(x), y)) * len(x))
            twin.backward(loss.backward())
            optimizer.step()
    history = train(model, ragged, epochs=2, engine=engine)
    np.testing.assert_allclose(model.values, twin.values, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(history.loss, np.reshape(losses, (2, -1)).sum(axis=1) / 53, rtol=1e-5)


@ENGINES
def test_a_source_may_use_its_memory_again(engine):
    def reusing():
        x, y = np.empty((5, 2), np.float32), np.empty((5, 1), np.float32)
        for own_x, own_y in slices()[:10]:
            x[...], y[...] = own_x, own_y
            yield x, y

    model, twin = single(), single()
    train(model, reusing, engine=engine)
    expected(twin, x=X[:50], y=Y[:50], engine=engine)
    np.testing.assert_array_equal(model.values, twin.values)


@ENGINES
@pytest.mark.parametrize("own_data", [False, True])
def test_replicates_share_batches_or_have_their_own(own_data, engine):
    model, twin = (minidl.replicate(build, range(3)) for _ in range(2))
    x, y = (np.stack([array, -array, array[::-1]]) if own_data else array for array in (X, Y))
    batches = [(x[..., i : i + 5, :], y[..., i : i + 5, :]) for i in range(0, 53, 5)]
    history = train(model, batches, engine=engine)
    other = expected(twin, x=x, y=y, engine=engine)
    np.testing.assert_allclose(history.curve("loss"), other.curve("loss"), rtol=1e-6)
    np.testing.assert_array_equal(model.values, twin.values)


def linear(**options):
    return minidl.Linear(2, 2, rng=0, **options)


@ENGINES
def test_classes_are_counted(engine):
    model, twin, loss = linear(), linear(), minidl.CrossEntropyLoss("mean")
    history = train(model, slices(y=CLASSES), loss=loss, engine=engine)
    other = expected(twin, y=CLASSES, loss=loss, engine=engine)
    np.testing.assert_allclose(history.accuracy, other.accuracy)
    np.testing.assert_array_equal(model.values, twin.values)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_data_loader_of_torch_is_a_stream(backend):
    torch = pytest.importorskip("torch")
    tensors = torch.from_numpy(X), torch.from_numpy(CLASSES)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*tensors), batch_size=5)
    model, twin = linear(backend=backend), linear(backend=backend)
    arrays = (X, CLASSES) if backend == "numpy" else tensors
    loss = minidl.CrossEntropyLoss()
    train(model, loader, loss=loss, epochs=2)
    expected(twin, 5, *arrays, loss=loss, epochs=2)
    np.testing.assert_array_equal(np.asarray(model.values), np.asarray(twin.values))


def test_a_memory_map_is_sliced(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    model, twin = single(), single()
    train(model, lambda: slices(x=mapped))
    expected(twin)
    np.testing.assert_array_equal(model.values, twin.values)


@ENGINES
def test_the_memory_is_that_of_a_few_batches(engine):
    def endless(count=4000):
        for _ in range(count):
            yield np.ones((100, 2), np.float32), np.ones((100, 1), np.float32)

    model = minidl.Linear(2, 1, rng=0)
    tracemalloc.start()
    train(model, lambda: endless(400), epochs=1, engine=engine)
    tracemalloc.clear_traces()
    tracemalloc.reset_peak()
    train(model, endless, epochs=1, engine=engine)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000, "all samples take 4.8 MB"


@ENGINES
def test_an_iterator_that_is_used_up_is_an_error(engine):
    model, twin = single(), single()
    with pytest.raises(
        ValueError, match="fit: expected batches for epoch 2, got none: an iterator can be read only on"
    ):
        train(model, iter(slices()), engine=engine)
    expected(twin, epochs=1, engine=engine)
    np.testing.assert_array_equal(model.values, twin.values)


def test_one_epoch_of_an_iterator_is_fine():
    assert len(train(single(), iter(slices()), epochs=1)) == 1


@ENGINES
@pytest.mark.parametrize(
    ("batch", "error", "words"),
    [
        ((X[:5, :1], Y[:5]), ValueError, r"expected x like that of the first batch, float32 \(N, 2\), got float32 \(5"),
        ((X[:5], Y[:5, [0, 0]]), ValueError, r"expected y like that .* \(N, 1\), got float32 \(5, 2"),
        ((X[:5].astype(float), Y[:5]), ValueError, "expected x like that .*, got float64"),
        ((X[:5], Y[:4]), ValueError, "expected as many targets as samples"),
        ((X[:0], Y[:0]), ValueError, "expected at least one sample"),
        ((X[:5],), ValueError, r"expected inputs and targets, \(x, y\), or .*, got 1 things"),
        (X[:5], ValueError, r"expected inputs and targets, \(x, y\), or .*, got float32 \(5, 2"),
        ((X[:5], None), TypeError, "expected y to be a NumPy array or a torch tensor, got NoneType"),
    ],
)  # fmt: skip
def test_another_batch_is_named(batch, error, words, engine):
    model, twin = single(), single()
    with pytest.raises(error, match=f"^fit: batch 4 of epoch 1: {words}"):
        train(model, [*slices()[:3], batch], engine=engine)
    expected(twin, x=X[:15], y=Y[:15], epochs=1, engine=engine)
    np.testing.assert_array_equal(model.values, twin.values)  # the batches before it were trained on


@ENGINES
def test_an_error_of_the_source_comes_after_the_batches_before_it(engine):
    def broken():
        yield from slices()[:3]
        raise OSError("no such file")

    model, twin = single(), single()
    with pytest.raises(OSError, match="no such file"):
        train(model, broken, engine=engine)
    expected(twin, x=X[:15], y=Y[:15], epochs=1, engine=engine)
    np.testing.assert_array_equal(model.values, twin.values)


@ENGINES
def test_bad_classes_are_refused(engine):
    batches = slices(y=CLASSES)
    batches[7] = (X[:5], np.array([0, 1, 2, 0, 0]))
    model = linear()
    with pytest.raises(ValueError, match="CrossEntropyLoss"):
        train(model, batches, loss=minidl.CrossEntropyLoss(), engine=engine)


@pytest.mark.parametrize(
    ("batches", "error", "words"),
    [
        (5, TypeError, "batches to be an iterable of .*, or a callable that returns one, got 5"),
        (lambda: 5, TypeError, "batches to be an iterable"),
        ([], ValueError, "batches for epoch 1, got none"),
        ([(X[:5, :1], Y[:5])], ValueError, "of shape"),
        ([(X[:5], Y[:5, 0])], ValueError, r"y\[:, None\]"),
    ],
)
def test_what_is_no_stream_is_refused_before_the_first_step(batches, error, words, unchanged):
    model = single()
    with unchanged(model), pytest.raises(error, match=words):
        train(model, batches)


@pytest.mark.parametrize("options", [{"x": X}, {"y": Y}, {"batch_size": 5}, {"validation_split": 0.2}])
def test_nothing_else_is_given_beside_a_stream(options):
    with pytest.raises(TypeError, match=f"fit: expected batches alone, got {next(iter(options))} beside them"):
        train(single(), slices(), **options)


@ENGINES
def test_divergence_names_batch_and_sample(engine, monkeypatch):
    monkeypatch.setattr(joining, "_NUMBERS", 40)
    y = Y.copy()
    y[37] = np.nan
    with pytest.raises(minidl.DivergenceError, match="epoch 1, batch 8; y is not finite at sample 2 of batch 8"):
        train(single(), slices(y=y), engine=engine)


@ENGINES
def test_a_stream_goes_on_and_stops_replicates(engine):
    model = minidl.replicate(build, range(2))
    history = train(model, slices, callbacks=[lambda epoch, _: np.array([epoch == 1, False])], engine=engine)
    train(model, slices, history=history, epochs=2, engine=engine)
    assert np.isnan(history.curve("loss")).sum(axis=0).tolist() == [4, 0]
    twin = minidl.replicate(build, range(2))
    expected(twin, epochs=3, engine=engine)
    assert len(history) == 5
