"""What the engine cannot run it refuses, and says why."""

from dataclasses import replace

import numpy as np
import pytest

import minidl
import minidl_native

CHAIN = minidl.Sequential([minidl.Linear(2, 3, rng=0), minidl.ReLU(), minidl.Dropout(0.5), minidl.Linear(3, 1, rng=0)])
SPEC = CHAIN.spec()


class Scale(minidl.ReLU):
    """A layer of the tests' own."""


def with_origin(record, origin):
    twin = replace(record)
    object.__setattr__(twin, "origin", origin)
    return twin


UNSUPPORTED = {
    "float16": (SPEC, {"dtype": "float16"}),
    "2 replicate axes": (SPEC, {"lead": (2, 3)}),
    r"layers\[1\]: Scale is not a layer that it knows": (minidl.Sequential([minidl.Linear(1, 1), Scale()]).spec(), {}),
    r"layers\[1\]: ReLU is not a layer that it knows": ([SPEC[0], with_origin(SPEC[1], "other")], {}),
    r"layers\[0\]: Linear is not a layer that it knows": ([replace(SPEC[0], children=SPEC)], {}),
    r"layers\[1\]: ReLU has an option that it does not know, slope": (
        [SPEC[0], replace(SPEC[1], options=(("slope", 1),))],
        {},
    ),
    r"layers\[1\]: ReLU has other parameters": ([SPEC[0], replace(SPEC[1], params=SPEC[0].params)], {}),
    r"layers\[0\]: Linear has other parameters": ([replace(SPEC[0], params=())], {}),
    "a network without a Linear": ([SPEC[1]], {}),
    "HuberLoss is not a loss that it knows": (SPEC, {"loss": "HuberLoss"}),
    "BCELoss without a final Sigmoid": (SPEC, {"loss": "BCELoss"}),
    "Lion is not an optimizer that it knows": (SPEC, {"optimizer": "Lion"}),
}


@pytest.mark.parametrize("why", UNSUPPORTED)
def test_what_it_cannot_run(why):
    spec, options = UNSUPPORTED[why]
    options = {"dtype": "float32", "lead": ()} | options
    with pytest.raises(minidl_native.UnsupportedError, match=f"^{why}"):
        minidl_native.check(spec, **options)
    if options.keys() <= {"dtype", "lead"}:
        with pytest.raises(minidl_native.UnsupportedError, match=f"^{why}"):
            minidl_native.Network(spec, **options)


@pytest.mark.parametrize("loss", ["MSELoss", "BCEWithLogitsLoss", "CrossEntropyLoss"])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("lead", [(), (3,)])
def test_what_it_can_run(loss, optimizer, lead):
    minidl_native.check(SPEC, dtype="float64", lead=lead, loss=loss, optimizer=optimizer)


def test_an_epoch_refuses_what_check_refuses():
    network = minidl_native.Network(SPEC, dtype="float32", lead=(), generators=[[np.random.default_rng(0)]])
    good = {"batch_size": 1, "loss": "MSELoss", "mean": False, "threshold": None, "rates": None, "t": 0}
    sgd = {"kind": "SGD", "momentum": 0.0, "nesterov": False, "weight_decay": 0.0, "velocity": None}
    data = CHAIN.values, np.zeros((1, 2), np.float32), np.zeros((1, 1), np.float32), np.arange(1)
    for changes in ({"loss": "HuberLoss"}, {"loss": "BCELoss"}, {"optimizer": {"kind": "Lion"}}):
        with pytest.raises(minidl_native.UnsupportedError):
            network.train_epoch(*data, **({"optimizer": sgd} | good | changes))
    with pytest.raises(ValueError, match=r"^minidl_native: expected a learning rate for layers\[0\], got none"):
        network.train_epoch(*data, optimizer=sgd, **good)
    with pytest.raises(TypeError, match=r"^minidl_native: expected an array, got list"):
        network.train_epoch(data[0], [[1.0, 2.0]], *data[2:], optimizer=sgd, **good)


def test_generators():
    one, other, third = (np.random.default_rng(i) for i in range(3))
    make = lambda *own: minidl_native.Network(SPEC, dtype="float32", lead=(2,), generators=own)  # noqa: E731 - as short as its formula
    make([one, other])
    with pytest.raises(minidl_native.UnsupportedError, match="replicates that draw from one generator"):
        make([one, one])
    with pytest.raises(minidl_native.UnsupportedError, match="replicates that draw from one generator"):
        make([one, np.random.Generator(one.bit_generator)])
    with pytest.raises(ValueError, match="expected 2 generators for a Dropout, got 3"):
        make([one, other, third])

    class Own(np.random.Generator):
        pass

    with pytest.raises(minidl_native.UnsupportedError, match="a Own that may draw in its own way"):
        make([one, Own(np.random.PCG64(0))])


def test_one_generator_may_serve_two_layers_of_a_replicate(trained):
    def build():
        rng = np.random.default_rng(0)
        layers = [
            minidl.Linear(3, 4, dtype="float64", rng=rng),
            minidl.Dropout(0.5, rng=rng),
            minidl.Dropout(0.2, rng=rng),
        ]
        return minidl.Sequential(layers)

    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 4))
    trained.assert_alike(trained.both(build, minidl.MSELoss(), lambda m: minidl.SGD(m, 1e-3), x, y))


@pytest.mark.parametrize("bits", [np.random.MT19937, np.random.Philox, np.random.SFC64, np.random.PCG64DXSM])
def test_every_bit_generator(trained, bits):
    def build():
        model = minidl.Sequential([minidl.Linear(3, 3, rng=0), minidl.Dropout(0.5)])
        model[1]._rngs = [np.random.Generator(bits(4))]
        model[1]._rngs[0].random(dtype=np.float32)  # half of a number stays in the generator
        return model

    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 21, 3)).astype(np.float32)
    numpy, native = trained.both(build, minidl.MSELoss(), lambda m: minidl.SGD(m, 1e-3), x, y)
    np.testing.assert_equal(native.states, numpy.states)
    np.testing.assert_allclose(native.model.values, numpy.model.values, rtol=1e-5, atol=1e-6)


def test_how_large_is_worthwhile():
    for width, isa in ((25, ""), (2000, ""), (65, "baseline"), (64, "baseline")):
        spec = minidl.Sequential([minidl.Linear(3, width), minidl.Linear(width, width), minidl.ReLU()]).spec()
        network = minidl_native.Network(spec, dtype="float32", lead=(), _isa=isa)
        assert (network.largest, network.worthwhile) == (width**2, width in (25, 64))
