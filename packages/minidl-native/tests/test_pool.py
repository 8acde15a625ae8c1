"""Threads and memory live as long as a training: no longer, and no number depends on them."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import minidl
import minidl_native
from minidl_native import EpochResult, Pool, Samples, Validation

TASKS = Path("/proc/self/task")
counts_threads = pytest.mark.skipif(not TASKS.exists(), reason="counts the threads of this process in /proc")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((450, 70)).astype(np.float32)
Y = RNG.integers(0, 5, len(X))
HELD_X, HELD_Y = np.tile(X, (6, 1)), np.tile(Y, 6)


def build(rng=0, width=120):
    rng = np.random.default_rng(rng)
    layers = [minidl.Linear(70, width, rng=rng, bias=False), minidl.ReLU(), minidl.Linear(width, width, rng=rng)]
    return minidl.Sequential([*layers, minidl.ReLU(), minidl.Linear(width, 5, rng=rng, bias=False)])


def fit(model, *callbacks, **options):
    options = {"epochs": 4, "batch_size": 150, "rng": 0, "engine": "native", "threads": 3} | options
    minidl.fit(
        model, minidl.CrossEntropyLoss("mean"), minidl.Adam(model, 0.01), X, Y, callbacks=list(callbacks), **options
    )
    return model


def tasks():
    return {task.name for task in TASKS.iterdir()}


class Looking:
    """A callback that notes the threads beside those of the beginning, and may raise an error."""

    def __init__(self, error=None):
        self.before, self.found, self.error = tasks(), [], error

    def __call__(self, epoch, _):
        self.found.append(tasks() - self.before)
        if self.error is not None and epoch == 3:
            raise self.error

    def wait_for_the_end(self):
        end = time.monotonic() + 30
        while tasks() - self.before:  # a thread that has ended stays in the list for a moment
            assert time.monotonic() < end


@counts_threads
@pytest.mark.parametrize("replicates", [0, 5, 40])
def test_the_threads_are_the_same_from_the_first_epoch_to_the_last(replicates):
    looking = Looking()
    model = minidl.replicate(lambda rng: build(rng, 9), range(replicates)) if replicates else build()
    fit(model, looking, rng=list(range(replicates)) or 0)  # the threads draw the orders of many replicates, too
    assert len(looking.found) == 4
    assert len(looking.found[0]) == 2
    assert all(found == looking.found[0] for found in looking.found)
    looking.wait_for_the_end()


@counts_threads
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_they_end_with_the_training_however_it_ends(error):
    looking = Looking(error())
    with pytest.raises(error):
        fit(build(), looking)
    assert len(looking.found[-1]) == 2
    looking.wait_for_the_end()


@counts_threads
def test_they_end_where_the_loss_is_nan():
    looking, model = Looking(), build()

    def spoil(epoch, _):
        model.values[...] = np.nan if epoch == 2 else model.values

    with pytest.raises(minidl.DivergenceError), np.errstate(invalid="ignore"):
        fit(model, looking, spoil)
    assert len(looking.found[-1]) == 2
    looking.wait_for_the_end()


@counts_threads
def test_a_training_within_another_has_its_own():
    inner, outer, expected = build(1), Looking(), fit(build(1)).values
    looking = Looking()
    fit(build(), outer, lambda epoch, _: epoch == 2 and fit(inner, looking) and None)
    assert {len(found) for found in outer.found} == {2}
    assert {len(found) for found in looking.found} == {4}
    np.testing.assert_array_equal(inner.values, expected)
    looking.wait_for_the_end()


def test_trainings_at_once_are_those_alone():
    alone = [fit(build(seed), lambda *_: None).values for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for values, model in zip(
            alone, pool.map(lambda seed: fit(build(seed), lambda *_: None), range(4)), strict=True
        ):
            np.testing.assert_array_equal(model.values, values)


FORKED = """
import os
import numpy as np
import minidl

rng = np.random.default_rng(0)
x, y = rng.standard_normal((450, 70)).astype(np.float32), rng.integers(0, 5, 450)
layers = [minidl.Linear(70, 120, rng=0), minidl.ReLU(), minidl.Linear(120, 120, rng=1), minidl.Linear(120, 5, rng=2)]
model, children = minidl.Sequential(layers), []

def fork(epoch, history):
    if epoch == 2:
        children.append(os.fork())

options = {"epochs": 5, "batch_size": 150, "rng": 0, "engine": "native", "threads": 3, "callbacks": [fork]}
minidl.fit(model, minidl.CrossEntropyLoss("mean"), minidl.Adam(model, 0.01), x, y, **options)
if children[0]:
    assert os.waitpid(children[0], 0)[1] == 0
print(float(model.values.sum()), flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_process_that_is_forked_goes_on_with_threads_of_its_own(run_script):
    child, parent = run_script(FORKED, ignoring="DeprecationWarning").split()
    assert child == parent


class Calls:
    """Calls of `Network.train`, one after another, of which some diverge."""

    def __init__(self, core, pool):
        self.core, self.pool, self.networks, self.found = core, pool, {}, []

    def __call__(self, width, batch, *, threads=1, spoilt=False, validated=0):
        model = build(width=width)
        network = self.networks.setdefault(
            width, minidl_native.Network(model.spec(), dtype="float32", replicate_shape=())
        )
        x = X.copy()
        if spoilt:
            x[7, 3] = np.nan
        loss, adam = self.core.loss_record(minidl.CrossEntropyLoss("mean"), Y), minidl.Adam(model, 0.01)
        record, result = self.core.optimizer_record(adam, 1)._replace(rates=0.01), EpochResult.empty(())
        held_out = Validation(Samples(HELD_X[:validated], HELD_Y[:validated], None, 1), loss, EpochResult.empty(()))
        network.train(
            model.values, Samples(x, Y, None, batch), loss, record, result,
            threads=threads, validation=held_out if validated else None, pool=self.pool,
        )  # fmt: skip
        assert bool(result.diverged) == spoilt
        self.found.append([model.values, adam.m, adam.v, *result, *held_out.result])


SEQUENCES = {
    "the same again": [(50, 20, {}), (50, 20, {}), (50, 20, {})],
    "after nan": [(50, 20, {"spoilt": True}), (50, 20, {}), (50, 20, {"spoilt": True})],
    "another batch size after nan": [(50, 20, {"spoilt": True}), (50, 33, {}), (50, 7, {"spoilt": True}), (50, 20, {})],
    "another network": [(50, 20, {"spoilt": True}), (23, 20, {}), (50, 20, {}), (120, 20, {}), (23, 20, {})],
    "validation": [
        (50, 20, {"validated": 400}),
        (50, 20, {}),
        (50, 20, {"validated": 70}),
        (50, 20, {"validated": 300}),
    ],
    "threads": [(200, 150, {"threads": count, "spoilt": count == 3}) for count in (1, 3, 2, 2, 3, 1)],
    "threads and validation": [(200, 150, {"threads": count, "validated": 2700}) for count in (2, 2, 3, 1, 2)],
}


@pytest.mark.parametrize("what", SEQUENCES)
def test_the_bits_are_those_of_fresh_memory(what, core):
    with Pool() as pool:
        kept, fresh = Calls(core, pool), Calls(core, None)
        for calls in (kept, fresh):
            for width, batch, options in SEQUENCES[what]:
                calls(width, batch, **options)
    for ours, theirs in zip(kept.found, fresh.found, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("wrong", [5, object()])
def test_what_is_no_pool_is_refused(core, wrong):
    kind = type(wrong).__name__
    with pytest.raises(TypeError, match=f"minidl_native: expected pool to be a Pool, got {kind}"):
        Calls(core, wrong)(200, 150)
    with pytest.raises(TypeError, match=f"minidl_native: expected pool to be a Pool, got {kind}"):
        minidl_native.permutations([np.random.default_rng(0)], 5, pool=wrong)


def test_a_pool_that_was_closed_can_be_used_again(core):
    pool = Pool()
    calls = Calls(core, pool)
    for _ in range(3):
        calls(200, 150, threads=2)
        pool.close()
        pool.close()
    np.testing.assert_array_equal(calls.found[0][0], calls.found[2][0])


def test_another_call_at_the_same_time_has_memory_of_its_own_and_closing_waits(core):
    with Pool() as pool:
        calls, refused = Calls(core, pool), []
        trainers = [threading.Thread(target=lambda: [calls(200, 150, threads=2) for _ in range(40)]) for _ in range(2)]
        for trainer in trainers:
            trainer.start()
        while any(trainer.is_alive() for trainer in trainers):
            try:
                pool.close()
            except ValueError as error:
                refused.append(str(error))
        assert set(refused) <= {"minidl_native: expected a pool that no training uses, got one in use"}
    assert len(calls.found) == 80
    for found in calls.found:
        np.testing.assert_array_equal(found[0], calls.found[0][0])
