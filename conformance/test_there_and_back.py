"""A training that goes on in torch and comes back is one that torch makes alone."""

import numpy as np
import pytest
import torch

from conformance.arrays import BACKENDS, as_library, as_numpy
from conformance.optimizer_cases import OPTIMIZERS
from conformance.race import STEPS, Race

THIRD = STEPS // 3
LEGS = f"{THIRD} here, {THIRD} in torch, {THIRD} here"


def to_torch(race):
    start, values = 0, as_numpy(race.model.values)
    for parameter in race.twin.parameters():
        part = values[start : start + parameter.numel()].reshape(parameter.shape)
        parameter.data = torch.from_numpy(part.copy())
        start += parameter.numel()
    race.theirs.load_state_dict(race.ours.state_dict(backend="torch"))


def from_torch(race):
    values = np.concatenate([p.detach().numpy().ravel() for p in race.twin.parameters()])
    race.model.values[...] = as_library(values, race.backend)
    race.ours.load_state_dict(race.theirs.state_dict())


def their_leg(race, rates, legs):
    """Make steps in torch with the learning rates that torch's schedule has given at the same steps."""
    race.schedule = None
    for rows, rate in zip(legs, rates, strict=True):
        for group in race.theirs.param_groups:
            group["lr"] = rate
        race.their_step(rows)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", OPTIMIZERS, ids=str)
def test_there_and_back(case, backend, rng, table):
    seed = rng.integers(2**32)
    whole, race = (Race(case, np.random.default_rng(seed), backend=backend) for _ in range(2))
    rates = []
    for rows in whole.order:
        rates.append(whole.theirs.param_groups[0]["lr"])
        whole.their_step(rows)
    for rows in race.order[:THIRD]:
        race.our_step(rows)
    to_torch(race)
    their_leg(race, rates[THIRD : 2 * THIRD], race.order[THIRD : 2 * THIRD])
    from_torch(race)
    if case.name.startswith("SGD"):  # in torch it counts no steps
        assert race.ours.t == THIRD
        race.ours.t = 2 * THIRD
    assert race.ours.t == 2 * THIRD
    for rows in race.order[2 * THIRD :]:
        race.our_step(rows)
    whole.model, whole.ours = race.model, race.ours
    table.record(f"{case}, {LEGS}", "float64", whole.distance(), case.drift)
    whole.assert_within(case.drift, f"{THIRD} steps here, {THIRD} in torch and {THIRD} here are")
