"""Nothing that Python hands over makes the engine read or write outside its arrays: it is refused, and nothing changes.

The engine itself is called here, past the Python layer that would refuse much of this more kindly.
"""

from types import MappingProxyType

import numpy as np
import pytest

from minidl_native import KINDS, _engine

REFUSED = r"^minidl_native: expected "
SIZE, N, R = 26, 10, 2

LAYERS = (
    ("Linear", 3, 4, 0, 12, {"lr": 0.01}),
    ("ReLU", 4, 4, -1, -1, {}),
    ("Linear", 4, 2, 16, 24, {"lr": 0.01}),
)
DROPOUT = (LAYERS[0], ("Dropout", 4, 4, -1, -1, {"p_drop": 0.3}), LAYERS[2])
RANGES = ((0, 12, 0, 2), (12, 4, 0, 1), (16, 8, 2, 2), (24, 2, 2, 1))
MOMENTS = {"beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "eps_hat": False}
ADAM = MOMENTS | {"weight_decay": 0.0, "clip": np.inf, "decay_biases": True}


def make(
    layers=LAYERS, *, ranges=RANGES, replicates=R, replicated=True, generators=(), branches=(), is_double=False, isa="",
    size=SIZE,
):  # fmt: skip
    drawn_from = list(generators)
    return _engine.network(is_double, replicated, replicates, size, layers, drawn_from, ranges, branches, isa)


def arguments(**changes):
    """Return what a training of two replicates takes, by name, with some of it changed."""
    rng = np.random.default_rng(0)
    good = {
        "network": make(),
        "values": rng.standard_normal((R, SIZE)).astype(np.float32),
        "statistics": (),
        "x": rng.standard_normal((N, 3)).astype(np.float32),
        "y": rng.standard_normal((N, 2)).astype(np.float32),
        "order": np.arange(N),
        "batch_size": 4,
        "weights": None,
        "loss": "MSELoss",
        "mean": False,
        "threshold": 0.5,
        "loss_settings": {},
        "per_sample": False,
        "l2": 0.0,
        "optimizer": "Adam",
        "settings": ADAM,
        "m": np.zeros((R, SIZE), np.float32),
        "v": np.zeros((R, SIZE), np.float32),
        "rates": np.full(3, 0.01),
        "t": 0,
        "losses": np.full(R, 7.0),
        "hits": np.full(R, 7.0),
        "steps": np.full(R, 7),
        "diverged": np.full(R, 7),
        "states": None,
        "active": None,
        "threads": 1,
        "adds": 0,
        "validation": None,
        "pool": None,
    }
    assert good.keys() >= changes.keys()
    return good | changes


def train(call):
    """Train with arguments by name."""
    take = lambda *names: tuple(call[name] for name in names)  # noqa: E731 - as short as its formula
    samples = take("x", "y", "order", "batch_size", "weights")
    loss = take("loss", "mean", "threshold", "loss_settings", "per_sample", "l2")
    vectors = {name: call[name] for name in ("m", "v")}
    optimizer = (*take("optimizer", "settings"), vectors, *take("rates", "t"))
    result = take("losses", "hits", "steps", "diverged", "states")
    return _engine.train(
        *take("network", "values", "statistics"), samples, loss, optimizer, result,
        *take("active", "threads", "adds", "validation", "pool"),
    )  # fmt: skip


def unaligned(x):
    """Return a copy that begins one byte too late."""
    memory = np.empty(x.nbytes + 1, np.uint8)
    moved = memory[1:].view(x.dtype).reshape(x.shape)
    moved[...] = x
    return moved


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def strided(x):
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


WRONG = {
    "shorter": lambda x: x[..., :-1].copy(),
    "longer": lambda x: np.concatenate([x, x], -1),
    "another axis": lambda x: x[None].copy(),
    "an axis less": lambda x: x[..., 0].copy(),
    "strided": strided,
    "Fortran's": lambda x: np.asfortranarray(x) if x.ndim > 1 else strided(x),
    "unaligned": unaligned,
    "swapped bytes": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "float16": lambda x: x.astype(np.float16),
    "complex": lambda x: x.astype(complex),
    "int8": lambda x: x.astype(np.int8),
    "bool": lambda x: x.astype(bool),
    "object": lambda x: x.astype(object),
    "structured": lambda x: np.zeros(x.shape, [("a", x.dtype)]),
    "none left": lambda x: x[:0].copy(),
    "list": lambda x: x.tolist(),
    "None": lambda _: None,
    "bytes": lambda x: x.tobytes(),
}


ARRAYS = ("values", "x", "y", "order", "m", "v", "rates", "losses", "hits", "steps", "diverged")
WRITTEN = ("values", "m", "v", "losses", "hits", "steps", "diverged")


def refused(match=REFUSED, **changes):
    call = arguments(**changes)
    before = {name: call[name].copy() for name in WRITTEN if isinstance(call[name], np.ndarray)}
    with pytest.raises((ValueError, TypeError), match=match):
        train(call)
    for name, array in before.items():
        np.testing.assert_array_equal(call[name], array)


def test_the_arguments_are_right():
    call = arguments()
    assert train(call) is None
    assert (call["losses"] > 0).all()
    assert (call["steps"].tolist(), call["diverged"].tolist()) == ([3, 3], [0, 0])


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_a_training(name, wrong):
    array = WRONG[wrong](arguments()[name])
    if wrong == "None" and name in ("rates", "order"):  # stands for the layers' own, and for the samples as they lie
        return train(arguments(**{name: None}))
    if (name, wrong) == ("order", "shorter"):  # leaves samples out, in as many steps here
        return train(arguments(order=array))
    return refused(**{name: array})


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_must_be_writable(name):
    refused(**{name: read_only(arguments()[name])})


@pytest.mark.parametrize("index", [-1, N, 2**31, -(2**63), 2**63 - 1])
def test_an_order_that_leaves_the_samples(index):
    order = np.arange(N)
    order[7] = index
    refused(order=order)
    refused(order=np.stack([np.arange(N), order]))
    if -(2**31) <= index < 2**31:
        refused(order=order.astype(np.int32))


@pytest.mark.parametrize("label", [-1, 2, 2**40, -(2**63)])
def test_labels_that_are_no_class(label):
    y = np.zeros(N, np.int64)
    y[3] = label
    refused(y=y, loss="CrossEntropyLoss")
    refused(y=np.stack([np.zeros(N, np.int64), y]), loss="CrossEntropyLoss")
    refused(y=np.zeros(N, np.int64), loss="MSELoss")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("batch_size", bad) for bad in (0, -1, 2**63, 1.5, None)),
        *(("loss", bad) for bad in (0, None, "HingeLoss", "MSE", "MSELoss\0", "BCELoss", b"MSELoss")),
        *(("optimizer", bad) for bad in (1, None, "Lion", "SGD")),
        *(("threads", bad) for bad in (0, -1, 2**70)),
        *(("t", bad) for bad in (-1, 2**63, 1.0)),
        *((name, bad) for name in ("mean", "per_sample") for bad in (1, None, "mean")),
        *(("l2", bad) for bad in (None, "much", -0.5, np.nan, np.inf, np.ones(R + 1), np.array([1.0, -1.0]))),
        *(("threshold", bad) for bad in ("high", np.zeros(2), [0.5])),
        ("active", np.ones(R + 1, bool)),
        ("active", np.ones(R, np.int8)),
    ],
)
def test_numbers_and_names(name, value):
    refused(**{name: value})


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({name: ADAM[name] for name in ADAM if name != "eps"}, "setting eps of Adam, got none"),
        (
            ADAM | {"momentum": 0.9},
            "setting of Adam among beta1, beta2, eps, eps_hat, weight_decay, clip, decay_biases, got 'momentum'",
        ),
        (ADAM | {3: 0.9}, "setting of Adam among .*, got 3"),
        (ADAM | {"eps": "small"}, "eps of Adam to be a number or an array of one per replicate, got <class 'str'>"),
        (ADAM | {"eps": None}, "eps of Adam to be a number"),
        (ADAM | {"eps": [1e-8, 1e-8]}, "eps of Adam to be a number"),
        (ADAM | {"beta2": np.full(R + 1, 0.9)}, r"beta2 of Adam to be a number or of shape \(2,\), got shape \(3,\)"),
        (ADAM | {"beta2": np.full((R, 1), 0.9)}, r"beta2 of Adam .* got shape \(2, 1\)"),
        (ADAM | {"beta2": np.full(R, 0.9, np.float16)}, "beta2 of Adam to be numbers, got dtype e"),
        (ADAM | {"beta2": b"ab"}, "beta2 of Adam to be numbers, got dtype B"),
        (None, "settings of Adam by name, got <class 'NoneType'>"),
        ([0.9, 0.99], "settings of Adam by name, got <class 'list'>"),
    ],
)
def test_settings_that_are_missing_unknown_or_of_another_length(settings, match):
    refused("^minidl_native: expected " + match, settings=settings)


def test_a_loss_without_settings_takes_none():
    refused("setting of MSELoss among none, got 'delta'", loss_settings={"delta": 1.0})


def test_a_setting_whose_error_is_its_own_keeps_it():
    class Bad:
        def __float__(self):
            raise RuntimeError("no number today")

    with pytest.raises(RuntimeError, match="no number today"):
        train(arguments(settings=ADAM | {"eps": Bad()}))


def test_sums_go_on_from_what_stands_there():
    whole, first = arguments(), arguments(order=np.arange(4), rates=np.full(1, 0.01))
    train(whole)
    train(first)
    train(first | {"order": np.arange(4, N), "rates": np.full(2, 0.01), "adds": 1, "t": 1})
    for name in ("losses", "hits", "values"):
        np.testing.assert_array_equal(first[name], whole[name])
    for adds in (2, -1, None):
        with pytest.raises((ValueError, TypeError), match=REFUSED + r".*adds"):
            train(arguments(adds=adds))


def test_all_ways_to_give_a_setting_are_one():
    trained = []
    for beta in (0.5, np.float32(0.5), np.array(0.5), np.array([0.5, 0.5]), np.full((R, 3), 0.5)[:, 1],
                 unaligned(np.full(R, 0.5, np.float32))):  # fmt: skip
        for wrap in (dict, MappingProxyType):
            call = arguments(settings=wrap(ADAM | {"beta1": beta, "weight_decay": np.zeros(R, np.int64)}))
            train(call)
            trained.append(call["values"])
    for other in trained[1:]:
        np.testing.assert_array_equal(other, trained[0])


@pytest.mark.parametrize("place", range(2, 7))
@pytest.mark.parametrize("record", [None, (), [], (1, 2), "four", 7])
def test_records_that_are_none(place, record):
    call = arguments()
    samples, loss = (call["x"], call["y"], None, 4, None), ("MSELoss", False, None, {}, False, 0.0)
    optimizer = ("Adam", ADAM, {"m": call["m"], "v": call["v"]}, call["rates"], 0)
    result = tuple(call[name] for name in ("losses", "hits", "steps", "diverged", "states"))
    records = [call["network"], call["values"], (), samples, loss, optimizer, result, None, 1, 0, None, None]
    assert _engine.train(*records) is None
    if place == 2 and record == ():
        return
    records[place] = record
    with pytest.raises(TypeError, match=REFUSED + r".* to be a tuple of"):
        _engine.train(*records)


def stepping(**changes):
    call = arguments(rates=np.full(1, 0.01)) | {"gradients": np.ones((R, SIZE), np.float32)} | changes
    vectors = call.get("vectors", {"m": call["m"], "v": call["v"]})
    optimizer = (call["optimizer"], call["settings"], vectors, call["rates"], call["t"])
    return call, lambda: _engine.step(call["network"], call["values"], call["gradients"], optimizer)


@pytest.mark.parametrize(
    "vectors",
    [
        {},
        {"m": None, "v": np.zeros((R, SIZE), np.float32)},
        {"m": np.zeros((R, SIZE), np.float32)},
        {"m": np.zeros((R, SIZE), np.float32), "v": None},
        {"m": np.zeros((R, SIZE), np.float32), "v": np.zeros((R, SIZE), np.float32), "velocity": None},
        {"velocity": np.zeros((R, SIZE), np.float32)},
        None,
    ],
    ids=str,
)
def test_vectors_that_are_missing_or_unknown(vectors):
    call, step = stepping(vectors=vectors)
    before = call["values"].copy()
    with pytest.raises((ValueError, TypeError), match=REFUSED + ".*vectors? .*Adam"):
        step()
    np.testing.assert_array_equal(call["values"], before)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ["values", "gradients", "m", "v"])
def test_arrays_of_a_step(name, wrong):
    call, step = stepping()
    step()
    before = call["values"].copy()
    call, step = stepping(**{name: WRONG[wrong](call[name]), **({} if name == "values" else {"values": before.copy()})})
    with pytest.raises((ValueError, TypeError), match=REFUSED):
        step()
    if name != "values":
        np.testing.assert_array_equal(call["values"], before)


@pytest.mark.parametrize("rates", [None, [0.01], np.full(2, 0.01), np.full((1, R + 1), 0.01), np.ones(1, np.float32)])
def test_rates_of_a_step(rates):
    call, step = stepping(rates=rates)
    before = call["values"].copy()
    with pytest.raises((ValueError, TypeError), match=REFUSED):
        step()
    np.testing.assert_array_equal(call["values"], before)


def test_a_huge_batch_is_one_of_all_samples():
    results = []
    for batch_size in (N, 2**60):
        call = arguments(batch_size=batch_size, rates=np.full(1, 0.01))
        train(call)
        results.append(call["values"])
    np.testing.assert_array_equal(*results)


def test_no_samples_are_no_step():
    call = arguments(
        x=np.zeros((0, 3), np.float32), y=np.zeros((0, 2), np.float32), order=np.arange(0), rates=np.zeros(0)
    )
    before = call["values"].copy()
    train(call)
    np.testing.assert_array_equal(call["values"], before)
    for name in ("losses", "hits", "steps", "diverged"):
        assert call[name].tolist() == [0, 0]


@pytest.mark.parametrize("generators", [[], [[None, None]], [[np.random.PCG64(0), None]]])
def test_a_dropout_that_has_nothing_to_draw_from(generators):
    refused("a generator for layers.1., a Dropout", network=make(DROPOUT, generators=generators))


def test_layers_without_a_rate():
    rates = {"lr": np.array([0.01, np.nan])}
    layers = (*LAYERS[:2], (*LAYERS[2][:5], rates))
    refused("a learning rate for layers.2.", network=make(layers), rates=None)
    refused("a learning rate for layers.0.", network=make(((*LAYERS[0][:5], {}), *LAYERS[1:])), rates=None)


def altered(row, column, value):
    layers = [list(layer) for layer in LAYERS]
    layers[row][column] = value
    return tuple(tuple(layer) for layer in layers)


@pytest.mark.parametrize(
    "layers",
    [
        *(altered(0, 0, kind) for kind in (-1, 0, None, "Conv2d", "linear", b"Linear", "Lin\0ear")),
        *(altered(0, 1, width) for width in (0, -3, 2**24 + 1, 2**62, -(2**63), 2**64, 3.0, None)),
        *(altered(0, 2, width) for width in (0, 5, 2**62)),
        *(altered(2, 3, start) for start in (-1, -2, 19, 26, 2**62, 2**63 - 1, -(2**63))),
        *(altered(2, 4, start) for start in (-2, 25, 26, 2**63 - 1)),
        *(altered(0, 5, settings) for settings in (None, 0.01, {"alpha": 0.1}, {"lr": "low"}, {"lr": np.zeros(R + 1)})),
        *(altered(1, 3 + parameter, 0) for parameter in (0, 1)),
        altered(1, 1, 3),
        altered(1, 2, 5),
        altered(2, 2, 3),
        (("ReLU", 3, 3, -1, -1, {}),),
        *(
            (LAYERS[0], ("LayerNorm", 4, *rest, {"eps": 0.1}))
            for rest in ((4, 12, -1), (4, 24, 12), (4, 12, 24), (3, 12, 16))
        ),
        (LAYERS[0], ("LayerNorm", 4, 4, 12, 16, {})),
        (*LAYERS, ("LeakyReLU", 2, 2, -1, -1, {})),
        (LAYERS[0][:5],),
        (LAYERS[0], None),
        (),
        list(LAYERS),
        np.zeros((3, 5), np.int64),
        None,
    ],
    ids=str,
)
def test_layers_that_leave_the_vector_or_each_other(layers):
    with pytest.raises((ValueError, TypeError), match=REFUSED):
        make(layers)


def test_networks():
    for options in (
        {"replicates": 0},
        {"replicates": 2**40},
        {"replicates": None},
        {"replicates": R, "replicated": False},
        {"replicated": 1},
        {"size": -1},
        {"size": 1.0},
        {"isa": "avx9000"},
        {"isa": None},
        {"is_double": 2},
    ):
        with pytest.raises((ValueError, TypeError), match=REFUSED):
            make(**options)
    for call in (_engine.network, _engine.predict, _engine.train, _engine.step, _engine.function):
        with pytest.raises(TypeError, match="arguments"):
            call(1)
    with pytest.raises(ValueError, match="PyCapsule"):
        _engine.predict(1, 2, 3, 4, 5, 6)
    with pytest.raises(ValueError, match="PyCapsule"):  # a capsule, but not one of ours
        _engine.predict(np.random.default_rng(0).bit_generator.capsule, 2, 3, 4, 5, 6)


@pytest.mark.parametrize("generators", [[[]], [[np.random.PCG64(0)]], [3], [[1, 2]], [[np.arange(3), None]]])
def test_generators_that_are_none(generators):
    with pytest.raises((ValueError, TypeError, AttributeError)):
        make(DROPOUT, generators=generators)


class Clearing:
    """Pretends to be a bit generator, and changes the list that it stands in."""

    own: list

    @property
    def capsule(self):
        self.own.clear()
        return np.random.PCG64(0).capsule


def test_a_list_that_changes_while_it_is_read_is_refused():
    Clearing.own = [Clearing(), Clearing()]
    with pytest.raises(TypeError):
        make(DROPOUT, generators=[Clearing.own])


def test_settings_that_change_while_they_are_read_are_read_as_they_were():
    class Emptying(float):
        def __float__(self):
            settings.clear()
            return 0.01

    class Number:
        def __float__(self):
            settings.clear()
            return 0.01

    for number in (Emptying, Number):
        settings = {"lr": number()}
        make(((*LAYERS[0][:5], settings), *LAYERS[1:]))


def predicting(**changes):
    good = {
        "network": make(),
        "values": np.zeros((R, SIZE), np.float32),
        "statistics": (),
        "x": np.zeros((N, 3), np.float32),
        "y": np.ones((R, N, 2), np.float32),
        "threads": 1,
    }
    return (good | changes).values()


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ["values", "x", "y"])
def test_arrays_of_a_prediction(name, wrong):
    network, values, statistics, x, y, threads = predicting()
    array = WRONG[wrong]({"values": values, "x": x, "y": y}[name])
    with pytest.raises((ValueError, TypeError), match=REFUSED):
        _engine.predict(*predicting(**{name: array}))
    _engine.predict(network, values, statistics, x, y, threads)
    assert not y.any()


NORM = (*LAYERS[:2], ("BatchNorm1d", 4, 4, 16, 20, {"lr": 0.01, "eps": 0.1, "momentum": 0.5}))
NORM_RANGES = (*RANGES[:2], (16, 4, 2, 1), (20, 4, 2, 1))


BRANCHES = (*LAYERS[:2], ("Residual", 4, 4, -1, -1, {}), LAYERS[2])
BRANCH_RANGES = (*RANGES[:2], (16, 8, 3, 2), (24, 2, 3, 1))


@pytest.mark.parametrize("begin", [1, 2])
def test_a_branch(begin):
    call = arguments(network=make(BRANCHES, ranges=BRANCH_RANGES, branches=((begin, 2),)))
    train(call)
    assert (call["steps"].tolist(), call["diverged"].tolist()) == ([3, 3], [0, 0])


@pytest.mark.parametrize(
    "branches",
    [
        *((), [], None, ((1, 2), (1, 2)), ((0, 2),), ((1, 1),), ((1, 3),), ((3, 2),), ((-1, 2),), ((1, 4),)),
        *(((1, 2, 3),), (1, 2), ((1, None),), (("1", 2),), ((1.0, 2),), ((2**62, 2**62),), ((-(2**63), 2),)),
    ],
    ids=str,
)
def test_branches_that_are_none(branches):
    with pytest.raises((ValueError, TypeError), match=REFUSED):
        make(BRANCHES, ranges=BRANCH_RANGES, branches=branches)


def measuring(**changes):
    mean, variance = np.zeros((R, 4), np.float32), np.ones((R, 4), np.float32)
    good = {"running_mean": mean, "running_var": variance, "num_batches_tracked": np.zeros(R, np.int64)}
    return good | changes


def with_statistics(statistics, **changes):
    network = make(NORM, ranges=NORM_RANGES, size=24)
    vectors = {name: np.zeros((R, 24), np.float32) for name in ("values", "m", "v")}
    return {"network": network, "statistics": statistics, "y": np.zeros((N, 4), np.float32), **vectors, **changes}


def test_statistics_are_changed_by_a_training_and_read_by_a_prediction():
    measured = measuring()
    train(arguments(**with_statistics((measured,))))
    assert measured["num_batches_tracked"].tolist() == [3, 3]
    assert (measured["running_var"] != 1).all()
    call = with_statistics((measured,))
    y = np.ones((R, N, 4), np.float32)
    _engine.predict(call["network"], call["values"], (measured,), np.zeros((N, 3), np.float32), y, 1)
    assert not y.any()


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ["running_mean", "running_var", "num_batches_tracked"])
def test_arrays_of_statistics(name, wrong):
    measured = measuring()
    array = WRONG[wrong](np.broadcast_to(measured[name], measured[name].shape).copy())
    refused(**with_statistics((measured | {name: array},)))
    call = with_statistics((measured | {name: array},))
    y = np.ones((R, N, 4), np.float32)
    with pytest.raises((ValueError, TypeError), match=REFUSED):
        _engine.predict(call["network"], call["values"], call["statistics"], np.zeros((N, 3), np.float32), y, 1)
    assert (y == 1).all()


def test_statistics_that_are_missing_unknown_or_cannot_be_written():
    refused("statistics to be a tuple of 1", **with_statistics(()))
    refused("statistics to be a tuple of 1", **with_statistics((measuring(), measuring())))
    refused("statistics to be a tuple of 0", statistics=(measuring(),))
    refused("statistics of BatchNorm1d by name", **with_statistics((None,)))
    lacking = measuring()
    del lacking["running_var"]
    refused("statistic running_var of BatchNorm1d, got none", **with_statistics((lacking,)))
    refused("statistic of BatchNorm1d among running_mean, .*, got 'mode'", **with_statistics((measuring(mode=1),)))
    fixed = measuring(running_mean=read_only(np.zeros((R, 4), np.float32)))
    refused("running_mean to be writable", **with_statistics((fixed,)))


def test_a_batch_that_is_too_small_for_a_layer():
    for batch_size in (1, 3, 9):
        refused(
            "at least 2 samples in every batch for layers.2., a BatchNorm1d, got 1",
            **with_statistics((measuring(),), batch_size=batch_size, rates=None),
        )


def test_a_prediction_must_be_writable():
    with pytest.raises(ValueError, match="expected y to be writable"):
        _engine.predict(*predicting(y=read_only(np.ones((R, N, 2), np.float32))))


def test_a_single_network_takes_no_replicates():
    network = make(replicates=1, replicated=False)
    values, x, y = np.zeros(SIZE, np.float32), np.zeros((N, 3), np.float32), np.zeros((N, 2), np.float32)
    _engine.predict(network, values, (), x, y, 1)
    for wrong in ((values[None], (), x, y), (values, (), x[None], y), (values, (), x, y[None])):
        with pytest.raises(ValueError, match=REFUSED):
            _engine.predict(network, *wrong, 1)


def test_functions():
    x = np.zeros(5, np.float32)
    for wrong in (
        (0, x, x, ""),
        (None, x, x, ""),
        ("log", x, x, ""),
        ("Linear", x, x, ""),
        ("Dropout", x, x, ""),
        ("exp", x, x[:4].copy(), ""),
        ("exp", x, x.astype(float), ""),
        ("exp", x, read_only(x), ""),
        ("exp", x, x, "other"),
        ("exp", x, x, None),
        ("exp", x[::2], x[:3].copy(), ""),
    ):
        with pytest.raises((ValueError, TypeError), match=REFUSED):
            _engine.function(*wrong)


def test_kinds_are_read_from_the_engine_and_cannot_be_changed():
    assert {"Linear", "Dropout", "ReLU"} <= KINDS.layers.keys()
    assert KINDS.optimizers["SGD"] == ("momentum", "nesterov", "weight_decay", "clip", "decay_biases")
    for kinds in (KINDS.layers, KINDS.losses, KINDS.optimizers):
        with pytest.raises(TypeError):
            kinds["Own"] = ()


@pytest.mark.parametrize(
    ("ranges", "error", "words"),
    [
        (list(RANGES), TypeError, "ranges to be a tuple, got <class 'list'>"),
        (((0, 12, 0),), ValueError, "a range"),
        (((0, 12, 0, "2"),), TypeError, "the axes of a range"),
        (((-1, 12, 0, 2),), ValueError, "the start of a range"),
        (((SIZE + 1, 0, 0, 2),), ValueError, "the start of a range"),
        (((20, 7, 0, 2),), ValueError, "the length of a range"),
        (((0, -1, 0, 2),), ValueError, "the length of a range"),
        (((0, 12, 0, 2), (11, 4, 0, 1)), ValueError, "the start of a range"),
        (((2**62, 2**62, 0, 2),), ValueError, "the start of a range"),
        (((0, 12, 3, 2),), ValueError, "the layer of a range"),
        (((0, 12, -1, 2),), ValueError, "the layer of a range"),
        (((0, 12, 1, 2),), ValueError, "a range of a layer that has weights, got another"),
    ],
)
def test_ranges_lie_inside_the_vector_and_belong_to_layers_with_weights(ranges, error, words):
    with pytest.raises((error, TypeError), match=REFUSED + words):
        make(ranges=ranges)


def test_a_network_that_is_frozen_predicts_and_is_not_trained():
    frozen = make(ranges=())
    refused("a network of which something is trained, got all of it frozen", network=frozen)
    call = arguments()
    y = np.full((R, N, 2), np.nan, np.float32)
    _engine.predict(frozen, call["values"], (), call["x"], y, 1)
    assert np.isfinite(y).all()
