"""Every optimizer against torch, step by step: from equal state, and free running."""

import pytest

from conformance.arrays import BACKENDS, DTYPES, as_library, as_numpy
from conformance.optimizer_cases import OPTIMIZERS
from conformance.race import STEPS, Race

by_case = pytest.mark.parametrize("case", OPTIMIZERS, ids=str)
by_backend = pytest.mark.parametrize("backend", BACKENDS)


def gradient_of(race, rows, dtype, rng):
    """Return the network's own gradient, times what spreads its elements over eight decades: eps is seen in the small.

    In float16 it is drawn instead, and of one size: there Adam's eps of 1e-8 is zero, and the step of a dead unit
    0 / 0, here and in torch.
    """
    if dtype == "float16":
        return rng.uniform(0.1, 1, race.model.values.shape).astype(dtype)
    race.model.zero_grad()
    race.our_gradient(rows)
    return as_numpy(race.model.grads) * race.sizes


@by_backend
@pytest.mark.parametrize("dtype", DTYPES)
@by_case
def test_each_step_from_equal_state(case, dtype, backend, rng, table):
    race = Race(case, rng, dtype, backend)
    race.sizes = (10.0 ** rng.uniform(-8, 0, race.model.values.shape)).astype(dtype)
    for rows in race.order[: STEPS if dtype == "float64" else STEPS // 4]:
        gradient = gradient_of(race, rows, dtype, rng)
        race.model.grads[...] = as_library(gradient, backend)
        before = as_numpy(race.model.values).copy()
        race.ours.step()
        race.their_step(rows, gradient)
        table.record(f"{case}, each step", dtype, race.distance(), case.ulp)
        race.assert_within(case.ulp, "a step from equal state is")
        assert (as_numpy(race.model.values) != before).any()
        race.make_equal()


@by_backend
@by_case
def test_free_running(case, backend, rng, table):
    race = Race(case, rng, backend=backend)
    for t, rows in enumerate(race.order, 1):
        race.our_step(rows)
        race.their_step(rows)
        table.record(f"{case}, {STEPS} steps", "float64", race.distance(), case.drift)
        race.assert_within(case.drift, f"{t} steps, free running, is")


@by_backend
def test_restart_begins_anew(backend, rng):
    race = Race(next(case for case in OPTIMIZERS if case.name == "Adam"), rng, backend=backend)
    start = as_library(as_numpy(race.model.values).copy(), backend)
    for rows in race.order[:5]:
        race.our_step(rows)
    race.ours.restart()
    race.model.values[...] = start
    for rows in race.order[5:10]:
        race.our_step(rows)
        race.their_step(rows)
    race.assert_within(race.case.drift, "a restart is")
