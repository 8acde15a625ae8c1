"""The compiled engine against torch: every optimizer step by step, every loss, odd widths and batches."""

from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import minidl as md
from conformance.arrays import without_native
from conformance.loss_cases import LOSSES, reduced, weighted
from conformance.module_cases import MODULES
from conformance.optimizer_cases import OPTIMIZERS
from conformance.test_optimizers import STEPS, Race
from conformance.ulp import ulps

pytestmark = without_native

WIDTHS = (1, 7, 8, 9, 25, 31, 33, 127)
# The engine tells which layers it has, and which of them are activations.
FACTS = import_module("minidl_native.kinds").FACTS["layers"] if find_spec("minidl_native") else {}
KNOWN = {name for name, facts in FACTS.items() if facts["is_activation"]}
ACTIVATIONS = [case for case in MODULES if case.name.split()[0] in KNOWN]
RELU, TANH, LAYER_NORM = (next(case for case in MODULES if case.name == name) for name in ("ReLU", "Tanh", "LayerNorm"))
BETWEEN_0_AND_1 = ("BCELoss", "PoissonNLLLoss of rates")  # what these losses want of a prediction
# Of the largest element of the vector, after some dozen steps: products are added in another order than torch's, and
# exp and tanh are the engine's own, right to 2 ulp.
ULP = {"float64": 64, "float32": 64}


@pytest.mark.parametrize("case", OPTIMIZERS, ids=str)
def test_every_optimizer_step_by_step(case, rng, table):
    race = Race(case, rng)
    for rows in race.order:
        data = race.x[rows], race.y[rows]
        history = md.fit(race.model, race.loss, race.ours, *data, epochs=1, batch_size=50, rng=rng, engine="native")
        assert history.engine == "native"
        race.their_step(rows)
        distance = race.distance()
        table.record(f"{case}, {STEPS} steps, engine", "float64", distance, case.drift)
        assert distance <= case.drift


class Both:
    """A network for the engine and its twin in torch, and a training of both on the same batches."""

    def __init__(self, widths, kind, dtype, *, bias=True, last=()):
        rng, ours, theirs = np.random.default_rng(3), [], []
        for below, above in pairwise(widths):
            ours += [md.Linear(below, above, bias=bias, std_b=0.1 if bias else None, dtype=dtype, rng=rng)]
            theirs += [nn.Linear(below, above, bias=bias)]
            ours, theirs = [*ours, kind.ours(dtype, "numpy")], [*theirs, kind.theirs((), getattr(torch, dtype))]
        self.ours = md.Sequential([*ours[:-1], *(md.Sigmoid() for _ in last)])
        self.theirs = nn.Sequential(*theirs[:-1], *(nn.Sigmoid() for _ in last)).to(getattr(torch, dtype))
        self.theirs.load_state_dict({name: torch.from_numpy(a) for name, a in self.ours.state_dict().items()})

    def train(self, loss, x, y, *, epochs, batch_size, weight=None):
        """Train both by SGD; return the losses per sample of each epoch, ours and torch's.

        With weights torch's loss is that of each term.
        """
        ours, theirs = loss
        sgd, sgd_there = md.SGD(self.ours, 0.01), torch.optim.SGD(self.theirs.parameters(), 0.01)
        options = {"epochs": epochs, "batch_size": batch_size, "engine": "native"}
        history = md.fit(self.ours, ours, sgd, x, y, rng=7, sample_weight=weight, **options)
        rng, curve = np.random.default_rng(7), []
        for _ in range(epochs):
            order, total = rng.permutation(len(x)), 0.0
            for start in range(0, len(x), batch_size):
                rows = order[start : start + batch_size]
                sgd_there.zero_grad()
                value = theirs(self.theirs(torch.from_numpy(x[rows])), torch.from_numpy(y[rows]))
                mass = len(rows)
                if weight is not None:
                    value, mass = weighted(value, torch.from_numpy(weight[rows]), ours.reduction), weight[rows].sum()
                value.backward()
                sgd_there.step()
                total += value.item() * (1 if ours.reduction == "sum" else mass)
            curve.append(total / (len(x) if weight is None else weight.sum()))
        return history.loss, curve

    def distance(self):
        theirs = np.concatenate([p.detach().numpy().ravel() for p in self.theirs.parameters()])
        return ulps(self.ours.values, theirs, "array")


def check(both, losses, name, dtype, table):
    ours, theirs = losses
    distance = both.distance()
    table.record(f"{name}, engine", dtype, distance, ULP[dtype])
    assert distance <= ULP[dtype]
    np.testing.assert_allclose(ours, theirs, rtol=ULP[dtype] * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
@pytest.mark.parametrize("case", LOSSES, ids=str)
def test_every_loss(case, reduction, dtype, rng, table):
    last = ["Sigmoid"] if case.name in BETWEEN_0_AND_1 else []
    both = Both((3, 9, 4 * case.outputs), TANH, dtype, last=last)
    x, y = rng.standard_normal((23, 3)).astype(dtype), case.target(rng, (23, 4), dtype)
    losses = both.train((case.ours(reduction), reduced(case, reduction)), x, y, epochs=5, batch_size=10)
    check(both, losses, case.name, dtype, table)


@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
@pytest.mark.parametrize("case", LOSSES, ids=str)
def test_every_loss_with_weights(case, reduction, rng):
    last = ["Sigmoid"] if case.name in BETWEEN_0_AND_1 else []
    both = Both((3, 9, 4 * case.outputs), TANH, "float64", last=last)
    x, y, weight = rng.standard_normal((23, 3)), case.target(rng, (23, 4), "float64"), rng.integers(0, 3, 23) / 2
    each = case.theirs("none")
    ours, theirs = both.train((case.ours(reduction), each), x, y, epochs=5, batch_size=10, weight=weight)
    assert both.distance() <= ULP["float64"]
    np.testing.assert_allclose(ours, theirs, rtol=ULP["float64"] * np.finfo("float64").eps)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("kind", ACTIVATIONS, ids=str)
def test_every_activation(kind, bias, dtype, rng, table):
    both = Both((5, 12, 12, 2), kind, dtype, bias=bias)
    x, y = rng.standard_normal((23, 5)).astype(dtype), rng.standard_normal((23, 2)).astype(dtype)
    losses = both.train((md.MSELoss("mean"), nn.MSELoss()), x, y, epochs=5, batch_size=10)
    check(both, losses, str(kind), dtype, table)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_layer_norm(dtype, rng, table):
    both = Both((5, 5, 5, 2), LAYER_NORM, dtype)
    x, y = rng.standard_normal((23, 5)).astype(dtype), rng.standard_normal((23, 2)).astype(dtype)
    losses = both.train((md.MSELoss("mean"), nn.MSELoss()), x, y, epochs=5, batch_size=10)
    check(both, losses, str(LAYER_NORM), dtype, table)


@pytest.mark.parametrize("batch_size", [1, 6, 100])
@pytest.mark.parametrize("width", WIDTHS)
def test_odd_widths_and_batches(width, batch_size, rng, table):
    both = Both((width, width, 2), RELU, "float64")
    x, y = rng.standard_normal((13, width)), rng.standard_normal((13, 2))
    losses = both.train((md.MSELoss("mean"), nn.MSELoss()), x, y, epochs=2, batch_size=batch_size)
    check(both, losses, "odd widths and batches", "float64", table)
