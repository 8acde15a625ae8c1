"""fit on batches with weights: the steps are those on weighted arrays, on both engines."""

import numpy as np
import pytest

import minidl
from minidl.training import joining

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (53, 2)).astype(np.float32)
Y = (X[:, :1] > 0).astype(np.float32)
W = RNG.uniform(0, 2, 53)
ENGINES = pytest.mark.parametrize("engine", ["numpy", "auto"])


def linear(rng=0, **options):
    return minidl.Linear(2, 1, rng=rng, **options)


def slices(size=5, weight=W):
    return [(X[i : i + size], Y[i : i + size], weight[..., i : i + size]) for i in range(0, 53, size)]


def train(model, batches=None, *arrays, loss=None, **options):
    loss = loss or minidl.BCEWithLogitsLoss("mean")
    return minidl.fit(model, loss, minidl.Adam(model, 0.1), *arrays, batches=batches, **{"epochs": 3, **options})


@ENGINES
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("small_blocks", [False, True])
def test_the_steps_are_those_on_arrays(reduction, small_blocks, engine, monkeypatch):
    if small_blocks:
        monkeypatch.setattr(joining, "_NUMBERS", 40)
    loss, model, twin = minidl.BCEWithLogitsLoss(reduction), linear(), linear()
    history = train(model, slices(), loss=loss, engine=engine)
    other = train(twin, None, X, Y, loss=loss, batch_size=5, sample_weight=W, shuffle=False, engine=engine)
    np.testing.assert_array_equal(model.values, twin.values)
    np.testing.assert_allclose(history.loss, other.loss, rtol=1e-6)
    np.testing.assert_allclose(history.accuracy, other.accuracy, rtol=1e-6)


@ENGINES
def test_replicates_share_weights_or_have_their_own(engine):
    own = np.stack([W, W[::-1], 2 - W])
    for weight in (W, own):
        model, twin = (minidl.replicate(linear, range(3)) for _ in range(2))
        train(model, slices(weight=weight), engine=engine)
        train(twin, None, X, Y, batch_size=5, sample_weight=weight, shuffle=False, engine=engine)
        np.testing.assert_array_equal(model.values, twin.values)
    mixed = minidl.replicate(linear, range(3))
    train(mixed, [*slices(weight=own)[:3], *slices(weight=np.broadcast_to(2 - W, (3, 53)))[3:]], engine=engine)
    both = minidl.replicate(linear, range(3))
    train(both, [*slices(weight=own)[:3], *slices(weight=2 - W)[3:]], engine=engine)
    np.testing.assert_array_equal(mixed.values, both.values)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_a_data_loader_of_torch_may_give_them(backend, dtype):
    torch = pytest.importorskip("torch")
    weight = (4 * W).astype(dtype)
    tensors = [torch.from_numpy(array) for array in (X, Y, weight)]
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*tensors), batch_size=5)
    model, twin = linear(backend=backend), linear(backend=backend)
    arrays = (X, Y) if backend == "numpy" else tensors[:2]
    train(model, loader)
    train(twin, None, *arrays, batch_size=5, sample_weight=weight, shuffle=False)
    np.testing.assert_array_equal(np.asarray(model.values), np.asarray(twin.values))


@ENGINES
def test_a_source_may_use_the_memory_of_its_weights_again(engine):
    def reusing():
        weight = np.empty(5)
        for x, y, own in slices()[:10]:
            weight[...] = own
            yield x, y, weight

    model, twin = linear(), linear()
    train(model, reusing, engine=engine)
    train(twin, slices()[:10], engine=engine)
    np.testing.assert_array_equal(model.values, twin.values)


@ENGINES
def test_a_batch_of_weight_zero_is_fine_and_an_epoch_is_not(engine):
    weight = W.copy()
    weight[:5] = 0
    model, twin = linear(), linear()
    history = train(model, slices(weight=weight), engine=engine)
    other = train(twin, None, X, Y, batch_size=5, sample_weight=weight, shuffle=False, engine=engine)
    np.testing.assert_array_equal(model.values, twin.values)
    np.testing.assert_allclose(history.loss, other.loss, rtol=1e-6)
    with pytest.raises(ValueError, match=r"^fit: expected weights .* in epoch 1, got zeros alone"):
        train(model, slices(weight=0 * W), engine=engine)


@ENGINES
@pytest.mark.parametrize(
    ("weight", "error", "words"),
    [
        ((), ValueError, r"expected \(x, y, sample_weight\) like the first batch, got no weights"),
        ([W[:4]], ValueError, r"expected a weight for each sample, shape \(5,\), got shape \(4,\)"),
        ([-W[:5]], ValueError, "expected weights to be finite and at least 0"),
        ([W[:5] > 0], TypeError, "expected weights to be numbers, got bool"),
        ([None], ValueError, "got no weights"),
        ([W[:5], 1], ValueError, r"expected inputs and targets, \(x, y\), or \(x, y, sample_weight\), got 4 things"),
    ],
)
def test_another_batch_is_named(weight, error, words, engine):
    model, twin = linear(), linear()
    with pytest.raises(error, match=f"^fit: batch 4 of epoch 1: .*{words}"):
        train(model, [*slices()[:3], (X[:5], Y[:5], *weight)], engine=engine)
    train(twin, slices()[:3], epochs=1, engine=engine)
    np.testing.assert_array_equal(model.values, twin.values)  # the batches before it were trained on


@ENGINES
def test_weights_behind_a_first_batch_without_are_refused(engine):
    batches = [(X[:5], Y[:5]), *slices()]
    with pytest.raises(
        ValueError, match=r"^fit: batch 2 of epoch 1: expected \(x, y\) like the first batch, got weights"
    ):
        train(linear(), batches, engine=engine)


def test_a_loss_without_weights_is_refused(unchanged):
    class Plain(minidl.MSELoss):
        def forward(self, prediction, target, *, replicate_axes=0):
            return super().forward(prediction, target, replicate_axes=replicate_axes)

    model = linear()
    with unchanged(model), pytest.raises(TypeError, match="fit: expected a loss whose forward takes weight="):
        train(model, slices(), loss=Plain())
