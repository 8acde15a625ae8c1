"""What the engine cannot run it refuses, and says why."""

from dataclasses import replace

import numpy as np
import pytest

import minidl
from minidl_native import (
    EpochResult,
    LossRecord,
    Network,
    OptimizerRecord,
    Samples,
    UnsupportedError,
    check,
)

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
    "2 replicate axes": (SPEC, {"replicate_shape": (2, 3)}),
    r"layers\[1\]: Scale is not a layer that it knows": (minidl.Sequential([minidl.Linear(1, 1), Scale()]).spec(), {}),
    r"layers\[1\]: ReLU is not a layer that it knows": ([SPEC[0], with_origin(SPEC[1], "other")], {}),
    r"layers\[0\]: Linear is not a layer that it knows": ([replace(SPEC[0], children=SPEC)], {}),
    r"layers\[1\]: ReLU has an option that it does not know, slope": (
        [SPEC[0], replace(SPEC[1], options=(("slope", 1),))],
        {},
    ),
    r"layers\[1\]: LeakyReLU lacks its option alpha": ([SPEC[0], replace(SPEC[1], kind="LeakyReLU")], {}),
    r"layers\[1\]: GELU has a word among its options that it does not know, quick": (
        [SPEC[0], replace(SPEC[1], kind="GELU", options=(("approximate", "quick"),))],
        {},
    ),
    r"layers\[1\]: ReLU has other parameters": ([SPEC[0], replace(SPEC[1], params=SPEC[0].params)], {}),
    r"layers\[0\]: Linear has other parameters": ([replace(SPEC[0], params=())], {}),
    "a network without a layer that has parameters": ([SPEC[1]], {}),
    "HingeLoss is not a loss that it knows": (SPEC, {"loss": "HingeLoss"}),
    "BCELoss without a final Sigmoid": (SPEC, {"loss": "BCELoss"}),
    "Lion is not an optimizer that it knows": (SPEC, {"optimizer": "Lion"}),
}


@pytest.mark.parametrize("why", UNSUPPORTED)
def test_what_it_cannot_run(why):
    spec, options = UNSUPPORTED[why]
    options = {"dtype": "float32", "replicate_shape": ()} | options
    with pytest.raises(UnsupportedError, match=f"^{why}"):
        check(spec, **options)
    if options.keys() <= {"dtype", "replicate_shape"}:
        with pytest.raises(UnsupportedError, match=f"^{why}"):
            Network(spec, **options)


@pytest.mark.parametrize("loss", ["MSELoss", "BCEWithLogitsLoss", "CrossEntropyLoss"])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("replicate_shape", [(), (3,)])
def test_what_it_can_run(loss, optimizer, replicate_shape):
    check(SPEC, dtype="float64", replicate_shape=replicate_shape, loss=loss, optimizer=optimizer)


SGD = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0, "clip": np.inf, "decay_biases": True}


def test_a_training_refuses_what_check_refuses():
    network = Network(SPEC, dtype="float32", replicate_shape=(), generators=[[np.random.default_rng(0)]])
    x, y = np.zeros((1, 2), np.float32), np.zeros((1, 1), np.float32)
    good_loss = LossRecord("MSELoss", mean=False, threshold=None)
    sgd = OptimizerRecord("SGD", SGD, {"velocity": None}, np.array([0.1]), 0)

    def train(x=x, loss=good_loss, optimizer=sgd):
        result = EpochResult.empty(())
        network.train(CHAIN.values, Samples(x, y, None, 1), loss, optimizer, result)
        return result

    assert train().steps == 1
    for changes in (
        {"loss": good_loss._replace(kind="HingeLoss")},
        {"loss": good_loss._replace(kind="BCELoss")},
        {"optimizer": sgd._replace(kind="Lion")},
    ):
        with pytest.raises(UnsupportedError):
            train(**changes)
    with pytest.raises(UnsupportedError):
        network.step(CHAIN.values, CHAIN.values, sgd._replace(kind="Lion"))
    with pytest.raises(ValueError, match=r"^minidl_native: expected a learning rate for layers\[0\], got none"):
        train(optimizer=sgd._replace(rates=None))
    with pytest.raises(TypeError, match=r"^minidl_native: expected an array, got list"):
        train([[1.0, 2.0]])


def test_an_option_of_another_length_is_named():
    spec = [SPEC[0], replace(SPEC[1], kind="LeakyReLU", options=(("alpha", (0.1, 0.2)),))]
    Network(spec, dtype="float32", replicate_shape=(2,))
    with pytest.raises(ValueError, match="expected alpha of LeakyReLU to be a number or one per replicate, 3, got 2"):
        Network(spec, dtype="float32", replicate_shape=(3,))


def test_steps_are_worthwhile_where_the_engine_says_so():
    network = Network(SPEC, dtype="float32", replicate_shape=())
    assert [network.steps_worthwhile(kind) for kind in ("SGD", "Adam", "Lion")] == [False, True, False]


@pytest.mark.parametrize("optimizer", [lambda m: minidl.SGD(m, 0.1, momentum=0.5), lambda m: minidl.Adam(m, 0.1)])
@pytest.mark.parametrize("replicates", [0, 2])
def test_a_step_is_that_of_numpy(trained, core, optimizer, replicates):
    build = lambda rng: minidl.Linear(3, 2, rng=rng, dtype="float64")  # noqa: E731 - as short as its formula
    ours, theirs = (minidl.replicate(build, range(replicates)) if replicates else build(0) for _ in range(2))
    step, numpy_step = optimizer(ours), optimizer(theirs)
    for t in range(3):
        gradients = np.random.default_rng(t).standard_normal(ours.values.shape)
        theirs.grads[...] = gradients
        numpy_step.step()
        trained.network_of(ours).step(ours.values, gradients, core.optimizer_record(step, 1))
        step.t += 1
        np.testing.assert_allclose(ours.values, theirs.values, rtol=1e-13)


def test_generators():
    one, other, third = (np.random.default_rng(i) for i in range(3))
    make = lambda *own: Network(SPEC, dtype="float32", replicate_shape=(2,), generators=own)  # noqa: E731 - as short as its formula
    make([one, other])
    with pytest.raises(UnsupportedError, match="replicates that draw from one generator"):
        make([one, one])
    with pytest.raises(UnsupportedError, match="replicates that draw from one generator"):
        make([one, np.random.Generator(one.bit_generator)])
    with pytest.raises(ValueError, match="expected 2 generators for a Dropout, got 3"):
        make([one, other, third])

    class Own(np.random.Generator):
        pass

    with pytest.raises(UnsupportedError, match="a Own that may draw in its own way"):
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
def test_every_bit_generator(trained, core, bits):
    def build():
        model = minidl.Sequential([minidl.Linear(3, 3, rng=0), minidl.Dropout(0.5)])
        generator = np.random.Generator(bits(4))
        core.set_generators(model[1], [generator])
        generator.random(dtype=np.float32)  # half of a number stays in the generator
        return model

    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 21, 3)).astype(np.float32)
    numpy, native = trained.both(build, minidl.MSELoss(), lambda m: minidl.SGD(m, 1e-3), x, y)
    np.testing.assert_equal(native.states, numpy.states)
    np.testing.assert_allclose(native.model.values, numpy.model.values, rtol=1e-5, atol=1e-6)


def test_a_batch_norm_needs_two_samples_in_a_batch():
    norm = minidl.Residual(minidl.Sequential([minidl.Linear(2, 2, rng=0), minidl.BatchNorm1d(2)]))
    for spec, least in ((SPEC, 1), (norm.spec(), 2)):
        assert Network(spec, dtype="float32", replicate_shape=()).least_batch == least


def test_how_large_is_worthwhile():
    for width, isa in ((25, ""), (2100, ""), (65, "baseline"), (64, "baseline")):
        spec = minidl.Sequential([minidl.Linear(3, width), minidl.Linear(width, width), minidl.ReLU()]).spec()
        network = Network(spec, dtype="float32", replicate_shape=(), _isa=isa)
        assert (network.largest, network.worthwhile) == (width**2, width in (25, 64))
