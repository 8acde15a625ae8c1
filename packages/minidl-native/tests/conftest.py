"""What the tests share: a training by the engine, and the same by minidl on NumPy.

Whatever the tests take from minidl-core beside its public names is named here, in one place.
"""

import copy
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import minidl
from minidl.training.metrics import names_classes
from minidl_native import EpochResult, LossRecord, Network, OptimizerRecord, Samples, _engine

ISAS = _engine.isas()


def pytest_configure():
    # A shell starts background jobs with Ctrl-C ignored; the tests that interrupt a training would wait in vain.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def modules_of(model):
    return list(model.modules())


def replicate_shape_of(model):
    return model.replicate_shape


def generators_of(module):
    return module.generators


def set_generators(module, generators):
    module.generators = generators


def rate_of(optimizer, t):
    return optimizer._rate(t)


def dropouts_of(model):
    return [module for module in modules_of(model) if isinstance(module, minidl.Dropout)]


def measuring(model):
    """The modules that have statistics."""
    return [module for module in modules_of(model) if module.statistics]


def network_of(model, isa=""):
    generators = [generators_of(module) for module in dropouts_of(model)]
    shape = replicate_shape_of(model)
    return Network(model.spec(), dtype=str(model.dtype), replicate_shape=shape, generators=generators, _isa=isa)


def vectors_of(optimizer):
    names = _engine.kinds()["optimizers"][type(optimizer).__name__]["vectors"]
    return {name: getattr(optimizer, name) for name in names}


def optimizer_record(optimizer, steps):
    kind = type(optimizer).__name__
    rates = [rate_of(optimizer, optimizer.t + k) for k in range(1, steps + 1)]
    return OptimizerRecord(
        kind,
        optimizer.state().settings,
        vectors_of(optimizer),
        None if rates[0] is None else np.array(rates),
        optimizer.t,
    )


def loss_record(loss, y):
    kind, threshold = type(loss).__name__, loss.threshold if counts(loss, y) else None
    per_sample = loss.reduction == "batchmean"
    return LossRecord(kind, loss.reduction != "sum", threshold, loss.numbers(), per_sample)


def counts(loss, y):
    """Whether accuracy is counted, always where that is possible."""
    return loss.one_output_per_target and (names_classes(y) or loss.targets_are_classes(y))


def orders_of(rng, samples):
    """Draw an order of the samples as `minidl.fit` does."""
    if isinstance(rng, list):
        return np.stack([one.permutation(samples).astype(np.int32) for one in rng])
    return rng.permutation(samples)


def train(
    model, loss, optimizer, x, y, *, epochs, batch_size, rng, isa="", threads=1, active=None, network=None, weight=None,
    l2=0.0,
):  # fmt: skip
    """Train with the engine as `minidl.fit` would; return the result of each epoch."""
    network, samples = network or network_of(model, isa), x.shape[-2]
    steps = -(-samples // batch_size)
    results = []
    for module in measuring(model):
        module.statistics = {name: array.copy() for name, array in module.statistics.items()}
    for _ in range(epochs):
        result = EpochResult.empty(replicate_shape_of(model))
        network.train(
            model.values,
            Samples(x, y, orders_of(rng, samples), batch_size, weight),
            loss_record(loss, y)._replace(l2=l2),
            optimizer_record(optimizer, steps),
            result,
            statistics=[module.statistics for module in measuring(model)],
            active=active,
            threads=threads,
        )
        optimizer.t += steps
        results.append(result)
    return results


def both(
    build, loss, optimizer, x, y, *, epochs=3, batch_size=7, rngs=lambda: np.random.default_rng(5), weight=None,
    l2=0.0, **options,
):  # fmt: skip
    """Train twins, one on NumPy and one with the engine; return both sides of all that came out."""
    sides, mass = [], x.shape[-2] if weight is None else weight.sum(axis=-1)
    for native in (False, True):
        model = build()
        descent, rng, own_loss = optimizer(model), rngs(), copy.deepcopy(loss)
        drawn = [rng for module in dropouts_of(model) for rng in generators_of(module)]
        if native:
            options |= {"epochs": epochs, "batch_size": batch_size, "rng": rng, "weight": weight, "l2": l2}
            results = train(model, own_loss, descent, x, y, **options)
            losses = [result.loss / mass for result in results]
            accuracies = [result.hits / mass for result in results]
        else:
            settings = {"epochs": epochs, "batch_size": batch_size, "rng": rng, "engine": "numpy", "l2": l2}
            settings["accuracy"] = True if counts(own_loss, y) else None
            history = minidl.fit(model, own_loss, descent, x, y, sample_weight=weight, **settings)
            losses, accuracies = history.loss, history.accuracy
        # Together, because a mean may be zero but for rounding.
        statistics = [array.ravel() for module in measuring(model) for array in module.statistics.values()]
        memory = [np.concatenate(statistics)] if statistics else []
        memory += [vector for vector in vectors_of(descent).values() if vector is not None]
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


@pytest.fixture(scope="session")
def core():
    """What lies inside minidl-core's objects."""
    return SimpleNamespace(
        dropouts_of=dropouts_of, generators_of=generators_of, set_generators=set_generators, loss_record=loss_record,
        optimizer_record=optimizer_record, replicate_shape_of=replicate_shape_of,
    )  # fmt: skip


@pytest.fixture(scope="session")
def run_script():
    """Return a function that runs a script in a process of its own, with warnings as errors, and returns the output."""

    def run(script, *arguments, timeout=60, ignoring=None):
        warnings = ["-W", "error", *([] if ignoring is None else ["-W", f"ignore::{ignoring}"])]
        done = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, *warnings, "-c", script, *arguments],
            capture_output=True, text=True, check=False, timeout=timeout,
        )  # fmt: skip
        assert not done.returncode, done.stderr
        return done.stdout

    return run


@pytest.fixture(params=ISAS)
def isa(request):
    """Each instruction set that this processor has."""
    return request.param


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture
def epochs_of_calls(monkeypatch):
    """Return a function: the list of the epochs in each call with so many samples; with others the engine is tried."""

    def of(count):
        found, train = [], Network.train

        def counting(self, values, samples, *rest, **options):
            if samples.x.shape[-2] == count:
                found.append(len(samples.order) if np.ndim(samples.order) == 2 else 1)
            return train(self, values, samples, *rest, **options)

        monkeypatch.setattr(Network, "train", counting)
        return found

    return of


def result_of(results, epoch):
    return EpochResult(*(array[epoch : epoch + 1].reshape(()) for array in results[:4]))


@pytest.fixture
def stopped_after():
    """Return a function: what trains in a call that a signal ends after some steps, as the engine does."""

    def after(steps, error=KeyboardInterrupt):
        train = Network.train

        def stopping(self, values, samples, loss, optimizer, result, validation=None, **options):
            per_epoch = -(-samples.order.shape[-1] // samples.batch_size)
            for epoch, order in enumerate(samples.order):
                left = steps - epoch * per_epoch
                if left <= 0:
                    break
                own, held_out = result_of(result, epoch), None
                if validation is not None and left > per_epoch:
                    held_out = validation._replace(result=result_of(validation.result, epoch))
                part = samples._replace(order=order[: left * samples.batch_size])
                train(
                    self,
                    values,
                    part,
                    loss,
                    optimizer._replace(t=optimizer.t + epoch * per_epoch),
                    own,
                    validation=held_out,
                    **options,
                )
                if result.states is not None and left > per_epoch:
                    result.states[epoch] = values
            raise error

        return stopping

    return after
