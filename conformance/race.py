"""The report's network here and in torch, trained side by side from the same parameters."""

import numpy as np
import torch
from torch import nn

import minidl as md
from conformance.arrays import as_library, as_numpy
from conformance.network import report_network, torch_twin
from conformance.ulp import assert_within, ulps

STEPS = 300


class Race:
    """The report's network here and in torch, from the same parameters, with an optimizer each."""

    def __init__(self, case, rng, dtype="float64", backend="numpy"):
        self.case, self.backend = case, backend
        self.model = report_network(dtype, rng, backend)
        self.twin = torch_twin(self.model)
        self.ours = case.ours(self.model)
        self.theirs = case.theirs(self.twin.parameters())
        self.schedule = None if case.schedule is None else case.schedule(self.theirs)
        self.loss = md.MSELoss()
        self.x = rng.uniform(size=(200, 2)).astype(dtype)
        inside = ((self.x - 0.5) ** 2).sum(axis=-1) < 1 / (2 * np.pi)
        self.y = np.stack([~inside, inside], axis=-1).astype(dtype)
        self.order = [rng.permutation(200)[:50] for _ in range(STEPS)]

    def our_gradient(self, rows):
        x, y = as_library(self.x[rows], self.backend), as_library(self.y[rows], self.backend)
        self.loss.forward(self.model.forward(x), y)
        self.model.backward(self.loss.backward(), need_dx=False)

    def our_step(self, rows):
        self.our_gradient(rows)
        self.ours.step()

    def their_step(self, rows, gradient=None):
        self.theirs.zero_grad()
        if gradient is None:
            nn.functional.mse_loss(
                self.twin(torch.from_numpy(self.x[rows])), torch.from_numpy(self.y[rows]), reduction="sum"
            ).backward()
        else:
            start = 0
            for parameter in self.twin.parameters():
                part = gradient[start : start + parameter.numel()]
                parameter.grad = torch.from_numpy(part.reshape(parameter.shape).copy())
                start += parameter.numel()
        if self.case.clip is not None:
            nn.utils.clip_grad_norm_(self.twin.parameters(), self.case.clip)
        self.theirs.step()
        if self.schedule is not None:
            self.schedule.step()

    def vectors(self):
        """Yield what the optimizer changes, its name, ours and torch's: parameters, moments, velocity."""
        yield (
            "the parameters",
            self.model.values,
            np.concatenate([p.detach().numpy().ravel() for p in self.twin.parameters()]),
        )
        for ours, theirs in self.case.state.items():
            state = [self.theirs.state[p][theirs].numpy().ravel() for p in self.twin.parameters()]
            yield ours, getattr(self.ours, ours), np.concatenate(state)

    def distance(self):
        # what a step added is compared with the size of the vector, which is where it ends
        return max(ulps(as_numpy(ours), theirs, "array") for _, ours, theirs in self.vectors())

    def assert_within(self, tolerance, when):
        __tracebackhide__ = True
        for name, ours, theirs in self.vectors():
            what = f"{self.case}, {self.backend}: {name} after {when} not torch's"
            assert_within(tolerance, what, as_numpy(ours), theirs, "array")

    def make_equal(self):
        for _, ours, theirs in self.vectors():
            ours[...] = as_library(theirs, self.backend)
