"""Nothing that Python hands over makes the engine read or write outside its arrays: it is refused, and nothing changes.

The engine itself is called here, past the Python layer that would refuse much of this more kindly.
"""

import numpy as np
import pytest

from minidl_native import _engine

LAYERS = [[0, 3, 4, 0, 12], [1, 4, 4, -1, -1], [0, 4, 2, 16, 24]]
SIZE, N, R = 26, 10, 2
REFUSED = r"^minidl_native: expected "


def make(layers=LAYERS, *, size=SIZE, replicates=R, replicated=1, numbers=None, generators=(), is_double=0, isa=""):
    layers = np.array(layers, np.int64) if isinstance(layers, list) else layers
    numbers = np.full((len(layers), replicates), 0.01) if numbers is None else numbers
    return _engine.network(is_double, replicated, size, layers, numbers, list(generators), isa)


def arguments(**changes):
    """Return what a training of two replicates takes, with some of it changed."""
    rng = np.random.default_rng(0)
    good = {
        "network": make(),
        "values": rng.standard_normal((R, SIZE)).astype(np.float32),
        "x": rng.standard_normal((N, 3)).astype(np.float32),
        "y": rng.standard_normal((N, 2)).astype(np.float32),
        "order": np.arange(N),
        "batch_size": 4,
        "loss": 0,
        "mean": 0,
        "threshold": 0.5,
        "optimizer": 1,
        "nesterov": 0,
        "settings": np.array([[0.9, 0.9], [0.99, 0.99], [1e-8, 1e-8], [0, 0]]),
        "first": np.zeros((R, SIZE), np.float32),
        "second": np.zeros((R, SIZE), np.float32),
        "rates": np.full(3, 0.01),
        "t": 0,
        "active": None,
        "losses": np.zeros(R),
        "hits": np.zeros(R, np.int64),
        "diverged": np.zeros(R, np.int64),
        "threads": 1,
    }
    assert good.keys() >= changes.keys()
    return good | changes  # in the order in which the engine takes them


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


ARRAYS = ("values", "x", "y", "order", "settings", "first", "second", "rates", "losses", "hits", "diverged")
WRITTEN = ("values", "first", "second", "losses", "hits", "diverged")
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


def refused(**changes):
    call = arguments(**changes)
    before = {name: call[name].copy() for name in WRITTEN if isinstance(call[name], np.ndarray)}
    with pytest.raises((ValueError, TypeError), match=REFUSED):
        _engine.train(*call.values())
    for name, array in before.items():
        np.testing.assert_array_equal(call[name], array)


def test_the_arguments_are_right():
    call = arguments()
    assert _engine.train(*call.values()) is None
    assert (call["losses"] > 0).all()


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_a_training(name, wrong):
    array = WRONG[wrong](arguments()[name])
    if (name, wrong) == ("rates", "None"):  # stands for the layers' own
        call = arguments(rates=None)
        return _engine.train(*call.values())
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
    refused(y=y, loss=3)
    refused(y=np.stack([np.zeros(N, np.int64), y]), loss=3)
    refused(y=np.zeros(N, np.int64), loss=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("batch_size", bad) for bad in (0, -1, 2**63, 1.5, None)),
        *(("loss", bad) for bad in (-1, 4, "MSELoss")),
        *(("optimizer", bad) for bad in (-1, 2)),
        *(("threads", bad) for bad in (0, -1, 2**70)),
        *(("t", bad) for bad in (-1, 2**63, 1.0)),
        ("active", np.ones(R + 1, bool)),
        ("active", np.ones(R, np.int8)),
        ("mean", 2),
        ("nesterov", -1),
    ],
)
def test_numbers(name, value):
    refused(**{name: value})


def test_a_threshold_that_is_no_number():
    call = arguments(threshold="high")
    with pytest.raises(TypeError):
        _engine.train(*call.values())


def test_a_huge_batch_is_one_of_all_samples():
    results = []
    for batch_size in (N, 2**60):
        call = arguments(batch_size=batch_size, rates=np.full(1, 0.01))
        _engine.train(*call.values())
        results.append(call["values"])
    np.testing.assert_array_equal(*results)


def test_no_samples_are_no_step():
    call = arguments(
        x=np.zeros((0, 3), np.float32), y=np.zeros((0, 2), np.float32), order=np.arange(0), rates=np.zeros(0)
    )
    before = call["values"].copy()
    _engine.train(*call.values())
    np.testing.assert_array_equal(call["values"], before)
    assert call["losses"].tolist() == [0, 0]


def altered(row, column, value):
    layers = [list(layer) for layer in LAYERS]
    layers[row][column] = value
    return layers


@pytest.mark.parametrize(
    "layers",
    [
        *(altered(0, 0, kind) for kind in (-1, 6, 2**60)),
        *(altered(0, 1, width) for width in (0, -3, 2**24 + 1, 2**62, -(2**63))),
        *(altered(0, 2, width) for width in (0, 5, 2**62)),
        *(altered(2, 3, start) for start in (-1, -2, 19, 26, 2**62, 2**63 - 1, -(2**63))),
        *(altered(2, 4, start) for start in (-2, 25, 26, 2**63 - 1)),
        altered(1, 1, 3),
        altered(1, 2, 5),
        altered(2, 2, 3),
        [[1, 3, 3, -1, -1]],
        np.zeros((0, 5), np.int64),
        np.zeros((3, 4), np.int64),
        np.zeros((3, 5), np.int32),
        np.zeros(5, np.int64),
        None,
    ],
    ids=str,
)
def test_layers_that_leave_the_vector_or_each_other(layers):
    with pytest.raises((ValueError, TypeError), match=REFUSED):
        make(layers, numbers=np.full((3, R), 0.01))


def test_networks():
    for options in (
        {"numbers": np.zeros((3, 0))},
        {"numbers": np.zeros((2, R))},
        {"numbers": np.zeros((3, R), np.float32)},
        {"numbers": np.zeros((3, R)), "replicated": 0},
        {"size": -1},
        {"isa": "avx9000"},
        {"is_double": 2},
    ):
        with pytest.raises((ValueError, TypeError), match=REFUSED):
            make(**options)
    with pytest.raises(TypeError, match="7 arguments"):
        _engine.network()
    for call in (_engine.predict, _engine.train):
        with pytest.raises(TypeError, match="arguments"):
            call(1)
    with pytest.raises(ValueError, match="PyCapsule"):
        _engine.predict(1, 2, 3, 4, 5)
    with pytest.raises(ValueError, match="PyCapsule"):  # a capsule, but not one of ours
        _engine.predict(np.random.default_rng(0).bit_generator.capsule, 2, 3, 4, 5)


DROPOUT = [LAYERS[0], [5, 4, 4, -1, -1], LAYERS[2]]


@pytest.mark.parametrize("generators", [[], [[None, None]], [[np.random.PCG64(0), None]]])
def test_a_dropout_that_has_nothing_to_draw_from(generators):
    refused(network=make(DROPOUT, numbers=np.full((3, R), 0.3), generators=generators))


@pytest.mark.parametrize("generators", [[[]], [[np.random.PCG64(0)]], [3], [[1, 2]], [[np.arange(3), None]]])
def test_generators_that_are_none(generators):
    with pytest.raises((ValueError, TypeError, AttributeError)):
        make(DROPOUT, numbers=np.full((3, R), 0.3), generators=generators)


def test_layers_without_a_rate():
    numbers = np.full((3, R), 0.01)
    numbers[2, 1] = np.nan
    refused(network=make(numbers=numbers), rates=None)


def predicting(**changes):
    good = {
        "network": make(),
        "values": np.zeros((R, SIZE), np.float32),
        "x": np.zeros((N, 3), np.float32),
        "y": np.ones((R, N, 2), np.float32),
        "threads": 1,
    }
    return (good | changes).values()


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ["values", "x", "y"])
def test_arrays_of_a_prediction(name, wrong):
    network, values, x, y, threads = predicting()
    array = WRONG[wrong]({"values": values, "x": x, "y": y}[name])
    with pytest.raises((ValueError, TypeError), match=REFUSED):
        _engine.predict(*predicting(**{name: array}))
    _engine.predict(network, values, x, y, threads)
    assert not y.any()


def test_a_prediction_must_be_writable():
    with pytest.raises(ValueError, match="expected y to be writable"):
        _engine.predict(*predicting(y=read_only(np.ones((R, N, 2), np.float32))))


def test_a_single_network_takes_no_replicates():
    network = make(replicates=1, replicated=0)
    values, x, y = np.zeros(SIZE, np.float32), np.zeros((N, 3), np.float32), np.zeros((N, 2), np.float32)
    _engine.predict(network, values, x, y, 1)
    for wrong in ((values[None], x, y), (values, x[None], y), (values, x, y[None])):
        with pytest.raises(ValueError, match=REFUSED):
            _engine.predict(network, *wrong, 1)


def test_functions():
    x = np.zeros(5, np.float32)
    for wrong in (
        (-1, x, x, ""),
        (6, x, x, ""),
        (0, x, x[:4].copy(), ""),
        (0, x, x.astype(float), ""),
        (0, x, read_only(x), ""),
        (0, x, x, "other"),
        (0, x[::2], x[:3].copy(), ""),
    ):
        with pytest.raises((ValueError, TypeError), match=REFUSED):
            _engine.function(*wrong)
