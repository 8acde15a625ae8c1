"""What the tests share: a training by the engine, and the same by minidl on NumPy."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest

import minidl
from minidl.accuracy import names_classes
from minidl_native import Network, _engine

ISAS = _engine.isas()


def network_of(model, isa=""):
    generators = [module._rngs for module in model._tree() if isinstance(module, minidl.Dropout)]
    return Network(model.spec(), dtype=str(model.dtype), lead=model.lead, generators=generators, _isa=isa)


def settings_of(optimizer):
    if isinstance(optimizer, minidl.Adam):
        names = ("beta1", "beta2", "eps", "weight_decay", "m", "v")
    else:
        names = ("momentum", "nesterov", "weight_decay", "velocity")
    return {"kind": type(optimizer).__name__, **{name: getattr(optimizer, name) for name in names}}


def orders_of(rng, samples):
    """Draw an order of the samples as `minidl.fit` does."""
    if isinstance(rng, list):
        return np.stack([one.permutation(samples).astype(np.int32) for one in rng])
    return rng.permutation(samples)


def train(model, loss, optimizer, x, y, *, epochs, batch_size, rng, isa="", threads=1, active=None):
    """Train with the engine as `minidl.fit` would; return the outcome of each epoch."""
    network, samples = network_of(model, isa), x.shape[-2]
    steps = -(-samples // batch_size)
    is_classes = names_classes(y)
    outcomes = []
    for _ in range(epochs):
        rates = [optimizer._rate(optimizer.t + k) for k in range(1, steps + 1)]
        outcomes.append(
            network.train_epoch(
                model.values,
                x,
                y,
                orders_of(rng, samples),
                batch_size=batch_size,
                loss=type(loss).__name__,
                mean=loss.reduction == "mean",
                threshold=loss.threshold if is_classes else None,
                optimizer=settings_of(optimizer),
                rates=None if rates[0] is None else np.array(rates, np.float64),
                t=optimizer.t,
                active=active,
                threads=threads,
            )
        )
        optimizer.t += steps
    return outcomes


def both(build, loss, optimizer, x, y, *, epochs=3, batch_size=7, rngs=lambda: np.random.default_rng(5), **options):
    """Train twins, one on NumPy and one with the engine; return both sides of all that came out."""
    sides = []
    for native in (False, True):
        model = build()
        descent, rng, own_loss = optimizer(model), rngs(), copy.deepcopy(loss)
        drawn = [rng for module in model._tree() if isinstance(module, minidl.Dropout) for rng in module._rngs]
        if native:
            outcomes = train(model, own_loss, descent, x, y, epochs=epochs, batch_size=batch_size, rng=rng, **options)
            losses = [outcome.loss / x.shape[-2] for outcome in outcomes]
            accuracies = [outcome.hits / x.shape[-2] for outcome in outcomes]
        else:
            history = minidl.fit(model, own_loss, descent, x, y, epochs=epochs, batch_size=batch_size, rng=rng)
            losses, accuracies = history.loss, history.accuracy
        memory = [m for m in (getattr(descent, name, None) for name in ("m", "v", "velocity")) if m is not None]
        states = [generator.bit_generator.state for generator in drawn]
        sides.append(SimpleNamespace(model=model, losses=losses, accuracies=accuracies, memory=memory, states=states))
    return sides


# Both sides round every sum in an order of their own, and training carries the difference on: in float64 it stays below
# 1e-12 of an array's largest number. In float32 an ulp is 1e-7, and Adam makes full steps of gradients near zero.
TOLERANCES = {"float64": 1e-12, "float32": 1e-4}


def assert_close(ours, theirs, tolerance):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(np.abs(theirs).max(), 1e-30))


def assert_alike(sides):
    numpy, native = sides
    tolerance = TOLERANCES[str(numpy.model.dtype)]
    assert_close(native.model.values, numpy.model.values, tolerance)
    assert_close(native.losses, numpy.losses, tolerance)
    for ours, theirs in zip(native.memory, numpy.memory, strict=True):
        assert_close(ours, theirs, tolerance)
    if numpy.accuracies:
        slack = 0 if numpy.model.dtype == np.float64 else 0.05  # a prediction may lie on the border within an ulp
        np.testing.assert_allclose(native.accuracies, numpy.accuracies, rtol=0, atol=slack)
    assert native.states == numpy.states


@pytest.fixture(scope="session")
def trained():
    return SimpleNamespace(both=both, assert_alike=assert_alike, train=train, network_of=network_of)


@pytest.fixture(params=ISAS)
def isa(request):
    """Each instruction set that this processor has."""
    return request.param


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return request.param
