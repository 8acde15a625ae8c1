"""Every setting of every class: checked and normalised when it is assigned, exactly as in the constructor."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl

quick = settings(max_examples=30, deadline=None, derandomize=True)
SCALARS = [np.float16, np.float32, np.float64, np.longdouble, np.int8, np.uint64, np.asarray, float]


def layer():
    return minidl.Linear(2, 2, rng=0)


# How to build each with its settings at values of their own, and what one setting may be and may not.
KINDS = {
    "Linear.lr": (lambda: minidl.Linear(2, 2, lr=0.5, rng=0), "lr", 0.25, [-1, np.nan, np.inf, "1"]),
    "LeakyReLU.alpha": (lambda: minidl.LeakyReLU(0.1), "alpha", 0.25, [np.nan, np.inf, None, True]),
    "ELU.alpha": (lambda: minidl.ELU(0.1), "alpha", 0.25, [np.nan, np.inf, None, True]),
    "Softplus.beta": (lambda: minidl.Softplus(0.1), "beta", 0.25, [0, -1, np.nan, np.inf, None, True]),
    "Dropout.p_drop": (lambda: minidl.Dropout(0.5, rng=0), "p_drop", 0.25, [-0.1, 2, np.nan, None]),
    "LayerNorm.eps": (lambda: minidl.LayerNorm(2, eps=0.1), "eps", 0.25, [-1, np.nan, np.inf, None]),
    "BatchNorm1d.eps": (lambda: minidl.BatchNorm1d(2, eps=0.1), "eps", 0.25, [-1, np.nan, np.inf, None]),
    "BatchNorm1d.momentum": (lambda: minidl.BatchNorm1d(2), "momentum", 0.25, [-0.1, 2, np.nan, None]),
    "SGD.lr": (lambda: minidl.SGD(layer(), 0.1), "lr", 0.25, [-1, np.nan, np.inf]),
    "SGD.weight_decay": (lambda: minidl.SGD(layer(), 0.1), "weight_decay", 0.25, [-1, np.nan, None]),
    "SGD.momentum": (lambda: minidl.SGD(layer(), 0.1, momentum=0.5), "momentum", 0.25, [-1, 1, 1.5, np.nan]),
    "SGD.kappa": (lambda: minidl.SGD(layer(), kappa=1, eta=1), "kappa", 0.25, [np.nan, np.inf]),
    "SGD.eta": (lambda: minidl.SGD(layer(), kappa=1, eta=1), "eta", 0.25, [-1, np.nan]),
    "Adam.lr": (lambda: minidl.Adam(layer()), "lr", 0.25, [-1, np.nan]),
    "Adam.beta1": (lambda: minidl.Adam(layer()), "beta1", 0.25, [-1, 1, np.nan]),
    "Adam.beta2": (lambda: minidl.Adam(layer()), "beta2", 0.25, [-1, 1, np.nan]),
    "Adam.eps": (lambda: minidl.Adam(layer()), "eps", 0.25, [-1, np.nan]),
    "HuberLoss.delta": (minidl.HuberLoss, "delta", 0.25, [0, -1, np.nan, None]),
    "BCEWithLogitsLoss.pos_weight": (minidl.BCEWithLogitsLoss, "pos_weight", 0.25, [-1, np.nan, None]),
    "BCEWithLogitsLoss.ceiling": (minidl.BCEWithLogitsLoss, "ceiling", 0.25, [0, -1, np.nan, None]),
    "CrossEntropyLoss.ceiling": (minidl.CrossEntropyLoss, "ceiling", 0.25, [0, -1, np.nan, None]),
    "CrossEntropyLoss.label_smoothing": (minidl.CrossEntropyLoss, "label_smoothing", 0.25, [-0.1, 1.5, None]),
    "PoissonNLLLoss.eps": (minidl.PoissonNLLLoss, "eps", 0.25, [-1, np.nan, None]),
    "AdamW.weight_decay": (lambda: minidl.AdamW(layer()), "weight_decay", 0.25, [-1, np.nan, None]),
    "RMSprop.alpha": (lambda: minidl.RMSprop(layer()), "alpha", 0.25, [-1, 1, np.nan, None]),
    "RMSprop.momentum": (lambda: minidl.RMSprop(layer()), "momentum", 0.25, [-1, 1, np.nan, None]),
    "SGD.clip": (lambda: minidl.SGD(layer(), 0.1), "clip", 0.25, [-1, 0, np.nan, "1", True]),
    "Adam.clip": (lambda: minidl.Adam(layer(), clip=1), "clip", 0.25, [-1, 0, np.nan, [1.0, 2.0]]),
    "Adam.weight_decay": (lambda: minidl.Adam(layer()), "weight_decay", 0.25, [-1, np.nan]),
}
by_kind = pytest.mark.parametrize(("make", "name", "good", "bad"), KINDS.values(), ids=KINDS)


@by_kind
@pytest.mark.parametrize("scalar", SCALARS[:4] + SCALARS[6:], ids=lambda scalar: scalar.__name__)
def test_a_number_of_any_type_becomes_a_float(make, name, good, bad, scalar):  # noqa: ARG001 - one table for all
    thing = make()
    setattr(thing, name, scalar(good))
    assert type(getattr(thing, name)) is float
    assert getattr(thing, name) == good


@by_kind
def test_what_the_constructor_refuses_is_refused_and_changes_nothing(make, name, good, bad, unchanged):  # noqa: ARG001 - one table for all
    thing = make()
    for value in bad:
        with (
            unchanged(thing),
            pytest.raises((ValueError, TypeError), match=rf"{type(thing).__name__}: expected {name} "),
        ):
            setattr(thing, name, value)


def test_every_setting_of_every_public_class_is_in_the_table():
    classes = [getattr(minidl, name) for name in minidl.__all__]
    kinds = [
        k for k in classes if isinstance(k, type) and issubclass(k, minidl.Module | minidl.Optimizer | minidl.Loss)
    ]
    flags = {"nesterov", "eps_hat", "decay_biases", "log_input"}
    listed = {key.partition(".")[2] for key in KINDS} | flags | {"reduction"}
    for kind in kinds:
        assert set(getattr(kind, "settings", ())) <= listed
        for name in (*getattr(kind, "settings", ()), *getattr(kind, "words", ())):
            assert isinstance(getattr(kind, name), property), f"{kind.__name__}.{name} is assigned without a check"


@pytest.mark.parametrize("name", ["p_drop", "alpha", "beta"])
def test_a_numpy_number_computes_what_a_float_does(name):
    make = {"p_drop": lambda v: minidl.Dropout(v, rng=0), "alpha": minidl.ELU, "beta": minidl.Softplus}[name]
    x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    ours, theirs = make(0.3), make(0.5)
    setattr(theirs, name, np.float64(0.3))
    y = theirs(x)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, ours(x))
    minidl.predict(minidl.Sequential([minidl.Linear(3, 2, rng=0), theirs]), x)


@quick
@given(scalar=st.sampled_from(SCALARS[4:7]), t=st.integers(0, 100), lr=st.sampled_from(SCALARS[:3]))
def test_steps_do_not_depend_on_the_type_of_a_number(scalar, t, lr):
    trained = []
    for convert_t, convert in ((int, float), (scalar, lambda value: lr(np.float16(value)))):
        module = layer()
        optimizer = minidl.Adam(module, 0.1)
        optimizer.t, optimizer.lr, optimizer.beta1, optimizer.weight_decay = (
            convert_t(t), convert(0.5), convert(0.25), convert(0.125)
        )  # fmt: skip
        for _ in range(3):
            module.grads[...] = 0.5
            optimizer.step()
        trained.append(module.values.copy())
        assert type(optimizer.t) is int
    np.testing.assert_array_equal(*trained)


@pytest.mark.parametrize("t", [-1, 1.5, "2", True, None])
def test_a_step_count_is_an_integer(t, unchanged):
    optimizer = minidl.Adam(layer())
    with unchanged(optimizer), pytest.raises((ValueError, TypeError), match="Adam: expected t to be"):
        optimizer.t = t


def test_arrays_of_one_number_per_replicate_are_checked_too(unchanged):
    model = minidl.replicate(
        lambda rng: minidl.Sequential([minidl.Linear(2, 2, rng=rng), minidl.LeakyReLU()]), range(3)
    )
    model[1].alpha = [0.1, 0.2, 0.3]
    assert model[1].alpha.dtype == np.float64
    adam = minidl.Adam(model)
    adam.beta1 = np.array([0, 0.5, 0.9], np.float32)
    assert adam.beta1.dtype == np.float64
    for thing, name, bad in ((model[1], "alpha", [0.1, 0.2]), (adam, "beta1", [0.1, 1, 0.2]), (adam, "lr", [1, 2, -1])):
        with unchanged(thing), pytest.raises(ValueError, match=f"expected {name}"):
            setattr(thing, name, bad)


def test_nesterov_goes_with_momentum_whichever_is_assigned(unchanged):
    optimizer = minidl.SGD(layer(), 0.1)
    with unchanged(optimizer), pytest.raises(ValueError, match="SGD: expected a momentum above 0 with nesterov"):
        optimizer.nesterov = True
    with unchanged(optimizer), pytest.raises(TypeError, match="SGD: expected nesterov to be True or False"):
        optimizer.nesterov = "yes"
    optimizer.momentum = 0.5
    optimizer.nesterov = np.True_
    assert optimizer.nesterov is True
    with unchanged(optimizer), pytest.raises(ValueError, match="SGD: expected a momentum above 0 with nesterov"):
        optimizer.momentum = 0


def test_a_reduction_is_checked(unchanged):
    loss = minidl.MSELoss()
    with unchanged(loss), pytest.raises(ValueError, match=r"MSELoss: expected reduction .*'batchmean', got 'none'"):
        loss.reduction = "none"


@pytest.mark.parametrize("make", [lambda m: minidl.SGD(m, 0.1, momentum=0.9), lambda m: minidl.Adam(m, 0.1)])
@pytest.mark.parametrize("copies", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_a_copied_optimizer_steps_as_the_original(make, copies):
    optimizer = make(layer())
    optimizer.model.grads[...] = 1
    optimizer.step()
    twin = copies(optimizer)
    for one in (optimizer, twin):
        one.model.grads[...] = 0.5
        one.step()
    np.testing.assert_array_equal(twin.model.values, optimizer.model.values)


@pytest.mark.parametrize("make", [lambda m: minidl.SGD(m, 0.1, momentum=0.9), lambda m: minidl.Adam(m, 0.1)])
@pytest.mark.parametrize("mode", ["r", "c", "r+", None])
def test_an_optimizer_whose_vectors_are_mapped_from_a_file_can_step(make, mode, tmp_path):
    joblib = pytest.importorskip("joblib")
    model = minidl.Linear(600, 600, rng=0)  # above the size from which joblib maps arrays
    optimizer = make(model)
    joblib.dump(optimizer, tmp_path / "optimizer")
    loaded = joblib.load(tmp_path / "optimizer", mmap_mode=mode)
    for one in (optimizer, loaded):
        one.model.grads[...] = 1
        one.step()
    np.testing.assert_array_equal(loaded.model.values, optimizer.model.values)


def test_a_velocity_is_copied_in_and_checked(unchanged):
    optimizer = minidl.SGD(layer(), 0.1, momentum=0.5)
    array = np.ones(6)
    optimizer.velocity = array
    assert optimizer.velocity.dtype == np.float32
    array[...] = 7
    np.testing.assert_array_equal(optimizer.velocity, np.ones(6))
    with (
        unchanged(optimizer),
        pytest.raises(ValueError, match=r"SGD: expected velocity laid out as the parameters, \(6,\)"),
    ):
        optimizer.velocity = np.ones(5)


@pytest.mark.parametrize("nested", [False, True])
def test_a_setting_of_a_loss_that_is_changed_in_place_is_checked(nested):
    class Around(minidl.Loss):
        def __init__(self, inner):
            super().__init__()
            self.inner = [inner]

        def forward(self, prediction, target, **options):
            return self.inner[0].forward(prediction, target, **options)

        def backward(self):
            return self.inner[0].backward()

    model = minidl.replicate(lambda rng: minidl.Linear(2, 1, rng=rng), range(2))
    huber = minidl.HuberLoss(delta=np.array([0.1, 0.5]))
    loss, x = Around(huber) if nested else huber, np.ones((4, 2), np.float32)
    huber.delta[0] = -3
    calls = (
        lambda: minidl.fit(model, loss, minidl.SGD(model, 0.1), x, x[:, :1], epochs=1, batch_size=2),
        lambda: minidl.evaluate(model, loss, x, x[:, :1]),
        lambda: minidl.train_step(model, loss, minidl.SGD(model, 0.1), x, x[:, :1]),
    )
    for call in calls:
        with pytest.raises(ValueError, match="HuberLoss: expected delta to be"):
            call()


def test_an_own_optimizers_vectors_in_containers_are_writable_when_mapped_from_a_file():
    class Own(minidl.SGD):
        def __init__(self, model):
            super().__init__(model, 0.1)
            self.memory = {"a": np.zeros(3), "b": [np.zeros(2)]}

    state = vars(Own(layer())).copy()
    for array in (state["memory"]["a"], *state["memory"]["b"]):
        array.flags.writeable = False
    own = object.__new__(Own)
    own.__setstate__(state)
    own.memory["a"][0] = own.memory["b"][0][0] = 1
