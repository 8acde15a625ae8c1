"""Frozen parameters, their moments and their norms: untouched to the bit, on both engines."""

import copy
import pickle
from itertools import pairwise
from math import prod

import numpy as np
import pytest

import minidl

KINDS = {
    "SGD": lambda model: minidl.SGD(model, 0.01, weight_decay=0.1),
    "SGD with momentum": lambda model: minidl.SGD(model, 0.01, momentum=0.9, nesterov=True, weight_decay=0.1, clip=1.0),
    "RMSprop": lambda model: minidl.RMSprop(model, 0.01, weight_decay=0.1, clip=1.0),
    "RMSprop with momentum": lambda model: minidl.RMSprop(
        model, 0.01, momentum=0.9, weight_decay=0.1, decay_biases=False
    ),
    "Adam": lambda model: minidl.Adam(model, weight_decay=0.1, clip=1.0, decay_biases=False),
    "AdamW": lambda model: minidl.AdamW(model, minidl.CosineSchedule(0.01, 50), clip=1.0),
    "AdamW, layers' rates": lambda model: minidl.AdamW(model, None, clip=1.0),
}
by_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
by_engine = pytest.mark.parametrize("engine", ["numpy", "auto"])
FROZEN = {"the first": [0], "the middle": [3], "the last": [6], "two": [0, 3], "all but the first": [3, 6]}


def network(rng=0, lr=None, dtype="float64"):
    rng = np.random.default_rng(rng)
    options = {"std_b": 0.5, "lr": lr, "dtype": dtype, "rng": rng}
    below = [minidl.Linear(3, 5, **options), minidl.Tanh(), minidl.Dropout(0.2, rng=rng)]
    middle = [minidl.Linear(5, 5, **options), minidl.ReLU(), minidl.LeakyReLU()]
    return minidl.Sequential([*below, *middle, minidl.Linear(5, 2, **options)])


def build(make, replicates, dtype="float64"):
    lr = 0.01 if make is KINDS["AdamW, layers' rates"] else None
    if replicates:
        return minidl.replicate(lambda rng: network(rng, lr, dtype), range(replicates))
    return network(lr=lr, dtype=dtype)


def train(model, optimizer, engine, epochs=2, seed=1):
    rng = np.random.default_rng(seed)
    x, y = (rng.standard_normal((20, width)).astype(model.dtype) for width in (3, 2))
    return minidl.fit(model, minidl.MSELoss(), optimizer, x, y, epochs=epochs, batch_size=6, rng=rng, engine=engine)


def of_layers(model, layers):
    """Return where the parameters of some layers lie in the vector."""
    starts = {int(record.path): record.params for record in model.spec()}
    return np.concatenate([np.arange(p.start, p.stop) for i in layers for p in starts[i]])


def memory(optimizer):
    return {name: vector for name, vector in optimizer.state().vectors.items() if vector is not None}


@by_kind
@by_engine
@pytest.mark.parametrize("replicates", [0, 3])
@pytest.mark.parametrize("layers", FROZEN.values(), ids=FROZEN)
def test_what_is_frozen_stays_to_the_bit_and_all_else_moves(make, engine, replicates, layers):
    model = build(make, replicates)
    optimizer = make(model)
    train(model, optimizer, engine)  # momentum and moments are left over from here
    before = {"values": model.values.copy()} | {name: vector.copy() for name, vector in memory(optimizer).items()}
    for i in layers:
        model[i].freeze()
    history = train(model, optimizer, engine)
    assert engine == "numpy" or not history.engine.startswith("numpy (") or "not installed" in history.engine
    still = of_layers(model, layers)
    moving = np.delete(np.arange(model.values.shape[-1]), still)
    for name, vector in ({"values": model.values} | memory(optimizer)).items():
        np.testing.assert_array_equal(vector[..., still], before[name][..., still])
        assert (vector[..., moving] != before[name][..., moving]).mean() > 0.9


@by_kind
@pytest.mark.parametrize("replicates", [0, 3])
@pytest.mark.parametrize("layers", FROZEN.values(), ids=FROZEN)
def test_both_engines_train_the_rest_alike(make, replicates, layers):
    models = [build(make, replicates), build(make, replicates)]
    for model, engine in zip(models, ("numpy", "auto"), strict=True):
        optimizer = make(model)
        for i in layers:
            model[i].freeze()
        train(model, optimizer, engine)
        model.unfreeze()
        train(model, optimizer, engine)
    np.testing.assert_allclose(models[0].values, models[1].values, rtol=0, atol=1e-9)


@by_kind
@by_engine
def test_frozen_from_below_it_trains_as_the_upper_layers_alone(make, engine):
    if make is KINDS["AdamW, layers' rates"]:
        pytest.skip("a network in a network has no rate of its own")
    lower = minidl.Sequential([minidl.Linear(3, 5, dtype="float64", rng=0), minidl.Tanh()])
    upper = minidl.Sequential([minidl.Linear(5, 2, dtype="float64", rng=1)])
    alone = copy.deepcopy(upper)
    whole = minidl.Sequential([lower.freeze(), upper])
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 2))
    for model, inputs in ((whole, x), (alone, lower.infer(x))):
        minidl.fit(model, minidl.MSELoss(), make(model), inputs, y, epochs=2, batch_size=6, rng=0, engine=engine)
    np.testing.assert_allclose(whole[1].values, alone.values, rtol=1e-9)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_no_gradient_is_computed_that_nobody_needs(backend, monkeypatch):
    if backend == "torch":
        pytest.importorskip("torch", reason="torch is optional")
    linears = [minidl.Linear(3, 3, backend=backend, rng=seed) for seed in range(4)]
    model = minidl.Sequential([linears[0], minidl.Sequential([linears[1], minidl.Tanh(), linears[2]]), linears[3]])
    asked = []

    def recording(i, backward):
        def record(dy, *, need_dx=True):
            asked.append((i, need_dx))
            return backward(dy, need_dx=need_dx)

        return record

    for i, layer in enumerate(linears):
        monkeypatch.setattr(layer, "backward", recording(i, layer.backward))
    linears[0].freeze(), linears[1].freeze(), linears[3].freeze()
    x = model.backend.asarray(np.ones((4, 3), np.float32))
    model.backward(model(x), need_dx=False)
    assert asked == [(3, True), (2, False)]
    grads = [model.backend.to_numpy(layer.grads_to_read) for layer in linears]
    assert [bool(grad.any()) for grad in grads] == [False, False, True, False]
    asked.clear()
    assert model.backward(model(x)).shape == (4, 3), "the gradient of x passes through frozen layers"
    assert asked == [(3, True), (2, True), (1, True), (0, True)]
    asked.clear()
    model.freeze()
    assert model.backward(model(x), need_dx=False) is None
    assert asked == []


def test_the_norm_counts_only_what_is_trained():
    model = minidl.Sequential([minidl.Linear(2, 2, rng=0), minidl.Linear(2, 1, rng=1)])
    model[0].freeze()
    optimizer = minidl.SGD(model, 1.0, clip=1.0)
    before = model.values.copy()
    model.grads[...] = [1e6] * 6 + [3, 0, 4]
    optimizer.step()
    np.testing.assert_allclose(before - model.values, [0] * 6 + [0.6, 0, 0.8], rtol=1e-5, atol=1e-7)
    assert not model.grads_to_read.any()


@by_kind
@by_engine
def test_a_model_that_is_frozen_as_a_whole_cannot_be_trained(make, engine, unchanged):
    model = build(make, 0)
    optimizer = make(model)
    model.freeze()
    with (
        unchanged(model.values, optimizer),
        pytest.raises(ValueError, match=r"to train, got Seq.*unfreeze"),
    ):
        train(model, optimizer, engine)
    with unchanged(model, optimizer), pytest.raises(ValueError, match="all of them frozen"):
        optimizer.step()
    with pytest.raises(ValueError, match="all of them frozen"):
        minidl.train_step(model, minidl.MSELoss(), optimizer, np.ones((1, 3)), np.ones((1, 2)), engine=engine)
    model[0].unfreeze()
    train(model, optimizer, engine)


@by_engine
def test_a_callback_may_freeze_and_unfreeze(engine):
    values = []
    model = network()

    def callback(epoch, _history):
        values.append(model[0].values.copy())
        (model[0].unfreeze if epoch == 2 else model[0].freeze)()

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 2))
    options = {"epochs": 4, "batch_size": 6, "rng": 0, "engine": engine, "callbacks": [callback]}
    minidl.fit(model, minidl.MSELoss(), minidl.Adam(model), x, y, **options)
    moved = [(a != b).all() for a, b in pairwise(values)]
    assert moved == [False, True, False]
    np.testing.assert_array_equal(values[2], values[3])


def test_dropout_in_a_frozen_part_still_draws():
    model = network().freeze()
    before = copy.deepcopy(model[2].generators[0].bit_generator.state)
    model.forward(np.ones((4, 3)))
    assert model[2].generators[0].bit_generator.state != before


def test_it_survives_moves_copies_and_replicates():
    layer = minidl.Linear(2, 2, rng=0).freeze()
    model = minidl.Sequential([minidl.Linear(2, 2, rng=1), layer])
    many = minidl.replicate(
        lambda rng: minidl.Sequential([minidl.Linear(2, 2, rng=rng), minidl.Linear(2, 2).freeze()]), range(2)
    )
    for one in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model)), many, *minidl.unstack(many)):
        assert [part.frozen for part in (one, *one)] == [False, False, True]
        assert one.ranges() == (slice(0, 6),)
        assert [record.frozen for record in one.spec()] == [False, True]
        assert str(one[1]) == "Linear(2 -> 2, frozen)"


def test_the_ranges_join_neighbours_and_may_leave_out_biases():
    model = network()
    sizes = [prod(p.shape) for record in model.spec() for p in record.params]
    ends = np.cumsum([0, *sizes]).tolist()
    assert model.ranges() == (slice(0, ends[-1]),)
    assert model.ranges(least_axes=2) == tuple(slice(ends[i], ends[i + 1]) for i in (0, 2, 4))
    model[3].freeze()
    assert model.ranges() == (slice(0, ends[2]), slice(ends[4], ends[6]))
    assert model[3].ranges() == ()
    assert model[6].ranges() == (slice(0, 12),), "counted from the start of the layer"
    assert not minidl.ReLU().freeze().frozen, "it has nothing to freeze"


def test_updates_by_hand_spare_frozen_layers():
    model = minidl.Sequential([minidl.Linear(2, 2, lr=0.5, rng=0), minidl.Linear(2, 2, rng=1)])
    model[1].freeze()
    before = model.values.copy()
    for update in (model.update, lambda: model.update(0.5), lambda: model[1].update(0.5)):
        model.grads[...] = 1
        update()
    assert (before - model.values).tolist() == pytest.approx([1.0] * 6 + [0] * 6)


def test_gradcheck_checks_a_frozen_layer_too(rng):
    layer = minidl.Linear(3, 2, dtype="float64", rng=0).freeze()
    assert minidl.gradcheck(layer, rng.standard_normal((4, 3)), rng=rng) < 1e-8
    assert layer.frozen


def test_a_module_of_ones_own_freezes():
    class Scale(minidl.Module):
        def __init__(self, features):
            super().__init__({"scale": np.ones(features)}, dtype="float64")

        def forward(self, x):
            return self.save_for_backward(x * self.broadcast_param("scale", x), x)

        def backward(self, dy, *, need_dx=True):  # noqa: ARG002 - as short as can be
            (x,) = self.saved(dy)
            self.accumulate_grad("scale", self.sum_samples, dy * x)
            return dy * self.broadcast_param("scale", dy)

    model = minidl.Sequential([Scale(3).freeze(), minidl.Linear(3, 2, dtype="float64", rng=0)])
    train(model, minidl.Adam(model), None)
    assert model[0].param("scale").tolist() == [1, 1, 1]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", [name for name in KINDS if "layers" not in name])
def test_frozen_in_every_dtype_and_on_tensors(name, dtype, rng):
    pytest.importorskip("torch", reason="torch is optional")
    for backend in ("numpy", "torch"):
        linears = [minidl.Linear(2, 2, dtype=dtype, backend=backend, rng=seed) for seed in range(2)]
        model = minidl.Sequential([linears[0].freeze(), linears[1]])
        optimizer, before = KINDS[name](model), model.backend.to_numpy(model.values).copy()
        if hasattr(optimizer, "eps"):
            optimizer.eps = 1e-3
        for _ in range(3):
            model.grads[...] = model.backend.asarray(rng.standard_normal(12), model.dtype)
            optimizer.step()
        after = model.backend.to_numpy(model.values)
        np.testing.assert_array_equal(after[:6], before[:6])
        assert (after[6:] != before[6:]).all()


def test_the_native_steps_of_a_wide_network_leave_it_out(rng):
    pytest.importorskip("minidl_native")
    model = minidl.Sequential([minidl.Linear(2, 2100, rng=0), minidl.Linear(2100, 2100, rng=1)])
    optimizer = minidl.AdamW(model, clip=1.0, decay_biases=False)
    model[0].freeze()
    before = model.values.copy()
    x, y = (rng.standard_normal((4, width)).astype(np.float32) for width in (2, 2100))
    history = minidl.fit(model, minidl.MSELoss(), optimizer, x, y, epochs=2, batch_size=2, engine="auto")
    assert history.engine.endswith("steps native")
    np.testing.assert_array_equal(model.values[:1800], before[:1800])
    assert not optimizer.m[:1800].any()
    assert (model.values[1800:] != before[1800:]).mean() > 0.9
